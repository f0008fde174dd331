"""A view of the database. Django creates no table for the model (`managed = False`), so this makes what it reads.

SQLite refuses to rebuild a table that a view reads: a later migration that alters orders or lines there drops the view
first and creates it again afterwards, with the two statements below.
"""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
    CREATE VIEW orders_booksales AS
    SELECT line.book_id AS book_id,
           SUM(line.quantity) AS copies,
           COUNT(*) AS orders,
           SUM(line.amount) AS revenue
    FROM orders_orderline AS line
    JOIN orders_order ON orders_order.id = line.order_id
    WHERE orders_order.status <> 'cancelled'
    GROUP BY line.book_id
"""
DROP = "DROP VIEW orders_booksales"


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("orders", "0002_openorder_invoice_payment"),
    ]

    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.CreateModel(
            name="BookSales",
            fields=[
                (
                    "book",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="sales",
                        serialize=False,
                        to="catalog.book",
                    ),
                ),
                ("copies", models.PositiveIntegerField()),
                ("orders", models.PositiveIntegerField()),
                ("revenue", models.DecimalField(decimal_places=2, max_digits=12)),
            ],
            options={
                "verbose_name_plural": "book sales",
                "db_table": "orders_booksales",
                "ordering": ["-copies", "book_id"],
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
    ]
