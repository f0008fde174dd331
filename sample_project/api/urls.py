"""/api/v1/… and /api/v2/…: the version is a part of the path, and an argument of each view.

https://www.django-rest-framework.org/api-guide/versioning/#urlpathversioning
"""

from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import DefaultRouter

from . import views, viewsets

router = DefaultRouter()
router.register("books", viewsets.BookViewSet)
router.register("authors", viewsets.AuthorViewSet)
# Without a queryset on the class, the router cannot guess the name.
router.register("orders", viewsets.OrderViewSet, basename="order")

versioned = [
    path("", include(router.urls)),
    path("genres/", views.GenreListView.as_view(), name="genre-list"),
    path("languages/", views.languages, name="languages"),
    path("reviews/<int:pk>/", views.ReviewView.as_view(), name="review-detail"),
    path("account/", views.AccountView.as_view(), name="account"),
    path("token/", views.TokenView.as_view(), name="token"),
    path("token/revoke/", views.revoke_token, name="revoke-token"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]

app_name = "api"
urlpatterns = [
    path("", RedirectView.as_view(url="v1/")),
    path("<version>/", include(versioned)),
]
