"""Who is asking: by a token that ends, or by the session of a browser.

https://www.django-rest-framework.org/api-guide/authentication/
"""

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed


def expiry(token):
    """When the token stops being taken."""
    return token.created + settings.API_TOKEN_LIFETIME


def issue_token(user):
    """The user's token, a new one where the last has expired. A user has one: all their programs share it."""
    token, _ = Token.objects.get_or_create(user=user)
    if expiry(token) <= timezone.now():
        token.delete()
        token = Token.objects.create(user=user)
    return token


class ExpiringTokenAuthentication(TokenAuthentication):
    """The framework's tokens are good for ever, and a key that leaked would be, too: these end.

    Sent as `Authorization: Token 9944b0…`. The database has the keys as they are: whoever reads it can use them.
    """

    def authenticate_credentials(self, key):
        user, token = super().authenticate_credentials(key)
        if expiry(token) <= timezone.now():
            raise AuthenticationFailed("This token has expired. Ask for a new one.", code="token_expired")
        return user, token
