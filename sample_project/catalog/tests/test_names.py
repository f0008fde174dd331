import pytest

from catalog.models import Author
from catalog.names import sort_name


@pytest.mark.parametrize(
    ("name", "sorted_as"),
    [
        ("Jane Austen", "Austen, Jane"),
        ("Honoré de Balzac", "Balzac, Honoré de"),
        ("Homer", "Homer"),
        ("Lu Xun", "Lu Xun"),
        ("Benito Pérez Galdós", "Pérez Galdós, Benito"),
        ("", ""),
    ],
)
def test_names_are_sorted_as_on_a_shelf(name, sorted_as):
    assert sort_name(name) == sorted_as


@pytest.mark.django_db
def test_authors_come_with_it():
    assert not Author.objects.filter(sort_name="").exists()
    author = Author.objects.create(name="Fernando Pessoa", slug="fernando-pessoa")
    assert author.sort_name == "Pessoa, Fernando"
    author.name = "Ricardo Reis"
    author.save(update_fields=["name"])
    author.refresh_from_db()
    assert author.sort_name == "Reis, Ricardo"
