import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path

from accounts.models import User


def page(request):
    return HttpResponse("come in")


@login_not_required
def open_page(request):
    return HttpResponse("everybody may see this")


async def async_page(request):
    return HttpResponse("come in")


inner = [path("", page, name="home"), path("open/", open_page, name="open"), path("async/", async_page, name="async")]
urlpatterns = [
    path("shop/", page, name="shop"),
    path("desk/", include((inner, "desk"))),
    path("branch/", include(([path("desk/", include((inner, "desk")))], "branch"))),
    path("account/", include("accounts.urls")),
]
here = override_settings(ROOT_URLCONF=__name__)


@here
@pytest.mark.parametrize("url", ["/desk/", "/desk/async/", "/branch/desk/"])
def test_the_desk_asks_for_a_login_and_leads_back(client, url):
    response = client.get(f"{url}?page=2")
    assert response.status_code == 302
    assert response.headers["Location"] == f"/account/login/?next={url}%3Fpage%3D2"


@here
@pytest.mark.parametrize("url", ["/shop/", "/desk/open/"])
def test_other_pages_are_open_and_cost_no_query(client, url):
    # Without the mark, a query would be an error.
    assert client.get(url).status_code == 200


@here
@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/desk/", "/desk/async/", "/branch/desk/"])
def test_who_is_logged_in_comes_in(client, url):
    client.force_login(User.objects.get(username="ida"))
    assert client.get(url).content == b"come in"


@here
@pytest.mark.django_db
def test_it_works_in_an_asynchronous_server_too(async_client):
    from asgiref.sync import async_to_sync

    assert async_to_sync(async_client.get)("/desk/async/").status_code == 302
    assert async_to_sync(async_client.get)("/shop/").status_code == 200
