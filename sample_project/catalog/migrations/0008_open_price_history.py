"""Every book that is there gets the first entry of its history: today's price, from the day it was added."""

from django.db import migrations
from django.db.models import F
from django.db.models.functions import TruncDate


def open_price_history(apps, schema_editor):
    alias = schema_editor.connection.alias
    Book, PriceChange = apps.get_model("catalog", "Book"), apps.get_model("catalog", "PriceChange")
    books = Book.objects.using(alias).filter(price_changes=None).values_list("pk", "added", "price").order_by("pk")
    PriceChange.objects.using(alias).bulk_create(
        (PriceChange(book_id=pk, valid_from=added.date(), price=price) for pk, added, price in books.iterator()),
        batch_size=500,
    )


def close_price_history(apps, schema_editor):
    """Take away what the way forward wrote. What was entered since stays: nobody could enter it again."""
    PriceChange = apps.get_model("catalog", "PriceChange")
    opening = PriceChange.objects.using(schema_editor.connection.alias).filter(
        valid_from=TruncDate("book__added"), price=F("book__price")
    )
    opening.delete()


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_pricechange")]

    operations = [migrations.RunPython(open_price_history, close_price_history)]
