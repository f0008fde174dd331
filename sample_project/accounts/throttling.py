"""Slows down whoever guesses passwords, or has letters sent to others.

Attempts are counted in the cache, for an account at an address and for an address. Not for an account alone: then
anybody could lock anybody out. Behind a proxy the address is the proxy's, unless the server in front of Django
(uvicorn with `--proxy-headers`) puts the visitor's in its place.

https://docs.djangoproject.com/en/stable/topics/security/#additional-security-topics
"""

import contextlib
import hashlib

from django.core.cache import cache


class Throttle:
    """At most `limit` attempts within `seconds`, counted from the first."""

    def __init__(self, scope, *, limit, seconds):
        self.scope = scope
        self.limit = limit
        self.seconds = seconds

    def attempt(self, *who):
        """Count one more attempt, and return whether it is still within the limit.

        Counted before the password is looked at: of a thousand requests at once, all would find nothing otherwise.
        """
        key = self.key(*who)
        cache.add(key, 0, timeout=self.seconds)
        try:
            count = cache.incr(key)
        except ValueError:
            # It ran out between the two lines.
            cache.set(key, 1, timeout=self.seconds)
            count = 1
        return count <= self.limit

    def forgive(self, *who):
        """Take back the attempt just counted."""
        with contextlib.suppress(ValueError):  # it ran out
            cache.decr(self.key(*who))

    def forget(self, *who):
        cache.delete(self.key(*who))

    def key(self, *who):
        # Hashed: what people type may be long and have characters that a cache refuses, and may be a password.
        return f"{self.scope}:{hashlib.sha256(repr(who).encode()).hexdigest()}"


class LoginThrottle:
    """The two limits of the login pages, that of the admin site included."""

    MINUTES = 15

    def __init__(self):
        self.accounts = Throttle("login-account", limit=5, seconds=self.MINUTES * 60)
        self.addresses = Throttle("login-address", limit=50, seconds=self.MINUTES * 60)

    def attempt(self, account, address):
        """Count an attempt to log in; False where it has to be refused unseen."""
        within = self.addresses.attempt(address)
        return self.accounts.attempt(address, _spelled(account)) and within

    def succeeded(self, account, address):
        """The password was right: the account starts anew. An address does not, or one login would pay for guesses."""
        self.accounts.forget(address, _spelled(account))
        self.addresses.forgive(address)


class LetterThrottle:
    """How many letters with a link to a new password are sent within an hour.

    To a mailbox: whoever wants to annoy somebody fills it with three, and each of them is good. From an address: the
    shop is no machine for writing to a list of people.
    """

    def __init__(self):
        self.mailboxes = Throttle("letter-mailbox", limit=3, seconds=60 * 60)
        self.addresses = Throttle("letter-address", limit=50, seconds=60 * 60)

    def attempt(self, mailbox, address):
        """Count a letter; False where it must not be sent."""
        return self.addresses.attempt(address) and self.mailboxes.attempt(_spelled(mailbox))


def _spelled(account):
    return account.strip().casefold()
