"""Assembles the browser edition: `python -m checks.site`.

What is fetched and made on the way is kept in `.site`, so that a second build takes little more than the assembling.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from checks.course.lesson import ROOT
from checks.site import contents, tree, wheels

HERE = Path(__file__).resolve().parent
PYODIDE = "314.0.7"
MICROPIP = "0.11.1"  # the kernel asks for it; the course does not
# What runs Python in the page: https://pyodide.org/en/stable/usage/downloading-and-deploying.html
LIBRARY = "python_stdlib.zip"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", LIBRARY)
# Asked of Pyodide's own distribution, when a cell imports it.
ON_REQUEST = ("pandas",)
# What is changed in files of others, by name: (as it stands there: as it is to be).
CHANGES = {
    # JupyterLite's service worker keeps what it has fetched. Of the addresses with "api" in them only those that the
    # page itself answers must not be kept; what has a digest in its address need not be fetched anew behind each
    # visit; and for the rest the host is asked, not what the browser has kept of it, or a new version would come weeks
    # later.
    "service-worker.js": {
        't.pathname.includes("/api/")': 't.pathname.includes("/api/service")',
        "e.waitUntil(refetch(t))": r"/\/(static\/python-|build\/|extensions\/)/.test(t.url)||e.waitUntil(refetch(t))",
        "(a=await fetch(t)": '(a=await fetch(t,{cache:"no-cache"})',
        "refetch(e){let t=await fetch(e)": 'refetch(e){let t=await fetch(e,{cache:"no-cache"})',
    },
    # Each look for a module in the learner's folder is a message to the page, and there would be dozens. IPython adds
    # the folder, and `lab.browser` makes it the last.
    "pyodide.mjs": {'sys.path.insert(0,"")': "sys.path"},
}
SITE_PACKAGES = "/lib/python3.14/site-packages"
MOMENT = "1767225600"  # 2026-01-01: files of the same content are the same files
WIDGETS = ("@jupyter-widgets/jupyterlab-manager", "anywidget")


class SiteError(RuntimeError):
    """The site cannot be built; the text is one sentence with the remedy."""


class Edition:
    """One build of the site into `output`. `report` is told what is being done."""

    def __init__(self, output: Path, root: Path = ROOT, report: Callable[[str], None] = print):
        self.output = output
        self.root = root
        self.work = root / ".site"
        self.report = report

    def build(self) -> None:
        """Build the whole. Raises SiteError and wheels.PackageError."""
        if sys.version_info < (3, 12):
            raise SiteError(
                "The browser edition runs Django 6.1, for which its databases are made here: build it with a "
                "Python from 3.12 on, as in `python3.13 course.py site`."
            )
        self.work.mkdir(exist_ok=True)
        self.report("Fetching the parts")
        self._provide_pip()
        self._fetch_tools()
        pyodide = self._fetch_pyodide()
        listed = wheels.listed()
        fetched = dict(
            zip([*listed, "micropip"], wheels.fetch(self._wanted(listed), self.work / "wheels"), strict=True)
        )
        self.report("Preparing lessons and exercises")
        pages = contents.prepare(self.root)
        self.report("Packing the course for the page")
        draft = self.work / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        served = draft / "served"
        served.mkdir(parents=True)
        own = tree.wheel(served, pages.stored, self.root)
        extension = self.work / "tools/share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension"
        kernel = [path for path in sorted((extension / "static/pypi").glob("*.whl")) if "extension-3" not in path.name]
        python = self._copy_python(pyodide, draft / "python")
        packed = [own, *(wheels.slim(wheel, served) for wheel in kernel)]
        zipped = []
        for name, wheel in fetched.items():
            (zipped if listed.get(name) else packed).append(wheels.slim(wheel, served))
        wheels.add_wheels(python / LIBRARY, zipped)
        for wheel in zipped:
            wheel.unlink()
        self.report("Compiling what the first page imports")
        self._compile(pyodide, served, python / LIBRARY, packed)
        # The kernel asks for jedi, whose 4 MB IPython completes names without.
        packed.append(wheels.placeholder("jedi", served))
        self.report("Assembling the site")
        lite = draft / "lite"
        (lite / "contents").mkdir(parents=True)
        for name, text in pages.notebooks.items():
            path = lite / "contents" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        original = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
        there = [name for name, zipped in listed.items() if zipped]
        lock = wheels.lock(original, packed, self._distribution(pyodide), ON_REQUEST, there)
        (python / "pyodide-lock.json").write_text(wheels.text(lock), encoding="utf-8")
        for wheel in packed:
            shutil.move(wheel, python / wheel.name)
        runtime = f"static/python-{self._digest(python)}"
        self._write_settings(lite, runtime, [wheels.normal(wheel.name.split("-")[0]) for wheel in packed])
        self._assemble(lite, draft / "site", extension)
        shutil.move(python, draft / "site" / runtime)
        self._add_static_files(draft / "site" / "shop" / "static")
        self._finish(draft / "site")
        shutil.rmtree(self.output, ignore_errors=True)
        shutil.move(draft / "site", self.output)
        shutil.rmtree(draft)

    def _wanted(self, names: Iterable[str]) -> dict[str, str]:
        pins = wheels.pins((self.root / "requirements.txt").read_text(encoding="utf-8"))
        missing = [name for name in names if name not in pins]
        if missing:
            raise SiteError(f"requirements.txt does not pin {', '.join(missing)}: compile it again.")
        return {name: pins[name] for name in names} | {"micropip": MICROPIP}

    def _provide_pip(self) -> None:
        if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
            self._run([sys.executable, "-m", "ensurepip", "--default-pip"], "pip could not be installed")

    def _fetch_tools(self) -> None:
        folder, wanted = self.work / "tools", (HERE / "tools.txt").read_text(encoding="utf-8")
        stamp = folder / "tools.txt"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
        self._run([*command, f"--target={folder}", "-r", str(HERE / "tools.txt")], "JupyterLite cannot be installed")
        stamp.write_text(wanted, encoding="utf-8")

    def _fetch_pyodide(self) -> Path:
        folder = self.work / f"pyodide-{PYODIDE}"
        if not (folder / "package.json").exists():
            npm = shutil.which("npm")
            if npm is None:
                raise SiteError("npm, which fetches Pyodide, is not installed: install Node.js, then try again.")
            self._run([npm, "pack", "--silent", f"pyodide@{PYODIDE}"], "Pyodide cannot be fetched", cwd=self.work)
            with tarfile.open(self.work / f"pyodide-{PYODIDE}.tgz") as archive:
                for member in archive.getmembers():
                    member.name = member.name.removeprefix("package/")
                archive.extractall(folder, filter="data")
        return folder

    def _distribution(self, pyodide: Path) -> str:
        """The address of Pyodide's own distribution, as Pyodide itself says it."""
        found = re.search(r"`(https://[^`]+/)v\$\{\w+\}/full/`", (pyodide / "pyodide.mjs").read_text(encoding="utf-8"))
        return f"{found[1]}v{PYODIDE}/full/"

    def _copy_python(self, pyodide: Path, target: Path) -> Path:
        target.mkdir()
        for name in CORE:
            shutil.copyfile(pyodide / name, target / name)
        self._change(target / "pyodide.mjs")
        return target

    def _compile(self, pyodide: Path, served: Path, library: Path, packed: list[Path]) -> None:
        """Lay compiled code beside the modules that a page imports first: compiling them takes it several seconds."""
        node = shutil.which("node")
        if node is None:
            raise SiteError(
                "Node.js, which compiles modules for the page, is not installed: install it and try again."
            )
        result = served.parent / "compiled.json"
        command = [node, str(HERE / "compile.mjs"), *map(str, (pyodide, library, served)), tree.FOLDER, str(result)]
        self._run(command, "The modules cannot be compiled")
        modules = json.loads(result.read_text(encoding="utf-8"))
        compiled = {name: base64.b64decode(code) for name, code in modules.items()}
        for archive in [library, *packed]:
            wheels.add_compiled(archive, compiled)

    @staticmethod
    def _digest(python: Path) -> str:
        """Names the folder of all that the page's Python is: what a browser has kept of it never has to be renewed."""
        found = hashlib.sha256()
        for path in sorted(python.iterdir()):
            found.update(path.name.encode() + path.read_bytes())
        return found.hexdigest()[:12]

    def _write_settings(self, lite: Path, runtime: str, packages: list[str]) -> None:
        place = f"{SITE_PACKAGES}/{tree.FOLDER}"
        kernel = {
            "pyodideUrl": f"./{runtime}/pyodide.mjs",
            "disablePyPIFallback": True,
            "loadPyodideOptions": {
                "lockFileURL": f"./{runtime}/pyodide-lock.json",
                "packages": packages,
                "env": {
                    "HOME": "/home/learner",
                    "PYTHONPATH": f"{place}:{place}/sample_project",
                    "COURSE_CACHE": f"{place}/cache",
                    "COURSE_OUTPUTS": f"{place}/{contents.OUTPUTS}",
                },
            },
        }
        config = {
            "jupyter-lite-schema-version": 0,
            "jupyter-config-data": {
                "appName": "Django interview course",
                "defaultKernelName": "python",
                "enableServiceWorkerCache": "true",
                "exposeAppInBrowser": True,
                "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
            },
        }
        (lite / "jupyter-lite.json").write_text(wheels.text(config), encoding="utf-8")
        overrides = (self.root / "checks/course/jupyter/labconfig/default_setting_overrides.json").read_bytes()
        (lite / "overrides.json").write_bytes(overrides)

    def _assemble(self, lite: Path, site: Path, extension: Path) -> None:
        installed = Path(sys.prefix) / "share/jupyter/labextensions"
        extensions = [extension, *(installed / name for name in WIDGETS)]
        options = [f"--LiteBuildConfig.federated_extensions={path}" for path in extensions]
        command = [sys.executable, "-m", "jupyterlite_core.app", "build", f"--lite-dir={lite}", f"--output-dir={site}"]
        command += [f"--contents={lite / 'contents'}", "--apps=lab", "--no-unused-shared-packages", "--no-sourcemaps"]
        command += ["--LiteBuildConfig.ignore_sys_prefix=True", *options]
        variables = os.environ | {"PYTHONPATH": str(self.work / "tools"), "SOURCE_DATE_EPOCH": MOMENT}
        variables["JUPYTER_PREFER_ENV_PATH"] = "1"
        self._run(command, "JupyterLite cannot be assembled", cwd=lite, env=variables)

    def _add_static_files(self, target: Path) -> None:
        """The shop's style sheets and scripts, for the pages that `serve()` shows."""
        from django.contrib.staticfiles.finders import get_finders

        for finder in get_finders():
            for name, storage in finder.list(["*.map", "*.min.map"]):
                path = target / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with storage.open(name) as source:
                    path.write_bytes(source.read())

    def _finish(self, site: Path) -> None:
        """The first page, and a service worker that keeps the lists of notebooks too."""
        shutil.copyfile(HERE / "index.html", site / "index.html")
        self._change(site / "service-worker.js")

    @staticmethod
    def _change(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        for old, new in CHANGES[path.name].items():
            if text.count(old) != 1:
                raise SiteError(f"{path.name} is another one than expected: it lacks {old!r}.")
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def _run(self, command: list[str], trouble: str, **options) -> None:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )
        if done.returncode:
            log = self.work / "build.log"
            log.write_text(done.stdout, encoding="utf-8")
            words = [line for line in done.stdout.splitlines() if line.strip()] or ["no message"]
            raise SiteError(f"{trouble} ({words[-1].strip()}): the log is {log}.")
