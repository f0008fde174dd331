# %%
from checks import check, hint, solution
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
import json
import re
from datetime import timedelta
from hashlib import md5, sha256
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from unittest.mock import patch

from accounts.models import User
from catalog.models import Book, Excerpt
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.templatetags.static import static
from django.test import RequestFactory, override_settings
from django.utils import timezone
from orders.models import Invoice

# %% [markdown] exercise="07.1"
# ### 07.1 Take a cover, and nothing else
#
# Write the validator of an upload: a PNG of at most 200,000 bytes. Raise `ValidationError` with the code `"extension"`
# unless the name ends in `.png`, in any case; `"size"` when it is too large; `"content"` unless it begins with the
# signature of a PNG. Look in this order, and leave the file as you found it, at its beginning: somebody saves it
# afterwards.

# %% exercise="07.1" role="check"
PNG = b"\x89PNG\r\n\x1a\n"


def observe(answer):
    seen = []
    for name, content in (
        ("emma.png", PNG + b"pixels"),
        ("EMMA.PNG", PNG + b"pixels"),
        ("emma.jpg", PNG + b"pixels"),
        ("emma.png.html", PNG + b"<script></script>"),
        ("emma.png", b"<script></script>"),
        ("emma.png", b"<script></script>" + PNG),
        ("emma.png", PNG.replace(b"\r\n", b"\n") + b"pixels"),
        ("emma.png", b""),
        ("emma.png", PNG + bytes(200_000 - len(PNG))),
        ("emma.png", PNG + bytes(200_001 - len(PNG))),
        ("emma.html", bytes(300_000)),
    ):
        file = SimpleUploadedFile(name, content, content_type="image/png")
        try:
            answer.validate_cover(file)
            seen.append((name, len(content), "taken", file.read() == content))
        except ValidationError as error:
            seen.append((name, len(content), error.code, file.read() == content))
    return seen

# %% exercise="07.1" role="answer" datasets=["edge"]
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def validate_cover(file):
    # solution
    if PurePosixPath(file.name).suffix.lower() != ".png":
        raise ValidationError("A cover is a PNG.", code="extension")
    if file.size > 200_000:
        raise ValidationError("A cover has at most 200 kB.", code="size")
    file.seek(0)
    start = file.read(len(SIGNATURE))
    file.seek(0)
    if start != SIGNATURE:
        raise ValidationError("This file is called a PNG, and is none.", code="content")
    # end


check("07.1")

# %% exercise="07.1" role="alternative" note="The same with `chunks()`, which seeks to the beginning itself. The first chunk of a small file is the whole file, so read fewer bytes where it matters."
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def validate_cover(file):
    if not file.name.lower().endswith(".png"):
        raise ValidationError("A cover is a PNG.", code="extension")
    if file.size > 200_000:
        raise ValidationError("A cover has at most 200 kB.", code="size")
    first = next(iter(file.chunks()), b"")
    file.seek(0)
    if not first.startswith(SIGNATURE):
        raise ValidationError("This file is called a PNG, and is none.", code="content")

# %% exercise="07.1" role="mistake" says="You believe `content_type`. The sender writes it, so a page with a script passes as `image/png`. Look into the file."
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def validate_cover(file):
    if not file.name.lower().endswith(".png"):
        raise ValidationError("A cover is a PNG.", code="extension")
    if file.size > 200_000:
        raise ValidationError("A cover has at most 200 kB.", code="size")
    if file.content_type != "image/png":
        raise ValidationError("This file is no PNG.", code="content")

# %% exercise="07.1" role="mistake" says="The file is left where you stopped reading: who saves it now loses its beginning. `seek(0)` after the look."
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def validate_cover(file):
    if not file.name.lower().endswith(".png"):
        raise ValidationError("A cover is a PNG.", code="extension")
    if file.size > 200_000:
        raise ValidationError("A cover has at most 200 kB.", code="size")
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise ValidationError("This file is no PNG.", code="content")

# %% exercise="07.1" role="mistake" says="A page with a script and the signature somewhere behind it passes. The signature has to be at the beginning."
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def validate_cover(file):
    if not file.name.lower().endswith(".png"):
        raise ValidationError("A cover is a PNG.", code="extension")
    if file.size > 200_000:
        raise ValidationError("A cover has at most 200 kB.", code="size")
    content = file.read()
    file.seek(0)
    if SIGNATURE not in content:
        raise ValidationError("This file is no PNG.", code="content")

# %% exercise="07.1" role="mistake" says="`COVER.PNG` is refused. Endings come in any case: compare in lower case."
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def validate_cover(file):
    if not file.name.endswith(".png"):
        raise ValidationError("A cover is a PNG.", code="extension")
    if file.size > 200_000:
        raise ValidationError("A cover has at most 200 kB.", code="size")
    start = file.read(len(SIGNATURE))
    file.seek(0)
    if start != SIGNATURE:
        raise ValidationError("This file is no PNG.", code="content")

# %% exercise="07.1" role="mistake" says="`cover.png.html` passes: it contains `.png`, and a server sends it as a page. What counts is how the name ends."
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def validate_cover(file):
    if ".png" not in file.name.lower():
        raise ValidationError("A cover is a PNG.", code="extension")
    if file.size > 200_000:
        raise ValidationError("A cover has at most 200 kB.", code="size")
    start = file.read(len(SIGNATURE))
    file.seek(0)
    if start != SIGNATURE:
        raise ValidationError("This file is no PNG.", code="content")

# %% exercise="07.1" role="hint"
# `file.size` and `file.name` cost nothing; read only as many bytes as the signature has.

# %% exercise="07.1" role="hint"
# After `file.read(8)` comes `file.seek(0)`.

# %% [markdown] exercise="07.2"
# ### 07.2 Send a private file
#
# Write a view that has nginx send the PDF of an invoice: an empty response with `X-Accel-Redirect` set to
# `/protected/invoices/NUMBER.pdf`, the type `application/pdf`, saved as `NUMBER.pdf` (`Content-Disposition:
# attachment; filename="NUMBER.pdf"`), and `Cache-Control: private, no-store`. Only the customer of the order gets it.
# Nobody logged in: `PermissionDenied`. Somebody else's invoice and one that does not exist are the same `Http404`. One
# query at most.

# %% exercise="07.2" role="check"
def observe(answer):
    seen = []
    with uncounted():
        invoices = list(Invoice.objects.select_related("order__customer").order_by("number")[:2])
        stranger = User.objects.filter(orders__isnull=True).first()
        cases = [("I0000-000000", user) for user in User.objects.order_by("pk")[:1]]
        for invoice in invoices:
            cases += [(invoice.number, invoice.order.customer), (invoice.number, stranger), (invoice.number, AnonymousUser())]
    for number, user in cases:
        request = RequestFactory().get("/")
        request.user = user
        try:
            reply = answer(request, number)
            names = ("X-Accel-Redirect", "Content-Type", "Content-Disposition", "Cache-Control", "Location")
            found = {name: reply.headers.get(name) for name in names}
            found["Cache-Control"] = sorted(re.findall(r"[^\s,]+", found["Cache-Control"] or ""))
            seen.append((number, reply.status_code, len(reply.content), list(found.values())))
        except (PermissionDenied, Http404) as error:
            seen.append((number, type(error).__name__))
    return seen

# %% exercise="07.2" role="answer" budget=5
def invoice_file(request, number):
    # solution
    if not request.user.is_authenticated:
        raise PermissionDenied
    invoice = get_object_or_404(Invoice, number=number, order__customer=request.user)
    return HttpResponse(
        content_type="application/pdf",
        headers={
            "X-Accel-Redirect": f"/protected/invoices/{invoice.number}.pdf",
            "Content-Disposition": f'attachment; filename="{invoice.number}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )
    # end


check("07.2")

# %% exercise="07.2" role="alternative" note="Asking for the right row is one query; fetching it and comparing is another way, which needs the order as well. Then both ways out must be the same 404."
def invoice_file(request, number):
    if request.user.is_anonymous:
        raise PermissionDenied
    invoice = Invoice.objects.filter(number=number).select_related("order").first()
    if invoice is None or invoice.order.customer_id != request.user.pk:
        raise Http404
    response = HttpResponse(content_type="application/pdf")
    response["X-Accel-Redirect"] = f"/protected/invoices/{number}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response

# %% exercise="07.2" role="mistake" says="Any customer can read every invoice: a login says who asks, not what is theirs. Put the customer into the query."
def invoice_file(request, number):
    if not request.user.is_authenticated:
        raise PermissionDenied
    invoice = get_object_or_404(Invoice, number=number)
    response = HttpResponse(content_type="application/pdf")
    response["X-Accel-Redirect"] = f"/protected/invoices/{invoice.number}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{invoice.number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response

# %% exercise="07.2" role="mistake" says="Somebody else's invoice is a 403 and a missing one a 404: so anybody can learn which numbers exist. Make them the same."
def invoice_file(request, number):
    if not request.user.is_authenticated:
        raise PermissionDenied
    invoice = get_object_or_404(Invoice.objects.select_related("order"), number=number)
    if invoice.order.customer_id != request.user.pk:
        raise PermissionDenied
    response = HttpResponse(content_type="application/pdf")
    response["X-Accel-Redirect"] = f"/protected/invoices/{invoice.number}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{invoice.number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response

# %% exercise="07.2" role="mistake" says="Without `Cache-Control` a shared cache may keep one customer's invoice for the next. Say `private, no-store`."
def invoice_file(request, number):
    if not request.user.is_authenticated:
        raise PermissionDenied
    invoice = get_object_or_404(Invoice, number=number, order__customer=request.user)
    response = HttpResponse(content_type="application/pdf")
    response["X-Accel-Redirect"] = f"/protected/invoices/{invoice.number}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{invoice.number}.pdf"'
    return response

# %% exercise="07.2" role="mistake" says="That is a redirect of the browser: it would show the address, and nginx refuses an internal location to browsers. The header `X-Accel-Redirect` stays between Django and nginx."
def invoice_file(request, number):
    if not request.user.is_authenticated:
        raise PermissionDenied
    invoice = get_object_or_404(Invoice, number=number, order__customer=request.user)
    return HttpResponse(status=302, headers={"Location": f"/protected/invoices/{invoice.number}.pdf"})

# %% exercise="07.2" role="hint"
# The question to the database can contain the customer: `order__customer=request.user`.

# %% exercise="07.2" role="hint"
# Headers go in as `headers={…}` or one by one, as with a dictionary.

# %% [markdown] exercise="07.3"
# ### 07.3 A link that expires
#
# Write `token_for(name, user)`, the text at the end of a download link, and `name_in(token, user)`, which gives the
# name back, or `None`. A token is good for 300 seconds and for this user alone (`user.pk`), nobody can make one
# without the `SECRET_KEY`, and what the site signed for another purpose, as `signing.dumps("invoice.pdf")` or
# `signing.dumps({"name": "invoice.pdf", "user": 1})`, is no token of yours.

# %% exercise="07.3" role="check"
def observe(answer):
    mira, tomas = User(pk=1), User(pk=2)
    clock, seen = "django.core.signing.time.time", []
    with patch(clock, return_value=1_800_000_000):
        token = answer.token_for("invoice.pdf", mira)
        # Texts of another purpose, and of another site.
        foreign = [signing.dumps(value) for value in ("invoice.pdf", {"name": "invoice.pdf", "user": 1}, ["invoice.pdf", 1])]
        foreign += [signing.TimestampSigner().sign(text) for text in ("invoice.pdf", "invoice.pdf:1")] + ["invoice.pdf", ""]
        with override_settings(SECRET_KEY="another site's key, which is long enough"):
            foreign.append(answer.token_for("invoice.pdf", mira))
    for label, user, seconds in (("at once", mira, 0), ("in time", mira, 299), ("late", mira, 400), ("another user", tomas, 0)):
        with patch(clock, return_value=1_800_000_000 + seconds):
            seen.append((label, answer.name_in(token, user)))
    with patch(clock, return_value=1_800_000_000):
        seen.append(("changed", answer.name_in(token[:-1] + ("A" if token[-1] != "A" else "B"), mira)))
        seen += [("foreign", answer.name_in(text, mira)) for text in foreign]
    return seen

# %% exercise="07.3" role="answer" datasets=["edge"]
def token_for(name, user):
    # solution
    return signing.dumps({"name": name, "user": user.pk}, salt="downloads")
    # end


def name_in(token, user):
    # solution
    try:
        found = signing.loads(token, salt="downloads", max_age=300)
    except signing.BadSignature:
        return None
    return found["name"] if found["user"] == user.pk else None
    # end


check("07.3")

# %% exercise="07.3" role="alternative" note="The user is in the salt: a token of somebody else has a wrong signature. Shorter, and the name stays readable in the link."
def token_for(name, user):
    return signing.TimestampSigner(salt=f"downloads of {user.pk}").sign(name)


def name_in(token, user):
    try:
        return signing.TimestampSigner(salt=f"downloads of {user.pk}").unsign(token, max_age=timedelta(minutes=5))
    except signing.BadSignature:
        return None

# %% exercise="07.3" role="mistake" says="A `Signer` knows no time: the link is good for ever. `TimestampSigner`, or `dumps` and `loads` with `max_age`."
def token_for(name, user):
    return signing.Signer(salt=f"downloads of {user.pk}").sign(name)


def name_in(token, user):
    try:
        return signing.Signer(salt=f"downloads of {user.pk}").unsign(token)
    except signing.BadSignature:
        return None

# %% exercise="07.3" role="mistake" says="The time is in the token, and nobody looks at it: without `max_age` nothing expires."
def token_for(name, user):
    return signing.dumps({"name": name, "user": user.pk}, salt="downloads")


def name_in(token, user):
    try:
        found = signing.loads(token, salt="downloads")
    except signing.BadSignature:
        return None
    return found["name"] if found["user"] == user.pk else None

# %% exercise="07.3" role="mistake" says="Whoever has the link has the file: a token of one user works for another. Sign the user with the name."
def token_for(name, user):
    return signing.dumps(name, salt="downloads")


def name_in(token, user):
    try:
        return signing.loads(token, salt="downloads", max_age=300)
    except signing.BadSignature:
        return None

# %% exercise="07.3" role="mistake" says="An expired token is `None`, and a forged one an exception: a 500 for everybody who tries. Catch `BadSignature`; `SignatureExpired` is one."
def token_for(name, user):
    return signing.dumps({"name": name, "user": user.pk}, salt="downloads")


def name_in(token, user):
    try:
        found = signing.loads(token, salt="downloads", max_age=300)
    except signing.SignatureExpired:
        return None
    return found["name"] if found["user"] == user.pk else None

# %% exercise="07.3" role="mistake" says="Without a salt of its own, a text that the site signed for something else is taken for a download. Give each purpose a `salt`."
def token_for(name, user):
    return signing.dumps(name + "|" + str(user.pk))


def name_in(token, user):
    try:
        name, _, owner = signing.loads(token, max_age=300).partition("|")
    except signing.BadSignature:
        return None
    return name if owner in ("", str(user.pk)) else None

# %% exercise="07.3" role="hint"
# `signing.dumps(value, salt=…)` makes a text for a URL, with the time in it. `signing.loads(…, max_age=…)` reads it.

# %% exercise="07.3" role="hint"
# Sign a dictionary with the name and `user.pk`; `SignatureExpired` is a `BadSignature`.

# %% [markdown] exercise="07.4"
# ### 07.4 Sweep what no row names
#
# Rows go, files stay. Write `sweep()`: delete the files in the folder `excerpts` of `default_storage` that no
# `Excerpt` names, and return their names, sorted. A file younger than an hour stays, because its row may not be
# committed yet. One query, however many files there are.

# %% exercise="07.4" role="check"
def observe(answer):
    with uncounted():
        def at(ago):
            return patch("django.core.files.storage.memory.now", return_value=timezone.now() - ago)

        with at(timedelta(days=2)):
            for name in ("excerpts/lost.txt", "excerpts/old.pdf", "covers/lost.png"):
                default_storage.save(name, ContentFile(b"nobody's"))
            for book in Book.objects.order_by("pk")[:3]:
                Excerpt(book=book).file.save("kept.txt", ContentFile(b"Emma Woodhouse"))
        for minutes in (30, 90):
            with at(timedelta(minutes=minutes)):
                default_storage.save(f"excerpts/after-{minutes}.txt", ContentFile(b"nobody's"))
        default_storage.save("excerpts/new.txt", ContentFile(b"just now"))
    gone = list(answer())
    with uncounted():
        return gone, sorted(default_storage.listdir("excerpts")[1]), default_storage.exists("covers/lost.png")

# %% exercise="07.4" role="answer" budget=1
def sweep():
    # solution
    named = set(Excerpt.objects.values_list("file", flat=True))
    limit = timezone.now() - timedelta(hours=1)
    gone = []
    for file in sorted(default_storage.listdir("excerpts")[1]):
        name = f"excerpts/{file}"
        if name not in named and default_storage.get_modified_time(name) < limit:
            default_storage.delete(name)
            gone.append(name)
    return gone
    # end


check("07.4")

# %% exercise="07.4" role="alternative" note="First the list, then the deletions: the list can be logged or counted before anything is lost."
def sweep():
    _, files = default_storage.listdir("excerpts")
    limit = timezone.now() - timedelta(hours=1)
    names = {f"excerpts/{file}" for file in files}.difference(Excerpt.objects.values_list("file", flat=True))
    old = sorted(name for name in names if default_storage.get_modified_time(name) < limit)
    for name in old:
        default_storage.delete(name)
    return old

# %% exercise="07.4" role="mistake" says="`listdir` gives names without their folder, and rows have them with it: no name matches, and every old file is deleted. Compare like with like."
def sweep():
    named = set(Excerpt.objects.values_list("file", flat=True))
    limit = timezone.now() - timedelta(hours=1)
    gone = []
    for file in sorted(default_storage.listdir("excerpts")[1]):
        if file not in named and default_storage.get_modified_time(f"excerpts/{file}") < limit:
            default_storage.delete(f"excerpts/{file}")
            gone.append(f"excerpts/{file}")
    return gone

# %% exercise="07.4" role="mistake" says="Each file asks the database. Fetch the names once, as a set."
def sweep():
    limit = timezone.now() - timedelta(hours=1)
    gone = []
    for file in sorted(default_storage.listdir("excerpts")[1]):
        name = f"excerpts/{file}"
        if not Excerpt.objects.filter(file=name).exists() and default_storage.get_modified_time(name) < limit:
            default_storage.delete(name)
            gone.append(name)
    return gone

# %% exercise="07.4" role="mistake" says="A file that was uploaded a moment ago is deleted: the request that saves its row has not ended. Leave young files alone."
def sweep():
    named = set(Excerpt.objects.values_list("file", flat=True))
    gone = []
    for file in sorted(default_storage.listdir("excerpts")[1]):
        name = f"excerpts/{file}"
        if name not in named:
            default_storage.delete(name)
            gone.append(name)
    return gone

# %% exercise="07.4" role="mistake" says="An hour is enough: what lies there for longer belongs to nobody, and goes."
def sweep():
    named = set(Excerpt.objects.values_list("file", flat=True))
    limit = timezone.now() - timedelta(days=1)
    gone = []
    for file in sorted(default_storage.listdir("excerpts")[1]):
        name = f"excerpts/{file}"
        if name not in named and default_storage.get_modified_time(name) < limit:
            default_storage.delete(name)
            gone.append(name)
    return gone

# %% exercise="07.4" role="mistake" says="The names are listed, and the files are still there: call `default_storage.delete`."
def sweep():
    named = set(Excerpt.objects.values_list("file", flat=True))
    limit = timezone.now() - timedelta(hours=1)
    names = sorted(f"excerpts/{file}" for file in default_storage.listdir("excerpts")[1])
    return [name for name in names if name not in named and default_storage.get_modified_time(name) < limit]

# %% exercise="07.4" role="hint"
# `default_storage.listdir("excerpts")` gives folders and files, the files without the folder.

# %% exercise="07.4" role="hint"
# `default_storage.get_modified_time(name)` is comparable with `timezone.now()`.

# %% [markdown] exercise="07.5"
# ### 07.5 A storage that names files by their content
#
# Write `ByContent`, a storage in memory whose `save()` calls a file after the first 16 hex digits of the SHA-256 of
# its content: `covers/Emma.PNG` becomes `covers/<digest>.png`, with the folder and the ending, in lower case, of the
# name that was asked for. The same content with the same folder and ending is stored once, and gives the same name
# again.

# %% exercise="07.5" role="check"
def plain(name):
    return re.sub(r"_\w{7}", "_.......", name)


def observe(answer):
    storage, seen = answer(), []
    large = bytes(70_000)
    for name, content in (
        ("covers/Emma.PNG", b"one"),
        ("covers/other.png", b"one"),
        ("covers/Emma.PNG", b"two"),
        ("plans/Emma.png", b"one"),
        ("LICENSE", b"free"),
        ("large.bin", large + b"one"),
        ("large.bin", large + b"two"),
        ("empty.txt", b""),
    ):
        stored = storage.save(name, ContentFile(content))
        with storage.open(stored) as file:
            seen.append((name, plain(stored), file.read() == content))
    seen.append([sorted(map(plain, storage.listdir(folder)[1])) for folder in ("", "covers", "plans")])
    return seen

# %% exercise="07.5" role="answer" datasets=["edge"]
class ByContent(InMemoryStorage):
    # solution
    def save(self, name, content, max_length=None):
        digest = sha256()
        for chunk in content.chunks():
            digest.update(chunk)
        asked = PurePosixPath(name)
        name = str(asked.with_name(digest.hexdigest()[:16] + asked.suffix.lower()))
        return name if self.exists(name) else super().save(name, content, max_length=max_length)
    # end


check("07.5")

# %% exercise="07.5" role="alternative" note="`_save` is what storages write themselves, after `save()` has looked for a free name. Here it writes the same bytes once more, or none."
class ByContent(InMemoryStorage):
    def _save(self, name, content):
        content.seek(0)
        digest = sha256(content.read()).hexdigest()[:16]
        folder = PurePosixPath(name).parent
        name = (folder / f"{digest}{PurePosixPath(name).suffix.lower()}").as_posix()
        return name if self.exists(name) else super()._save(name, content)

# %% exercise="07.5" role="mistake" says="The digest is that of the name: two contents share it, and one content has many. Read the content."
class ByContent(InMemoryStorage):
    def save(self, name, content, max_length=None):
        asked = PurePosixPath(name)
        name = str(asked.with_name(sha256(asked.name.encode()).hexdigest()[:16] + asked.suffix.lower()))
        return name if self.exists(name) else super().save(name, content, max_length=max_length)

# %% exercise="07.5" role="mistake" says="`save()` of the base class finds the name taken and adds random letters: the same content is stored twice. Ask `exists` first."
class ByContent(InMemoryStorage):
    def save(self, name, content, max_length=None):
        digest = sha256(b"".join(content.chunks())).hexdigest()[:16]
        asked = PurePosixPath(name)
        return super().save(str(asked.with_name(digest + asked.suffix.lower())), content, max_length=max_length)

# %% exercise="07.5" role="mistake" says="The folder is gone: `upload_to` would have no effect. Change the last part of the path only."
class ByContent(InMemoryStorage):
    def save(self, name, content, max_length=None):
        digest = sha256(b"".join(content.chunks())).hexdigest()[:16]
        name = digest + PurePosixPath(name).suffix.lower()
        return name if self.exists(name) else super().save(name, content, max_length=max_length)

# %% exercise="07.5" role="mistake" says="Only the first piece of a large file is in the digest: files that begin alike are taken for one, and the second one is lost."
class ByContent(InMemoryStorage):
    def save(self, name, content, max_length=None):
        digest = sha256(next(iter(content.chunks()), b"")).hexdigest()[:16]
        asked = PurePosixPath(name)
        name = str(asked.with_name(digest + asked.suffix.lower()))
        return name if self.exists(name) else super().save(name, content, max_length=max_length)

# %% exercise="07.5" role="mistake" says="The ending is as the sender wrote it: `.PNG` and `.png` are two files, and a check of endings has two cases. Use lower case."
class ByContent(InMemoryStorage):
    def save(self, name, content, max_length=None):
        digest = sha256(b"".join(content.chunks())).hexdigest()[:16]
        asked = PurePosixPath(name)
        name = str(asked.with_name(digest + asked.suffix))
        return name if self.exists(name) else super().save(name, content, max_length=max_length)

# %% exercise="07.5" role="hint"
# `content.chunks()` begins at the start of the file and never has the whole of it in memory.

# %% exercise="07.5" role="hint"
# `PurePosixPath(name).with_name(…)` keeps the folder; `self.exists(name)` says whether the content is there.

# %% [markdown] exercise="07.6"
# ### 07.6 The name with the hash
#
# Write what a manifest storage does with a name: between the name and the ending of the file go a dot and the first 12
# hex digits of the MD5 of its content. `books/site.css` becomes `books/site.0123456789ab.css`, and `LICENSE`, without
# an ending, `LICENSE.0123456789ab`.

# %% exercise="07.6" role="check"
def observe(answer):
    return [
        answer(name, content)
        for name, content in (
            ("site.css", b"body {}"),
            ("site.css", b"body { color: black }"),
            ("books/site.css", b"body {}"),
            ("vendor/js/jquery.min.js", b"1"),
            ("LICENSE", b"free"),
            ("books.d/LICENSE", b"free"),
            ("empty.txt", b""),
        )
    ]

# %% exercise="07.6" role="answer" datasets=["edge"]
def hashed_name(name, content):
    # solution
    asked = PurePosixPath(name)
    digest = md5(content, usedforsecurity=False).hexdigest()[:12]
    return str(asked.with_name(f"{asked.stem}.{digest}{asked.suffix}"))
    # end


check("07.6")

# %% exercise="07.6" role="alternative" note="Django's own. It needs a storage object, and no folder is read."
def hashed_name(name, content):
    storage = ManifestStaticFilesStorage(location="nowhere", base_url="/static/")
    return storage.hashed_name(name, ContentFile(content))

# %% exercise="07.6" role="mistake" says="`jquery.min.js` is cut at the first dot. The ending is what follows the last one."
def hashed_name(name, content):
    folder, slash, file = name.rpartition("/")
    root, dot, ending = file.partition(".")
    return f"{folder}{slash}{root}.{md5(content).hexdigest()[:12]}{dot}{ending}"

# %% exercise="07.6" role="mistake" says="The hash is that of the name: it stays when the content changes, and browsers keep the old file for years."
def hashed_name(name, content):
    asked = PurePosixPath(name)
    return str(asked.with_name(f"{asked.stem}.{md5(name.encode()).hexdigest()[:12]}{asked.suffix}"))

# %% exercise="07.6" role="mistake" says="The folder is lost: sheets of two apps end up beside each other."
def hashed_name(name, content):
    asked = PurePosixPath(name)
    return f"{asked.stem}.{md5(content).hexdigest()[:12]}{asked.suffix}"

# %% exercise="07.6" role="mistake" says="`LICENSE` comes out with a dot at its end: without an ending there is nothing to put behind the hash."
def hashed_name(name, content):
    asked = PurePosixPath(name)
    ending = asked.suffix.removeprefix(".")
    return str(asked.with_name(f"{asked.stem}.{md5(content).hexdigest()[:12]}.{ending}"))

# %% exercise="07.6" role="mistake" says="A query string changes the address and no name: a manifest storage renames the file, so that old and new can lie side by side."
def hashed_name(name, content):
    return f"{name}?v={md5(content).hexdigest()[:12]}"

# %% exercise="07.6" role="hint"
# `PurePosixPath(name)` has `stem` and `suffix`.

# %% exercise="07.6" role="hint"
# `with_name()` replaces the last part and keeps the folder.

# %% [markdown] exercise="07.7"
# ### 07.7 A cover, or the one for all
#
# Pages show `covers/SLUG.svg`, a static file; books without one show `covers/none.svg`. Write `cover_url(slug)`. With
# `DEBUG` on, a file is there when the finders find it. With `DEBUG` off, the storage is a manifest storage: what it
# does not know was not collected, wherever the sources are. The URL has to be the storage's own.

# %% exercise="07.7" role="check"
STORAGE = "django.contrib.staticfiles.storage."


def observe(answer):
    seen = []
    with TemporaryDirectory(dir=Path.cwd()) as folder:
        source, target = Path(folder, "source"), Path(folder, "target")
        (source / "covers").mkdir(parents=True)
        target.mkdir()
        for slug in ("emma", "none", "late"):
            (source / "covers" / f"{slug}.svg").write_text("<svg/>")
        paths = {f"covers/{slug}.svg": f"covers/{slug}.0123456789ab.svg" for slug in ("emma", "none", "gone")}
        (target / "staticfiles.json").write_text(json.dumps({"paths": paths, "version": "1.1", "hash": ""}))
        for debug, kind in ((True, "StaticFilesStorage"), (True, "ManifestStaticFilesStorage"), (False, "ManifestStaticFilesStorage")):
            storages = settings.STORAGES | {"staticfiles": {"BACKEND": STORAGE + kind}}
            with override_settings(DEBUG=debug, STORAGES=storages, STATICFILES_DIRS=[source], STATIC_ROOT=target):
                for slug in ("emma", "nobody", "late", "gone"):
                    try:
                        seen.append((debug, kind, slug, answer(slug)))
                    except ValueError:
                        seen.append((debug, kind, slug, "ValueError"))
    return seen

# %% exercise="07.7" role="answer" datasets=["edge"]
def cover_url(slug):
    # solution
    name = f"covers/{slug}.svg"
    if settings.DEBUG and finders.find(name) is None:
        name = "covers/none.svg"
    try:
        return static(name)
    except ValueError:
        return static("covers/none.svg")
    # end


check("07.7")

# %% exercise="07.7" role="alternative" note="Asking the storage what it has avoids the exception. `hashed_files` belongs to manifest storages only, and the documentation does not promise it."
def cover_url(slug):
    name = f"covers/{slug}.svg"
    if settings.DEBUG:
        found = finders.find(name) is not None
    else:
        found = name in staticfiles_storage.hashed_files
    return static(name if found else "covers/none.svg")

# %% exercise="07.7" role="mistake" says="With `DEBUG` on `static()` never raises, so the page has a dead link. There, ask the finders."
def cover_url(slug):
    try:
        return static(f"covers/{slug}.svg")
    except ValueError:
        return static("covers/none.svg")

# %% exercise="07.7" role="mistake" says="The finders look at the sources. A file that is there and was not collected ends in a `ValueError`, and one that was collected from sources now gone has no cover."
def cover_url(slug):
    name = f"covers/{slug}.svg"
    return static(name if finders.find(name) else "covers/none.svg")

# %% exercise="07.7" role="mistake" says="A URL made by hand has no hash: production would answer 404, or keep an old picture. `static()` asks the storage."
def cover_url(slug):
    name = f"covers/{slug}.svg"
    if settings.DEBUG:
        found = finders.find(name) is not None
    else:
        found = name in staticfiles_storage.hashed_files
    return "/static/" + (name if found else "covers/none.svg")

# %% exercise="07.7" role="mistake" says="The plain name is remembered in the `except`, and `static()` is called with the missing one again: the same `ValueError`."
def cover_url(slug):
    name = f"covers/{slug}.svg"
    if settings.DEBUG and finders.find(name) is None:
        name = "covers/none.svg"
    try:
        return static(name)
    except ValueError:
        return static(name)

# %% exercise="07.7" role="hint"
# With `DEBUG` on `finders.find(name)` is `None` for a missing file, and `static()` says nothing.

# %% exercise="07.7" role="hint"
# With `DEBUG` off `static(name)` raises `ValueError` for a name that is not in the manifest.

# %% [markdown] exercise="07.8"
# ### 07.8 Which static files hide another?
#
# `collectstatic` takes the first file of each name. Return a dictionary from each name that is found more than once to
# the list of the files that have it, as paths, the winner first. (The settings here have no prefixes in
# `STATICFILES_DIRS`.)

# %% exercise="07.8" role="check"
def observe(answer):
    with TemporaryDirectory(dir=Path.cwd()) as folder:
        places = [Path(folder, "one"), Path(folder, "two")]
        for place, names in zip(places, (("storefront/shop.css", "same.css", "only.css"), ("same.css", "storefront/only.css"))):
            for name in names:
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_text("body {}")
        with override_settings(STATICFILES_DIRS=places):
            found = {name: [str(path) for path in paths] for name, paths in answer().items()}
    # The temporary folder is another one each time, and the shop is somewhere else on each machine.
    places = {name: [Path(path.replace(folder, "…")).parts[-3:] for path in paths] for name, paths in found.items()}
    return {name: ["/".join(parts) for parts in paths] for name, paths in sorted(places.items())}

# %% exercise="07.8" role="answer" datasets=["edge"]
def collisions():
    # solution
    found = {}
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            found.setdefault(name, []).append(storage.path(name))
    return {name: paths for name, paths in found.items() if len(paths) > 1}
    # end


check("07.8")

# %% exercise="07.8" role="alternative" note="Names from all finders, then Django's own answer for each. It looks into every folder for every name: slower, and right also where a finder does not list all it finds."
def collisions():
    names = {name for finder in finders.get_finders() for name, _ in finder.list([])}
    found = {name: list(finders.find(name, find_all=True)) for name in names}
    return {name: paths for name, paths in found.items() if len(paths) > 1}

# %% exercise="07.8" role="mistake" says="A dictionary from name to file keeps the last one, and `collectstatic` the first; and what was replaced is forgotten. Collect lists."
def collisions():
    found, again = {}, {}
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            if name in found:
                again[name] = [storage.path(name)]
            found[name] = storage.path(name)
    return again

# %% exercise="07.8" role="mistake" says="Files of the same last name in two folders do not collide: `a/site.css` and `b/site.css` are two names."
def collisions():
    found = {}
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            found.setdefault(PurePosixPath(name).name, []).append(storage.path(name))
    return {name: paths for name, paths in found.items() if len(paths) > 1}

# %% exercise="07.8" role="mistake" says="`finders.find(name)` stops at the first file, so nothing is ever found twice. Ask for all of them."
def collisions():
    names = {name for finder in finders.get_finders() for name, _ in finder.list([])}
    found = {name: [finders.find(name)] for name in names}
    return {name: paths for name, paths in found.items() if len(paths) > 1}

# %% exercise="07.8" role="mistake" says="You look at each finder for itself. A file of the project that hides one of an app is found by two finders."
def collisions():
    again = {}
    for finder in finders.get_finders():
        found = {}
        for name, storage in finder.list([]):
            found.setdefault(name, []).append(storage.path(name))
        again |= {name: paths for name, paths in found.items() if len(paths) > 1}
    return again

# %% exercise="07.8" role="hint"
# `finder.list([])` gives each file of a finder, with the storage that it is in.

# %% exercise="07.8" role="hint"
# `storage.path(name)` is where the file lies; the order of the finders is that of `collectstatic`.
