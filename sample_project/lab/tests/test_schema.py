"""Models as a picture, and as text."""

from xml.etree import ElementTree

import pytest
from django.db import models
from django.test.utils import isolate_apps

from lab.schema import Diagram, diagram

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def library():
    """A shelf of models with every kind of relation, in a registry of their own."""
    with isolate_apps("catalog"):

        class Person(models.Model):  # noqa: DJ008
            name = models.CharField(max_length=50, unique=True)
            boss = models.ForeignKey("self", models.SET_NULL, null=True)

            class Meta:
                app_label = "catalog"

        class Member(Person):  # noqa: DJ008
            friends = models.ManyToManyField(Person, related_name="+", through="Friendship")

            class Meta:
                app_label = "catalog"

        class Friendship(models.Model):  # noqa: DJ008
            member = models.ForeignKey(Member, models.CASCADE, related_name="+")
            person = models.ForeignKey(Person, models.CASCADE, related_name="+")

            class Meta:
                app_label = "catalog"

        class Guest(Person):  # noqa: DJ008
            class Meta:
                app_label = "catalog"
                proxy = True

        class Card(models.Model):  # noqa: DJ008
            holder = models.OneToOneField(Person, models.CASCADE)

            class Meta:
                app_label = "catalog"

        yield [Person, Member, Friendship, Guest, Card]


def test_text_names_fields_types_and_relations(library):
    assert repr(Diagram(library)) == (
        "Person\n"
        "  id    BigAutoField   primary key\n"
        "  name  CharField(50)  unique\n"
        "  boss  ForeignKey     → Person.person_set, SET_NULL, NULL\n"
        "\n"
        "Member\n"
        "  (inherits from Person)\n"
        "  person_ptr  OneToOneField    → Person.member, CASCADE, primary key\n"
        "  friends     ManyToManyField  ↔ Person, through Friendship\n"
        "\n"
        "Friendship\n"
        "  id      BigAutoField  primary key\n"
        "  member  ForeignKey    → Member, CASCADE\n"
        "  person  ForeignKey    → Person, CASCADE\n"
        "\n"
        "Guest\n"
        "  (a proxy of Person)\n"
        "\n"
        "Card\n"
        "  id      BigAutoField   primary key\n"
        "  holder  OneToOneField  → Person.card, CASCADE"
    )


def test_the_picture_has_a_box_per_model_and_a_line_per_relation(library):
    svg = ElementTree.fromstring(Diagram(library).svg)
    names = [each.text for each in svg.iter(f"{SVG}text") if each.get("class") == "name"]
    assert names == ["Person", "Member", "Friendship", "Guest", "Card"]
    lines = [each for each in svg.iter(f"{SVG}path") if "line" in each.get("class")]
    assert len(lines) == 7
    assert len([line for line in lines if "dash" in line.get("class")]) == 2


def test_boxes_do_not_overlap():
    boxes = list(diagram("catalog", "orders", "accounts")._boxes.values())
    for box in boxes:
        for other in boxes:
            apart = (
                box is other
                or box.x + box.width <= other.x
                or other.x + other.width <= box.x
                or box.y + box.height <= other.y
                or other.y + other.height <= box.y
            )
            assert apart, (box.label, other.label)


def test_other_apps_are_boxes_without_fields():
    text = repr(diagram("orders"))
    assert "catalog.Book.stock" in text
    assert "\ncatalog.Book\n" not in text
    assert ">catalog.Book</text>" in diagram("orders").svg


def test_it_is_the_same_each_time():
    assert diagram("catalog")._repr_mimebundle_() == diagram("catalog")._repr_mimebundle_()


@pytest.mark.parametrize("names", [["nothing"], ["catalog", "storefront"], []])
def test_an_app_without_models_is_refused_with_those_there_are(names):
    with pytest.raises(ValueError, match="accounts, .*catalog, .*orders"):
        diagram(*names)
