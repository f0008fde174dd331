"""What is written down of accounts: who came, who was refused, whose rights changed, who left.

https://docs.djangoproject.com/en/stable/ref/contrib/auth/#module-django.contrib.auth.signals
"""

import logging

from django.db import transaction
from django.utils.crypto import salted_hmac

logger = logging.getLogger(__name__)


def normalise_email(sender, instance, raw, **kwargs):
    """Store addresses as `create_user()` does, whoever saves the user: customers log in with them.

    https://docs.djangoproject.com/en/stable/ref/signals/#pre-save
    """
    if not raw:
        instance.email = sender.objects.normalize_email(instance.email)


def log_login(sender, request, user, **kwargs):
    logger.info("Account %s logged in from %s.", user.pk, address_of(request))


def log_logout(sender, request, user, **kwargs):
    # None where the session had ended before.
    if user is not None:
        logger.info("Account %s logged out from %s.", user.pk, address_of(request))


def log_failed_login(sender, credentials, request=None, **kwargs):
    """Django has replaced the password by asterisks. The name is not written down either."""
    name = next((credentials[field] for field in ("username", "email") if credentials.get(field)), "")
    logger.warning("Login refused for the name %s from %s.", mark_of(name), address_of(request))


def log_rights(sender, instance, action, reverse, pk_set, **kwargs):
    """A user was put into groups or given permissions, or the other way round: `group.user_set.add(user)`.

    No keys with "clear": then it was all of them.

    https://docs.djangoproject.com/en/stable/ref/signals/#m2m-changed
    """
    if action not in {"post_add", "post_remove", "post_clear"}:
        return
    logger.info(
        "%s of %s %s, %s: %s.",
        sender._meta.verbose_name,
        instance._meta.verbose_name,
        instance.pk,
        action.removeprefix("post_"),
        "all" if pk_set is None else sorted(pk_set),
    )


def log_deletion_begun(sender, instance, **kwargs):
    """Before, to know of attempts as well: what comes after may refuse, and the transaction be undone."""
    logger.info("Account %s is to be deleted.", instance.pk)


def log_deletion(sender, instance, using, **kwargs):
    # The key now: when the transaction has ended, Django has taken it from the instance.
    pk = instance.pk
    transaction.on_commit(lambda: logger.info("Account %s was deleted.", pk), using=using, robust=True)


def address_of(request):
    """The visitor's address, as the server in front of Django gives it; "-" where nobody came by the web."""
    return request.META.get("REMOTE_ADDR", "-") if request is not None else "-"


def mark_of(name):
    """The same mark for the same name, and no way back without the secret key.

    Every now and then somebody types the password into the field above. It must not be readable in a log.
    """
    return salted_hmac("accounts.receivers", str(name).lower(), algorithm="sha256").hexdigest()[:12]
