import subprocess
import sys
import zipfile

import pytest

from checks.site import wheels


def wheel(folder, name="demo-1.0-cp313-cp313-manylinux2014_x86_64.whl", **files):
    folder.mkdir(exist_ok=True)
    path = folder / name
    with zipfile.ZipFile(path, "w") as target:
        for member, text in files.items():
            target.writestr(member.replace("__", "/"), text)
    return path


def test_the_versions_are_those_of_requirements_for_the_python_of_the_page():
    text = "django==5.2.19 ; python_full_version < '3.12'\ndjango==6.1.3 ; python_full_version >= '3.12'\n# no\n-e .\n"
    text += "colorama==0.4.6 ; sys_platform == 'win32'\nsix==1.17.0\n"
    assert wheels.pins(text) == {"django": "6.1.3", "six": "1.17.0"}


def test_every_package_of_the_page_is_pinned():
    from checks.course.lesson import ROOT

    pinned = wheels.pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert [name for name in wheels.listed() if name not in pinned] == []


def test_the_list_of_packages_says_which_stay_zipped(tmp_path):
    (tmp_path / "packages.txt").write_text("# why\ndjango\nsix zipped\n", encoding="utf-8")
    assert wheels.listed(tmp_path / "packages.txt") == {"django": False, "six": True}


def test_a_zipped_package_is_imported_from_the_zip_file_of_the_library(tmp_path, monkeypatch):
    library = tmp_path / "library.zip"
    wheels.write(library, {"there.py": b""})
    own = wheel(tmp_path, "six_of-1.0-py3-none-any.whl", **{"zones__UTC": "0", "six_of.py": "n = 6"})
    wheels.add_wheels(library, [own])
    monkeypatch.syspath_prepend(str(library))
    import six_of

    assert six_of.n == 6
    assert zipfile.ZipFile(library).namelist() == ["six_of.py", "there.py", "zones/UTC"]


def test_compiled_modules_go_beside_their_sources(tmp_path):
    library, own = tmp_path / "library.zip", wheel(tmp_path, "demo-1.0-py3-none-any.whl", **{"demo__a.py": ""})
    wheels.write(library, {"json/decoder.py": b"", "os.py": b""})
    compiled = {"json/decoder.pyc": b"1", "os.pyc": b"2", "demo/__pycache__/a.cpython-314.pyc": b"3"}
    for archive in (library, own):
        wheels.add_compiled(archive, compiled)
    assert zipfile.ZipFile(library).namelist() == ["json/decoder.py", "json/decoder.pyc", "os.py", "os.pyc"]
    assert zipfile.ZipFile(own).namelist() == ["demo/__pycache__/a.cpython-314.pyc", "demo/a.py"]


@pytest.mark.parametrize(
    ("member", "needed"),
    [
        ("markupsafe/_speedups.cpython-313-x86_64-linux-gnu.so", False),
        ("django/conf/locale/ja/LC_MESSAGES/django.mo", False),
        ("django/conf/locale/de/LC_MESSAGES/django.mo", True),
        ("django/conf/locale/de/formats.py", True),
        ("django/conf/locale/en_GB/formats.py", True),
        ("django/conf/locale/__init__.py", True),
        ("django/contrib/auth/locale/zh_Hans/LC_MESSAGES/django.mo", False),
        ("django/contrib/gis/db/models.py", False),
        ("celery/tests/test_app.py", False),
        ("django/contrib/admin/static/admin/js/core.js", False),
        ("django/contrib/admin/static/admin/css/base.css", True),
        ("dateutil/zoneinfo/dateutil-zoneinfo.tar.gz", False),
        ("anywidget/labextension/static/2.js", False),
        ("anywidget/_static_asset.py", True),
        ("pygments/lexers/fortran.py", False),
        ("pygments/lexers/python.py", True),
        ("django/test/client.py", True),
    ],
)
def test_what_a_page_does_not_need_is_left_out(member, needed):
    assert wheels.is_needed(member) is needed


def test_what_the_course_colours_is_there():
    used = (
        "import sys, ipython_pygments_lexers, pygments.lexers.sql, pygments.lexers.special\n"
        "from checks.quizzes.bank import course_bank\n"
        "from checks.quizzes.markup import highlighted\n"
        "for language in {'javascript', 'text', *(item.language for item in course_bank().values())}:\n"
        "    highlighted('x', language)\n"
        "print(*(name.rpartition('.')[2] for name in sys.modules if name.startswith('pygments.lexers.')))"
    )
    found = subprocess.run([sys.executable, "-c", used], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(set(found) - set(wheels.LEXERS)) == []


def test_a_slim_wheel_is_for_any_system_and_the_same_on_every_run(tmp_path):
    source = wheel(tmp_path / "from", **{"demo__a.py": "a", "demo__fast.so": "x", "demo-1.0.dist-info__METADATA": ""})
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = (wheels.slim(source, tmp_path / folder) for folder in ("one", "two"))
    assert one.name == "demo-1.0-py3-none-any.whl"
    assert zipfile.ZipFile(one).namelist() == ["demo-1.0.dist-info/METADATA", "demo/a.py"]
    assert one.read_bytes() == two.read_bytes()


def test_the_lock_says_what_a_wheel_holds(tmp_path):
    entry = wheels.entry(wheel(tmp_path, "My_Demo-1.0-py3-none-any.whl", **{"demo__a.py": "", "single.py": ""}))
    assert (entry["name"], entry["imports"]) == ("my-demo", ["demo", "single"])
    assert len(entry["sha256"]) == 64


def test_what_is_asked_of_pyodides_distribution_comes_with_what_it_needs(tmp_path):
    def remote(name, *depends):
        return {"name": name, "file_name": f"{name}.whl", "depends": list(depends)}

    original = {"info": {}, "packages": {"pandas": remote("pandas", "numpy", "six"), "numpy": remote("numpy")}}
    own = wheel(tmp_path, "six-1.0-py3-none-any.whl", **{"six.py": ""})
    lock = wheels.lock(original, [own], "https://example.org/", ["pandas"])["packages"]
    assert list(lock) == ["numpy", "pandas", "six"]
    assert lock["numpy"]["file_name"] == "https://example.org/numpy.whl"
    assert lock["six"]["file_name"] == "six-1.0-py3-none-any.whl"


def test_what_lies_in_the_library_is_not_asked_of_pyodides_distribution():
    pandas = {"name": "pandas", "file_name": "pandas.whl", "depends": ["python-dateutil"]}
    lock = wheels.lock({"info": {}, "packages": {"pandas": pandas}}, [], "/", ["pandas"], ["python_dateutil"])
    assert list(lock["packages"]) == ["pandas"]
    assert lock["packages"]["pandas"]["depends"] == []


def test_a_package_that_is_not_to_be_had_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(wheels, "_download", lambda *arguments: "ERROR: No matching distribution found")
    with pytest.raises(wheels.PackageError, match=r"no wheel of demo 1\.0 .*No matching distribution"):
        wheels.fetch({"demo": "1.0"}, tmp_path / "wheels")


def test_a_wheel_that_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    there = wheel(tmp_path, "demo-1.0-py3-none-any.whl")
    monkeypatch.setattr(wheels, "_download", lambda *arguments: pytest.fail("fetched"))
    assert wheels.fetch({"Demo": "1.0"}, tmp_path) == [there]
