"""The shop's pages where no server runs: each link and form is answered by the test client."""

import base64

START = "from lab import start\nstart()\nfrom lab.frame import frame_class\nframe = frame_class()\n"


def test_links_lead_on_and_redirects_are_followed(python):
    script = START + (
        "window = frame('/')\nfirst = window.step\n"
        "window.answer({'method': 'GET', 'path': '/books/'})\n"
        "print(window.path, window.status, window.step - first, '<html' in window.page)\n"
        "window.answer({'method': 'GET', 'path': '/admin/'})\n"
        "print(window.path, window.status)"
    )
    assert python(script).endswith("\n/books/ 200 1 True\n/admin/login/?next=/admin/ 200\n")


def test_somebody_may_be_logged_in_and_a_form_changes_a_row(python):
    script = START + (
        "from accounts.models import User\nfrom catalog.models import Genre\n"
        "boss = User.objects.create_superuser('boss@example.com', password='x')\n"
        "window = frame('/admin/catalog/genre/add/', boss)\n"
        "print(window.status, 'name=\"name\"' in window.page)\n"
        "window.answer({'method': 'POST', 'path': '/admin/catalog/genre/add/',"
        " 'fields': [['name', 'Fables'], ['slug', 'fables'], ['_save', 'Save']]})\n"
        "print(window.path, Genre.objects.filter(name='Fables').exists())"
    )
    assert python(script).endswith("\n200 True\n/admin/catalog/genre/ True\n")


def test_a_missing_page_is_shown_with_its_status(python):
    assert python(START + "print(frame('/nothing/').status)").endswith("\n404\n")


def test_what_is_no_page_is_text_or_named(python):
    script = START + "window = frame('/health/live/')\nprint(window.page[:5])"
    assert python(script).endswith("\n<pre>\n")


def test_a_file_arrives_as_an_upload(python):
    content = base64.b64encode(b"title\n").decode()
    script = START + (
        "from lab.frame import _form_data\n"
        f"upload = {{'name': 'x.csv', 'type': 'text/csv', 'content': {content!r}}}\n"
        "data = _form_data([['a', '1'], ['a', '2'], ['f', upload]])\n"
        "print(data['a'], data['f'][0].name, data['f'][0].read())"
    )
    assert python(script).endswith("\n['1', '2'] x.csv b'title\\n'\n")


def test_a_script_that_the_shop_writes_is_part_of_the_page(python):
    script = START + (
        "from accounts.models import User\nboss = User.objects.create_superuser('boss@example.com', password='x')\n"
        "print('interpolate = function' in frame('/admin/catalog/book/', boss).page)"
    )
    assert python(script).endswith("\nTrue\n")
