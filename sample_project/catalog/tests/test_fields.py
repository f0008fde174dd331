import pytest
from django import forms
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Max

from catalog.fields import ISBNField, check_digit, normalise
from catalog.models import Book


@pytest.mark.parametrize(
    ("text", "isbn"),
    [
        ("9780141439518", "9780141439518"),
        ("978-0-14-143951-8", "9780141439518"),
        (" 978 0 14 143951 8 ", "9780141439518"),
        (9780141439518, "9780141439518"),
        ("0-14-143951-3", "9780141439518"),
        ("0-8044-2957-X", "9780804429573"),
        ("0-8044-2957-x", "9780804429573"),
        ("979-10-90636-07-1", "9791090636071"),
    ],
)
def test_every_way_to_write_an_isbn_becomes_thirteen_digits(text, isbn):
    assert normalise(text) == isbn


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9780141439519", "check digit"),
        ("0-14-143951-4", "check digit"),
        ("978014143951", "ten or thirteen digits, and this has 12"),
        ("1234567890128", "978 or 979"),
        ("97801414395X8", "digits and hyphens only"),
        ("978014143951X", "digits and hyphens only"),
        ("٩٧٨٠١٤١٤٣٩٥١٨", "digits and hyphens only"),
        ("Emma", "digits and hyphens only"),
    ],
)
def test_what_is_no_isbn_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        normalise(text)


def test_the_check_digit_may_be_nought():
    assert {check_digit(f"97800000{number:04d}") for number in range(40)} == set("0123456789")


class TestField:
    def test_without_arguments_nothing_is_written_into_a_migration(self):
        field = ISBNField()
        assert field.deconstruct() == (None, "catalog.fields.ISBNField", [], {})

    def test_what_differs_is_written_and_a_clone_is_equal(self):
        field = ISBNField(null=True, unique=True, help_text="On the back.")
        _, path, args, kwargs = field.deconstruct()
        assert kwargs == {"null": True, "unique": True, "help_text": "On the back."}
        assert ISBNField(*args, **kwargs).deconstruct() == field.deconstruct()

    def test_the_column_is_that_of_a_big_integer(self):
        field = Book._meta.get_field("isbn")
        assert field.db_type(connection) == models.BigIntegerField().db_type(connection)

    @pytest.mark.django_db
    def test_a_form_takes_hyphens_and_says_what_is_wrong(self):
        class Form(forms.ModelForm):
            class Meta:
                model = Book
                fields = ["isbn"]

        form = Form({"isbn": "0-14-143951-3"})
        assert form.is_valid(), form.errors
        assert form.instance.isbn == "9780141439518"
        form = Form({"isbn": "0-14-143951-4"})
        assert form.errors["isbn"] == ["“0-14-143951-4” is not an ISBN: the check digit is wrong."]
        form = Form({"isbn": ""})
        assert form.is_valid()
        assert form.instance.isbn is None

    def test_cleaning_normalises(self):
        field = Book._meta.get_field("isbn")
        assert field.clean("0-8044-2957-X", None) == "9780804429573"
        with pytest.raises(ValidationError, match="is not an ISBN"):
            field.clean("Emma", None)


@pytest.mark.django_db
class TestRows:
    @pytest.fixture
    def emma(self):
        emma = Book.objects.get(title="Emma")
        emma.isbn = "0-14-143958-0"
        emma.save()
        return emma

    def test_the_instance_has_the_thirteen_digits_at_once(self, emma):
        assert emma.isbn == "9780141439587"

    def test_python_sees_text_and_the_database_a_number(self, emma):
        emma.refresh_from_db()
        assert emma.isbn == "9780141439587"
        with connection.cursor() as cursor:
            cursor.execute("SELECT isbn FROM catalog_book WHERE id = %s", [emma.pk])
            assert cursor.fetchone() == (9_780_141_439_587,)

    @pytest.mark.parametrize("text", ["9780141439587", "978-0-14-143958-7", "0141439580", "0-14-143958-0"])
    def test_a_book_is_found_however_its_number_is_written(self, emma, text):
        assert Book.objects.get(isbn=text) == emma
        assert Book.objects.get(isbn__in=[text]) == emma

    def test_null_is_found_and_occurs(self):
        assert Book.objects.filter(isbn=None).count() == Book.objects.filter(isbn__isnull=True).count() == 23

    def test_a_lookup_of_nonsense_names_the_field_and_the_reason(self):
        with pytest.raises(ValueError, match=r"'isbn' expected an ISBN but got 'Emma'"):
            Book.objects.get(isbn="Emma")

    def test_saving_nonsense_is_refused(self):
        with pytest.raises(ValueError, match="'isbn' expected an ISBN"):
            Book.objects.filter(title="Emma").update(isbn="9780141439588")

    @pytest.mark.parametrize(("prefix", "found"), [("978-0-14", 1), ("978", 143), ("9780141439587", 1)])
    def test_a_prefix_is_a_range(self, emma, prefix, found):
        books = Book.objects.filter(isbn__startswith=prefix)
        assert books.count() == found
        assert "BETWEEN" in str(books.query)

    @pytest.mark.parametrize("prefix", ["Emma", "97801414395871", ""])
    def test_what_begins_no_isbn_finds_nothing(self, prefix):
        assert not Book.objects.filter(isbn__startswith=prefix).exists()

    def test_aggregates_and_values_give_text(self, emma):
        assert Book.objects.filter(pk=emma.pk).aggregate(Max("isbn")) == {"isbn__max": "9780141439587"}
        assert Book.objects.filter(pk=emma.pk).values_list("isbn", flat=True).get() == "9780141439587"

    def test_two_books_cannot_have_the_same_number_however_it_is_written(self, emma):
        with pytest.raises(IntegrityError), transaction.atomic():
            Book.objects.filter(title="Persuasion").update(isbn="978-0-14-143958-7")

    def test_a_fixture_keeps_it(self, emma):
        text = serializers.serialize("json", [emma])
        assert '"isbn": "9780141439587"' in text
        (copy,) = serializers.deserialize("json", text)
        assert copy.object.isbn == "9780141439587"

    def test_the_numbers_of_the_shop_are_valid_and_of_no_country(self):
        numbers = Book.objects.exclude(isbn=None).values_list("isbn", flat=True)
        assert all(normalise(number) == number for number in numbers)
        assert all(number.startswith("97899999") for number in numbers)
