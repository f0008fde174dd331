# %%
from checks import check, hint, solution
from lab import get, post, queries, start

start()

# Django is set up now, so its models can be imported.
import re
from decimal import Decimal
from functools import cached_property
from html.parser import HTMLParser

from accounts.models import User
from catalog.models import Author, Book, Contribution, Contributor, Genre
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path

# %% [markdown] exercise="15.1"
# ### 15.1 Two prices that agree
#
# Give the form its rules. Where both prices are given and `high` is below `low`, `high` has an error with the code `reversed`, and no other field has one.
# Where nothing at all is asked for, no text and no price, the form as a whole has an error with the code `nothing`; but not if something was sent
# and refused already. A price of 0 is a price.

# %% exercise="15.1" role="check"
def observe(answer):
    seen = []
    for data in (
        {"q": "emma"},
        {"low": "5", "high": "9.50"},
        {"low": "9.50", "high": "5"},
        {"low": "5", "high": "5"},
        {"low": "5", "high": "0"},
        {"low": "0"},
        {"high": "0"},
        {"low": "0", "high": "0"},
        {"q": "emma", "low": "7", "high": "6"},
        {},
        {"q": "   "},
        {"low": "five"},
        {"low": "five", "high": "3"},
        {"low": "5", "high": "-1"},
        {"high": "-1"},
        {"q": "x" * 101},
    ):
        form = answer(data)
        try:
            valid = form.is_valid()
        except Exception as error:
            seen.append((data, type(error).__name__))
            continue
        codes = {name: [error.code for error in errors] for name, errors in form.errors.as_data().items()}
        seen.append((data, "valid" if valid else "not valid", codes, sorted(form.cleaned_data.items())))
    return seen

# %% exercise="15.1" role="answer" datasets=["edge"]
class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    low = forms.DecimalField(min_value=0, required=False)
    high = forms.DecimalField(min_value=0, required=False)

    # solution
    def clean(self):
        q, low, high = (self.cleaned_data.get(name) for name in ("q", "low", "high"))
        if low is not None and high is not None and high < low:
            self.add_error("high", ValidationError("This is less than the lower price.", code="reversed"))
        if not self.errors and not q and low is None and high is None:
            raise ValidationError("What are you looking for?", code="nothing")
    # end


check("15.1")

# %% exercise="15.1" role="alternative" note="`clean_high()` works as well: fields are cleaned in the order of the class, so `low` is there already, if it was good. It breaks when somebody moves the fields, and `clean()` does not."
class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    low = forms.DecimalField(min_value=0, required=False)
    high = forms.DecimalField(min_value=0, required=False)

    def clean_high(self):
        low, high = self.cleaned_data.get("low"), self.cleaned_data["high"]
        if low is not None and high is not None and high < low:
            raise ValidationError("This is less than the lower price.", code="reversed")
        return high

    def clean(self):
        values = self.cleaned_data.values()
        if not self.errors and all(value in ("", None) for value in values):
            self.add_error(None, ValidationError("What are you looking for?", code="nothing"))
        return self.cleaned_data

# %% exercise="15.1" role="mistake" says="A price of 0 is taken for no price: `if low and high` is false for it. Compare with `None`."
class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    low = forms.DecimalField(min_value=0, required=False)
    high = forms.DecimalField(min_value=0, required=False)

    def clean(self):
        q, low, high = (self.cleaned_data.get(name) for name in ("q", "low", "high"))
        if low and high and high < low:
            self.add_error("high", ValidationError("This is less than the lower price.", code="reversed"))
        if not self.errors and not q and not low and not high:
            raise ValidationError("What are you looking for?", code="nothing")

# %% exercise="15.1" role="mistake" says="`clean()` runs even when a field was refused, and then `cleaned_data` has no such key: one wrong letter is a `KeyError`. Use `.get()`."
class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    low = forms.DecimalField(min_value=0, required=False)
    high = forms.DecimalField(min_value=0, required=False)

    def clean(self):
        q, low, high = self.cleaned_data["q"], self.cleaned_data["low"], self.cleaned_data["high"]
        if low is not None and high is not None and high < low:
            self.add_error("high", ValidationError("This is less than the lower price.", code="reversed"))
        if not self.errors and not q and low is None and high is None:
            raise ValidationError("What are you looking for?", code="nothing")

# %% exercise="15.1" role="mistake" says="A `ValidationError` raised in `clean()` belongs to the whole form. To put it at `high`, use `add_error()`."
class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    low = forms.DecimalField(min_value=0, required=False)
    high = forms.DecimalField(min_value=0, required=False)

    def clean(self):
        q, low, high = (self.cleaned_data.get(name) for name in ("q", "low", "high"))
        if low is not None and high is not None and high < low:
            raise ValidationError("The prices are the wrong way round.", code="reversed")
        if not self.errors and not q and low is None and high is None:
            raise ValidationError("What are you looking for?", code="nothing")

# %% exercise="15.1" role="mistake" says="Who sent a price that was refused is also told that nothing was asked for. Look at `self.errors` first."
class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    low = forms.DecimalField(min_value=0, required=False)
    high = forms.DecimalField(min_value=0, required=False)

    def clean(self):
        q, low, high = (self.cleaned_data.get(name) for name in ("q", "low", "high"))
        if low is not None and high is not None and high < low:
            self.add_error("high", ValidationError("This is less than the lower price.", code="reversed"))
        if not q and low is None and high is None:
            raise ValidationError("What are you looking for?", code="nothing")

# %% exercise="15.1" role="mistake" says="In `clean_low()`, `high` is not cleaned yet: fields are done in the order of the class, and the comparison never happens."
class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    low = forms.DecimalField(min_value=0, required=False)
    high = forms.DecimalField(min_value=0, required=False)

    def clean_low(self):
        low, high = self.cleaned_data["low"], self.cleaned_data.get("high")
        if low is not None and high is not None and high < low:
            self.add_error("high", ValidationError("This is less than the lower price.", code="reversed"))
        return low

    def clean(self):
        q, low, high = (self.cleaned_data.get(name) for name in ("q", "low", "high"))
        if not self.errors and not q and low is None and high is None:
            raise ValidationError("What are you looking for?", code="nothing")

# %% exercise="15.1" role="mistake" says="The comparison is made on what was sent, on texts: as text, 9.50 is more than 10. `cleaned_data` has numbers."
class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    low = forms.DecimalField(min_value=0, required=False)
    high = forms.DecimalField(min_value=0, required=False)

    def clean(self):
        q, low, high = (self.data.get(name) for name in ("q", "low", "high"))
        if low and high and high < low:
            self.add_error("high", ValidationError("This is less than the lower price.", code="reversed"))
        if not self.errors and not q and not low and not high:
            raise ValidationError("What are you looking for?", code="nothing")

# %% exercise="15.1" role="hint"
# `clean()` is called after all fields, whatever became of them. What was refused is not in `self.cleaned_data`.
# %% exercise="15.1" role="hint"
# `self.add_error("high", ValidationError("…", code="reversed"))` for the field; `raise ValidationError("…", code="nothing")` for the form.

# %% [markdown] exercise="15.2"
# ### 15.2 The life of a form in one view
#
# Write the view `subscribe`. A GET shows an empty form, whatever is in its query. A POST that is good is remembered, once, as the form's values in `subscribers`, and answered with a redirect to
# `/thanks/` that a browser follows with GET and does not remember. A POST that is not good, even one without any data, shows the same form with what was typed and what is wrong, with status 200.

# %% exercise="15.2" role="check"
def observe(answer):
    def ask(request):
        answer.subscribers.clear()
        try:
            response = answer.subscribe(request)
        except Exception as error:
            return type(error).__name__
        text = response.content.decode()
        shown = [response.status_code, response.get("Location", ""), list(answer.subscribers)]
        if response.status_code == 200:
            shown += [f"{text.count('<form')} form", f"{text.count('errorlist')} errors"]
            shown += sorted(re.findall(r'value="([^"]{,30})"', text)) + ["checked" * text.count("checked")]
        return shown

    make = RequestFactory()
    seen = []
    for data in (
        {"email": "mira@example.org", "weekly": "on"},
        {"email": " mira@example.org "},
        {"email": "mira at home", "weekly": "on"},
        {"weekly": "on"},
        {"email": "mira@example.org", "admin": "on"},
        {},
    ):
        seen.append(("POST", data, ask(make.post("/", data))))
    for url in ("/", "/?email=mira@example.org", "/?email=mira"):
        seen.append(("GET", url, ask(make.get(url))))
    return seen

# %% exercise="15.2" role="answer" datasets=["edge"]
class SubscribeForm(forms.Form):
    email = forms.EmailField()
    weekly = forms.BooleanField(required=False)


page = engines["django"].from_string('<form method="post">{{ form }}<button>Subscribe</button></form>')
subscribers = []


def subscribe(request):
    # solution
    if request.method == "POST":
        form = SubscribeForm(request.POST)
        if form.is_valid():
            subscribers.append(form.cleaned_data)
            return redirect("/thanks/")
    else:
        form = SubscribeForm()
    return HttpResponse(page.render({"form": form}, request))
    # end


check("15.2")

# %% exercise="15.2" role="alternative" note="Shorter: data is given for a POST and is None for anything else, and a form without data is never valid. Some teams like the two branches better, because they are seen at once."
class SubscribeForm(forms.Form):
    email = forms.EmailField()
    weekly = forms.BooleanField(required=False)


page = engines["django"].from_string('<form method="post">{{ form }}<button>Subscribe</button></form>')
subscribers = []


def subscribe(request):
    form = SubscribeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        subscribers.append(form.cleaned_data)
        return redirect("/thanks/")
    return HttpResponse(page.render({"form": form}, request))

# %% exercise="15.2" role="mistake" says="A POST without any data is falsy, so `request.POST or None` leaves the form unbound: the page comes back without a word. Ask for the method."
class SubscribeForm(forms.Form):
    email = forms.EmailField()
    weekly = forms.BooleanField(required=False)


page = engines["django"].from_string('<form method="post">{{ form }}<button>Subscribe</button></form>')
subscribers = []


def subscribe(request):
    form = SubscribeForm(request.POST or None)
    if form.is_valid():
        subscribers.append(form.cleaned_data)
        return redirect("/thanks/")
    return HttpResponse(page.render({"form": form}, request))

# %% exercise="15.2" role="mistake" says="After a bad POST the visitor gets a fresh form: what was typed is gone, and nothing says why. Show the bound form again."
class SubscribeForm(forms.Form):
    email = forms.EmailField()
    weekly = forms.BooleanField(required=False)


page = engines["django"].from_string('<form method="post">{{ form }}<button>Subscribe</button></form>')
subscribers = []


def subscribe(request):
    if request.method == "POST":
        form = SubscribeForm(request.POST)
        if form.is_valid():
            subscribers.append(form.cleaned_data)
            return redirect("/thanks/")
    form = SubscribeForm()
    return HttpResponse(page.render({"form": form}, request))

# %% exercise="15.2" role="mistake" says="A good POST is answered with a page: on reload, the browser sends it again. Redirect after a POST that did something."
class SubscribeForm(forms.Form):
    email = forms.EmailField()
    weekly = forms.BooleanField(required=False)


page = engines["django"].from_string('<form method="post">{{ form }}<button>Subscribe</button></form>')
subscribers = []


def subscribe(request):
    form = SubscribeForm(request.POST) if request.method == "POST" else SubscribeForm()
    if form.is_valid():
        subscribers.append(form.cleaned_data)
    return HttpResponse(page.render({"form": form}, request))

# %% exercise="15.2" role="mistake" says="You remember what was sent: texts, spaces and all, and whatever else came along. `cleaned_data` has the form's own fields as Python values."
class SubscribeForm(forms.Form):
    email = forms.EmailField()
    weekly = forms.BooleanField(required=False)


page = engines["django"].from_string('<form method="post">{{ form }}<button>Subscribe</button></form>')
subscribers = []


def subscribe(request):
    if request.method == "POST":
        form = SubscribeForm(request.POST)
        if form.is_valid():
            subscribers.append(request.POST.dict())
            return redirect("/thanks/")
    else:
        form = SubscribeForm()
    return HttpResponse(page.render({"form": form}, request))

# %% exercise="15.2" role="mistake" says="The redirect is permanent, so a browser may remember it and never ask this page again. A temporary one, 302 or 303, is for after a POST."
class SubscribeForm(forms.Form):
    email = forms.EmailField()
    weekly = forms.BooleanField(required=False)


page = engines["django"].from_string('<form method="post">{{ form }}<button>Subscribe</button></form>')
subscribers = []


def subscribe(request):
    if request.method == "POST":
        form = SubscribeForm(request.POST)
        if form.is_valid():
            subscribers.append(form.cleaned_data)
            return redirect("/thanks/", permanent=True)
    else:
        form = SubscribeForm()
    return HttpResponse(page.render({"form": form}, request))

# %% exercise="15.2" role="mistake" says="The first page is bound, so it is red before anybody has typed. On GET the form has no data."
class SubscribeForm(forms.Form):
    email = forms.EmailField()
    weekly = forms.BooleanField(required=False)


page = engines["django"].from_string('<form method="post">{{ form }}<button>Subscribe</button></form>')
subscribers = []


def subscribe(request):
    form = SubscribeForm(request.POST)
    if form.is_valid():
        subscribers.append(form.cleaned_data)
        return redirect("/thanks/")
    return HttpResponse(page.render({"form": form}, request))

# %% exercise="15.2" role="hint"
# Two questions decide: which method is it, and is the form valid? Three of the four ends are the same last line.
# %% exercise="15.2" role="hint"
# `SubscribeForm(request.POST)` only for a POST, else `SubscribeForm()`. `redirect("/thanks/")` answers 302.

# %% [markdown] exercise="15.3"
# ### 15.3 Open an account, and nothing more
#
# Write `SignUpForm`, a model form of `User` with the inputs `username`, `email` and `password`. The e-mail is required, and taken (code `taken`) if somebody has it in any capitals. The password has to pass
# `validate_password`, is stored as a hash, and not shown again. `save()` returns the account, stored unless `commit=False`. Nobody becomes staff, superuser or inactive through it, whatever they send.

# %% exercise="15.3" role="check"
def observe(answer):
    with uncounted():
        User.objects.filter(username__in=["eve", "eva"]).delete()
        User.objects.create(username="greta", email="Greta@Example.org")
    good = {"username": "eve", "email": "eve@example.org", "password": "wuthering-heights-1847"}
    more = {"is_staff": "on", "is_superuser": "on", "is_active": "", "groups": "1", "date_joined": "2001-01-01"}

    def account(user):
        hashed = user.password not in ("", good["password"]) and user.check_password(good["password"])
        return {
            "name": user.username,
            "email": user.email,
            "is_staff, is_superuser, is_active": [user.is_staff, user.is_superuser, user.is_active],
            "joined today": user.date_joined.year > 2001,
            "password": "a hash that fits" if hashed else "no hash, or one that does not fit",
        }

    seen = [sorted(answer().fields)]
    for change in (
        more,
        {"username": ""},
        {"email": ""},
        {"email": "nobody"},
        {"email": "greta@example.org"},
        {"email": "GRETA@EXAMPLE.ORG"},
        {"username": "greta"},
        {"password": ""},
        {"password": "12345678"},
        {"password": "emma"},
    ):
        form = answer(good | change)
        try:
            codes = {name: [error.code for error in errors] for name, errors in form.errors.as_data().items()}
        except Exception as error:
            seen.append((change, type(error).__name__))
            continue
        seen.append((change, "valid" if form.is_valid() else "not valid", codes))
        drawn = str(form)
        seen.append(("password in the page", good["password"] in drawn, 'type="password"' in drawn))
    unsaved = answer(good | {"username": "eva", "email": "eva@example.org"}).save(commit=False)
    with uncounted():
        seen.append(("commit=False", account(unsaved), "stored" if User.objects.filter(username="eva").exists() else "not stored"))
    saved = answer(good | more).save()
    with uncounted():
        stored = User.objects.filter(username="eve")
        seen.append(("save()", type(saved).__name__, [account(user) for user in stored]))
    return seen

# %% exercise="15.3" role="answer"
class SignUpForm(forms.ModelForm):
    # solution
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput, validators=[validate_password], strip=False)

    class Meta:
        model = User
        fields = ["username", "email"]

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError("There is an account with this address.", code="taken")
        return email

    def save(self, commit=True):
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user
    # end


check("15.3")

# %% exercise="15.3" role="alternative" note="The instance gets its hash while the form is cleaned, so `save()` stays Django's own. In `clean()` the name and the e-mail are known, and `validate_password` can compare the password with them: choose this."
class SignUpForm(forms.ModelForm):
    password = forms.CharField(widget=forms.PasswordInput, strip=False)

    class Meta:
        model = User
        fields = ["username", "email"]
        widgets = {"email": forms.EmailInput(attrs={"autocomplete": "email"})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.annotate(lower=Lower("email")).filter(lower=email.lower()):
            raise ValidationError("There is an account with this address.", code="taken")
        return email

    def clean(self):
        super().clean()
        data = self.cleaned_data
        if "password" in data:
            likeness = User(username=data.get("username", ""), email=data.get("email", ""))
            try:
                validate_password(data["password"], likeness)
            except ValidationError as error:
                self.add_error("password", error)
            else:
                self.instance.set_password(data["password"])

# %% exercise="15.3" role="mistake" says="`fields = \"__all__\"` takes whatever the sender adds: here, a superuser. List the fields."
class SignUpForm(forms.ModelForm):
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput, validators=[validate_password], strip=False)

    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError("There is an account with this address.", code="taken")
        return email

    def save(self, commit=True):
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user

# %% exercise="15.3" role="mistake" says="`exclude` names what you thought of. `is_active` and the others are still fields: list what may come in."
class SignUpForm(forms.ModelForm):
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput, validators=[validate_password], strip=False)

    class Meta:
        model = User
        exclude = ["is_superuser", "is_staff", "groups", "user_permissions"]

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError("There is an account with this address.", code="taken")
        return email

    def save(self, commit=True):
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user

# %% exercise="15.3" role="mistake" says="The password is stored as it was typed, because `password` is a field of the model like any other. Nobody can log in, and everybody who sees the table can read it: `set_password()`."
class SignUpForm(forms.ModelForm):
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput, validators=[validate_password], strip=False)

    class Meta:
        model = User
        fields = ["username", "email", "password"]

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError("There is an account with this address.", code="taken")
        return email

# %% exercise="15.3" role="mistake" says="`email=` compares with capitals: `GRETA@EXAMPLE.ORG` gets a second account. Use `iexact`."
class SignUpForm(forms.ModelForm):
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput, validators=[validate_password], strip=False)

    class Meta:
        model = User
        fields = ["username", "email"]

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.filter(email=email).exists():
            raise ValidationError("There is an account with this address.", code="taken")
        return email

    def save(self, commit=True):
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user

# %% exercise="15.3" role="mistake" says="With `commit=False` the account is stored all the same: hand it over unsaved, as Django's own `save()` does."
class SignUpForm(forms.ModelForm):
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput, validators=[validate_password], strip=False)

    class Meta:
        model = User
        fields = ["username", "email"]

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError("There is an account with this address.", code="taken")
        return email

    def save(self, commit=True):
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        user.save()
        return user

# %% exercise="15.3" role="mistake" says="A `clean()` that does not call `super().clean()` switches off the check of unique fields: the name `greta` passes, and the table objects later."
class SignUpForm(forms.ModelForm):
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput, validators=[validate_password], strip=False)

    class Meta:
        model = User
        fields = ["username", "email"]

    def clean(self):
        email = self.cleaned_data.get("email")
        if email and User.objects.filter(email__iexact=email).exists():
            self.add_error("email", ValidationError("There is an account with this address.", code="taken"))
        return self.cleaned_data

    def save(self, commit=True):
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user

# %% exercise="15.3" role="mistake" says="The model allows an empty e-mail (`blank=True`), and so does the field that is made from it. Declare the field, or set `required`."
class SignUpForm(forms.ModelForm):
    password = forms.CharField(widget=forms.PasswordInput, validators=[validate_password], strip=False)

    class Meta:
        model = User
        fields = ["username", "email"]

    def clean_email(self):
        email = self.cleaned_data["email"]
        if email and User.objects.filter(email__iexact=email).exists():
            raise ValidationError("There is an account with this address.", code="taken")
        return email

    def save(self, commit=True):
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user

# %% exercise="15.3" role="hint"
# `Meta.fields` lists what is copied to the instance. The password is not among it: declare it as a field of the form.
# %% exercise="15.3" role="hint"
# `save()`: `user = super().save(commit=False)`, then `user.set_password(…)`, then store it if `commit`.
