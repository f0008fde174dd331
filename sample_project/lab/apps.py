from django.apps import AppConfig


class LabConfig(AppConfig):
    """The home of models that are defined in notebook cells. It has none of its own."""

    name = "lab"
    verbose_name = "Models of this notebook"
    default_auto_field = "django.db.models.BigAutoField"
