import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from catalog.models import Excerpt

pytestmark = pytest.mark.django_db

PATH = "/books/emma/excerpt/"
TEXT = "Emma Woodhouse, handsome, clever, and rich …".encode()


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def excerpt(emma):
    excerpt = Excerpt(book=emma)
    excerpt.file.save("whatever.txt", ContentFile(TEXT))
    return excerpt


def test_it_is_sent_to_be_saved_and_not_to_be_shown(client, excerpt):
    response = client.get(PATH)
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == TEXT
    assert response["Content-Disposition"] == 'attachment; filename="emma.txt"'
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Length"] == str(len(TEXT))


def test_the_header_does_not_depend_on_the_middleware(rf, excerpt, settings):
    from storefront.downloads import excerpt as view

    response = view(rf.get(PATH), slug="emma")
    response.close()
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_book_without_excerpt_has_no_such_page_and_no_link(client, emma):
    assert client.get(PATH).status_code == 404
    assert PATH not in client.get("/books/emma/").content.decode()


def test_a_book_with_one_links_to_it(client, excerpt):
    assert PATH in client.get("/books/emma/").content.decode()


def test_a_file_that_is_gone_is_not_found(client, excerpt, media):
    (media / excerpt.file.name).unlink()
    assert client.get(PATH).status_code == 404


def test_no_address_leads_into_the_folder(client, excerpt, settings):
    assert settings.MEDIA_URL in {"", "/"}
    assert client.get(f"/{excerpt.file.name}").status_code == 404
    assert client.get(f"/media/{excerpt.file.name}").status_code == 404


def test_of_the_name_that_was_given_only_the_extension_is_kept(emma, excerpt, media):
    assert excerpt.file.name == "excerpts/emma.txt"
    again = Excerpt(book=emma)
    again.file = ContentFile(TEXT, name="../../etc/PASSWD.TXT")
    assert again.file.field.generate_filename(again, again.file.name) == "excerpts/emma.txt"
    assert (media / "excerpts" / "emma.txt").read_bytes() == TEXT


def test_one_book_has_one_excerpt(emma, excerpt):
    with pytest.raises(ValidationError, match="already exists"):
        Excerpt(book=emma, file=ContentFile(TEXT, name="b.txt")).full_clean()


@pytest.mark.parametrize("gone", ["excerpt", "book"])
def test_the_file_goes_with_its_row_after_the_commit(excerpt, emma, media, gone, django_capture_on_commit_callbacks):
    path = media / excerpt.file.name
    with django_capture_on_commit_callbacks(execute=True):
        if gone == "book":
            emma.lines.all().delete()
            emma.delete()
        else:
            excerpt.delete()
        assert path.exists()
    assert not path.exists()
    assert not Excerpt.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("virus.exe", b"MZ", "File extension “exe” is not allowed"),
        ("page.html", b"<script>", "is not allowed"),
        ("emma", b"text", "is not allowed"),
        ("emma.pdf", b"<html>", "This file is called a PDF, and is none."),
        ("emma.txt", b"%PDF-1.7 \xff\xfe", "This file is called a text, and is none in UTF-8."),
        ("emma.txt", b"a\x00b", "This file is called a text, and is none."),
        ("emma.txt", b"a" * 1_000_001, "An excerpt has at most 1 MB"),
    ],
)
def test_what_is_no_excerpt_is_refused(emma, name, content, message):
    with pytest.raises(ValidationError, match=message):
        Excerpt(book=emma, file=ContentFile(content, name=name)).full_clean()


@pytest.mark.parametrize(("name", "content"), [("a.PDF", b"%PDF-1.7"), ("a.txt", TEXT), ("a.txt", b"a" * 1_000_000)])
def test_what_is_one_is_taken(emma, name, content):
    Excerpt(book=emma, file=ContentFile(content, name=name)).full_clean()
