"""`manage.py import_prices`"""

import io
import sys
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line
from django.utils import timezone

from catalog.models import Book, PriceChange
from catalog.pricelists import PriceListError, apply, read
from catalog.signals import prices_changed

pytestmark = pytest.mark.django_db


@pytest.fixture
def price_list(tmp_path):
    """Write a price list, and get its path: `price_list("slug,price", "emma,9.50")`."""

    def write(*lines, encoding="utf-8", end="\n"):
        path = tmp_path / "prices.csv"
        path.write_bytes("".join(line + end for line in lines).encode(encoding))
        return str(path)

    return write


def run(*arguments, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command("import_prices", *arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def price(slug):
    return Book.objects.get(slug=slug).price


def test_prices_are_set_and_written_down(price_list):
    out, err = run(price_list("slug,price", "emma,99.50", "villette,98.25"))
    assert out == "2 prices changed.\n"
    assert (price("emma"), price("villette")) == (Decimal("99.50"), Decimal("98.25"))
    change = PriceChange.objects.get(book__slug="emma", valid_from=timezone.localdate())
    assert change.price == Decimal("99.50")
    # No bar where nobody looks at a terminal.
    assert err == ""


def test_a_second_list_on_the_same_day_takes_the_place_of_the_first(price_list):
    run(price_list("slug,price", "emma,99.50"))
    run(price_list("slug,price", "emma,97.50"))
    changes = PriceChange.objects.filter(book__slug="emma", valid_from=timezone.localdate())
    assert [change.price for change in changes] == [Decimal("97.50")]


@pytest.mark.parametrize("isbn", ["9789999900041", "978-99999-0004-1"])
def test_books_are_found_by_isbn_too(price_list, isbn):
    run(price_list("isbn,title,price", f"{isbn},whatever,99.50"))
    assert price("emma") == Decimal("99.50")


def test_a_list_from_a_spreadsheet_is_read(price_list):
    run(price_list("slug,price", "emma,99.50", encoding="utf-8-sig", end="\r\n"))
    assert price("emma") == Decimal("99.50")


def test_a_price_that_is_the_same_changes_nothing(price_list):
    before = PriceChange.objects.count()
    out, _ = run(price_list("slug,price", f"emma,{price('emma')}"))
    assert out == "0 prices changed.\n"
    assert PriceChange.objects.count() == before


def test_a_dry_run_shows_and_changes_nothing(price_list):
    before = price("emma")
    out, _ = run(price_list("slug,price", "emma,99.50"), dry_run=True)
    assert out == f"Emma: {before} → 99.50\n1 prices would be changed.\n"
    assert price("emma") == before


def test_every_wrong_line_is_named_and_nothing_is_changed(price_list):
    before = price("emma")
    path = price_list(
        "slug,price",
        "emma,99.50",
        "nobody,1",
        "villette,cheap",
        "middlemarch,-1",
        "persuasion",
        "emma,98",
        ",3",
        "dracula,12345",
    )
    with pytest.raises(CommandError) as refused:
        run(path)
    assert str(refused.value).splitlines() == [
        f"Nothing was changed. {path}:",
        "Line 3: no book has the slug nobody.",
        "Line 4: “cheap” value must be a decimal number.",
        "Line 5: the price -1 is less than nothing.",
        "Line 6: it has another number of columns than the first line.",
        "Line 7: emma was on line 2 already.",
        "Line 8: This field cannot be blank.",
        "Line 9: Ensure that there are no more than 4 digits before the decimal point.",
    ]
    assert refused.value.returncode == 1
    assert price("emma") == before


def test_a_long_list_of_errors_is_cut(price_list):
    with pytest.raises(CommandError, match=r"\n… and 5 more\.$"):
        run(price_list("slug,price", *(f"nobody-{number},1" for number in range(25))))


@pytest.mark.parametrize("lines", [[], ["title,price"], ["slug"], ["slug;price", "emma;9.50"]])
def test_a_list_without_the_columns_is_refused(price_list, lines):
    with pytest.raises(CommandError, match="Line 1: the columns have to be price and one of isbn, slug"):
        run(price_list(*lines))


def test_a_file_that_cannot_be_read_is_another_error(price_list, tmp_path):
    with pytest.raises(CommandError, match="cannot be read") as missing:
        run(str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="not text in UTF-8") as binary:
        run(price_list("slug,price", "thérèse-raquin,1", encoding="utf-16"))
    assert missing.value.returncode == binary.value.returncode == 2


def test_the_shell_gets_the_exit_code(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        execute_from_command_line(["manage.py", "import_prices", str(tmp_path / "none.csv")])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("CommandError: ")


def test_a_batch_has_at_least_one_book(price_list):
    with pytest.raises(CommandError, match="at least 1"):
        run(price_list("slug,price"), batch_size=0)


def test_batches_are_told_as_they_are_done_and_belong_to_one_transaction(price_list, monkeypatch):
    lines = ["slug,price", *(f"{slug},99" for slug in Book.objects.values_list("slug", flat=True)[:25])]
    told = []
    apply(read(lines), valid_from=date(2026, 11, 1), batch_size=10, progress=told.append)
    assert told == [10, 10, 5]

    def fail_late(count):
        told.append(count)
        if len(told) == 5:
            raise RuntimeError

    lines = [line.replace(",99", ",98") for line in lines]
    with pytest.raises(RuntimeError):
        apply(read(lines), valid_from=date(2026, 11, 1), batch_size=10, progress=fail_late)
    assert not Book.objects.filter(price=98).exists()


def test_a_thousand_prices_are_a_few_statements(django_assert_max_num_queries):
    prices = read(["slug,price", *(f"{slug},99" for slug in Book.objects.values_list("slug", flat=True))])
    with django_assert_max_num_queries(8):
        apply(prices, valid_from=date(2026, 11, 1))


def test_the_shop_is_told_once_and_after_the_transaction(django_capture_on_commit_callbacks):
    told = []

    def receive(sender, books, **kwargs):
        told.append((sender, books))

    prices_changed.connect(receive)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            apply(read(["slug,price", "emma,99", "villette,99"]), valid_from=date(2026, 11, 1))
            assert told == []
        with django_capture_on_commit_callbacks(execute=True):
            apply([], valid_from=date(2026, 11, 1))
    finally:
        prices_changed.disconnect(receive)
    assert told == [(Book, [Book.objects.get(slug="emma").pk, Book.objects.get(slug="villette").pk])]


def test_what_is_no_csv_is_said_with_its_line():
    with pytest.raises(PriceListError, match="^Line 2: field larger than field limit"):
        read(["slug,price", "x" * 200_000 + ",1"])


def test_on_a_terminal_there_is_a_bar(price_list, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    out = io.StringIO()
    call_command("import_prices", price_list("slug,price", "emma,99.50"), stdout=out)
    assert "Prices" in sys.stderr.getvalue()
