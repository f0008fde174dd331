from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.views.decorators.debug import sensitive_variables


class EmailBackend(ModelBackend):
    """Lets customers log in with their e-mail address, in any capitals, where a user name is asked for.

    It stands beside Django's `ModelBackend`, which looks after user names and permissions: what one backend does not
    know, the next is asked. Only an address that exactly one account has is good for a login: nothing in the database
    keeps addresses apart, and some accounts have none.

    https://docs.djangoproject.com/en/stable/topics/auth/customizing/#writing-an-authentication-backend
    """

    @sensitive_variables("password")
    def authenticate(self, request, username=None, password=None, **kwargs):
        if not _may_be_an_address(username) or password is None:
            return None
        user = _only(list(_with_address(username)))
        if user is None:
            # As long as for a password that is wrong: whoever measures does not learn which addresses are known.
            get_user_model()().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None

    @sensitive_variables("password")
    async def aauthenticate(self, request, username=None, password=None, **kwargs):
        """The same for asynchronous views. `get_user()` and `aget_user()` are inherited."""
        if not _may_be_an_address(username) or password is None:
            return None
        user = _only([found async for found in _with_address(username)])
        if user is None:
            get_user_model()().set_password(password)
            return None
        return user if await user.acheck_password(password) and self.user_can_authenticate(user) else None


def _may_be_an_address(text):
    # What has no @ is a user name: `ModelBackend` has dealt with it, and taken its time.
    return bool(text) and "@" in text


def _with_address(address):
    # Two are enough to know that it is not one.
    return get_user_model()._default_manager.filter(email__iexact=address.strip()).order_by("pk")[:2]


def _only(users):
    return users[0] if len(users) == 1 else None
