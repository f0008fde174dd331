import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_audiobook_classic")]

    operations = [
        migrations.CreateModel(
            name="PriceChange",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "book_id", "valid_from", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="price_changes", to="catalog.book"
                    ),
                ),
                ("valid_from", models.DateField()),
                ("price", models.DecimalField(decimal_places=2, max_digits=6)),
            ],
            options={
                "verbose_name": "price change",
                "ordering": ["book_id", "valid_from"],
                "get_latest_by": "valid_from",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("price__gte", 0)), name="pricechange_price_not_negative"
                    )
                ],
            },
        ),
    ]
