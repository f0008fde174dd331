"""What a learner sees of the SQL that their code ran."""

import re
from html import escape

from .capture import Capture
from .output import display
from .sql import WIDTH, readable

# Different statements that are shown before the rest is only counted.
SHOWN = 8

_SAVEPOINT = re.compile(r'"?\bs\d+_x\d+"?')

# What stands for columns, values or rows that are not shown.
_COUNTED = re.compile(r"(\(\d+ columns[^)]*\)|… \d+ \w+)")
# Before each line of SQL: its number, or nothing.
MARGIN = 3

# The editor's own colours, in either theme; elsewhere ones with enough contrast on white and on black.
_STYLE = (
    "<style>.lab-sql .k{color:var(--jp-mirror-editor-keyword-color,#1a7f37);font-weight:bold}"
    ".lab-sql .s{color:var(--jp-mirror-editor-string-color,#c0392b)}"
    ".lab-sql .w{color:var(--jp-content-font-color2,#767676)}</style>"
)


class queries(Capture):  # noqa: N801 - learners write `with queries():`
    """Show the SQL that the block runs, at its end: how many queries, each statement, what repeats, whose line it was.

        with queries() as seen:
            list(Book.objects.all()[:3])
        len(seen), seen[0].sql

    Repeats of a statement at the same line are shown once. BEGIN, COMMIT and savepoints are shown, not counted.

    Args:
        full: show every statement and all of it; by default long lists are counted and only the first ones shown.
        quiet: show nothing, only collect.
    """

    def __init__(self, *, full: bool = False, quiet: bool = False):
        super().__init__()
        self._full = full
        self._quiet = quiet

    def __exit__(self, *exception):
        super().__exit__(*exception)
        if not self._quiet:
            display(self)

    def __repr__(self):
        return "\n".join([self._headline(), *(line for lines in self._blocks() for _, line in lines)])

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), "text/html": self._html()}

    def _headline(self):
        return "1 query" if len(self) == 1 else f"{len(self)} queries"

    def _html(self):
        lines = [escape(self._headline())]
        for kind, line in (pair for lines in self._blocks() for pair in lines):
            lines.append(_highlighted(line) if kind == "sql" else f'<span class="w">{escape(line)}</span>')
        text = "\n".join(lines)
        return f'{_STYLE}<pre class="lab-sql">{text}</pre>'

    def _blocks(self):
        """Per group of equal statements its lines, as (kind, text)."""
        groups = {}
        for position, statement in enumerate(self.everything):
            # Each BEGIN stands where it ran; queries stand where the first of their kind ran.
            alone = self._full or statement.steers_transaction
            groups.setdefault((statement.sql, statement.line, position if alone else None), []).append(statement)
        savepoints = {}
        number = 0
        rest = list(groups.values())
        while rest and (self._full or number < SHOWN):
            group = rest.pop(0)
            if group[0].steers_transaction:
                yield [("sql", "   " + _numbered(group[0].sql, savepoints))]
                continue
            number += 1
            yield self._lines_of(group, number)
        left = sum(len(group) for group in rest if not group[0].steers_transaction)
        if left:
            yield [("note", f"   … and {left} more: queries(full=True) shows all.")]

    def _lines_of(self, group, number):
        first = group[0]
        text = readable(first.sql, first.params, first.many, self._full).splitlines()
        lines = [("sql", f"{number:<{MARGIN - 1}} {text[0]}"), *(("sql", f"   {line}") for line in text[1:])]
        if len(group) > 1:
            lines.append(("note", f"   × {len(group)} {_how_equal(group)}"))
        if first.many:
            lines.append(("note", f"   with {len(first.params)} sets of parameters"))
        where = [f"line {first.line}: {_short(first.code)}"] if first.line else []
        cause = [f"which loaded {first.relation}"] if first.relation else []
        together = ", ".join(where + cause)
        lines += [("note", f"   {text}") for text in ([together] if len(together) <= WIDTH else where + cause) if text]
        return lines


def _numbered(sql, savepoints):
    """A transaction statement with Django's savepoints, which are named after the thread, called s1, s2 and so on."""
    return _SAVEPOINT.sub(lambda found: savepoints.setdefault(found[0], f"s{len(savepoints) + 1}"), sql)


def _how_equal(group):
    different = len({repr(statement.params) for statement in group})
    if different == 1:
        return "exactly the same"
    if different == len(group):
        return "the same statement with other parameters"
    return f"the same statement, with {different} different sets of parameters"


def _short(code, width=80):
    code = code.split("  #")[0].rstrip()
    return code if len(code) <= width else code[: width - 1] + "…"


def _highlighted(line):
    """HTML of a line of SQL: keywords and values stand out."""
    from pygments.lexers.sql import SqlLexer
    from pygments.token import Keyword, Literal

    lexer = SqlLexer(stripnl=False, ensurenl=False)
    html = [escape(line[:MARGIN])]
    for part in _COUNTED.split(line[MARGIN:]):
        if _COUNTED.fullmatch(part):
            html.append(f'<span class="w">{escape(part)}</span>')
            continue
        for kind, text in lexer.get_tokens(part):
            name = "k" if kind in Keyword else "s" if kind in Literal else None
            html.append(f'<span class="{name}">{escape(text)}</span>' if name else escape(text))
    return "".join(html)
