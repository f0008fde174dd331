import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import orders.models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OpenOrder",
            fields=[],
            options={
                "ordering": ["placed_at", "pk"],
                "proxy": True,
                "default_permissions": ("view", "change"),
                "indexes": [],
                "constraints": [],
            },
            bases=("orders.order",),
        ),
        migrations.AlterModelOptions(
            "order",
            options={
                "get_latest_by": "placed_at",
                "ordering": ["-placed_at", "-pk"],
                "permissions": [("cancel_order", "Can cancel an order")],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True)),
                ("issued_on", models.DateField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=9)),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=models.SET(orders.models.former_bookseller),
                        related_name="issued_invoices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invoice", to="orders.order"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "get_latest_by": "issued_on",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gte", 0)), name="invoice_amount_not_negative")
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "method",
                    models.CharField(
                        choices=[("card", "Card"), ("transfer", "Bank transfer")], default="card", max_length=8
                    ),
                ),
                ("received_on", models.DateField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=9)),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="payments",
                        to="orders.invoice",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="payments", to="orders.order"
                    ),
                ),
            ],
            options={
                "ordering": ["received_on", "pk"],
                "get_latest_by": "received_on",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="payment_amount_positive")
                ],
            },
        ),
    ]
