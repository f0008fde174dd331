from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from .models import User
from .throttling import LoginThrottle

TOO_MANY_ATTEMPTS = "too_many_attempts"


class ThrottledMixin:
    """For a form that logs in: after too many attempts, passwords are not looked at for a while."""

    throttle = LoginThrottle()

    @sensitive_variables()
    def clean(self):
        account, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not account or not password:
            return super().clean()
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        if not self.throttle.attempt(account, address):
            # The same words for accounts that exist and for others.
            raise ValidationError(
                _("There were too many attempts to log in. Wait %(minutes)d minutes, or choose a new password."),
                code=TOO_MANY_ATTEMPTS,
                params={"minutes": self.throttle.MINUTES},
            )
        cleaned = super().clean()
        self.throttle.succeeded(account, address)
        return cleaned


class LoginForm(ThrottledMixin, AuthenticationForm):
    remember = forms.BooleanField(label=_("Stay logged in on this device"), required=False)

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": _(
            "That is not an account and its password. The user name and the password are case-sensitive; the e-mail "
            "address is not."
        ),
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        username = self.fields["username"]
        username.label = _("User name or e-mail address")
        # An address may be longer than a user name.
        username.max_length = username.widget.attrs["maxlength"] = User._meta.get_field("email").max_length


class AdminLoginForm(ThrottledMixin, AdminAuthenticationForm):
    """The admin site's own, which asks for staff, with the same limits."""


class RegistrationForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ["username", "email", "first_name", "last_name"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        email = self.fields["email"]
        email.required = True
        email.widget.attrs["autocomplete"] = "email"
        self.fields["first_name"].widget.attrs["autocomplete"] = "given-name"
        self.fields["last_name"].widget.attrs["autocomplete"] = "family-name"
        self.fields["username"].help_text = _("Letters, digits and the signs . + - _ only.")

    def clean_username(self):
        # Somebody else's address is not for taking as a name.
        if "@" in self.cleaned_data["username"]:
            raise ValidationError(_("Choose a user name without @. You can log in with your e-mail address as well."))
        return super().clean_username()

    def clean_email(self):
        """Refuse an address that an account has, in any capitals: neither could log in with it any more.

        Whoever asks learns that the address is known here, as from every shop that lets people register at once. To
        keep that to itself, it would have to send the answer by e-mail. Two requests at the same moment may both
        pass; `EmailBackend` then lets neither in, and their user names go on working.
        """
        email = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError(_("There is an account with this address. Log in, or ask for a new password."))
        return email
