"""The order of the middleware, as each set of settings has it."""

import django
import pytest

from config.settings import common, notebook

SECURITY = "django.middleware.security.SecurityMiddleware"
# (what is further out, what is further in, why)
ORDER = [
    ("storefront.middleware.RequestIDMiddleware", "*", "whatever is logged has the id"),
    ("storefront.middleware.TimingMiddleware", "config.health.HealthMiddleware", "the time contains all the others'"),
    ("config.health.HealthMiddleware", SECURITY, "probes come without HTTPS"),
    (
        "config.health.HealthMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "and without a session",
    ),
    ("config.health.HealthMiddleware", "django.middleware.common.CommonMiddleware", "and without the host's name"),
    (
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "so that the answer of whatever is further in has its language",
    ),
    (
        "django.middleware.locale.LocaleMiddleware",
        "storefront.middleware.MaintenanceMiddleware",
        "a closed shop says so in the visitor's language",
    ),
    (
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "storefront.errors.OrderErrorMiddleware",
        "it is the first to see an exception of a view",
    ),
    (
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "the session says who it is",
    ),
    (
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "storefront.middleware.MaintenanceMiddleware",
        "staff get through",
    ),
    (
        "storefront.middleware.MaintenanceMiddleware",
        "accounts.middleware.DeskLoginRequiredMiddleware",
        "a closed shop asks nobody to log in",
    ),
]


@pytest.mark.parametrize(("outer", "inner", "why"), ORDER)
@pytest.mark.parametrize("settings_of", [common, notebook])
def test_the_order(settings_of, outer, inner, why):
    order = settings_of.MIDDLEWARE
    assert order.index(outer) < (1 if inner == "*" else order.index(inner)), why


def test_none_is_there_twice():
    assert len(common.MIDDLEWARE) == len(set(common.MIDDLEWARE))


def test_the_content_security_policy_comes_with_django_6_and_not_into_notebooks():
    name = "django.middleware.csp.ContentSecurityPolicyMiddleware"
    assert (name in common.MIDDLEWARE) is (django.VERSION >= (6, 0))
    assert name not in notebook.MIDDLEWARE
