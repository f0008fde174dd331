from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "live"

    def ready(self):
        from . import announcements  # noqa: F401 - its receivers connect themselves
