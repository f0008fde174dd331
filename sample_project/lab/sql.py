"""SQL as a person reads it: values in place, long lists counted, one clause per line."""

import re
from decimal import Decimal
from itertools import groupby

# Up to so many columns or values are listed one by one.
FEW_COLUMNS = 4
FEW_VALUES = 5
WIDTH = 96

# While the text is shortened, parameters stand in it as numbered marks.
_MARK = "\x00\\d+\x00"
_NAME = r'(?:"[^"]+"|`[^`]+`)'
_COLUMN = rf"(?:{_NAME}|\w+)\.{_NAME}(?: AS {_NAME})?"


def _runs(item, few):
    return re.compile(rf"{item}(?:, {item}){{{few},}}")


_RUN_OF_COLUMNS = _runs(_COLUMN, FEW_COLUMNS)
_RUN_OF_NAMES = re.compile(rf"\(({_runs(_NAME, FEW_COLUMNS).pattern})\)")
_RUN_OF_ASSIGNMENTS = re.compile(rf"(?<= SET ){_runs(f'{_NAME} = {_MARK}', FEW_COLUMNS).pattern}")
_RUN_OF_VALUES = re.compile(rf"\(({_runs(_MARK, FEW_VALUES).pattern})")
_RUN_OF_ROWS = re.compile(r"(?<= VALUES )(\([^()]*\))((?:, \([^()]*\))+)")
_CASE = rf"WHEN \([^()]*\) THEN (?:\(CAST\([^()]*\)\)|CAST\([^()]*\)|{_MARK}) "
_RUN_OF_CASES = re.compile(rf"({_CASE})((?:{_CASE}){{2,}})")
_BOOLEAN = re.compile(rf"({_COLUMN}) = ({_MARK})")
_CLAUSE = re.compile(
    r"FROM|WHERE|GROUP BY|HAVING|ORDER BY|UNION( ALL)?|INTERSECT|EXCEPT|SELECT|VALUES|SET|RETURNING|(\w+ )*JOIN"
)
_PLACEHOLDER = re.compile(r"%([s%])")
_PLAIN = re.compile(r'"([A-Za-z_][A-Za-z0-9_]*)"')
_STRING = re.compile(r"('(?:[^']|'')*')")
# Words that mean something else to a database where they stand without quotes.
_RESERVED = re.compile(
    "all|and|as|asc|between|by|case|check|column|constraint|create|cross|default|delete|desc|distinct|drop|else|"
    "end|except|exists|for|foreign|from|full|group|having|in|index|inner|insert|intersect|into|is|join|left|like|"
    "limit|natural|not|null|offset|on|or|order|outer|primary|references|right|select|set|table|then|to|"
    "transaction|union|unique|update|user|using|values|when|where|with",
    re.IGNORECASE,
)


def readable(sql: str, params=None, many: bool = False, full: bool = False) -> str:
    """The text to show for a statement as Django sends it: on one line where it fits.

    `params` take the places of the placeholders; of the sets of an `executemany` (`many`) the first one. Unless
    `full`, long lists of columns, values and rows are counted instead of shown, and conditions on booleans are written
    the short way (`in_print`, not `in_print = TRUE`).
    """
    sql = " ".join(sql.strip().rstrip(";").split()) if "'" not in sql else sql.strip().rstrip(";")
    values = (params[0] if params else None) if many else params
    if isinstance(values, (list, tuple)):
        sql, texts = _mark(sql), [literal(value, full) for value in values]
    else:
        texts = []
    if not full:
        sql = _shorten(sql, texts)
    sql = re.sub("\x00(\\d+)\x00", lambda mark: texts[int(mark[1])] if int(mark[1]) < len(texts) else "?", sql)
    return _break(_without_quotes(sql))


def literal(value, full: bool = False) -> str:
    """A parameter as SQL would write it; long ones are cut unless `full`."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case int() | float() | Decimal():
            return str(value)
        case bytes() | bytearray() | memoryview():
            text = "x'" + bytes(value).hex() + "'"
        case _:
            text = "'" + str(value).replace("'", "''") + "'"
    return text if full or len(text) <= 60 else text[:57] + "…'"


def _mark(sql):
    count = iter(range(sql.count("%s")))
    return _PLACEHOLDER.sub(lambda found: "%" if found[1] == "%" else f"\x00{next(count)}\x00", sql)


def _shorten(sql, texts):
    def boolean(found):
        text = texts[int(found[2].strip("\x00"))] if texts else ""
        return {"TRUE": found[1], "FALSE": f"NOT {found[1]}"}.get(text, found[0])

    def values(found):
        listed = found[1].split(", ")
        return f"({', '.join(listed[:3])}, … {len(listed)} values"

    def rows(found):
        return f"{found[1]}, … {found[2].count(', (') + 1} rows"

    def cases(found):
        return f"{found[1]}… {found[2].count('WHEN ') + 1} cases "

    sql = _RUN_OF_COLUMNS.sub(_columns, sql)
    sql = _RUN_OF_NAMES.sub(lambda found: f"({_count(found[1])} columns)", sql)
    sql = _RUN_OF_ASSIGNMENTS.sub(lambda found: f"({found[0].count(' = ')} columns)", sql)
    sql = _RUN_OF_ROWS.sub(rows, sql)
    sql = _RUN_OF_VALUES.sub(values, sql)
    sql = _RUN_OF_CASES.sub(cases, sql)
    return sql if "SET " in sql[:200] and sql.startswith("UPDATE") else _BOOLEAN.sub(boolean, sql)


def _columns(found):
    """Count the columns per table; few of one table are still listed."""
    parts = []
    for table, columns in groupby(found[0].split(", "), key=lambda column: column.partition(".")[0]):
        columns = list(columns)
        parts += columns if len(columns) <= FEW_COLUMNS else [f"({len(columns)} columns of {table})"]
    return ", ".join(parts)


def _count(names):
    return names.count(", ") + 1


def _without_quotes(sql):
    """Names without the quotes that they do not need. Text in single quotes stays as it is."""
    parts = _STRING.split(sql)
    parts[::2] = [
        _PLAIN.sub(lambda found: found[0] if _RESERVED.fullmatch(found[1]) else found[1], part) for part in parts[::2]
    ]
    return "".join(parts)


def _break(sql):
    """One clause per line, subqueries indented, lines that are still too long broken at commas, AND and OR."""
    if len(sql) <= WIDTH:
        return sql
    from sqlparse.lexer import tokenize

    tokens = [token for _, token in tokenize(sql)]
    closing = _closing_parentheses(tokens)
    lines, indents, parentheses = [[]], [0], []
    for position, token in enumerate(tokens):
        if token == "(":
            inside = tokens[position + 1 : closing[position]]
            is_query = inside[:1] == ["SELECT"] and len("".join(inside)) > WIDTH / 2
            parentheses.append(is_query)
            lines[-1].append(token)
            if is_query:
                lines.append([])
                indents.append(4 * sum(parentheses))
            continue
        if token == ")" and parentheses:
            parentheses.pop()
        elif _CLAUSE.fullmatch(token) and (not parentheses or parentheses[-1]) and "".join(lines[-1]).strip():
            lines.append([])
            indents.append(4 * sum(parentheses))
        if lines[-1] or not token.isspace():
            lines[-1].append(token)
    return "\n".join(
        line for tokens, indent in zip(lines, indents, strict=True) for line in _wrap(tokens, indent) if line.strip()
    )


def _closing_parentheses(tokens):
    opened, closing = [], {}
    for position, token in enumerate(tokens):
        if token == "(":
            opened.append(position)
        elif token == ")" and opened:
            closing[opened.pop()] = position
    return closing | dict.fromkeys(opened, len(tokens))


def _wrap(tokens, indent):
    pieces = [""]
    for position, token in enumerate(tokens):
        if token.upper() in {"AND", "OR", "WHEN", "ELSE"} or tokens[max(position - 1, 0)] == ",":
            pieces.append("")
        pieces[-1] += token
    line = " " * indent
    for piece in pieces:
        if len((line + piece).rstrip()) > WIDTH and line.strip():
            yield line.rstrip()
            line = " " * (indent + 4) + piece.lstrip()
        else:
            line += piece
    yield line.rstrip()
