// Compiles what the page imports before its first page of the shop, with the very Python that the page has.
//
//     node compile.mjs PYODIDE WHEELS FOLDER RESULT
//
// PYODIDE is the folder of the npm package, WHEELS of the wheels, FOLDER the course's name in them. RESULT becomes a
// JSON object: compiled code in base64 by path below site-packages.
// Source: https://pyodide.org/en/stable/usage/working-with-bundlers.html#node-js
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [pyodide, wheels, folder, result] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(resolve(pyodide), "pyodide.mjs")));
const python = await loadPyodide({ indexURL: resolve(pyodide), env: { HOME: "/home/learner" } });
for (const name of readdirSync(wheels)) {
  const bytes = new Uint8Array(readFileSync(join(wheels, name)));
  python.unpackArchive(bytes.buffer, "wheel", { extractDir: "/lib/python3.14/site-packages" });
}
python.globals.set("folder", folder);
const compiled = python.runPython(`
import base64, contextlib, importlib, io, json, os, py_compile, sys
from importlib.util import cache_from_source

packages = "/lib/python3.14/site-packages"
course = f"{packages}/{folder}"
os.environ["COURSE_CACHE"] = f"{course}/cache"
sys.path[:0] = [course, f"{course}/sample_project"]
importlib.invalidate_caches()
import IPython.core.interactiveshell
import ipywidgets
import anywidget
from lab import explain, get, queries, reset, show, start
from checks import check, mock_interview, placement, progress, quiz, review

with contextlib.redirect_stdout(io.StringIO()):
    start()
    quiz("Q01")
    progress()
from catalog.models import Book
from django.test import Client
import checks.exercises.examiner

str(Book.objects.get(slug="emma"))
Client().get("/books/")
found = {}
for module in list(sys.modules.values()):
    file = getattr(module, "__file__", None) or ""
    if file.startswith(packages) and file.endswith(".py"):
        code = py_compile.compile(file, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        with open(code, "rb") as stream:
            found[os.path.relpath(code, packages)] = base64.b64encode(stream.read()).decode()
json.dumps(found, sort_keys=True)
`);
writeFileSync(result, compiled);
