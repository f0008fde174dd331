from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from accounts.views import LoginView

from . import health

# Login for the browsable API, which looks for these names. Instead of `rest_framework.urls`, whose form has no limit.
api_login = [
    path("login/", LoginView.as_view(template_name="rest_framework/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]

urlpatterns = [
    path("", include("storefront.urls")),
    path("desk/", include("storefront.desk.urls")),
    path("account/", include("accounts.urls")),
    path(settings.ADMIN_PATH, admin.site.urls),
    path("api/auth/", include((api_login, "rest_framework"))),
    path("api/", include("api.urls")),
    path("live/", include("live.urls")),
    # The form is on every page. A token in it would give each visitor a cookie and keep the pages out of shared
    # caches; without one, all that another site can do is to have the shop speak German.
    path("i18n/setlang/", csrf_exempt(set_language), name="set_language"),
    path("health/live/", health.live, name="health-live"),
    path("health/ready/", health.ready, name="health-ready"),
]

# Programs want no page, and a failure has a number to ask by.
handler400 = "storefront.errors.bad_request"
handler403 = "storefront.errors.permission_denied"
handler404 = "storefront.errors.page_not_found"
handler500 = "storefront.errors.server_error"
