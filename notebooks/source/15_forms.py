# %% [markdown]
# # 15 · Forms
#
# After this chapter you can follow a form from the first empty page to the saved row, name the order in which it checks, say what a
# model form leaves open, take several rows and files, and tell why a POST gets a 403.
#
# *Questions: Q43 Django forms.* Predict each output before you run its cell.
# [Exercises 15.1 to 15.8](../exercises/15_forms.ipynb) follow.

# %%
from checks import quiz
from lab import get, post, queries, reset, start

start()

# Django is set up now, so its models can be imported.
import re
from datetime import date

import django
from accounts.models import User
from catalog.forms import ExcerptForm
from catalog.models import Author, Book, Contribution, Excerpt
from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, models, transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from rest_framework import serializers
from storefront.forms import PriceRangeForm

# %% [markdown]
# ## Q43 · Take a form from the first page to the saved row
#
# *Basic · asked as T13*
#
# **Say it.** A form is a class of fields. Unbound, it draws empty inputs. Bound to `request.POST`, it checks them: each field turns text into
# a Python value and validates it, then comes `clean_<name>()`, at last `clean()` for the whole. `is_valid()` starts this; values are in
# `cleaned_data`, reasons in `errors`. If it is not valid I show the same form again, with what was typed; if it is, I save and redirect. A
# `ModelForm` takes fields and checks from a model, and saves the row.
#
# *What lifts it:* the fields of a model form are listed one by one; a constraint on a field that is left out is not checked; and CSRF is
# the business of a middleware, not of the form.

# %% [markdown]
# **See it.** One class, three forms: without data, with an empty dictionary, with values. Which are bound, which are valid, which have
# errors?

# %%
class ReservationForm(forms.Form):
    title = forms.CharField(max_length=40, help_text="As on the cover.")
    copies = forms.IntegerField(min_value=1, initial=1)
    pickup = forms.DateField()
    gift = forms.BooleanField(required=False)


good = {"title": "  Emma ", "copies": "2", "pickup": "2026-07-01"}
for form in (ReservationForm(), ReservationForm({}), ReservationForm(good)):
    print(form.is_bound, form.is_valid(), list(form.errors))

# %% [markdown]
# Bound means that data was given, even if it is empty. An unbound form is never valid and has no errors: that is why the first page
# shows no red. What became of the text?

# %%
form = ReservationForm(good)
print(hasattr(form, "cleaned_data"), form.is_valid())
for name, value in form.cleaned_data.items():
    print(name, repr(form.data.get(name)), "→", repr(value))

# %% [markdown]
# Spaces are stripped, a number and a date are made. A browser sends nothing of a box that nobody ticked: `False`. Before the check there
# is no `cleaned_data`.
#
# **The order.** Fields and a form that write down what they do. In the second run, `title` is too long. What is left out?

# %% reason="A field and a form that note each step: half of them would show nothing."
log = []


class NotingField(forms.CharField):
    def to_python(self, value):
        log.append(f"{self.label}.to_python")
        return super().to_python(value)

    def validate(self, value):
        log.append(f"{self.label}.validate")
        super().validate(value)

    def run_validators(self, value):
        log.append(f"{self.label}.run_validators")
        super().run_validators(value)

# %%
class NotingForm(forms.Form):
    title = NotingField(label="title", max_length=5)
    shelf = NotingField(label="shelf")

    def clean_title(self):
        log.append(f"clean_title  {self.cleaned_data}")
        return self.cleaned_data["title"].upper()

    def clean(self):
        log.append(f"clean  {self.cleaned_data}")

# %%
def noted(title):
    log.clear()
    form = NotingForm({"title": title, "shelf": "B"})
    print(form.is_valid(), form.is_valid(), form.cleaned_data)
    print(*log, sep="\n")


noted("Emma")

# %%
noted("Villette")

# %% [markdown]
# One field is finished, `clean_title()` included, before the next begins. What was refused is not in `cleaned_data`, its `clean_title()` is not
# called, and **`clean()` runs all the same**. The second `is_valid()` did nothing: the errors are
# kept ([the steps](https://docs.djangoproject.com/en/stable/ref/forms/validation/)).
#
# So a `clean()` that trusts its fields breaks on bad input. What does each line give?

# %%
class RangeForm(forms.Form):
    low = forms.IntegerField()
    high = forms.IntegerField()

    def clean(self):
        if self.cleaned_data["low"] > self.cleaned_data["high"]:
            raise ValidationError("From more to less?", code="reversed")


for low in ("9", "nine"):
    try:
        print(RangeForm({"low": low, "high": "3"}).errors.get_json_data())
    except KeyError as error:
        print("KeyError", error)

# %% [markdown]
# The second is a page with status 500, from one wrong letter. `cleaned_data.get("low")` is the cure.
#
# **Errors** are objects with a code, parameters and a message. Compare the code, since the message is translated:

# %%
form = ReservationForm({"title": "x" * 41, "copies": "0", "pickup": "soon"})
for name, errors in form.errors.as_data().items():
    print(name, [error.code for error in errors], form.errors[name])
print(form.has_error("copies", "min_value"), form.errors.as_data()["copies"][0].params["limit_value"])

# %% [markdown]
# **The page.** The whole life in one view. A POST that is not valid falls through to the same last line as the first GET:

# %%
page = engines["django"].from_string('<form method="post">{% csrf_token %}{{ form }}<button>Reserve</button></form>')
reservations = []


def reserve(request):
    if request.method == "POST":
        form = ReservationForm(request.POST)
        if form.is_valid():
            reservations.append(form.cleaned_data)
            return redirect("/thanks/")
    else:
        form = ReservationForm(initial={"pickup": date(2026, 7, 1)})
    return HttpResponse(page.render({"form": form}, request))

# %% [markdown]
# First visit, a bad POST, a good one. Which status does the bad one have, and what does its page show?

# %%
def shown(reply):
    return re.findall(r'name="(\w+)" value="([^"]{,20})"', reply.text), reply.text.count("errorlist")


patterns = (path("", reserve), path("thanks/", lambda request: HttpResponse("Thank you")))
with override_settings(ROOT_URLCONF=patterns):
    for reply in (get("/"), post("/", good | {"copies": "none"}), post("/", good, follow=True)):
        print(reply.status, getattr(reply, "redirect_chain", []), *shown(reply))
print(len(reservations))

# %% [markdown]
# 200, for the bad one: the form again, with what was typed and one error. The good one
# [redirects](https://docs.djangoproject.com/en/stable/intro/tutorial04/#write-a-minimal-form), so that a reload does not send it again. (A button pressed twice still does.)
#
# What is not shown again, however often the form comes back?

# %%
class LoginForm(forms.Form):
    name = forms.CharField()
    password = forms.CharField(widget=forms.PasswordInput)
    photo = forms.FileField()


form = LoginForm({"name": "mira", "password": "wuthering"}, {"photo": SimpleUploadedFile("a.png", b"png")})
for field in form:
    print(field.name, repr(field.value()), "value=" in str(field))

# %% [markdown]
# A password, [unless told](https://docs.djangoproject.com/en/stable/ref/forms/widgets/#django.forms.PasswordInput.render_value), and any file: who mistypes the name chooses
# the file again.
#
# **The look.** What one field draws, when its value is missing:

# %%
def html(part):
    return re.sub(r"\s*\n\s*", "\n", str(part)).strip()


form = ReservationForm(good | {"title": ""})
print(html(form["title"].as_field_group()))

# %% [markdown]
# Label, help, errors, input, tied together for screen readers by `aria-describedby`. A form can be drawn in four shapes. Which of them is `{{ form }}`, which are made of
# such groups, and which parts of a page are in none?

# %%
form = ReservationForm()
group = form["title"].as_field_group()
for name in ("as_table", "as_ul", "as_p", "as_div"):
    drawn = getattr(form, name)()
    print(name, re.findall(r"<\w+", drawn)[:2], drawn == str(form), group in drawn)
print([part for part in ("<form", "csrfmiddlewaretoken", "<button") if part in str(form)])

# %% [markdown]
# `{{ form }}` is a group in a `<div>` for each field; the three older shapes have markup of their own. `<form>`, token and button are the template's. Drawing by hand gives all freedom, and this loop stands in many projects. The
# form has its two numbers the wrong way round. What does the visitor learn?

# %%
by_hand = "{% for field in form %}{{ field.label_tag }}{{ field }}{{ field.errors }}{% endfor %}"
form = RangeForm({"low": "9", "high": "3"})
for source in (by_hand, "{{ form.non_field_errors }}" + by_hand):
    print(form.is_valid(), "errorlist" in engines["django"].from_string(source).render({"form": form}))

# %% [markdown]
# Nothing: the page comes back without a word. By hand, `form.non_field_errors` is yours to draw, and so are `form.hidden_fields`: without a label, but with their errors, which
# are not among the first.
#
# Better than a loop in each template is one place for the look: the template of a widget, the CSS classes of a form, or since 5.2 a
# `bound_field_class`. Here, a star at what is required:

# %%
class StarredField(forms.BoundField):
    def label_tag(self, contents=None, attrs=None, label_suffix=None, tag=None):
        mark = " *" if self.field.required else ""
        return super().label_tag(f"{contents or self.label}{mark}", attrs, label_suffix, tag)


class StarredForm(ReservationForm):
    bound_field_class = StarredField
    error_css_class = "wrong"

# %%
starred = str(StarredForm(good | {"copies": "0"}))
print(re.findall(r">(.+)</label>", starred), re.findall(r'<div class="wrong"', starred))
print(html(PriceRangeForm()["price_from"]))

# %% [markdown]
# The last one is the shop's `EuroInput`, a widget with a `template_name`. For a whole project, the setting `FORM_RENDERER` names a
# [renderer](https://docs.djangoproject.com/en/stable/ref/forms/renderers/), which names the templates of forms and fields. A form also knows which files it wants:

# %%
class LabelForm(forms.Form):
    colour = forms.CharField(widget=forms.ColorInput)

    class Media:
        js = [forms.Script("labels/colour.js", type="module")]


print(html(LabelForm()["colour"]))
print(LabelForm().media)

# %% [markdown]
# **Model forms.** Fields and checks come from the model. Which inputs, and which may be empty?

# %%
BookForm = forms.modelform_factory(Book, fields=["title", "author", "price", "pages", "in_print", "genres"])
for name, field in BookForm.base_fields.items():
    optional = "" if field.required else "optional"
    print(f"{name:8}", type(field).__name__, type(field.widget).__name__, optional)

# %% [markdown]
# `blank` of the model decides what may be empty; a box always may. (`modelform_factory()` is a class and its `Meta` in one line.) `save()` inserts or updates
# the form's `instance`. With `commit=False` it hands over a book for you to finish. What of its genres?

# %%
austen = Author.objects.get(name="Jane Austen")
data = {"title": "Sanditon", "author": austen.pk, "price": "7.50", "in_print": "on", "genres": [1, 2]}
form = BookForm(data)
book = form.save(commit=False)
print(form.is_valid(), book.pk)
book.slug = "sanditon"
book.save()
print(book.genres.count())
form.save_m2m()
print(book.genres.count())

# %% [markdown]
# A many-to-many row needs the key of the book, and waits for `save_m2m()`. Forget it, and the genres are lost in silence. Where you know the value before,
# `BookForm(data, instance=Book(slug="sanditon"))` needs one `save()`.
#
# When is the instance changed? The title is too long here, so nothing is saved:

# %%
reset()
emma = Book.objects.get(slug="emma")
form = BookForm({"title": "E" * 301, "author": austen.pk, "price": "1.00"}, instance=emma)
print(form.is_valid(), emma.title, emma.price, Book.objects.get(slug="emma").price)

# %% [markdown]
# `is_valid()` has put what was good into the instance: a heading with `emma.price` above the form shows a price that nobody saved. And
# `emma.save()` would save it. Next, a script sends only the one value that it cares for. What is left of the others?

# %%
PageForm = forms.modelform_factory(Book, fields=["title", "pages", "in_print", "description"])
emma = Book.objects.get(slug="emma")
print(emma.pages, emma.in_print, len(emma.description) > 50)
PageForm({"title": "Emma"}, instance=emma).save()
print(emma.pages, emma.in_print, len(emma.description) > 50)
reset()

# %% [markdown]
# A form is about all of its fields: what is missing counts as empty, and a box as not ticked. Two things stay: a file, and an optional field with a `default` in its model
# ([unless it is a box](https://docs.djangoproject.com/en/stable/topics/forms/modelforms/#the-save-method) or a list to choose several from). For a partial change: fewer fields.
#
# **Form sets** are many forms of one kind in one POST. Which names do two rows have, and who counts them?

# %%
class LineForm(forms.Form):
    title = forms.CharField()
    copies = forms.IntegerField(min_value=1)


LineFormSet = forms.formset_factory(LineForm, extra=2, can_delete=True)
names = re.findall(r'name="([^"]+)"', str(LineFormSet()))
print(names[:4], names[4:], sep="\n")

# %% [markdown]
# The first four are the management form. Four POSTs: without it, with it and one row left empty, with a row half filled, with a row to delete that is
# no good. Which are valid?

# %%
count = {"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0"}
first = {"form-0-title": "Emma", "form-0-copies": "2"}
half, away = {"form-1-title": "We"}, {"form-1-title": "We", "form-1-DELETE": "on"}
for data in (first, first | count, first | count | half, first | count | away):
    formset = LineFormSet(data)
    print(formset.is_valid(), [form.cleaned_data for form in formset.forms if form.is_valid()])
    print("    ", formset.errors, [error.code for error in formset.non_form_errors().as_data()])

# %% [markdown]
# An extra row that nobody touched is valid, with an empty `cleaned_data`, so do not read a key from it. A row to be deleted need not be right. Without the
# management form there are no rows and one error, not an exception.
#
# A rule across rows is the form set's `clean()`:

# %%
class DistinctFormSet(forms.BaseFormSet):
    def clean(self):
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.has_changed() and form not in self.deleted_forms]
        titles = [form.cleaned_data["title"] for form in kept]
        if len(titles) != len(set(titles)):
            raise ValidationError("One line for each title.", code="twice")


# %%
OrderFormSet = forms.formset_factory(LineForm, formset=DistinctFormSet, extra=2, can_delete=True, max_num=3)
twice = first | count | {"form-1-title": "Emma", "form-1-copies": "1"}
for data in (twice, twice | {"form-1-DELETE": "on"}, count | {"form-TOTAL_FORMS": "99999"}):
    formset = OrderFormSet(data)
    print(formset.is_valid(), formset.non_form_errors().get_json_data(), len(formset.forms))

# %% [markdown]
# First the rows' own errors: while a row that stays is wrong, `deleted_forms` is empty. `max_num` limits the empty rows; more are refused
# [only with `validate_max`](https://docs.djangoproject.com/en/stable/topics/forms/formsets/#limiting-the-maximum-number-of-forms). `absolute_max`, 1,000 more unless you set it,
# always holds: the number comes from outside.

# %% [markdown]
# **A model form set** edits rows. One contribution to War and Peace, all three, the three as they are, and one to another book: how many are saved, with how many
# queries?

# %%
RoleFormSet = forms.modelformset_factory(Contribution, fields=["role"], extra=0)
ours = Contribution.objects.filter(book__slug="war-and-peace").order_by("pk")
other = Contribution.objects.exclude(book__slug="war-and-peace").first()


def sent(rows, role="editor"):
    data = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows)}
    for number, row in enumerate(rows):
        data |= {f"form-{number}-id": row.pk, f"form-{number}-role": role or row.role}
    return data

# %%
rows = list(ours)
for data in (sent(rows[:1]), sent(rows), sent(rows, role=None), sent([other])):
    formset = RoleFormSet(data, queryset=ours.all())
    with queries(quiet=True) as seen:
        print(formset.is_valid(), len(formset.save()), len(seen))
    reset()
print(Contribution.objects.get(pk=other.pk).role != "editor")

# %% [markdown]
# One query for the rows, one for each to look up its key, and one more to save it if it has changed. A key from outside the queryset is valid, and skipped: give it the rows
# that this user may change. ([`inlineformset_factory()`](https://docs.djangoproject.com/en/stable/topics/forms/modelforms/#inline-formsets) takes those of one parent.)
# Drawing has an N+1 of its own:

# %%
class ChoiceForm(forms.Form):
    author = forms.ModelChoiceField(Author.objects.order_by("name"))


for rows in (1, 20):
    with queries(quiet=True) as seen:
        str(forms.formset_factory(ChoiceForm, extra=rows)())
    print(rows, len(seen))

# %% [markdown]
# Each `<select>` asks for its own options. Read them once and hand them to the forms with `form_kwargs`, as
# [exercise 15.6](../exercises/15_forms.ipynb) does.
#
# **Files** come apart from the rest, in `request.FILES`, and only if the form says `enctype="multipart/form-data"`. What arrives without it?

# %%
form = ExcerptForm()
print(form.is_multipart(), ReservationForm().is_multipart())
upload = SimpleUploadedFile("emma.txt", b"Emma Woodhouse, handsome, clever, and rich")
multipart = RequestFactory().post("/", {"file": upload})
plain = RequestFactory().post("/", "file=emma.txt", content_type="application/x-www-form-urlencoded")
for request in (multipart, plain):
    form = ExcerptForm(request.POST, request.FILES, instance=Excerpt(book=emma))
    print(dict(request.POST), list(request.FILES), form.is_valid(), dict(form.errors))

# %% [markdown]
# The name of the file and nothing else, and "This field is required" for somebody who has chosen one. It is the same when the view does not pass
# `request.FILES`. Now what is in the file. Which of these does the shop take?

# %%
for name, content, kind in (
    ("emma.txt", b"Emma Woodhouse", "text/plain"),
    ("EMMA.PDF", b"%PDF-1.7", "application/pdf"),
    ("emma.html", b"<script>", "text/plain"),
    ("emma.pdf", b"<script>", "application/pdf"),
    ("emma.txt", b"", "text/plain"),
):
    form = ExcerptForm({}, {"file": SimpleUploadedFile(name, content, kind)}, instance=Excerpt(book=emma))
    print(name, form.is_valid(), [error.code for error in form.errors.as_data().get("file", [])])

# %% [markdown]
# Size, name and content are looked at by validators of the model field, an empty file is refused by the form's. Nobody here asks `content_type`: the sender writes it. (Where the file goes, and how large it may
# be, is in [chapter 07](07_static_and_media.ipynb).) Several files in one input want a widget that says so. What does a plain `FileField` make of two?

# %%
class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesForm(forms.Form):
    files = forms.FileField(widget=FilesInput(attrs={"multiple": True}))


both = [SimpleUploadedFile("1.txt", b"one"), SimpleUploadedFile("2.txt", b"two")]
request = RequestFactory().post("/", {"files": both})
form = FilesForm(request.POST, request.FILES)
print(len(request.FILES.getlist("files")), form.is_valid(), dict(form.errors))

# %% [markdown]
# Nothing good: it expects one file and gets a list. A field that cleans each of them is in
# [the documentation](https://docs.djangoproject.com/en/stable/topics/http/file-uploads/#uploading-multiple-files); exercise 15.7 shows what it lets pass.

# %% [markdown]
# **CSRF.** A page elsewhere can make your browser send a form to the shop, and if nothing holds them back, the shop's cookies go along. So a POST has to bring what only the
# shop's own pages know. Without it, with the page's token as a field, as a header of a script: what does each give?

# %%
def token_of(client, url="/books/emma/"):
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', get(url, client=client).text)[1]


visitor = Client(enforce_csrf_checks=True)
print(post("/cart/add/emma/", {"quantity": 1}, client=visitor).status)
token = token_of(visitor)
print(post("/cart/add/emma/", {"quantity": 1, "csrfmiddlewaretoken": token}, client=visitor).status)
print(post("/cart/add/emma/", {"quantity": 1}, client=visitor, headers={"X-CSRFToken": token}).status)

# %% [markdown]
# `CsrfViewMiddleware` refused the first before the view ran. What is compared? Two pages of the same visitor, and the page of a stranger:

# %%
stranger = Client(enforce_csrf_checks=True)
tokens = [token_of(visitor), token_of(visitor), token_of(stranger)]
print(len(set(tokens)), len(tokens[0]), len(visitor.cookies["csrftoken"].value))
for token in tokens:
    print(post("/cart/add/emma/", {"quantity": 1, "csrfmiddlewaretoken": token}, client=visitor).status)

# %% [markdown]
# One secret per browser, in a cookie (or in the session, with [`CSRF_USE_SESSIONS`](https://docs.djangoproject.com/en/stable/ref/settings/#csrf-use-sessions)), and in each page
# the secret [under another mask](https://docs.djangoproject.com/en/stable/ref/csrf/#how-it-works). An attacker's own token does not fit your cookie.
#
# The middleware also looks where a request comes from. Which of these pass, with a good token?

# %%
token = token_of(visitor)
for headers, secure in (
    ({"Origin": "http://testserver"}, False),
    ({"Origin": "https://testserver"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({}, True),
    ({"Referer": "https://testserver/books/"}, True),
    ({"Referer": "https://evil.example/"}, True),
):
    headers["X-CSRFToken"] = token
    reply = visitor.post("/cart/add/emma/", {"quantity": 1}, headers=headers, secure=secure)
    print(headers.get("Origin", headers.get("Referer")), secure, reply.status_code)

# %% [markdown]
# An `Origin` must be the site itself, scheme included, or stand in `CSRF_TRUSTED_ORIGINS`; without one, over HTTPS, the `Referer` is asked. The second line is how a browser's POST looks
# behind a proxy that ends HTTPS, until [`SECURE_PROXY_SSL_HEADER`](https://docs.djangoproject.com/en/stable/ref/settings/#secure-proxy-ssl-header) tells Django of it. Which methods are asked at all?

# %%
methods = ("get", "head", "options", "trace", "post", "put", "patch", "delete")
with override_settings(ROOT_URLCONF=(path("", lambda request: HttpResponse("done")),)):
    print(*[f"{name} {getattr(visitor, name)('/').status_code}" for name in methods])

# %% [markdown]
# So a GET that changes something has no protection. Next, a template without `{% csrf_token %}`, first as a test of it usually asks:

# %%
bare = engines["django"].from_string('<form method="post">{{ form }}<button>Send</button></form>')


def forgetful(request):
    form = ReservationForm(request.POST if request.method == "POST" else None)
    return HttpResponse("taken" if form.is_valid() else bare.render({"form": form}, request))


with override_settings(ROOT_URLCONF=(path("", forgetful),)):
    for client in (Client(), Client(enforce_csrf_checks=True)):
        print(client.get("/").cookies.keys(), client.post("/", good).status_code)

# %% [markdown]
# The test client skips the check unless told. (A page without a token sets no cookie either.) Now somebody logs in, with a page of the shop still open in another tab. Is its form
# good for anything?

# %%
mira = User.objects.get(username="mira")
mira.set_password("wuthering heights")
mira.save()
before = token_of(visitor)
login = {"username": "mira", "password": "wuthering heights"}
header = {"X-CSRFToken": token_of(visitor, "/account/login/")}
print(post("/account/login/", login, client=visitor, headers=header).status)
for token in (before, token_of(visitor)):
    print(post("/cart/add/emma/", {"quantity": 1, "csrfmiddlewaretoken": token}, client=visitor).status)
reset()
print(settings.CSRF_COOKIE_SAMESITE, settings.SESSION_COOKIE_SAMESITE)

# %% [markdown]
# No: a login changes the secret. The last line is a second wall: with `SameSite=Lax`, Django's default, browsers keep both cookies back from a POST that
# [another site](https://docs.djangoproject.com/en/stable/ref/settings/#session-cookie-samesite) sends. A neighbour below the same domain is not another site, so the token stays.

# %% [markdown]
# **The trap.** `fields = "__all__"` is short, and so it circulates. Here it opens accounts, and the template may draw three inputs and look harmless. Eve
# sends seven:

# %%
SignUpForm = forms.modelform_factory(User, fields="__all__")
print(*SignUpForm.base_fields)
typed = {"username": "eve", "email": "eve@example.org", "password": "eyre"}
added = {"date_joined": "2026-07-01"} | dict.fromkeys(("is_superuser", "is_staff", "is_active"), "on")
eve = SignUpForm(typed | added).save()
print(eve.is_superuser, eve.is_staff, eve.is_active, eve.password, eve.check_password("eyre"))
print([user.username for user in PasswordResetForm().get_users(eve.email)])

# %% [markdown]
# A superuser, and a password in the clear. It opens no door as it is, but Django's form for a forgotten password would send her a mail. A field that the template does not draw is a field all the same. `exclude` is no cure: a column that
# somebody adds next year is in. List what may come in; what the server knows goes into the instance:

# %%
SignUpForm = forms.modelform_factory(User, fields=["username", "email"])
form = SignUpForm({"username": "eva", "is_superuser": "on"}, instance=User(is_active=False))
eva = form.save(commit=False)
eva.set_password("jane eyre")
eva.save()
print(eva.is_superuser, eva.is_active, eva.check_password("jane eyre"))
reset()

# %% [markdown]
# The second trap: `initial` taken for a default. Which values do these get: `copies`, which is missing, `shop`, which is disabled, and `route`, without a file?

# %%
class DeliveryForm(forms.Form):
    copies = forms.IntegerField(initial=1)
    note = forms.CharField(initial="Ring twice", required=False)
    shop = forms.CharField(initial="Lisbon", disabled=True)
    route = forms.FileField(initial="tram.pdf")


first, second = DeliveryForm(), DeliveryForm({"note": "", "shop": "Porto"}, {})
print([field.value() for field in first])
print([field.value() for field in second], list(second.errors), second.cleaned_data)
print(second.changed_data)

# %% [markdown]
# `copies` gets none: an error, and an emptied input. `initial` is what an unbound form shows and what `changed_data` compares with. A value it is in two places: for a disabled
# field, whatever is sent, and for a file that is not replaced.
#
# The third is the short `Form(request.POST or None)`: a POST without any value is taken for a GET. Here it would be a good answer:

# %%
class FilterForm(forms.Form):
    sold_out = forms.BooleanField(required=False)


empty = QueryDict("")
for form in (FilterForm(empty or None), FilterForm(empty)):
    print(form.is_bound, form.is_valid())

# %% [markdown]
# With required fields, the page would come back without errors. In a browser the token makes the POST non-empty, so it works until somebody sends the token in a header. Ask
# `request.method`.

# %% [markdown] reason="Four questions, each with a full answer."
# **Asked next**
#
# - *Where do you validate across fields?* In the form's `clean()`, when all fields are done. What is refused is missing there, so use `.get()`. A `ValidationError` with a text belongs to the
#   whole form, one with a dictionary to its fields; `add_error("field", …)` puts it at the field and takes that value out of `cleaned_data`. A rule that must hold for every writer is a constraint of the model as well.
# - *Form or serializer?* A form takes flat text, as browsers send it, and draws HTML with its errors. A serializer takes parsed JSON, nested, with types, and turns objects into data
#   for the way out. With `partial=True`, what was not sent stays as it is. Pages: forms. Programs: serializers.
# - *How are model constraints surfaced in a `ModelForm`?* After `clean()` it fills the instance and asks it: fields, `clean()`, what is unique, constraints. Violations are errors of
#   a field or of the form. A constraint with a field that the form lacks is skipped: who violates it gets an `IntegrityError` from `save()`.
# - *Do forms work in an async view?* `is_valid()` is synchronous. Without queries that is fine. A unique check queries, and raises `SynchronousOnlyOperation`: `await sync_to_async(form.is_valid)()`, and
#   the same for `form.save()` and for drawing a `ModelChoiceField`.

# %% [markdown]
# Across fields, in two ways: `raise`, and the shop's `PriceRangeForm` with `add_error`. Where is the error, and what is left of the values?

# %%
class PickupForm(forms.Form):
    day = forms.DateField()
    until = forms.DateField()

    def clean(self):
        day, until = self.cleaned_data.get("day"), self.cleaned_data.get("until")
        if day and until and day > until:
            raise ValidationError("The days are the wrong way round.", code="reversed")


raising = PickupForm({"day": "2026-07-02", "until": "2026-07-01"})
for form in (raising, PriceRangeForm({"price_from": 9, "price_to": 5})):
    print(list(form.errors), list(form.cleaned_data))

# %% [markdown]
# `raise` leaves both values, `add_error` takes one away. Now a form and a serializer with the same data. `gift` is missing. What do they make of that, and of the list?

# %%
class ReservationSerializer(serializers.Serializer):
    copies = serializers.IntegerField(min_value=1)
    gift = serializers.BooleanField()
    titles = serializers.ListField(child=serializers.CharField())


class FlatForm(forms.Form):
    copies = forms.IntegerField(min_value=1)
    gift = forms.BooleanField(required=False)
    titles = forms.CharField()


# %%
data = {"copies": 2, "titles": ["Emma", "We"]}
form = FlatForm(data)
print(form.is_valid(), form.cleaned_data)
for partial in (False, True):
    serializer = ReservationSerializer(data=data, partial=partial)
    print(serializer.is_valid(), list(serializer.errors), serializer.validated_data)
print(ReservationSerializer(data=QueryDict("copies=2&titles=Emma")).is_valid())

# %% [markdown]
# The form made text of the list, and "not ticked" of what is missing. The serializer kept the list, and can tell missing from false; but not in a browser's POST, as the last
# line shows, where it takes a missing box for one that is not ticked.
#
# Constraints now. Each reader may note a title once, and no note is about Emma:

# %%
class Note(models.Model):
    reader = models.CharField(max_length=20)
    title = models.CharField(max_length=20)

    class Meta:
        app_label = "lab"
        constraints = [
            models.UniqueConstraint(
                fields=["reader", "title"], name="note_once", violation_error_message="You noted it."
            ),
            models.CheckConstraint(condition=~models.Q(title="Emma"), name="no_emma"),
        ]


Note.objects.create(reader="mira", title="We")

# %%
NoteForm = forms.modelform_factory(Note, fields=["title"])
for title in ("Emma", "We"):
    form = NoteForm({"title": title}, instance=Note(reader="mira"))
    print(title, form.is_valid(), form.non_field_errors().as_text())
try:
    form.save()
except IntegrityError:
    print("IntegrityError")

# %% [markdown]
# `no_emma` needs the title alone: an error of the form. `note_once` also names `reader`, which the form lacks: it is not asked, and the page is a 500. Ask it
# yourself, and be ready for the row that comes between your question and your INSERT:

# %%
class CarefulForm(NoteForm):
    def clean(self):
        super().clean()
        if title := self.cleaned_data.get("title"):
            twins = Note.objects.filter(reader=self.instance.reader, title=title).exclude(pk=self.instance.pk)
            if twins.exists():
                self.add_error("title", ValidationError("You noted it.", code="twice"))


def note(form):
    try:
        with transaction.atomic():
            return form.save() if form.is_valid() else None
    except IntegrityError:
        form.add_error(None, "You noted it a moment ago.")

# %%
asked, late = (CarefulForm({"title": title}, instance=Note(reader="mira")) for title in ("We", "Nana"))
late.is_valid()
Note.objects.create(reader="mira", title="Nana")
for form in (asked, late):
    print(note(form), form.errors.get_json_data())

# %% [markdown]
# **Versions.** A `URLField` completes `example.com` to `https://` since 6.0, on 5.2 to `http://` with a warning. `assume_scheme` says it
# on both:

# %%
print(forms.URLField(assume_scheme="https").clean("example.com"))

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    print(forms.URLField().clean("example.com"))
else:
    print("Django 6.1 prints https://example.com")

# %% [markdown]
# The empty choice that Django puts into a `<select>` is words on 6.1, which translators see, and was a row of dashes. A setting, deprecated from its first day, gives the dashes back
# ([`USE_BLANK_CHOICE_DASH`](https://docs.djangoproject.com/en/6.1/ref/settings/#use-blank-choice-dash)):

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(next(iter(ChoiceForm().fields["author"].choices)))
else:
    print("Django 6.1 prints ('', '- Select an option -')")

# %% [markdown]
# A model form whose `clean()` forgets `super().clean()` does not ask for `unique=True`, on either. Constraints are asked on 5.2 all the same, and
# on 6.1 no longer:

# %% tags=["since-6.1"]
class ForgetfulForm(NoteForm):
    def clean(self):
        return self.cleaned_data


if django.VERSION >= (6, 1):
    print(ForgetfulForm({"title": "Emma"}).is_valid())
else:
    print("Django 6.1 prints True")

# %% [markdown]
# For `Media`, scripts as objects with attributes came with 5.2, as above; style sheets follow in 6.1:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(forms.Media(css={"all": [forms.Stylesheet("labels/print.css", media="print")]}))
else:
    print('Django 6.1 prints <link href="/static/labels/print.css" media="print" rel="stylesheet">')

# %%
quiz("Q43")

# %% [markdown]
# Now [exercises 15.1 to 15.8](../exercises/15_forms.ipynb).
