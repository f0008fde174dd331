# %%
from checks import check, hint, solution
from lab import queries, start

start()

# Django is set up now, so its models can be imported.
import re
from copy import copy
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
    seen = {}
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
        {"low": "9.50", "high": "10"},
        {"q": "e" * 101},
        {"q": "e" * 101, "low": "9", "high": "5"},
    ):
        said = {name: value if len(value) < 101 else "101 letters" for name, value in data.items()}
        form, sent = answer(data), ", ".join(f"{name}={value}" for name, value in said.items()) or "nothing sent"
        try:
            valid = form.is_valid()
        except Exception as error:
            seen[sent] = type(error).__name__
            continue
        codes = {name: [error.code for error in errors] for name, errors in form.errors.as_data().items()}
        seen[sent] = {"is_valid()": valid, "errors": codes, "cleaned_data": dict(form.cleaned_data)}
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

# %% exercise="15.1" role="mistake" says="Where another field was refused, the two prices are not compared any more, though both are good. Each rule looks at the values that it needs."
class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
    low = forms.DecimalField(min_value=0, required=False)
    high = forms.DecimalField(min_value=0, required=False)

    def clean(self):
        if self.errors:
            return
        q, low, high = (self.cleaned_data[name] for name in ("q", "low", "high"))
        if low is not None and high is not None and high < low:
            self.add_error("high", ValidationError("This is less than the lower price.", code="reversed"))
        if not q and low is None and high is None:
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
        text, status = response.content.decode(), response.status_code
        shown = {
            "status": "302 or 303" if status in (302, 303) else status,
            "Location": response.get("Location", ""),
            "subscribers": list(answer.subscribers),
        }
        page = {
            "forms": text.count("<form"),
            "errors in it": text.count("errorlist"),
            "typed": re.findall(r'value="([^"]{,30})"', text) + ["checked"] * text.count(" checked"),
        }
        return shown | {"the page": page if status == 200 else "none"}

    make = RequestFactory()
    seen = {}
    for data in (
        {"email": "mira@example.org", "weekly": "on"},
        {"email": " mira@example.org "},
        {"email": "mira at home", "weekly": "on"},
        {"weekly": "on"},
        {"email": "mira@example.org", "admin": "on"},
        {},
    ):
        sent = ", ".join(f"{name}={value}" for name, value in data.items())
        seen[f"POST {sent or 'without data'}"] = ask(make.post("/", data))
    for url in ("/", "/?email=mira@example.org", "/?email=mira"):
        seen[f"GET {url}"] = ask(make.get(url))
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

# %% exercise="15.2" role="alternative" note="303 says in so many words what a browser does with 302 after a POST: go on with GET. `redirect()` has no argument for it, so it is written out."
class SubscribeForm(forms.Form):
    email = forms.EmailField()
    weekly = forms.BooleanField(required=False)


page = engines["django"].from_string('<form method="post">{{ form }}<button>Subscribe</button></form>')
subscribers = []


def subscribe(request):
    if request.method != "POST":
        return HttpResponse(page.render({"form": SubscribeForm()}, request))
    form = SubscribeForm(request.POST)
    if not form.is_valid():
        return HttpResponse(page.render({"form": form}, request))
    subscribers.append(form.cleaned_data)
    return HttpResponse(status=303, headers={"Location": "/thanks/"})

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
        if not isinstance(user, User):
            return type(user).__name__
        hashed = user.password not in ("", good["password"]) and user.check_password(good["password"])
        return {
            "name": user.username,
            "email": user.email,
            "is_staff, is_superuser, is_active": [user.is_staff, user.is_superuser, user.is_active],
            "joined today": user.date_joined.year > 2001,
            "password": "a hash that fits" if hashed else "no hash, or one that does not fit",
        }

    seen = {"inputs": sorted(answer().fields)}
    for change in (
        more,
        {"username": ""},
        {"email": ""},
        {"email": "nobody"},
        {"email": "greta@example.org"},
        {"email": "GRETA@EXAMPLE.ORG"},
        {"email": "eta@example.org"},
        {"username": "greta"},
        {"password": ""},
        {"password": "12345678"},
        {"password": "emma"},
    ):
        form, sent = answer(good | change), ", ".join(f"{name}={value}" for name, value in change.items())
        try:
            codes = {name: sorted(error.code for error in errors) for name, errors in form.errors.as_data().items()}
        except Exception as error:
            seen[sent] = type(error).__name__
            continue
        seen[sent] = {"is_valid()": form.is_valid(), "errors": codes}
    drawn = str(answer(good | {"username": ""}))
    seen["drawn again"] = {"the password": good["password"] in drawn, "an input that hides it": 'type="password"' in drawn}
    for commit, sent in ((False, good | {"username": "eva", "email": "eva@example.org"}), (True, good | more)):
        form = answer(sent)
        form.is_valid()
        user = form.save() if commit else form.save(commit=False)
        with uncounted():
            stored = [account(found) for found in User.objects.filter(username=sent["username"])]
        seen["save()" if commit else "save(commit=False)"] = {"returned": account(user), "stored": stored}
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

# %% exercise="15.3" role="mistake" says="`icontains` finds a text inside a longer one: `eta@example.org` is free, and is refused because of `greta@example.org`. Use `iexact`."
class SignUpForm(forms.ModelForm):
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput, validators=[validate_password], strip=False)

    class Meta:
        model = User
        fields = ["username", "email"]

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.filter(email__icontains=email).exists():
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

# %% [markdown] exercise="15.4"
# ### 15.4 A constraint that the form does not see
#
# Who worked on a book: the table takes the same contributor, role and volume once for each book, and no volume counts as 0. The form shows all of it but the book, which comes with the instance:
# `ContributionForm(data, instance=Contribution(book=book))`. Give it an error of the whole form, code `twice`, where there is such a row; a row that is edited is no twin of itself. And write `store(form)`: it gives
# back the stored row, or None where there are errors. If such a row came after the form was checked, that is an error `twice` of the form too, and the transaction goes on.

# %% exercise="15.4" role="check"
def observe(answer):
    with uncounted():
        author = Author.objects.create(name="Marian Evans", slug="marian-evans")
        emma, villette = (
            Book.objects.create(title=title, slug=title.lower(), author=author, price=5) for title in ("Emma Two", "Villette Two")
        )
        anna, jose = (Contributor.objects.create(family_name=name) for name in ("Anna", "Jose"))
        Contribution.objects.create(book=emma, contributor=anna, role="editor")
        Contribution.objects.create(book=emma, contributor=anna, role="translator", volume=1)
        other = Contribution.objects.create(book=emma, contributor=jose, role="editor")

    def said(form):
        return {name: [error.code for error in errors] for name, errors in form.errors.as_data().items()}

    def arriving(row):
        """The row comes at the last moment, when the answer's own INSERT is on its way."""
        waiting = [row]

        def before(execute, sql, params, many, context):
            if waiting and sql.startswith("INSERT"):
                waiting.pop().save()
            return execute(sql, params, many, context)

        return connection.execute_wrapper(before)

    def at_the_last_moment(row):
        form = answer.ContributionForm({"contributor": row.contributor.pk, "role": row.role}, instance=Contribution(book=row.book))
        try:
            with transaction.atomic(), arriving(row):
                valid, stored = form.is_valid(), answer.store(form)
                transaction.set_rollback(True)
        except Exception as error:
            return type(error).__name__
        return {"is_valid()": valid, "errors": said(form), "store()": type(stored).__name__}

    def tried(book, contributor, role, volume="", instance=None, between=None):
        data = {"contributor": contributor, "role": role, "volume": volume}
        form = answer.ContributionForm(data, instance=instance or Contribution(book=book))
        try:
            with transaction.atomic():
                valid = form.is_valid()
                if between:
                    between.save()
                row = answer.store(form)
                stored = f"{row.book.title}, {row.role}, {row.volume}, pk: {row.pk is not None}" if row else str(row)
                rows = Contribution.objects.filter(book__author=author).count()
                transaction.set_rollback(True)
        except Exception as error:
            return type(error).__name__
        return {"is_valid()": valid, "errors": said(form), "store()": stored, "rows": rows}

    with transaction.atomic():
        return {
            "twin": tried(emma, anna.pk, "editor"),
            "twin with volume 0 for none": tried(emma, anna.pk, "editor", "0"),
            "twin with a volume": tried(emma, anna.pk, "translator", "1"),
            "another volume": tried(emma, anna.pk, "translator", "2"),
            "another role": tried(emma, anna.pk, "illustrator"),
            "another book": tried(villette, anna.pk, "editor"),
            "edited, and unchanged": tried(emma, jose.pk, "editor", instance=Contribution.objects.get(pk=other.pk)),
            "edited into a twin": tried(emma, anna.pk, "editor", instance=Contribution.objects.get(pk=other.pk)),
            "no such contributor": tried(emma, "0", "editor"),
            "no role": tried(emma, anna.pk, ""),
            "one came between": tried(
                villette, jose.pk, "editor", between=Contribution(book=villette, contributor=jose, role="editor")
            ),
            "one comes while it is stored": at_the_last_moment(Contribution(book=villette, contributor=anna, role="editor")),
        }

# %% exercise="15.4" role="answer"
class ContributionForm(forms.ModelForm):
    class Meta:
        model = Contribution
        fields = ["contributor", "role", "volume"]

    # solution
    def clean(self):
        data = super().clean()
        if self.errors:
            return
        twins = Contribution.objects.filter(
            book=self.instance.book, contributor=data["contributor"], role=data["role"]
        ).exclude(pk=self.instance.pk)
        if any((twin.volume or 0) == (data["volume"] or 0) for twin in twins):
            raise ValidationError("This stands there already.", code="twice")
    # end


def store(form):
    # solution
    if not form.is_valid():
        return None
    try:
        with transaction.atomic():
            return form.save()
    except IntegrityError:
        form.add_error(None, ValidationError("This stands there already.", code="twice"))
        return None
    # end


check("15.4")

# %% exercise="15.4" role="alternative" note="Let the constraint judge: a copy of the instance with the new values is asked `validate_constraints()`. The rule stands in one place, the model. What `_post_clean()` fills in later has to be filled in here first."
class ContributionForm(forms.ModelForm):
    class Meta:
        model = Contribution
        fields = ["contributor", "role", "volume"]

    def clean(self):
        super().clean()
        if self.errors:
            return
        wanted = copy(self.instance)
        for name, value in self.cleaned_data.items():
            setattr(wanted, name, value)
        try:
            wanted.validate_constraints()
        except ValidationError:
            self.add_error(None, ValidationError("This stands there already.", code="twice"))


def store(form):
    if form.errors:
        return None
    try:
        with transaction.atomic():
            return form.save()
    except IntegrityError:
        form.add_error(None, ValidationError("This stands there already.", code="twice"))

# %% exercise="15.4" role="mistake" says="The model form asks constraints by itself, but not one with a field that it lacks, and `book` is such a field. The twin is found by the table: ask in `clean()`, so that the form can say it."
class ContributionForm(forms.ModelForm):
    class Meta:
        model = Contribution
        fields = ["contributor", "role", "volume"]


def store(form):
    return form.save() if form.is_valid() else None

# %% exercise="15.4" role="mistake" says="An edited row is found as its own twin. Leave it out: `.exclude(pk=self.instance.pk)`."
class ContributionForm(forms.ModelForm):
    class Meta:
        model = Contribution
        fields = ["contributor", "role", "volume"]

    def clean(self):
        data = super().clean()
        if self.errors:
            return
        twins = Contribution.objects.filter(
            book=self.instance.book, contributor=data["contributor"], role=data["role"]
        )
        if any((twin.volume or 0) == (data["volume"] or 0) for twin in twins):
            raise ValidationError("This stands there already.", code="twice")


def store(form):
    if not form.is_valid():
        return None
    try:
        with transaction.atomic():
            return form.save()
    except IntegrityError:
        form.add_error(None, ValidationError("This stands there already.", code="twice"))

# %% exercise="15.4" role="mistake" says="The check is a question, and its answer can be out of date when the row is written. Catch `IntegrityError` as well."
class ContributionForm(forms.ModelForm):
    class Meta:
        model = Contribution
        fields = ["contributor", "role", "volume"]

    def clean(self):
        data = super().clean()
        if self.errors:
            return
        twins = Contribution.objects.filter(
            book=self.instance.book, contributor=data["contributor"], role=data["role"]
        ).exclude(pk=self.instance.pk)
        if any((twin.volume or 0) == (data["volume"] or 0) for twin in twins):
            raise ValidationError("This stands there already.", code="twice")


def store(form):
    return form.save() if form.is_valid() else None

# %% exercise="15.4" role="mistake" says="The error is caught, but the transaction around it is broken: every further query fails. Put the writing into an `atomic()` of its own, inside the `try`."
class ContributionForm(forms.ModelForm):
    class Meta:
        model = Contribution
        fields = ["contributor", "role", "volume"]

    def clean(self):
        data = super().clean()
        if self.errors:
            return
        twins = Contribution.objects.filter(
            book=self.instance.book, contributor=data["contributor"], role=data["role"]
        ).exclude(pk=self.instance.pk)
        if any((twin.volume or 0) == (data["volume"] or 0) for twin in twins):
            raise ValidationError("This stands there already.", code="twice")


def store(form):
    if not form.is_valid():
        return None
    try:
        return form.save()
    except IntegrityError:
        form.add_error(None, ValidationError("This stands there already.", code="twice"))

# %% exercise="15.4" role="mistake" says="A second look before the writing is a question as well: for a row that comes after it, the table raises `IntegrityError` all the same. Catch it."
class ContributionForm(forms.ModelForm):
    class Meta:
        model = Contribution
        fields = ["contributor", "role", "volume"]

    def clean(self):
        data = super().clean()
        if self.errors:
            return
        twins = Contribution.objects.filter(
            book=self.instance.book, contributor=data["contributor"], role=data["role"]
        ).exclude(pk=self.instance.pk)
        if any((twin.volume or 0) == (data["volume"] or 0) for twin in twins):
            raise ValidationError("This stands there already.", code="twice")


def store(form):
    form.full_clean()
    return form.save() if form.is_valid() else None

# %% exercise="15.4" role="mistake" says="No volume and volume 0 are the same to the table, and `volume=None` finds neither the one nor the other. Compare them as the constraint does."
class ContributionForm(forms.ModelForm):
    class Meta:
        model = Contribution
        fields = ["contributor", "role", "volume"]

    def clean(self):
        data = super().clean()
        if self.errors:
            return
        twins = Contribution.objects.filter(book=self.instance.book, **data).exclude(pk=self.instance.pk)
        if twins.exists():
            raise ValidationError("This stands there already.", code="twice")


def store(form):
    if not form.is_valid():
        return None
    try:
        with transaction.atomic():
            return form.save()
    except IntegrityError:
        form.add_error(None, ValidationError("This stands there already.", code="twice"))

# %% exercise="15.4" role="hint"
# The book is at `self.instance.book`. A `ValidationError` raised in `clean()` is one of the whole form.
# %% exercise="15.4" role="hint"
# In `store`: `try:`, inside it `with transaction.atomic():`, inside it `form.save()`. Then `form.add_error(None, …)`.

# %% [markdown] exercise="15.5"
# ### 15.5 Rules across the rows
#
# Write `clean()` of an order's form set. At least one row is filled in (code `empty`), no title stands in two rows, whatever its capitals (`twice`), and together they have at most 20 copies (`too_many`). Rows that nobody touched and rows that are
# to be deleted do not count. Where a row that counts is itself not valid, its own error is enough. The first rule that is broken is the only one said.

# %% exercise="15.5" role="check"
def observe(answer):
    Lines = forms.formset_factory(answer.LineForm, formset=answer.BaseLineFormSet, extra=3, can_delete=True)
    seen = {}
    for rows in (
        ["Emma 2"],
        ["Emma 2", "", "We 3"],
        [],
        ["", "", ""],
        ["Emma 2 x"],
        ["Emma 2", "EMMA 1"],
        ["Emma 2", "Emma 1 x"],
        ["Emma 2 x", "Emma 1"],
        ["Emma 9", "We 9", "Nana 2"],
        ["Emma 9", "We 9", "Nana 3"],
        ["Emma 9", "We 9", "Nana 9 x"],
        ["Emma 9", "We 9", "We 9"],
        ["Emma 0"],
        ["Emma many", "Emma 2", "emma 3"],
        ["Emma 2", "Emma 1 x", "We many"],
        ["Emma many x", "We 2"],
        ["Emma many x"],
        ["Emma"],
    ):
        data = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": 0}
        for number, row in enumerate(rows):
            for name, value in zip(("title", "copies", "DELETE"), row.split()):
                data[f"form-{number}-{name}"] = value
        formset, sent = Lines(data), " | ".join(row or "-" for row in rows).replace(" x", " (delete)") or "no rows"
        try:
            valid = formset.is_valid()
        except Exception as error:
            seen[sent] = type(error).__name__
            continue
        codes = [error.code for error in formset.non_form_errors().as_data()]
        seen[sent] = {"is_valid()": valid, "non_form_errors()": codes}
    return seen

# %% exercise="15.5" role="answer" datasets=["edge"]
class LineForm(forms.Form):
    title = forms.CharField()
    copies = forms.IntegerField(min_value=1)


class BaseLineFormSet(forms.BaseFormSet):
    def clean(self):
        # solution
        kept = [form for form in self.forms if form.has_changed() and form not in self.deleted_forms]
        if not all(form.is_valid() for form in kept):
            return
        titles = [form.cleaned_data["title"].casefold() for form in kept]
        if not kept:
            raise ValidationError("Order something.", code="empty")
        if len(titles) != len(set(titles)):
            raise ValidationError("One row for each title.", code="twice")
        if sum(form.cleaned_data["copies"] for form in kept) > 20:
            raise ValidationError("No more than 20 copies in one order.", code="too_many")
        # end


check("15.5")

# %% exercise="15.5" role="alternative" note="By `cleaned_data` alone: it is empty for an untouched row, and has `DELETE`. `self.errors` leaves out the rows to be deleted. As long as the form set has `can_delete`."
class LineForm(forms.Form):
    title = forms.CharField()
    copies = forms.IntegerField(min_value=1)


class BaseLineFormSet(forms.BaseFormSet):
    def clean(self):
        if any(self.errors):
            return
        copies = {}
        for form in self.forms:
            line = form.cleaned_data
            if not line or line["DELETE"]:
                continue
            title = line["title"].lower()
            if title in copies:
                raise ValidationError("One row for each title.", code="twice")
            copies[title] = line["copies"]
        if not copies:
            raise ValidationError("Order something.", code="empty")
        if sum(copies.values()) > 20:
            raise ValidationError("No more than 20 copies in one order.", code="too_many")

# %% exercise="15.5" role="mistake" says="A row that nobody touched is valid and has an empty `cleaned_data`: asking it for a title is a `KeyError`."
class LineForm(forms.Form):
    title = forms.CharField()
    copies = forms.IntegerField(min_value=1)


class BaseLineFormSet(forms.BaseFormSet):
    def clean(self):
        if any(self.errors):
            return
        kept = [form for form in self.forms if form not in self.deleted_forms]
        titles = [form.cleaned_data["title"].lower() for form in kept]
        if not kept:
            raise ValidationError("Order something.", code="empty")
        if len(titles) != len(set(titles)):
            raise ValidationError("One row for each title.", code="twice")
        if sum(form.cleaned_data["copies"] for form in kept) > 20:
            raise ValidationError("No more than 20 copies in one order.", code="too_many")

# %% exercise="15.5" role="mistake" says="Rows that are to be deleted count here. They are in `self.deleted_forms`: leave them out."
class LineForm(forms.Form):
    title = forms.CharField()
    copies = forms.IntegerField(min_value=1)


class BaseLineFormSet(forms.BaseFormSet):
    def clean(self):
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.is_valid() and form.cleaned_data]
        titles = [form.cleaned_data["title"].lower() for form in kept]
        if not kept:
            raise ValidationError("Order something.", code="empty")
        if len(titles) != len(set(titles)):
            raise ValidationError("One row for each title.", code="twice")
        if sum(form.cleaned_data["copies"] for form in kept) > 20:
            raise ValidationError("No more than 20 copies in one order.", code="too_many")

# %% exercise="15.5" role="mistake" says="Where a row is not valid, a rule across rows is said on top of it. First let the rows be mended: look whether they are valid, and return."
class LineForm(forms.Form):
    title = forms.CharField()
    copies = forms.IntegerField(min_value=1)


class BaseLineFormSet(forms.BaseFormSet):
    def clean(self):
        kept = [form for form in self.forms if form.has_changed() and form not in self.deleted_forms]
        kept = [form for form in kept if form.is_valid()]
        titles = [form.cleaned_data["title"].lower() for form in kept]
        if not kept:
            raise ValidationError("Order something.", code="empty")
        if len(titles) != len(set(titles)):
            raise ValidationError("One row for each title.", code="twice")
        if sum(form.cleaned_data["copies"] for form in kept) > 20:
            raise ValidationError("No more than 20 copies in one order.", code="too_many")

# %% exercise="15.5" role="mistake" says="`Emma` and `EMMA` pass as two titles. Compare them in one case."
class LineForm(forms.Form):
    title = forms.CharField()
    copies = forms.IntegerField(min_value=1)


class BaseLineFormSet(forms.BaseFormSet):
    def clean(self):
        if any(self.errors):
            return
        kept = [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data["DELETE"]]
        if not kept:
            raise ValidationError("Order something.", code="empty")
        if len({line["title"] for line in kept}) < len(kept):
            raise ValidationError("One row for each title.", code="twice")
        if sum(line["copies"] for line in kept) > 20:
            raise ValidationError("No more than 20 copies in one order.", code="too_many")

# %% exercise="15.5" role="mistake" says="A form set of untouched rows has forms, and no line: `if not self.forms` never sees that nothing is ordered."
class LineForm(forms.Form):
    title = forms.CharField()
    copies = forms.IntegerField(min_value=1)


class BaseLineFormSet(forms.BaseFormSet):
    def clean(self):
        if any(self.errors):
            return
        if not self.forms:
            raise ValidationError("Order something.", code="empty")
        kept = [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data["DELETE"]]
        if len({line["title"].lower() for line in kept}) < len(kept):
            raise ValidationError("One row for each title.", code="twice")
        if sum(line["copies"] for line in kept) > 20:
            raise ValidationError("No more than 20 copies in one order.", code="too_many")

# %% exercise="15.5" role="hint"
# First collect the rows that count: touched (`form.has_changed()`), and not in `self.deleted_forms`.
# %% exercise="15.5" role="hint"
# If one of these is not valid, return. Then the three rules in the order of the text.

# %% [markdown] exercise="15.6"
# ### 15.6 One query for all the choices
#
# Each row of this form set puts a title on a shelf, with a `<select>` of all genres by name, and an empty choice first. Write it so that drawing the form set takes one query, and checking it one, however many rows there are.
# `cleaned_data["genre"]` is the `Genre`; what is no genre is an error with the code `invalid_choice`. A genre that was added a moment ago is there.

# %% exercise="15.6" role="check"
def observe(answer):
    def asked(step):
        with CaptureQueriesContext(connection) as seen:
            result = step()
        return result, "one query or less" if len(seen) <= 1 else f"{len(seen)} queries"

    def choices(html):
        select = re.search(r'<select name="form-0-genre".*?</select>', html, re.DOTALL)
        options = re.findall(r'<option value="(\d*)"', select[0]) if select else []
        return [names.get(int(pk), pk) if pk else "" for pk in options]

    with uncounted():
        Genre.objects.create(name="Aphorisms", slug="aphorisms")
        names = dict(Genre.objects.values_list("pk", "name"))
        first, last = Genre.objects.order_by("name").first(), Genre.objects.order_by("name").last()
    seen = {}
    for rows in (3, 30):
        Shelves = forms.formset_factory(answer.ShelfForm, formset=answer.BaseShelfFormSet, extra=rows)
        with uncounted():
            str(Shelves())
        html, cost = asked(lambda: str(Shelves()))
        seen[f"{rows} rows drawn"] = {"selects": html.count("<select"), "cost": cost, "choices": choices(html)}
        data = {"form-TOTAL_FORMS": rows, "form-INITIAL_FORMS": 0}
        for number in range(rows - 1):
            data |= {f"form-{number}-title": "Emma", f"form-{number}-genre": (first, last)[number % 2].pk}

        def checked():
            formset = Shelves(data)
            return formset.is_valid(), [form.cleaned_data for form in formset.forms]

        (valid, cleaned), cost = asked(checked)
        genres = [line.get("genre") for line in cleaned[:3]]
        seen[f"{rows} rows checked"] = {"is_valid()": valid, "cost": cost, "genres": genres}
        for bad in ("0", "x", "", "99999999"):
            formset = Shelves(data | {"form-0-genre": bad})
            try:
                formset.is_valid()
            except Exception as error:
                seen[f"genre={bad}"] = type(error).__name__
                continue
            codes = [error.code for error in formset.forms[0].errors.as_data().get("genre", [])]
            seen[f"genre={bad}"] = {"is_valid()": formset.is_valid(), "errors": codes}
    with uncounted():
        newest = Genre.objects.create(name="Almanacs", slug="almanacs")
        names[newest.pk] = newest.name
    taken = Shelves(data | {"form-0-genre": newest.pk}).is_valid()
    return seen | {"a new genre": {"offered": "Almanacs" in choices(str(Shelves())), "taken": taken}}

# %% exercise="15.6" role="answer"
class ShelfForm(forms.Form):
    title = forms.CharField()
    genre = forms.ChoiceField()

    # solution
    def __init__(self, *args, genres, **kwargs):
        super().__init__(*args, **kwargs)
        self.genres = genres
        self.fields["genre"].choices = [("", "Choose"), *((pk, genre.name) for pk, genre in genres.items())]

    def clean_genre(self):
        return self.genres[self.cleaned_data["genre"]]
    # end


class BaseShelfFormSet(forms.BaseFormSet):
    # solution
    @cached_property
    def genres(self):
        return {str(genre.pk): genre for genre in Genre.objects.order_by("name")}

    def get_form_kwargs(self, index):
        return super().get_form_kwargs(index) | {"genres": self.genres}
    # end


check("15.6")

# %% exercise="15.6" role="alternative" note="The form set reads the genres in `__init__` and passes them in `form_kwargs`, which go to every form. `coerce` converts; it is also called for values that no one has checked yet, so it must not raise `KeyError`."
class ShelfForm(forms.Form):
    title = forms.CharField()
    genre = forms.TypedChoiceField(empty_value=None)

    def __init__(self, *args, genres=(), **kwargs):
        super().__init__(*args, **kwargs)
        genres = {genre.pk: genre for genre in genres}
        self.fields["genre"].choices = [("", "Choose"), *((pk, genre.name) for pk, genre in genres.items())]
        self.fields["genre"].coerce = lambda pk: genres.get(int(pk))


class BaseShelfFormSet(forms.BaseFormSet):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.form_kwargs["genres"] = list(Genre.objects.order_by("name"))

# %% exercise="15.6" role="mistake" says="`coerce` is also called by `has_changed()`, before anybody looked whether the choice exists: a number that is no genre is a `KeyError`, and a page with status 500. Give back None there, or convert in `clean_genre()`."
class ShelfForm(forms.Form):
    title = forms.CharField()
    genre = forms.TypedChoiceField()

    def __init__(self, *args, genres, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["genre"].choices = [("", "Choose"), *((pk, genre.name) for pk, genre in genres.items())]
        self.fields["genre"].coerce = lambda pk: genres[int(pk)]


class BaseShelfFormSet(forms.BaseFormSet):
    @cached_property
    def genres(self):
        return {genre.pk: genre for genre in Genre.objects.order_by("name")}

    def get_form_kwargs(self, index):
        return super().get_form_kwargs(index) | {"genres": self.genres}

# %% exercise="15.6" role="mistake" says="Each row has a queryset of its own and reads all genres anew: as many queries as rows, and another for each that is checked. Read them once in the form set."
class ShelfForm(forms.Form):
    title = forms.CharField()
    genre = forms.ModelChoiceField(Genre.objects.order_by("name"), empty_label="Choose")


class BaseShelfFormSet(forms.BaseFormSet):
    pass

# %% exercise="15.6" role="mistake" says="Drawing takes one query now. But a `ModelChoiceField` fetches its row when it is checked: one query for each. Choose from the genres you have read."
class ShelfForm(forms.Form):
    title = forms.CharField()
    genre = forms.ModelChoiceField(Genre.objects.order_by("name"))

    def __init__(self, *args, genres, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["genre"].choices = [("", "Choose"), *((pk, genre.name) for pk, genre in genres.items())]


class BaseShelfFormSet(forms.BaseFormSet):
    @cached_property
    def genres(self):
        return {genre.pk: genre for genre in Genre.objects.order_by("name")}

    def get_form_kwargs(self, index):
        return super().get_form_kwargs(index) | {"genres": self.genres}

# %% exercise="15.6" role="mistake" says="The genres are read once for the whole process: one that is added later never shows up. Keep them on the form set, which lives as long as one request."
class ShelfForm(forms.Form):
    title = forms.CharField()
    genre = forms.TypedChoiceField()
    genres = {}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.genres:
            self.genres.update({genre.pk: genre for genre in Genre.objects.order_by("name")})
        self.fields["genre"].choices = [("", "Choose"), *((pk, genre.name) for pk, genre in self.genres.items())]
        self.fields["genre"].coerce = lambda pk: self.genres.get(int(pk))


class BaseShelfFormSet(forms.BaseFormSet):
    pass

# %% exercise="15.6" role="mistake" says="The values are texts, as they were sent, and not genres: convert them with `coerce`, or in `clean_genre()`."
class ShelfForm(forms.Form):
    title = forms.CharField()
    genre = forms.ChoiceField()

    def __init__(self, *args, genres, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["genre"].choices = [("", "Choose"), *((genre.pk, genre.name) for genre in genres)]


class BaseShelfFormSet(forms.BaseFormSet):
    @cached_property
    def genres(self):
        return list(Genre.objects.order_by("name"))

    def get_form_kwargs(self, index):
        return super().get_form_kwargs(index) | {"genres": self.genres}

# %% exercise="15.6" role="mistake" says="There is no empty choice, so a browser sends the first genre for a row that nobody wanted, and the row is refused for its missing title."
class ShelfForm(forms.Form):
    title = forms.CharField()
    genre = forms.TypedChoiceField()

    def __init__(self, *args, genres, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["genre"].choices = [(pk, genre.name) for pk, genre in genres.items()]
        self.fields["genre"].coerce = lambda pk: genres.get(int(pk))


class BaseShelfFormSet(forms.BaseFormSet):
    @cached_property
    def genres(self):
        return {genre.pk: genre for genre in Genre.objects.order_by("name")}

    def get_form_kwargs(self, index):
        return super().get_form_kwargs(index) | {"genres": self.genres}

# %% exercise="15.6" role="hint"
# `get_form_kwargs(self, index)` of the form set returns what each form is called with: give it the genres, read once.
# %% exercise="15.6" role="hint"
# The form takes the genres in `__init__`, sets `self.fields["genre"].choices` after `super().__init__()`, and turns the text into a genre in `clean_genre()`.

# %% [markdown] exercise="15.7"
# ### 15.7 Several files in one input
#
# Write `FilesField`, a form field for one to three text files from one input that lets people choose several. `cleaned_data` has the list of files, in their order, each at its beginning. No file at all is the error `required`, a fourth `too_many`; a file without content is `empty`, one of more than 1,000 bytes
# `too_large`, and one whose bytes are not UTF-8 `not_text`, whatever its name and its `content_type` say. Each file that is wrong gives one code, the first of these that fits.

# %% exercise="15.7" role="check"
def observe(answer):
    class Form(forms.Form):
        files = answer.FilesField()

    def file(name, content, kind="text/plain"):
        return SimpleUploadedFile(name, content, kind)

    drawn = str(Form()["files"])
    seen = {"the input": {"multiple": "multiple" in drawn, "a file": 'type="file"' in drawn, "is_multipart()": Form().is_multipart()}}
    good = [(f"{number}.txt", f"Page {number}".encode()) for number in range(4)]
    for title, files in {
        "none": [],
        "one": good[:1],
        "two, in their order": good[1::-1],
        "three": good[:3],
        "four": good,
        "accents": [("Čapek.txt", "Válka s mloky".encode())],
        "Latin-1": [("zola.txt", "Thérèse Raquin".encode("latin-1"))],
        "a picture called a text": [("cover.txt", b"\x89PNG\r\n\x1a\n")],
        "a text called a picture": [("notes.png", b"Notes")],
        "empty": [("empty.txt", b"")],
        "1,000 bytes": [("just.txt", b"x" * 1000)],
        "1,001 bytes": [("more.txt", b"x" * 1001)],
        "the second is wrong": [good[0], ("zola.txt", b"\xe9"), good[1]],
        "two are wrong": [("more.txt", b"x" * 1001), good[0], ("zola.txt", b"\xe9")],
        "no text at its end": [("zola.txt", b"x" * 900 + b"\xe9")],
        "large, and no text": [("zola.txt", b"\xe9" * 2000)],
    }.items():
        request = RequestFactory().post("/", {"title": "x", "files": [file(name, content) for name, content in files]})
        form = Form(request.POST, request.FILES)
        try:
            valid = form.is_valid()
        except Exception as error:
            seen[title] = type(error).__name__
            continue
        codes = [error.code for error in form.errors.as_data().get("files", [])]
        value = form.cleaned_data.get("files")
        found = [(one.name, one.read()) for one in value] if isinstance(value, list) else type(value).__name__
        seen[title] = {"is_valid()": valid, "errors": codes, "cleaned_data": found}
    return seen

# %% exercise="15.7" role="answer" datasets=["edge"]
class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    # solution
    widget = FilesInput(attrs={"multiple": True})

    def clean(self, data, initial=None):
        if not data:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(data) > 3:
            raise ValidationError("No more than three files.", code="too_many")
        files, errors = [], []
        for file in data:
            try:
                files.append(self.clean_one(super().clean(file)))
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return files

    def clean_one(self, file):
        if file.size > 1000:
            raise ValidationError(f"{file.name} is larger than 1,000 bytes.", code="too_large")
        try:
            file.read().decode()
        except UnicodeDecodeError:
            raise ValidationError(f"{file.name} is no text.", code="not_text") from None
        file.seek(0)
        return file
    # end


check("15.7")

# %% exercise="15.7" role="alternative" note="The field is a list of another: a `FileField` with validators cleans each file. Validators all run, so the second has to look away from what the first has refused. Good where the validators are used by a model as well."
class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


def is_small(file):
    if file.size > 1000:
        raise ValidationError("%(name)s is too large.", code="too_large", params={"name": file.name})


def is_text(file):
    content = file.read() if file.size <= 1000 else b""
    file.seek(0)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValidationError("%(name)s is no text.", code="not_text", params={"name": file.name})


class FilesField(forms.Field):
    widget = FilesInput
    one = forms.FileField(validators=[is_small, is_text])

    def clean(self, data, initial=None):
        data = super().clean(data)
        if len(data) > 3:
            raise ValidationError("No more than three files.", code="too_many")
        errors = []
        for file in data:
            try:
                self.one.clean(file)
            except ValidationError as error:
                errors += error.error_list
        if errors:
            raise ValidationError(errors)
        return data

# %% exercise="15.7" role="mistake" says="The widget gives a list, and where nothing was chosen it is an empty one: the loop has nothing to complain of, and a required field passes without a file."
class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    widget = FilesInput

    def clean(self, data, initial=None):
        if len(data) > 3:
            raise ValidationError("No more than three files.", code="too_many")
        files, errors = [], []
        for file in data:
            try:
                files.append(self.clean_one(super().clean(file)))
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return files

    def clean_one(self, file):
        if file.size > 1000:
            raise ValidationError("Too large.", code="too_large")
        try:
            file.read().decode()
        except UnicodeDecodeError:
            raise ValidationError("No text.", code="not_text") from None
        file.seek(0)
        return file

# %% exercise="15.7" role="mistake" says="Whoever saves the files now gets nothing: they were read to their end. `seek(0)` after the look."
class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    widget = FilesInput(attrs={"multiple": True})

    def clean(self, data, initial=None):
        if not data:
            raise ValidationError("Choose a file.", code="required")
        if len(data) > 3:
            raise ValidationError("No more than three files.", code="too_many")
        files, errors = [], []
        for file in data:
            try:
                files.append(self.clean_one(super().clean(file)))
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return files

    def clean_one(self, file):
        if file.size > 1000:
            raise ValidationError("Too large.", code="too_large")
        try:
            file.read().decode()
        except UnicodeDecodeError:
            raise ValidationError("No text.", code="not_text") from None
        return file

# %% exercise="15.7" role="mistake" says="`content_type` and the name are what the sender says. A picture called `cover.txt` passes: decode the bytes."
class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    widget = FilesInput(attrs={"multiple": True})

    def clean(self, data, initial=None):
        if not data:
            raise ValidationError("Choose a file.", code="required")
        if len(data) > 3:
            raise ValidationError("No more than three files.", code="too_many")
        files, errors = [], []
        for file in data:
            try:
                files.append(self.clean_one(super().clean(file)))
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return files

    def clean_one(self, file):
        if file.size > 1000:
            raise ValidationError("Too large.", code="too_large")
        if not file.content_type.startswith("text/") or not file.name.endswith(".txt"):
            raise ValidationError("No text.", code="not_text")
        return file

# %% exercise="15.7" role="mistake" says="You decode only the beginning: a file with a wrong byte further on passes. Decode all of it, it is small."
class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    widget = FilesInput(attrs={"multiple": True})

    def clean(self, data, initial=None):
        if not data:
            raise ValidationError("Choose a file.", code="required")
        if len(data) > 3:
            raise ValidationError("No more than three files.", code="too_many")
        files, errors = [], []
        for file in data:
            try:
                files.append(self.clean_one(super().clean(file)))
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return files

    def clean_one(self, file):
        if file.size > 1000:
            raise ValidationError("Too large.", code="too_large")
        try:
            file.read(100).decode()
        except UnicodeDecodeError:
            raise ValidationError("No text.", code="not_text") from None
        file.seek(0)
        return file

# %% exercise="15.7" role="mistake" says="Only the last file is checked and kept: `files.get()` gives one of several. The widget's `allow_multiple_selected` gives the list."
class FilesInput(forms.FileInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data, files, name):
        return files.get(name)


class FilesField(forms.FileField):
    widget = FilesInput(attrs={"multiple": True})

    def clean(self, data, initial=None):
        file = super().clean(data)
        if file.size > 1000:
            raise ValidationError("Too large.", code="too_large")
        try:
            file.read().decode()
        except UnicodeDecodeError:
            raise ValidationError("No text.", code="not_text") from None
        file.seek(0)
        return [file]

# %% exercise="15.7" role="mistake" says="After the first wrong file you stop: of two that are wrong, the sender hears of one, and comes back for the other. Collect the errors, and raise them together."
class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    widget = FilesInput(attrs={"multiple": True})

    def clean(self, data, initial=None):
        if not data:
            raise ValidationError("Choose a file.", code="required")
        if len(data) > 3:
            raise ValidationError("No more than three files.", code="too_many")
        return [self.clean_one(super(FilesField, self).clean(file)) for file in data]

    def clean_one(self, file):
        if file.size > 1000:
            raise ValidationError("Too large.", code="too_large")
        try:
            file.read().decode()
        except UnicodeDecodeError:
            raise ValidationError("No text.", code="not_text") from None
        file.seek(0)
        return file

# %% exercise="15.7" role="hint"
# A widget with `allow_multiple_selected = True` gives the field a list of files. `FileField.clean()` checks one of them; call it for each.
# %% exercise="15.7" role="hint"
# Collect the `ValidationError`s in a list: `raise ValidationError(errors)` raises them together, each with its code. And an empty list of files is not an error by itself.

# %% [markdown] exercise="15.8"
# ### 15.8 One template for any form
#
# Write the text `TEMPLATE` of a page that shows any `form`, to be sent to its own address by POST. Everything that a visitor needs is in it: all inputs, the hidden ones without a label, the others with theirs and their help; each error once, also those of no field and of hidden ones; the protection
# against forged requests; a button. A form that wants a file is encoded for one, and no other form is.

# %% exercise="15.8" role="check"
class Page(HTMLParser):
    """What a browser knows of a page: its forms with their inputs, its labels, its buttons."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.labels, self.buttons, self.inputs, self.inside = [], [], 0, {}, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.inside = True
            encoding = given.get("enctype")
            if encoding == "application/x-www-form-urlencoded":  # the one without being asked
                encoding = None
            self.forms.append((given.get("method", "get").lower(), given.get("action") or "", encoding))
        elif tag == "label":
            self.labels.append(given.get("for"))
        elif tag == "button" or tag == "input" and given.get("type") == "submit":
            self.buttons += self.inside and given.get("type", "submit") == "submit"
        elif tag == "input" and self.inside and given.get("name"):
            self.inputs.setdefault(given["name"], []).append(given)

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "form"


def observe(answer):
    class NoteForm(forms.Form):
        key = forms.CharField(widget=forms.HiddenInput, initial="k1")
        title = forms.CharField(max_length=5, label="The title")
        text = forms.CharField(required=False, help_text="As long as you like.")

        def clean(self):
            if self.cleaned_data.get("text") == "no":
                raise ValidationError("Not on Sundays.")

    class PhotoForm(forms.Form):
        caption = forms.CharField()
        photo = forms.FileField()

    def view_of(form_class):
        def view(request):
            form = form_class(request.POST, request.FILES) if request.method == "POST" else form_class()
            if request.method == "POST" and form.is_valid():
                return HttpResponse(f"taken: {sorted(form.cleaned_data)}", status=201)
            return HttpResponse(engines["django"].from_string(answer).render({"form": form}, request))

        return view

    def send(client, url, page, typed):
        """Fill in the page and press its button, as a browser does."""
        method, action, encoding = page.forms[0]
        data = {name: found[-1].get("value") or "" for name, found in page.inputs.items()}
        data |= {name: value for name, value in typed.items() if name in page.inputs}
        if encoding != "multipart/form-data":
            data = {name: getattr(value, "name", value) for name, value in data.items()}
        target = action if action.startswith("/") else url  # "" and "." are the page itself
        if method == "get":
            return client.get(target, data)
        return client.post(target, data)

    def shown(url, response, texts):
        page = Page(response.content.decode())
        return page, {
            "status": response.status_code,
            "forms": [(method, "to itself" if action in ("", ".", url) else action, kind) for method, action, kind in page.forms],
            "inputs": {name: len(found) for name, found in page.inputs.items() if name != "csrfmiddlewaretoken"},
            "labels": sorted({name for name in page.labels if name}),
            "a button in the form": page.buttons > 0,
            "how often": {text: response.content.decode().count(text) for text in texts},
            "title": page.inputs.get("title", [{}])[0].get("value"),
        }

    seen = {}
    patterns = (path("note/", view_of(NoteForm)), path("photo/", view_of(PhotoForm)))
    with override_settings(ROOT_URLCONF=patterns, MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"]):
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        for url, tries in {
            "/note/": [
                {"title": "Emma", "text": "yes"},
                {"title": "Emma", "text": "no"},
                {"title": "Villette", "text": "no"},
                {"title": "<b>", "text": "no"},
                {"title": "Emma", "text": "yes", "key": ""},
            ],
            "/photo/": [{"caption": "Us", "photo": SimpleUploadedFile("us.png", b"png")}, {"caption": ""}],
        }.items():
            first, seen[f"GET {url}"] = shown(url, client.get(url), ["As long as you like."])
            if not first.forms:
                continue
            for typed in tries:
                response = send(client, url, first, typed)
                texts = ["Not on Sundays.", "at most 5 characters", "This field is required."]
                sent = ", ".join(f"{name}={value}" for name, value in typed.items())
                if response.status_code == 200:
                    seen[f"POST {url} {sent}"] = shown(url, response, texts)[1]
                else:
                    taken = response.status_code == 201
                    seen[f"POST {url} {sent}"] = response.content.decode() if taken else f"status {response.status_code}"
    return seen

# %% exercise="15.8" role="answer" datasets=["edge"] seconds=20
TEMPLATE = (
    # solution
    """
    <form method="post"{% if form.is_multipart %} enctype="multipart/form-data"{% endif %}>
      {% csrf_token %}
      {{ form }}
      <button>Send</button>
    </form>
    """
    # end
)


check("15.8")

# %% exercise="15.8" role="alternative" note="By hand, where the page needs its own order. `as_field_group` is label, help, errors and input of one field; what belongs to the form and what is hidden comes apart."
TEMPLATE = """
<form method="post" {% if form.is_multipart %}enctype="multipart/form-data"{% endif %}>
  {% csrf_token %}
  {{ form.non_field_errors }}
  {% for field in form.hidden_fields %}{{ field.errors }}{{ field }}{% endfor %}
  {% for field in form.visible_fields %}<div>{{ field.as_field_group }}</div>{% endfor %}
  <input type="submit" value="Send">
</form>
"""

# %% exercise="15.8" role="mistake" says="The page has no token, so no POST gets as far as the view: 403. `{% csrf_token %}` inside the form; `{{ form }}` does not bring it."
TEMPLATE = """
<form method="post"{% if form.is_multipart %} enctype="multipart/form-data"{% endif %}>
  {{ form }}
  <button>Send</button>
</form>
"""

# %% exercise="15.8" role="mistake" says="No button in the form sends it. Put one before `</form>`, and let its type be `submit`, which it is by default."
TEMPLATE = """
<form method="post"{% if form.is_multipart %} enctype="multipart/form-data"{% endif %}>
  {% csrf_token %}
  {{ form }}
</form>
<button>Send</button>
"""

# %% exercise="15.8" role="mistake" says="Without `enctype` a browser sends the name of the file and not the file. `form.is_multipart` knows when it is needed."
TEMPLATE = """
<form method="post">
  {% csrf_token %}
  {{ form }}
  <button>Send</button>
</form>
"""

# %% exercise="15.8" role="mistake" says="`{{ form }}` draws neither `<form>` nor a button: there is nothing to send it with."
TEMPLATE = "{% csrf_token %}{{ form }}"

# %% exercise="15.8" role="mistake" says="The errors that belong to no field are not drawn: the page comes back and says nothing. Add `form.non_field_errors`."
TEMPLATE = """
<form method="post"{% if form.is_multipart %} enctype="multipart/form-data"{% endif %}>
  {% csrf_token %}
  {% for field in form.hidden_fields %}{{ field }}{% endfor %}
  {% for field in form.visible_fields %}{{ field.as_field_group }}{% endfor %}
  <button>Send</button>
</form>
"""

# %% exercise="15.8" role="mistake" says="The hidden fields are missing: what the page was to bring back, it does not. Loop over `form.hidden_fields` too."
TEMPLATE = """
<form method="post"{% if form.is_multipart %} enctype="multipart/form-data"{% endif %}>
  {% csrf_token %}
  {{ form.non_field_errors }}
  {% for field in form.visible_fields %}{{ field.as_field_group }}{% endfor %}
  <button>Send</button>
</form>
"""

# %% exercise="15.8" role="mistake" says="Where a hidden input is refused, the page comes back without a word: `form.non_field_errors` does not have this error. Draw `field.errors` of the hidden ones too."
TEMPLATE = """
<form method="post"{% if form.is_multipart %} enctype="multipart/form-data"{% endif %}>
  {% csrf_token %}
  {{ form.non_field_errors }}
  {% for field in form.hidden_fields %}{{ field }}{% endfor %}
  {% for field in form.visible_fields %}{{ field.as_field_group }}{% endfor %}
  <button>Send</button>
</form>
"""

# %% exercise="15.8" role="mistake" says="`for field in form` gives the hidden ones too, and here they get a label that nobody can click. Take `visible_fields` and `hidden_fields` apart."
TEMPLATE = """
<form method="post"{% if form.is_multipart %} enctype="multipart/form-data"{% endif %}>
  {% csrf_token %}
  {{ form.non_field_errors }}
  {% for field in form %}{{ field.as_field_group }}{% endfor %}
  <button>Send</button>
</form>
"""

# %% exercise="15.8" role="mistake" says="The errors are there twice: `{{ form }}` draws them already."
TEMPLATE = """
<form method="post"{% if form.is_multipart %} enctype="multipart/form-data"{% endif %}>
  {% csrf_token %}
  {{ form.non_field_errors }}
  {{ form }}
  <button>Send</button>
</form>
"""

# %% exercise="15.8" role="mistake" says="Without `method=\"post\"` a browser sends everything in the address, and the view sees a GET."
TEMPLATE = """
<form{% if form.is_multipart %} enctype="multipart/form-data"{% endif %}>
  {% csrf_token %}
  {{ form }}
  <button>Send</button>
</form>
"""

# %% exercise="15.8" role="mistake" says="Every form is encoded for files, also where there are none. It works; asked for is the difference, and `form.is_multipart` tells it."
TEMPLATE = """
<form method="post" enctype="multipart/form-data">
  {% csrf_token %}
  {{ form }}
  <button>Send</button>
</form>
"""

# %% exercise="15.8" role="hint"
# `{{ form }}` draws all fields and all errors. Four things are the template's.
# %% exercise="15.8" role="hint"
# `<form method="post">`, `{% csrf_token %}`, a button; and `enctype="multipart/form-data"` inside `{% if form.is_multipart %}`.
