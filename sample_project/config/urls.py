from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from . import health

urlpatterns = [
    path("", include("storefront.urls")),
    path("desk/", include("storefront.desk.urls")),
    path("account/", include("accounts.urls")),
    path(settings.ADMIN_PATH, admin.site.urls),
    # Login for the browsable API, which looks for these names.
    path("api/auth/", include("rest_framework.urls")),
    path("api/", include("api.urls")),
    path("live/", include("live.urls")),
    # The form is on every page. A token in it would give each visitor a cookie and keep the pages out of shared caches;
    # without one, all that another site can do is to have the shop speak German.
    path("i18n/setlang/", csrf_exempt(set_language), name="set_language"),
    path("health/live/", health.live, name="health-live"),
    path("health/ready/", health.ready, name="health-ready"),
]

# Programs want no page, and a failure has a number to ask by. The other default views need nothing but a template.
handler404 = "storefront.errors.page_not_found"
handler500 = "storefront.errors.server_error"
