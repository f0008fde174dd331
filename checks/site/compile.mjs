// Compiles what the page imports before its first page of the shop, with the very Python that the page has.
//
//     node compile.mjs PYODIDE LIBRARY WHEELS FOLDER RESULT
//
// PYODIDE is the folder of the npm package, LIBRARY the zip file of the standard library, WHEELS the folder of the
// wheels, FOLDER the course's name in them. RESULT becomes a JSON object: compiled code in base64, by its path below
// site-packages or in the library.
// Source: https://pyodide.org/en/stable/usage/working-with-bundlers.html#node-js
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// An error's message alone: Node.js would print the line of the source too, which is Pyodide's only one.
process.on("uncaughtException", (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
const [pyodide, library, wheels, folder, result] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(resolve(pyodide), "pyodide.mjs")));
const python = await loadPyodide({
  indexURL: resolve(pyodide),
  stdLibURL: resolve(library),
  env: { HOME: "/home/learner" },
});
for (const name of readdirSync(wheels)) {
  const bytes = new Uint8Array(readFileSync(join(wheels, name)));
  python.unpackArchive(bytes.buffer, "wheel", { extractDir: "/lib/python3.14/site-packages" });
}
python.globals.set("folder", folder);
const compiled = python.runPython(`
import base64, contextlib, importlib, io, json, os, sys
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source, source_hash
from zipimport import zipimporter

packages, library = "/lib/python3.14/site-packages", "/lib/python314.zip"
course = f"{packages}/{folder}"
os.environ["COURSE_CACHE"] = f"{course}/cache"
sys.path[:0] = [course, f"{course}/sample_project"]
importlib.invalidate_caches()
import piplite.piplite
import anywidget
import ipywidgets
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
import pyodide_kernel  # last: from here on widgets ask for a page


def compiled(module):
    """Code that is never compared with its source: https://docs.python.org/3/reference/import.html#pyc-invalidation"""
    source = module.__loader__.get_source(module.__name__)
    code = compile(source, module.__file__, "exec", dont_inherit=True)
    return base64.b64encode(_code_to_hash_pyc(code, source_hash(source.encode()), checked=False)).decode()


found = {}
for module in list(sys.modules.values()):
    if not isinstance(getattr(module, "__loader__", None), SourceFileLoader | zipimporter):
        continue
    file = module.__file__
    if file.startswith(packages):
        found[os.path.relpath(cache_from_source(file), packages)] = compiled(module)
    elif file.startswith(library):
        found[os.path.relpath(file, library) + "c"] = compiled(module)
json.dumps(found, sort_keys=True)
`);
writeFileSync(result, compiled);
