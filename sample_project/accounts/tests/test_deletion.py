import django
import pytest
from django.db import models

from accounts import deletion
from accounts.models import Visit


@pytest.mark.skipif(django.VERSION < (6, 1), reason="the database's own rules are declared from Django 6.1 on")
def test_the_rules_are_declared():
    assert deletion.DB_CASCADE is models.DB_CASCADE
    assert deletion.DB_SET_NULL is models.DB_SET_NULL


@pytest.mark.skipif(django.VERSION >= (6, 1), reason="Django 6.1 knows the database's own rules")
def test_django_keeps_out():
    assert deletion.DB_CASCADE is models.DO_NOTHING


def test_visits_follow_them():
    assert Visit._meta.get_field("user").remote_field.on_delete is deletion.DB_CASCADE
    assert Visit._meta.get_field("campaign").remote_field.on_delete is deletion.DB_SET_NULL
