"""What the shop sold in a month, by genre. A book of two genres counts in both, so the genres have no sum."""

from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db.models import Sum

from catalog.models import Genre

from .models import Order, OrderLine
from .receipts import send_once


def _sold(year, month):
    lines = OrderLine.objects.filter(order__placed_at__year=year, order__placed_at__month=month)
    return lines.exclude(order__status=Order.Status.CANCELLED)


def sold_genres(year: int, month: int) -> list[int]:
    """The keys of the genres that sold anything in that month."""
    sold = _sold(year, month).order_by().values("book__genres")
    return list(Genre.objects.filter(pk__in=sold).order_by("pk").values_list("pk", flat=True))


def sales_of_genre(genre_pk: int, year: int, month: int) -> dict:
    """Its name, the copies sold and what they brought, as plain data."""
    sums = (
        _sold(year, month)
        .filter(book__genres=genre_pk)
        .aggregate(copies=Sum("quantity", default=0), revenue=Sum("amount", default=0))
    )
    name = Genre.objects.values_list("name", flat=True).get(pk=genre_pk)
    return {"genre": name, "copies": sums["copies"], "revenue": f"{sums['revenue']:.2f}"}


def mail_summary(genres: list[dict], year: int, month: int) -> dict:
    """The month with its genres, the best first. The booksellers get it by mail, the first time."""
    genres = sorted(genres, key=lambda row: (-row["copies"], row["genre"]))
    booksellers = get_user_model()._default_manager.filter(is_staff=True, is_active=True).exclude(email="")
    addresses = list(booksellers.order_by("pk").values_list("email", flat=True))
    if addresses:
        text = "".join(f"{row['copies']:>5} {row['revenue']:>10} {row['genre']}\n" for row in genres)
        message = EmailMessage(f"Sales of {year}-{month:02d}", text, bcc=addresses)
        send_once(f"sales:{year}-{month:02d}", message)
    return {"month": f"{year}-{month:02d}", "genres": genres}
