"""Static files as in production: collected under names that contain a digest of what is in them.

https://docs.djangoproject.com/en/stable/ref/contrib/staticfiles/#manifeststaticfilesstorage
"""

import json
import re
from hashlib import md5

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.template import Context, Template
from django.templatetags.static import static
from django.test import override_settings

HASHED = re.compile(r"^(?P<name>.+)\.(?P<digest>[0-9a-f]{12})(?P<ending>\.\w+)$")
OTHERS = ["admin", "rest_framework", "drf_spectacular*"]


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The folder with the shop's own files, collected once; production's storage for the time of these tests."""
    root = tmp_path_factory.mktemp("static")
    storages = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    with override_settings(STORAGES=storages, STATIC_ROOT=root):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=OTHERS)
        yield root


@pytest.fixture(scope="module")
def manifest(collected):
    return json.loads((collected / "staticfiles.json").read_text(encoding="utf-8"))["paths"]


def test_production_uses_the_storage_tested_here():
    source = (settings.BASE_DIR / "config/settings/production.py").read_text(encoding="utf-8")
    assert '"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}' in source


@pytest.mark.parametrize(
    "name", ["storefront/shop.css", "storefront/search.js", "storefront/icon.svg", "brand/sign.svg"]
)
def test_each_file_has_a_name_with_the_digest_of_its_content(collected, manifest, name):
    parts = HASHED.match(manifest[name])
    assert parts["name"] + parts["ending"] == name
    content = (collected / manifest[name]).read_bytes()
    assert md5(content).hexdigest().startswith(parts["digest"])
    assert static(name) == f"/static/{manifest[name]}"


def test_another_content_is_another_name(collected, manifest, tmp_path):
    changed = tmp_path / "brand"
    changed.mkdir()
    (changed / "sign.svg").write_text("<svg/>", encoding="utf-8")
    with override_settings(STATIC_ROOT=tmp_path / "collected", STATICFILES_DIRS=[tmp_path]):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=[*OTHERS, "storefront", "live"])
        assert static("brand/sign.svg") not in {"/static/brand/sign.svg", f"/static/{manifest['brand/sign.svg']}"}


def test_text_is_kept_compressed_as_well(collected, manifest):
    assert (collected / f"{manifest['storefront/shop.css']}.gz").is_file()


@pytest.mark.django_db
def test_pages_name_the_files_by_their_digest(client, collected, manifest):
    page = client.get("/search/").content.decode()
    for name in ["storefront/shop.css", "storefront/search.js", "brand/sign.svg"]:
        assert f'"/static/{manifest[name]}"' in page
        assert f'"/static/{name}"' not in page


def test_a_file_that_was_not_collected_is_an_error_and_not_a_dead_link(collected):
    template = Template("{% load static %}{% static 'storefront/forgotten.css' %}")
    with pytest.raises(ValueError, match="Missing staticfiles manifest entry for 'storefront/forgotten.css'"):
        template.render(Context())


def test_without_a_manifest_names_stay_as_they_are():
    """In development files are found where they were written, so there is nothing to collect and no digest."""
    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": STATIC_FILES_OF_DJANGO}):
        assert static("storefront/shop.css") == "/static/storefront/shop.css"


STATIC_FILES_OF_DJANGO = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def test_what_belongs_to_no_app_is_in_the_folder_of_the_project():
    assert finders.find("brand/sign.svg") == str(settings.BASE_DIR / "static/brand/sign.svg")
    assert finders.find("storefront/shop.css") == str(settings.BASE_DIR / "storefront/static/storefront/shop.css")
