import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse

from catalog.models import Author, Book, Genre
from storefront.views import BOOKS_PER_PAGE

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client):
    """Fetch a page that must exist: `page("home", q="zola")`, `page("book", "emma")`."""

    def get(name, *args, **query):
        response = client.get(reverse(f"storefront:{name}", args=args), query)
        assert response.status_code == 200
        return response

    return get


def titles(books):
    return [book.title for book in books]


def test_home_shows_the_shelves_and_the_first_page_of_all_books(page):
    home = page("home")
    assert titles(home.context["bestselling"])[0] == "Pride and Prejudice"
    assert titles(home.context["newest"])[0] == "The Enchanted April"
    assert titles(home.context["page"])[0] == Book.objects.order_by("title")[0].title
    assert len(home.context["page"]) == BOOKS_PER_PAGE
    assert "<h2>Bestselling</h2>" in home.content.decode()


def test_the_pages_of_home_show_every_book_once(page):
    seen = []
    number = 1
    while True:
        current = page("home", page=number).context["page"]
        seen += [book.pk for book in current]
        if not current.has_next():
            break
        number += 1
    assert sorted(seen) == sorted(Book.objects.values_list("pk", flat=True))


def test_only_the_first_page_has_shelves(page):
    assert "newest" not in page("home", page=2).context


@pytest.mark.parametrize(("asked", "shown"), [("0", 7), ("-1", 7), ("99", 7), ("two", 1), ("", 1)])
def test_a_page_that_does_not_exist_shows_the_nearest(page, asked, shown):
    assert page("home", page=asked).context["page"].number == shown


def test_a_search_finds_titles_and_authors(page):
    found = page("home", q="brontë")
    assert set(titles(found.context["page"])) == {
        "Agnes Grey",
        "Jane Eyre",
        "The Tenant of Wildfell Hall",
        "Villette",
        "Wuthering Heights",
    }
    assert "5 books found" in found.content.decode()
    assert "newest" not in found.context


def test_a_search_can_be_narrowed_to_a_genre(page):
    assert titles(page("home", q="zola", genre="crime").context["page"]) == ["Thérèse Raquin"]


def test_the_links_between_pages_keep_the_search(page):
    found = page("home", genre="social-novel").content.decode()
    assert "?genre=social-novel&amp;page=2" in found


def test_a_search_without_result_says_so(page):
    assert "No book was found" in page("home", q="Gabriel García Márquez").content.decode()


def test_a_search_is_shown_as_text(page):
    assert "<script>" not in page("home", q="<script>alert(1)</script>").content.decode()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"genre": "cookbooks"}, "The shop has no such genre."),
        ({"q": "x" * 101}, "Ensure this value has at most 100 characters"),
        ({"q": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_a_search_that_makes_no_sense_is_explained(page, query, message):
    found = page("home", **query)
    assert message in found.content.decode()
    assert not list(found.context["page"])


def test_an_empty_shop_says_how_to_fill_it(empty_shop, page):
    assert "python manage.py seed" in page("home").content.decode()


def test_a_full_shop_does_not(page):
    assert "manage.py seed" not in page("home").content.decode()


def test_a_book_shows_its_facts(page):
    shown = page("book", "villette").content.decode()
    facts = ["Charlotte Brontë", "Smith, Elder &amp; Co., London", "1853", "573", "10.50 €", "Gothic", "only 3 left"]
    assert [fact for fact in facts if fact not in shown] == []


def test_a_book_links_to_its_author_and_genres(page):
    shown = page("book", "villette").content.decode()
    assert 'href="/authors/charlotte-bronte/"' in shown
    assert 'href="/genres/gothic/"' in shown


@pytest.mark.parametrize(
    ("slug", "availability"),
    [("emma", "22 in stock"), ("nana", "sold out"), ("herland", "sold out"), ("peer-gynt", "out of print")],
)
def test_a_book_says_whether_it_can_be_had(page, slug, availability):
    assert availability in page("book", slug).content.decode()


@pytest.mark.parametrize("slug", ["meditations", "os-lusiadas", "call-to-arms", "hamlet"])
def test_what_is_unknown_of_a_book_is_left_out(page, slug):
    assert "None" not in page("book", slug).content.decode()


def test_a_book_shows_what_else_its_buyers_bought(page):
    emma = Book.objects.get(slug="emma")
    also = page("book", "emma").context["also_bought"]
    assert titles(also) == titles(Book.objects.bought_with(emma)[:6])
    assert len(also) == 6


def test_a_book_that_nobody_bought_has_no_such_shelf(page):
    assert "bought together" not in page("book", "seven-brothers").content.decode()


def test_an_author_shows_life_and_books(page):
    shown = page("author", "jane-austen")
    assert "United Kingdom · 1775–1817" in shown.content.decode()
    assert titles(shown.context["books"])[0] == "Sense and Sensibility"
    assert len(shown.context["books"]) == 6


@pytest.mark.parametrize(
    ("slug", "life"), [("daniel-defoe", "United Kingdom · ?–1731"), ("homer", '<p class="by">Greece</p>')]
)
def test_unknown_years_of_an_author_are_shown_as_such(page, slug, life):
    assert life in page("author", slug).content.decode()


def test_an_author_without_books_says_so(page):
    assert "no book by George Sand" in page("author", "george-sand").content.decode()


def test_a_genre_shows_its_books_page_by_page(page):
    shown = page("genre", "social-novel").context["page"]
    assert shown.paginator.count == Genre.objects.get(slug="social-novel").books.count() > BOOKS_PER_PAGE


def test_a_genre_without_books_says_so(page):
    assert "no book in this genre" in page("genre", "cookery").content.decode()


@pytest.mark.parametrize("path", ["/books/nothing/", "/authors/nobody/", "/genres/none/", "/nowhere/"])
def test_what_does_not_exist_is_a_404_page_of_the_shop(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert "not on our shelves" in response.content.decode()


@pytest.mark.parametrize(
    ("path", "queries"),
    [("/", 5), ("/?q=e", 3), ("/genres/crime/", 3), ("/authors/jane-austen/", 2), ("/books/emma/", 3)],
)
def test_a_page_takes_as_many_queries_as_it_has_parts(client, django_assert_num_queries, path, queries):
    with django_assert_num_queries(queries):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/?q=villette", "/genres/crime/", "/authors/jane-austen/", "/books/emma/"])
def test_ten_times_the_rows_take_no_more_queries(
    client, django_assert_num_queries, django_assert_max_num_queries, path
):
    with django_assert_max_num_queries(5) as few:
        client.get(path)
    austen, crime = Author.objects.get(slug="jane-austen"), Genre.objects.get(slug="crime")
    books = Book.objects.bulk_create(
        Book(title=f"Villette {number}", slug=f"villette-{number}", author=austen, price=1) for number in range(60)
    )
    crime.books.add(*books)
    Book.objects.get(slug="emma").genres.add(*Genre.objects.all())
    with django_assert_num_queries(len(few)):
        client.get(path)


def test_the_style_sheet_knows_both_themes():
    with open(finders.find("storefront/shop.css"), encoding="utf-8") as file:
        assert "prefers-color-scheme: dark" in file.read()
