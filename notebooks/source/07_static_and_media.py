# %% [markdown]
# # 07 · Static and media files
#
# After this chapter you can tell the files of the code from those of the users, take an upload without opening the
# site to its sender, and bring style sheets to production under names that browsers may keep for years.
#
# *Questions: Q19 static and media files · Q20 configuring static files.* Predict, then run.
# [Exercises 07.1 to 07.8](../exercises/07_static_and_media.ipynb) follow.

# %%
from checks import quiz
from lab import get, reset, scratch, start

start()

# Django is set up now, so its models can be imported.
import json
import re
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import django
from accounts.models import User
from catalog.models import Book, Excerpt
from django.conf import settings
from django.conf.urls.static import static as media_urls
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.views import serve as serve_static
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InvalidStorageError, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import SignatureExpired, TimestampSigner
from django.db import models
from django.forms import modelform_factory
from django.http import Http404, HttpResponse
from django.templatetags.static import static
from django.test import Client, RequestFactory, override_settings
from django.urls import re_path
from django.views.static import serve as serve_media
from whitenoise.middleware import WhiteNoiseFileResponse

# %% [markdown]
# ## Q19 · Keep static files and media files apart
#
# *Basic · asked as T16, B7*
#
# **Say it.** Static files are part of the code: style sheets, scripts, icons. Developers write them, a release ships
# them, and `{% static %}` makes their URLs under `STATIC_URL`. Media files are data: users upload them while the site
# runs, a `FileField` stores the name in the row, and the file goes below `MEDIA_ROOT` or into object storage. So
# static files can be trusted and rebuilt, media files need a backup and cannot be trusted. In production Django serves
# neither by itself.
#
# *What lifts it:* uploads come from another domain, or with `Content-Disposition: attachment` and a type that I chose;
# that decides whether one of them can run a script.

# %% [markdown]
# **See it.** The finders know where static files lie, in the project and in its apps. Which of these four names does
# each one find?

# %%
names = ["brand/sign.svg", "storefront/shop.css", "admin/css/base.css", "excerpts/emma.txt"]
for finder in finders.get_finders():
    print(type(finder).__name__, [name for name in names if finder.find(name)])

# %% [markdown]
# One looks into the folders of `STATICFILES_DIRS`, the other into `static/` of each app, Django's admin included. An
# upload is found by none. And `static()` looks nowhere here, it only joins a URL:

# %%
print(static("storefront/shop.css"), finders.find("storefront/shop.css") is not None)
print(static("no/such.css"), finders.find("no/such.css"))

# %% [markdown]
# Now an upload, through a form, into a folder for media files. The bookshop keeps uploads in memory in a notebook, so
# these settings say otherwise for a while:

# %%
class Leaflet(models.Model):
    file = models.FileField(upload_to="leaflets")

    class Meta:
        app_label = "lab"


folder = TemporaryDirectory()
storages = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
on_disk = {"MEDIA_ROOT": folder.name, "MEDIA_URL": "/media/", "STORAGES": storages}

# %%
LeafletForm = modelform_factory(Leaflet, fields=["file"])


def upload(name, content=b"Spring"):
    request = RequestFactory().post("/", {"file": SimpleUploadedFile(name, content)})
    return LeafletForm(request.POST, request.FILES).save()

# %% [markdown]
# What is in the row, what is the URL, and where do the bytes go?

# %%
with override_settings(**on_disk):
    leaflet = upload("spring.txt")
    print(Leaflet.objects.values_list("file", flat=True).get())
    print(leaflet.file.url, leaflet.file.size)
    print(Path(leaflet.file.path).relative_to(folder.name).as_posix())

# %% [markdown]
# The row has a path relative to the storage, and no address: move the files and change the settings, and no row
# changes. Somebody else uploads a `spring.txt` too. Is the first one lost?

# %%
with override_settings(**on_disk):
    second = upload("spring.txt", b"Spring, by somebody else")
    print(re.sub(r"_\w{7}\.", "_.......", second.file.name))
    print(leaflet.file.read(), second.file.size)

# %% [markdown]
# Django's own storages keep them apart, with seven random characters. So never build the URL from the name that was
# sent: ask `file.url`. Where the last one shall win, there is an argument since 5.1:

# %%
last = FileSystemStorage(folder.name, allow_overwrite=True)
print(last.save("leaflets/spring.txt", ContentFile(b"The last one")))

# %% [markdown]
# Now a row goes. Does its file?

# %%
with override_settings(**on_disk):
    second.delete()
    print(Leaflet.objects.count(), default_storage.exists(second.file.name))

# %% [markdown]
# It stays: a row comes back when a transaction is rolled back, a file does not. Delete it in
# [`on_commit`](https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit), as
# the bookshop does, or sweep now and then.

# %% [markdown]
# **The trap.** "The app `staticfiles` manages static files": it finds and collects them, and serves them while you
# develop. With `DEBUG` off its view refuses, and the helper for media makes no pattern:

# %%
def answer(debug):
    with override_settings(DEBUG=debug):
        try:
            status = serve_static(RequestFactory().get("/"), "storefront/shop.css").status_code
        except Http404:
            status = 404
        return status, len(media_urls("/media/", document_root=folder.name))


print(answer(debug=True), answer(debug=False))

# %% [markdown]
# Two functions are called `static`. The one in `django.conf.urls.static` makes URL patterns, an empty list without
# `DEBUG`; the other one makes the URL of a static file. Used for an upload, it leads to the wrong place:

# %%
print(static(leaflet.file.name))
with override_settings(**on_disk):
    print(leaflet.file.url)

# %% [markdown]
# The dangerous trap is the cure that people find: serve `MEDIA_ROOT` from the same site, whatever is in it. A customer
# uploads a page with a script. With which type does it come back?

# %%
media = re_path(r"^media/(?P<path>.*)$", serve_media, {"document_root": folder.name})
script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(document.cookie)</script></svg>"
headers = ["Content-Type", "X-Content-Type-Options", "Content-Disposition"]
with override_settings(**on_disk, ROOT_URLCONF=(media,)):
    for name in ("offer.html", "offer.svg", "offer.txt"):
        reply = Client().get(upload(name, script).file.url)
        print(*[reply[header] for header in headers], sep=" | ")

# %% [markdown]
# A browser runs the first two as pages of the shop, with the session of whoever opens them: stored cross-site
# scripting. `nosniff` is there and does not help, because nothing has to be guessed. What does the shop do about such
# a file?

# %%
emma = Book.objects.get(slug="emma")
try:
    Excerpt(book=emma, file=SimpleUploadedFile("offer.html", script)).full_clean()
except ValidationError as error:
    print(error.messages)

# %% [markdown]
# A name proves nothing, so the second half is in how it is sent. The same script, called a text, passes:

# %%
Excerpt(book=emma).file.save("offer.txt", ContentFile(script))
reply = get("/books/emma/excerpt/")
print(*[reply[header] for header in headers], sep=" | ")

# %% [markdown]
# `attachment` has the browser save it instead of showing it, the type is one that the shop chose, and here `nosniff`
# matters: the browser may not guess another.
#
# The next attempt is a name that climbs out of the folder. Which of these doors is closed by whom?

# %%
print(SimpleUploadedFile("../../settings.py", b"").name)
with override_settings(**on_disk, ROOT_URLCONF=(media,)):
    print(Client().get("/media/../settings.py").status_code)
    try:
        default_storage.save("../settings.py", ContentFile(b""))
    except SuspiciousFileOperation:
        print("SuspiciousFileOperation")

# %% [markdown]
# The upload keeps the last part of the name, the view answers 400, the storage raises. A path that you join yourself,
# with `open()`, has none of this.

# %% [markdown] reason="Five questions, each with a full answer."
# **Asked next**
#
# - *Where do user uploads go with three web servers?* To a place that all three share: object storage behind a storage
#   class (such as [django-storages](https://django-storages.readthedocs.io/en/latest/)), or a network file system. On
#   its own disk, each server knows only what it received itself, and a new container knows nothing. Models stay as
#   they are; `STORAGES["default"]` changes. Read what it does with a name that is taken: the one for S3
#   [overwrites](https://django-storages.readthedocs.io/en/latest/backends/amazon-S3.html), unless told otherwise.
# - *Why a separate domain for uploads?* A script in an uploaded file runs in the origin it came from. On another
#   domain, not a subdomain, it has no session of yours and no cookies
#   ([Django says so too](https://docs.djangoproject.com/en/stable/topics/security/#user-uploaded-content)).
#   `MEDIA_URL` may be a whole URL.
# - *How do private downloads work?* A view checks who asks. Then it sends the file itself, or an empty answer whose
#   header `X-Accel-Redirect` names
#   [an internal location of nginx](https://nginx.org/en/docs/http/ngx_http_core_module.html#internal), which sends it
#   while no Python process waits for a slow reader; or it hands out a signed URL that expires.
# - *How large may an upload be?* Django limits
#   [how many files](https://docs.djangoproject.com/en/stable/ref/settings/#data-upload-max-number-files) a request may
#   have, to 100, and not how large they are: `DATA_UPLOAD_MAX_MEMORY_SIZE` does not count files. Above 2.5 MB they go
#   to a temporary file. Limit them in the web server, which never lets the rest in, and in the form.
# - *What does `ImageField` add?* The form field has Pillow open the file, and refuses what Pillow cannot read, or what
#   has an ending that Pillow does not know. A real picture
#   [with a page hidden at its end](https://docs.djangoproject.com/en/stable/topics/security/#user-uploaded-content)
#   passes, so headers still matter. Without Pillow, `check` fails.

# %% [markdown]
# Three servers are three disks. Guess the second line:

# %%
with TemporaryDirectory() as first, TemporaryDirectory() as other:
    name = FileSystemStorage(location=first).save("cover.png", ContentFile(b"pixels"))
    print([FileSystemStorage(location=place).exists(name) for place in (first, other, first)])
with override_settings(**on_disk | {"MEDIA_URL": "https://bookshop-uploads.example/"}):
    print(leaflet.file.url)

# %% [markdown]
# A private download in which Python decides and nginx sends. How many bytes does Django send?

# %%
def sample(request):
    if not request.user.is_authenticated:
        return HttpResponse("Log in first.", status=403)
    name = Excerpt.objects.get(book__slug="emma").file.name
    headers = {"X-Accel-Redirect": f"/protected/{name}", "Content-Disposition": "attachment"}
    return HttpResponse(headers=headers, content_type="text/plain")


# %%
request = RequestFactory().get("/")
for request.user in (AnonymousUser(), User.objects.get(username="mira")):
    reply = sample(request)
    print(reply.status_code, len(reply.content), reply.headers.get("X-Accel-Redirect"))
reset()

# %% [markdown]
# The location `/protected/` is `internal`, so nobody gets there without the view. And the path comes from a row: never
# from the request. A signed link needs no login; whoever has it, has the file, until it expires:

# %%
signer = TimestampSigner(salt="downloads")
with patch("django.core.signing.time.time", return_value=1_800_000_000):
    link = signer.sign("invoice.pdf")
for seconds in (60, 600):
    with patch("django.core.signing.time.time", return_value=1_800_000_000 + seconds):
        try:
            print(signer.unsign(link, max_age=300))
        except SignatureExpired:
            print("expired")

# %% [markdown]
# Where an upload is kept while the request lasts, and what a machine without Pillow says of an `ImageField`:

# %%
for size in (2_000_000, 3_000_000):
    request = RequestFactory().post("/", {"file": SimpleUploadedFile("a.bin", bytes(size))})
    print(size, type(request.FILES["file"]).__name__)
with patch.dict(sys.modules, {"PIL": None}):
    cover = models.ImageField()
    cover.set_attributes_from_name("cover")
    print([error.id for error in cover.check()])

# %%
quiz("Q19")

# %% [markdown]
# Now [exercises 07.1 to 07.5](../exercises/07_static_and_media.ipynb).

# %% [markdown]
# ## Q20 · Configure static files for development and production
#
# *Intermediate · asked as I4*
#
# **Say it.** In development nothing is needed but `django.contrib.staticfiles`, `STATIC_URL`, and files in
# `static/<app>/` of each app: `runserver` finds and serves them. For production I set `STATIC_ROOT`, and a manifest
# storage in `STORAGES["staticfiles"]`. `collectstatic` then copies every file there, also under a name with a hash of
# its content, `{% static %}` prints that name, and nginx, a CDN or WhiteNoise sends it with a cache time of years.
#
# *What lifts it:* the hash is what makes the long cache time safe, and a missing file an error instead of a dead link;
# and `STATICFILES_STORAGE` is gone since 5.1, ignored in silence.

# %% [markdown]
# **See it.** A project with one app, and a switch for `DEBUG`:

# %% reason="A project with an app and two files, once for the whole question."
site = scratch("mysite")
site.run("python manage.py startapp books")
site.write("books/static/books/site.css", "body { background: url('paper.svg'); }\n" + "/* A shelf of rules. */\n" * 40)
site.write("books/static/books/paper.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
for old, new in (
    ("INSTALLED_APPS = [", "INSTALLED_APPS = [\n    'books',"),
    ("from pathlib import Path", "import os\nfrom pathlib import Path"),
    ("DEBUG = True", "DEBUG = 'LIVE' not in os.environ"),
    ("ALLOWED_HOSTS = []", "ALLOWED_HOSTS = ['127.0.0.1']"),
):
    site.replace("mysite/settings.py", old, new)

# %% [markdown]
# The same file from the same server, with `DEBUG` on and off. Which of the three requests gets it?

# %%
def status(url):
    try:
        return urlopen(url).status
    except HTTPError as error:
        return error.code


for option, live in (("", {}), ("", {"LIVE": "1"}), ("--insecure", {"LIVE": "1"})):
    with site.running(f"python manage.py runserver 8000 --noreload {option}", **live) as server:
        print("DEBUG off" if live else "DEBUG on", option, status(f"{server.url}/static/books/site.css"))

# %% [markdown]
# Without `DEBUG` the server stops serving static files. Many lists stop here, too, and many a first deployment has no
# style. `--insecure` is
# [what its name says](https://docs.djangoproject.com/en/stable/ref/contrib/staticfiles/#cmdoption-runserver-insecure),
# and slow. Production wants the files in one folder:

# %%
print(site.output("python manage.py collectstatic --no-input").splitlines()[-1])
old = "STATIC_URL = 'static/'"
site.replace("mysite/settings.py", old, f"{old}\nSTATIC_ROOT = BASE_DIR / 'collected'")
site.run("python manage.py collectstatic --no-input --ignore admin")
site.tree("collected")

# %% [markdown]
# `STATIC_ROOT` is a target, and has no default. (`--ignore admin` only keeps the lists short here.) Now the storage
# that puts the hash into the names. `STORAGES` has two entries, and both have to be there:

# %%
site.replace("mysite/settings.py", "STATIC_URL = 'static/'\n", """STATIC_URL = 'static/'
STORAGES = {
    'default': {'BACKEND': 'django.core.files.storage.FileSystemStorage'},
    'staticfiles': {'BACKEND': 'django.contrib.staticfiles.storage.ManifestStaticFilesStorage'},
}
""")
site.output("python manage.py collectstatic --no-input --ignore admin")
site.tree("collected")

# %% [markdown]
# `staticfiles.json` says which name became which. What does `static()`, which the tag calls, give with `DEBUG` and
# without?

# %%
def url(name, **environment):
    code = f"from django.templatetags.static import static; print(static('{name}'))"
    printed = site.output(f'python manage.py shell --no-imports --verbosity 0 -c "{code}"', **environment)
    return printed.splitlines()[-1]


def manifest():
    return sorted(json.loads(site.read("collected/staticfiles.json"))["paths"].values())


print(manifest())
print(url("books/site.css"), url("books/site.css", LIVE="1"))

# %% [markdown]
# While `DEBUG` is on the names stay plain, so nobody has to collect after each change. Now the picture changes, and
# nobody touches the style sheet. Which names change?

# %%
before = manifest()
site.write("books/static/books/paper.svg", "<svg xmlns='http://www.w3.org/2000/svg'><circle r='9'/></svg>")
site.output("python manage.py collectstatic --no-input --ignore admin")
print([old != new for old, new in zip(before, manifest())])
print(site.read(f"collected/{manifest()[1]}").splitlines()[0])
print((site.path / "collected" / before[0]).exists())

# %% [markdown]
# Both: the storage rewrites `url()` in style sheets, so the sheet has a new content too. The old picture is still
# there, and should be: pages in caches and servers not yet updated ask for it. (`--clear` would remove it.)
#
# And a name that the manifest does not have?

# %%
print(url("books/forgotten.css"))
print(url("books/forgotten.css", LIVE="1"))

# %% [markdown]
# In development a dead link, in production a page with status 500. Tests run without `DEBUG`. What becomes of a
# correct name where nobody has collected?

# %%
site.write("books/tests.py", """
from django.templatetags.static import static
from django.test import SimpleTestCase


class Sheet(SimpleTestCase):
    def test(self):
        static("books/site.css")
""")
site.write("mysite/fresh.py", "from .settings import *\nSTATIC_ROOT = BASE_DIR / 'empty'")
for module in ("mysite.settings", "mysite.fresh"):
    print(module, site.output(f"python manage.py test --settings {module}").splitlines()[-1])

# %% [markdown]
# Without a manifest every name is missing. Collect before the tests, or give them the plain `StaticFilesStorage`,
# which finds no wrong name either.
#
# Now serve them. WhiteNoise is one middleware, right after `SecurityMiddleware`, and a storage that also compresses:

# %%
security = "security.SecurityMiddleware',"
site.replace("mysite/settings.py", security, f"{security}\n    'whitenoise.middleware.WhiteNoiseMiddleware',")
site.replace("mysite/settings.py", "django.contrib.staticfiles.storage.Manifest", "whitenoise.storage.CompressedManifest")
site.output("python manage.py collectstatic --no-input --ignore admin")
print(sorted(path.name for path in (site.path / "collected/books").glob("*.gz")))

# %% [markdown]
# The request that got 404 above, sent to the same server without `DEBUG`. For how long may a browser keep each of the
# two names?

# %%
def headers(url, **sent):
    return urlopen(Request(url, headers=sent)).headers


with site.running("python manage.py runserver 8000 --noreload", LIVE="1") as server:
    for name in (manifest()[1], "books/site.css"):
        found = headers(f"{server.url}/static/{name}", **{"Accept-Encoding": "gzip"})
        print(found["Cache-Control"], "|", found["Content-Encoding"])

# %% [markdown]
# Ten years and `immutable` for the name with the hash, because another content is another name. A minute for the plain
# name, whose content may change. The same middleware works under any WSGI server; the bookshop uses it in
# `config/settings/production.py`.

# %% [markdown]
# Under ASGI it works as well, at a price. WhiteNoise returns a `FileResponse`, which reads in a synchronous way. What
# happens where the server asks for the parts asynchronously?

# %%
sheet = WhiteNoiseFileResponse(open(finders.find("storefront/shop.css"), "rb"))
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    parts = [part async for part in sheet]
print(sheet.is_async, [str(warning.message).partition(" in order")[0] for warning in seen])

# %% [markdown]
# Django warns, reads the whole file in a thread, and only then sends the first part. For style sheets that is bearable;
# a busy ASGI site leaves them to nginx or a CDN.

# %% [markdown]
# **The trap.** "`{% static %}` uses the configured `STATICFILES_STORAGE`" was true until Django 5.0. The setting was
# deprecated in 4.2 and
# [removed in 5.1](https://docs.djangoproject.com/en/stable/releases/5.1/#features-removed-in-5-1). What happens to a
# project that still has it, here with a class that does not exist?

# %%
site.write("mysite/old.py", "from .settings import *\ndel STORAGES\nSTATICFILES_STORAGE = 'no.such.Storage'")
print(site.output("python -W error manage.py check --settings mysite.old"))
print(url("books/site.css", LIVE="1", DJANGO_SETTINGS_MODULE="mysite.old"))

# %% [markdown]
# No error, no warning, no hash: after an upgrade the site works, and browsers keep old style sheets. The second trap
# is in the cure: a `STORAGES` with `staticfiles` alone takes away the default for uploads. `check` is content; when
# does it fail?

# %%
with override_settings(STORAGES={"staticfiles": settings.STORAGES["staticfiles"]}):
    print(static("storefront/shop.css"))
    try:
        default_storage.exists("cover.png")
    except InvalidStorageError as error:
        print(error)

# %% [markdown]
# And the third: `STATICFILES_DIRS` are sources, `STATIC_ROOT` is the target. Files written into the target by hand are
# in no repository, and one folder for both is refused:

# %%
site.write("mysite/same.py", "from .settings import *\nSTATICFILES_DIRS = [STATIC_ROOT]")
print(site.output("python manage.py check --settings mysite.same").splitlines()[3])

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *How does cache busting work?* The URL contains a hash of the content. Browsers keep it for years and never ask
#   again; a change makes a new URL, and the page, which is not kept that long, names it. A query string with a version
#   needs somebody to raise it, and the hash does not.
# - *WhiteNoise, nginx or a CDN?* WhiteNoise needs no other server and fits containers, at the price of Python time for
#   each file. nginx spares that where it stands in front anyway. A CDN is near the reader, and in front of WhiteNoise
#   it asks once for each name. With it, `STATIC_URL` is a whole URL.
# - *What does `collectstatic` do on name collisions?* The first file found wins, `STATICFILES_DIRS` before apps, apps
#   in their order; the others are ignored with a notice. That is a way to override a file of a package, and the reason
#   for `static/books/site.css` instead of `static/site.css`.

# %% [markdown]
# The project brings a sheet with the name of the app's. Which one is collected, and who says so? `findstatic` prints
# all of them, the winner first:

# %%
site.write("assets/books/site.css", "body { color: black; }")
site.write("mysite/two.py", "from .settings import *\nSTATICFILES_DIRS = [BASE_DIR / 'assets']")
site.run("python manage.py findstatic books/site.css --settings mysite.two")
site.output("python manage.py collectstatic --no-input --ignore admin --settings mysite.two")
print(site.read("collected/books/site.css"))

# %% [markdown]
# When a file is not found, `--verbosity 2` prints where Django looked. The usual finding is that the app is not in
# `INSTALLED_APPS`:

# %%
site.run("python manage.py findstatic books/sight.css --verbosity 2 --settings mysite.two")

# %% [markdown]
# And with a CDN only the front of the URLs changes. A `STATIC_URL` without a slash at the beginning, as new projects
# have it, is put behind the path under which the site is mounted; a whole URL stays:

# %%
for address in ("static/", "/static/", "https://cdn.example/static/"):
    with override_settings(STATIC_URL=address):
        print(f"{address:29}", static("storefront/shop.css"))

# %% [markdown]
# **Versions.** 5.2 prints a line for each collision, and 6.0 counts them in the summary: the lines come with
# `--verbosity 2`. Since 6.0 the manifest is sorted, so two builds of the same files are equal. `finders.find(name,
# all=True)` is `find_all=True` since 5.2, and 6.1 knows the old name no more:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    site.run("python manage.py collectstatic --no-input --ignore admin --dry-run --settings mysite.two", lines=8)
    try:
        finders.find("admin/css/base.css", all=True)
    except TypeError:
        print("TypeError")
else:
    print("Django 6.1 prints '1 skipped due to conflict' in the summary, and TypeError")

# %%
quiz("Q20")

# %% [markdown]
# Now [exercises 07.6 to 07.8](../exercises/07_static_and_media.ipynb), then chapter
# [10 · Reading data](10_reading_data.ipynb).
