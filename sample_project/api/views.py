"""Views without a router: from what does most by itself to what does least.

https://www.django-rest-framework.org/api-guide/generic-views/
"""

from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.authtoken.models import Token
from rest_framework.authtoken.views import ObtainAuthToken
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from catalog.models import Book, Genre
from reviews.models import Review

from .authentication import expiry, issue_token
from .permissions import IsReviewerOrReadOnly
from .serializers import (
    AccountSerializer,
    GenreSerializer,
    LanguageSerializer,
    ReviewSerializer,
    TokenSerializer,
)


class GenreListView(generics.ListAPIView):
    """The genres."""

    queryset = Genre.objects.order_by("name")
    serializer_class = GenreSerializer


class ReviewView(generics.RetrieveUpdateDestroyAPIView):
    """A review, for who wrote it to change. Deleting withdraws it: the shop keeps the row."""

    queryset = Review.objects.select_related("reviewer")
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticatedOrReadOnly, IsReviewerOrReadOnly]


class AccountView(APIView):
    """The account of whoever asks."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=AccountSerializer)
    def get(self, request, **kwargs):
        return Response(AccountSerializer(request.user).data)

    @extend_schema(request=AccountSerializer, responses=AccountSerializer)
    def patch(self, request, **kwargs):
        """Change the profile; made where there is none."""
        serializer = AccountSerializer(request.user, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data)


@extend_schema(responses=LanguageSerializer(many=True))
@api_view(["GET"])
def languages(request, **kwargs):
    """In how many books each language is read."""
    found = Book.objects.values("language").annotate(books=Count("pk")).order_by("-books", "language")
    return Response(found)


class TokenView(ObtainAuthToken):
    """Give a user name and a password, get a token. Five attempts a minute: passwords can be guessed."""

    # Nobody is logged in here, and a browser that is would be asked for its CSRF token.
    authentication_classes = []
    renderer_classes = api_settings.DEFAULT_RENDERER_CLASSES
    throttle_classes = api_settings.DEFAULT_THROTTLE_CLASSES
    throttle_scope = "token"

    @extend_schema(responses=TokenSerializer)
    def post(self, request, *args, **kwargs):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        token = issue_token(serializer.validated_data["user"])
        token.expires = expiry(token)
        return Response(TokenSerializer(token).data)


@extend_schema(request=None, responses={204: None})
@api_view(["POST"])
@permission_classes([IsAuthenticated])
def revoke_token(request, **kwargs):
    """Make one's token worthless, on every device."""
    Token.objects.filter(user=request.user).delete()
    return Response(status=204)
