import os
import time
from pathlib import Path

from django.http import HttpResponse
from django.urls import path

from config.urls import urlpatterns as of_the_shop


def slow(request):
    """Says that it has begun by making one file, and answers when there is another. Both are in SLOW_FOLDER."""
    folder = Path(os.environ["SLOW_FOLDER"])
    (folder / "begun").touch()
    deadline = time.monotonic() + 20
    while not (folder / "end").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return HttpResponse("finished", content_type="text/plain")


def broken(request):
    raise ArithmeticError("nothing works")


urlpatterns = [*of_the_shop, path("slow/", slow), path("broken/", broken)]
