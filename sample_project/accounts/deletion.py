"""What the database itself does with rows whose parent is deleted, on every Django that the shop runs on.

Django 6.1 declares it on the field and writes it into the table. Django 5.2 has to be told to keep out; there the rule
is in the table because the migration wrote it. A database made with one of them is right for the other.

https://docs.djangoproject.com/en/6.1/ref/models/fields/#django.db.models.DB_CASCADE
"""

import django

if django.VERSION >= (6, 1):
    from django.db.models import DB_CASCADE, DB_SET_NULL
else:
    from django.db.models import DO_NOTHING

    DB_CASCADE = DB_SET_NULL = DO_NOTHING

__all__ = ["DB_CASCADE", "DB_SET_NULL"]
