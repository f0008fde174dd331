"""What is around every page: navigation, messages, the choice of a language; and the second frame of the desk."""

import re

import pytest
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.template import engines
from django.template.loader import render_to_string
from django.test import Client
from django.urls import include, path

from accounts.models import User

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


def greeting(request):
    messages.success(request, "Welcome back.")
    messages.error(request, HOSTILE)
    return HttpResponse("noted")


urlpatterns = [path("greeting/", greeting), path("", include("config.urls"))]


@pytest.fixture
def menu(client):
    """The texts of the navigation, for a user or for nobody."""

    def texts(user=None):
        if user:
            client.force_login(user)
        page = client.get("/genres/crime/").content.decode()
        nav = re.search(r'<nav class="menu".*?</nav>', page, re.DOTALL).group()
        items = re.findall(r"<li>(.*?)</li>", nav, re.DOTALL)
        return [re.sub(r"<[^>]+>|\d+$", "", re.sub(r"<span.*?</span>", "", item)).strip() for item in items]

    return texts


def test_visitors_can_log_in_and_staff_reach_what_is_theirs(menu):
    everybody = ["Search", "Catalogue", "On the shelf", "Cart"]
    assert menu() == [*everybody, "Log in"]
    assert menu(User.objects.get(username="anna")) == [*everybody, "My orders", "My account", "Log out"]
    staff = User.objects.create_user("clerk", is_staff=True)
    assert menu(staff) == [*everybody, "My orders", "My account", "Desk", "Admin", "API", "Log out"]


def test_the_button_logs_out_by_post_with_a_token():
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="anna"))
    page = client.get("/genres/crime/").content.decode()
    form = re.search(
        r'<form class="inline" method="post" action="(/account/logout/)">.*?value="(\w+)"', page, re.DOTALL
    )
    assert client.post(form.group(1)).status_code == 403
    assert client.post(form.group(1), {"csrfmiddlewaretoken": form.group(2)}).status_code == 302
    assert "Log in" in client.get("/genres/crime/").content.decode()


def test_the_page_that_is_shown_is_marked_in_the_menu(client):
    assert re.findall(r'<a href="([^"]+)" aria-current="page">', client.get("/search/").content.decode()) == [
        "/search/"
    ]


def test_messages_are_shown_once_in_a_live_region_and_as_text(client, settings):
    settings.ROOT_URLCONF = __name__
    client.get("/greeting/")
    page = client.get("/genres/crime/").content.decode()
    region = re.search(r'<div class="frame messages" id="messages" role="status">(.*?)</div>', page, re.DOTALL).group(
        1
    )
    assert '<p class="notice success">Welcome back.</p>' in region
    assert '<p class="notice error">&lt;script&gt;alert(1)&lt;/script&gt;</p>' in region
    assert "Welcome back" not in client.get("/genres/crime/").content.decode()


@pytest.mark.parametrize("path", ["/", "/search/", "/genres/crime/", "/authors/homer/", "/catalogue/"])
def test_a_page_without_a_form_of_its_own_leaves_a_visitor_without_cookies(client, path):
    assert not client.get(path).cookies


@pytest.mark.parametrize("path", ["/", "/search/", "/books/emma/", "/cart/", "/account/login/", "/nowhere/"])
def test_pages_have_no_script_or_style_inside(client, path):
    """So that the content security policy can forbid both."""
    page = client.get(path).content.decode()
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\bstyle=|\bon\w+=", page)


def test_a_page_of_the_desk_fills_the_same_blocks_inside_a_second_frame():
    page = engines["django"].from_string(
        '{% extends "storefront/desk/base.html" %}{% block title %}Stock{% endblock %}'
        "{% block content %}<h1>Stock</h1>{% endblock %}"
    )
    html = page.render({"user": AnonymousUser(), "shop_name": "The Bookshop"})
    assert "<title>Stock</title>" in html
    main = html.partition("<main")[2].partition("</main>")[0]
    assert re.search(r'<nav class="desk".*</nav>\s*<h1>Stock</h1>', main, re.DOTALL)
    assert html.count("<h1>") == 1


def test_the_frame_can_be_rendered_without_a_request():
    html = render_to_string("storefront/base.html")
    assert "Log in" in html
    assert "<form" not in html
