from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("storefront.urls")),
    path("account/", include("accounts.urls")),
    path(settings.ADMIN_PATH, admin.site.urls),
    path("api/", include("api.urls")),
    path("live/", include("live.urls")),
]
