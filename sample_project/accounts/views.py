from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import IntegrityError, transaction
from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView

from .forms import TOO_MANY_ATTEMPTS, LoginForm, RegistrationForm
from .throttling import LetterThrottle


class AccountView(LoginRequiredMixin, TemplateView):
    template_name = "accounts/account.html"


class LoginView(auth_views.LoginView):
    """Django's own refuses a `next` that leads to another site, and gives the session a new key."""

    authentication_form = LoginForm
    redirect_authenticated_user = True
    template_name = "accounts/login.html"

    def form_valid(self, form):
        response = super().form_valid(form)
        if not form.cleaned_data["remember"]:
            # Until the browser is closed.
            self.request.session.set_expiry(0)
        return response

    def form_invalid(self, form):
        response = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, TOO_MANY_ATTEMPTS):
            response.status_code = 429
            response.headers["Retry-After"] = str(form.throttle.MINUTES * 60)
        return response


@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
class RegisterView(FormView):
    form_class = RegistrationForm
    template_name = "accounts/register.html"

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        try:
            with transaction.atomic():
                user = form.save()
        except IntegrityError:
            # Somebody took the name after the form had asked for it: perhaps this visitor, who pressed twice.
            form.add_error("username", form.instance.unique_error_message(type(form.instance), ("username",)))
            return self.form_invalid(form)
        # Nobody was authenticated, so the backend that will load the user from the session has to be named.
        login(self.request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        messages.success(self.request, _("Welcome, %(name)s.") % {"name": user.get_short_name() or user.username})
        return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))


class PasswordChangeView(auth_views.PasswordChangeView):
    """Changing the password ends every other session of the account: their hash is that of the old password."""

    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("accounts:account")

    def form_valid(self, form):
        messages.success(self.request, _("Your password was changed. You are logged out everywhere else."))
        return super().form_valid(form)


class PasswordResetView(auth_views.PasswordResetView):
    """The answer is the same whether somebody has the address or not, and whether it got too many letters already."""

    template_name = "accounts/password_reset.html"
    email_template_name = "accounts/password_reset_email.txt"
    subject_template_name = "accounts/password_reset_subject.txt"
    success_url = reverse_lazy("accounts:password_reset_done")
    throttle = LetterThrottle()

    def form_valid(self, form):
        if not self.throttle.attempt(form.cleaned_data["email"], self.request.META.get("REMOTE_ADDR", "")):
            return HttpResponseRedirect(self.get_success_url())
        return super().form_valid(form)


class PasswordResetDoneView(auth_views.PasswordResetDoneView):
    template_name = "accounts/password_reset_done.html"


class PasswordResetConfirmView(auth_views.PasswordResetConfirmView):
    """The token goes into the session and out of the address, so that no link on the page can give it away."""

    template_name = "accounts/password_reset_confirm.html"
    success_url = reverse_lazy("accounts:login")

    def form_valid(self, form):
        messages.success(self.request, _("Your password was changed. Log in with the new one."))
        return super().form_valid(form)
