"""The models of an app as a picture: a box per model, a row per field, a line per relation. Drawn here, offline."""

from dataclasses import dataclass, field
from html import escape

CHARACTER = 7.3
ROW = 19
HEAD = 26
MARGIN = 14
GAP_ACROSS = 90
GAP_DOWN = 28

# A card of its own on every theme: dark on white, with lines that show on both white and black.
_STYLE = (
    "text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#1f2328}"
    ".name{font-weight:bold}.type{fill:#59636e}.box{fill:#fff;stroke:#818b98}.head{fill:#dfe9f5;stroke:#818b98}"
    ".far{fill:#f1f1f1}.line{fill:none;stroke:#818b98;stroke-width:1.5}.dash{stroke-dasharray:5 4}"
    ".end{fill:none;stroke:#818b98;stroke-width:1.5}.heir{fill:#fff;stroke:#818b98;stroke-width:1.5}"
)


def diagram(*apps: str) -> "Diagram":
    """Draw the models of one or more apps: `diagram("catalog")`, `diagram("catalog", "orders")`.

    Models of other apps that are pointed at are boxes without fields. A fork at the end of a line means "many", an
    open arrow inheritance, a dashed line a relation through another model, or a proxy.

    Raises ValueError where there is no such app, or it has no models; RuntimeError before the first `start()`.

    https://docs.djangoproject.com/en/stable/topics/db/models/#relationships
    """
    from django.apps import apps as registry

    if not registry.ready:
        raise RuntimeError("The bookshop does not run yet: call start() first.")
    known = sorted({model._meta.app_label for model in registry.get_models()})
    if not apps or not set(apps) <= set(known):
        unknown = next((name for name in apps if name not in known), "")
        raise ValueError(f"There is no app {unknown!r} with models. There are: {', '.join(known)}.")
    return Diagram([model for name in apps for model in registry.get_app_config(name).get_models()])


@dataclass
class _Row:
    """A field: its name, its type, what else there is to say, and where its line goes."""

    name: str
    type: str
    notes: str = ""


@dataclass
class _Line:
    """A relation. `row` is the number of the field's row, None for a line between whole boxes."""

    source: str
    target: str
    kind: str
    row: int | None = None
    dashed: bool = False


@dataclass
class _Box:
    label: str
    rows: list[_Row] = field(default_factory=list)
    far: bool = False
    column: int = 0
    x: float = 0
    y: float = 0

    @property
    def widths(self):
        return (
            max((len(row.name) for row in self.rows), default=0),
            max((len(row.type) for row in self.rows), default=0),
        )

    @property
    def width(self):
        name, kind = self.widths
        return max(len(self.label), name + kind + 2 if self.rows else 0) * CHARACTER + 2 * 10

    @property
    def height(self):
        return HEAD + ROW * len(self.rows) + (6 if self.rows else 0)

    def middle_of(self, row):
        return self.y + (HEAD / 2 if row is None else HEAD + ROW * (row + 0.5) + 1)


class Diagram:
    """Models and their relations, as text and as a picture."""

    def __init__(self, models):
        self._boxes = {}
        self._lines = []
        shown = {model._meta.label for model in models}
        home = {model._meta.app_label for model in models}
        for model in models:
            label = self._name(model, home)
            self._boxes[label] = _Box(label)
        for model in models:
            self._read(model, shown, home)
        self._place()

    def __repr__(self):
        parts = []
        for box in self._boxes.values():
            if not box.far:
                name, kind = box.widths
                rows = [f"  {row.name:{name}}  {row.type:{kind}}  {row.notes}".rstrip() for row in box.rows]
                heirs = [
                    f"  ({'a proxy of' if line.kind == 'proxy' else 'inherits from'} {line.target})"
                    for line in self._lines
                    if line.source == box.label and line.kind in {"proxy", "heir"}
                ]
                parts.append("\n".join([box.label, *heirs, *rows]))
        return "\n\n".join(parts)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), "image/svg+xml": self.svg}

    @property
    def svg(self) -> str:
        """The picture."""
        width = max(box.x + box.width for box in self._boxes.values()) + MARGIN + 40
        height = max(box.y + box.height for box in self._boxes.values()) + MARGIN
        names = ", ".join(box.label for box in self._boxes.values() if not box.far)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_number(width)} {_number(height)}" '
            f'width="{_number(width)}" height="{_number(height)}" role="img">',
            f"<title>{escape(f'Models and relations: {names}')}</title><style>{_STYLE}</style>",
            *(self._draw_line(line) for line in self._lines),
            *(self._draw_box(box) for box in self._boxes.values()),
            "</svg>",
        ]
        return "\n".join(parts)

    @staticmethod
    def _name(model, home):
        """The model's name; with its app where more than one is drawn, or another one."""
        options = model._meta
        return options.object_name if home == {options.app_label} else options.label

    def _read(self, model, shown, home):
        label = self._name(model, home)
        box = self._boxes[label]
        options = model._meta
        if options.proxy:
            self._connect(label, options.proxy_for_model, "proxy", None, home, dashed=True)
            return
        for each in [*options.local_fields, *options.local_many_to_many]:
            remote = each.remote_field
            target = remote.model if remote is not None else None
            box.rows.append(_Row(each.name, _type(each), _notes(each, self._name(target, home) if target else "")))
            if target is None:
                continue
            row = len(box.rows) - 1
            if getattr(remote, "parent_link", False):
                self._connect(label, target, "heir", row, home)
            elif each.many_to_many:
                self._connect(label, target, "many", row, home, dashed=not remote.through._meta.auto_created)
            else:
                self._connect(label, target, "one" if each.one_to_one else "foreign", row, home)
        for each in options.private_fields:
            if type(each).__name__ == "GenericForeignKey":
                notes = f"→ any model, by {each.ct_field}, {each.fk_field}"
                box.rows.append(_Row(each.name, type(each).__name__, notes))

    def _connect(self, label, target, kind, row, home, dashed=False):
        name = self._name(target, home)
        if name not in self._boxes:
            self._boxes[name] = _Box(name, far=True)
        self._lines.append(_Line(label, name, kind, row, dashed))

    def _place(self):
        """Who is pointed at stands further left; in a column, boxes stand near what they point at."""
        targets = {label: [] for label in self._boxes}
        for line in self._lines:
            if line.target != line.source:
                targets[line.source].append(line.target)
        for label, box in self._boxes.items():
            box.column = _depth(label, targets, ())
        x = MARGIN
        for column in range(max(box.column for box in self._boxes.values()) + 1):
            boxes = [box for box in self._boxes.values() if box.column == column]
            boxes.sort(key=lambda box: self._height_of_targets(box, targets))
            y = MARGIN
            for box in boxes:
                box.x, box.y = x, y
                y += box.height + GAP_DOWN
            x += max((box.width for box in boxes), default=0) + GAP_ACROSS

    def _height_of_targets(self, box, targets):
        places = [self._boxes[name].y for name in targets[box.label] if self._boxes[name].column < box.column]
        return sum(places) / len(places) if places else 0

    def _draw_box(self, box):
        x, y, width = _number(box.x), _number(box.y), _number(box.width)
        name, kind = box.widths
        parts = [
            f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{_number(box.height)}" rx="4"/>',
            f'<rect class="head{" far" if box.far else ""}" x="{x}" y="{y}" width="{width}" height="{HEAD}" rx="4"/>',
            f'<text class="name" x="{_number(box.x + 10)}" y="{_number(box.y + 17)}">{escape(box.label)}</text>',
        ]
        for number, row in enumerate(box.rows):
            y = _number(box.middle_of(number) + 4)
            parts.append(
                f"<g><title>{escape(row.notes or row.type)}</title>"
                f'<text x="{_number(box.x + 10)}" y="{y}">{escape(row.name)}</text>'
                f'<text class="type" x="{_number(box.x + 10 + (name + 2) * CHARACTER)}" y="{y}">'
                f"{escape(row.type)}</text></g>"
            )
        return "\n".join(parts)

    def _draw_line(self, line):
        source, target = self._boxes[line.source], self._boxes[line.target]
        y1, y2 = source.middle_of(line.row), target.middle_of(None)
        # Which sides of the boxes: towards each other, or both to the right where one stands below the other.
        to_left = target.column < source.column
        x1, way1 = (source.x, -1) if to_left else (source.x + source.width, 1)
        x2, way2 = (target.x + target.width, 1) if target.column <= source.column else (target.x, -1)
        bend = GAP_ACROSS / 2
        path = f"M{_number(x1)} {_number(y1)}C{_number(x1 + way1 * bend)} {_number(y1)} "
        path += f"{_number(x2 + way2 * bend)} {_number(y2)} {_number(x2)} {_number(y2)}"
        parts = [f'<path class="line{" dash" if line.dashed else ""}" d="{path}"/>']
        if line.kind in {"foreign", "many"}:
            parts.append(_fork(x1, y1, way1))
        if line.kind == "many":
            parts.append(_fork(x2, y2, way2))
        if line.kind in {"foreign", "one"}:
            parts.append(_bar(x2, y2, way2))
        if line.kind == "one":
            parts.append(_bar(x1, y1, way1))
        if line.kind in {"heir", "proxy"}:
            points = f"{_number(x2)},{_number(y2)} {_number(x2 + way2 * 12)},{_number(y2 - 6)} "
            parts.append(f'<polygon class="heir" points="{points}{_number(x2 + way2 * 12)},{_number(y2 + 6)}"/>')
        return "".join(parts)


def _depth(label, targets, seen):
    """How many boxes lie between a box and one that points at nothing. Circles are cut where they close."""
    following = [name for name in targets[label] if name not in seen]
    return 1 + max(_depth(name, targets, (*seen, label)) for name in following) if following else 0


def _type(each):
    size = getattr(each, "max_length", None)
    name = type(each).__name__
    return f"{name}({size})" if size and name not in {"EmailField", "FileField", "ImageField", "URLField"} else name


def _notes(each, target):
    notes = []
    if target:
        accessor = each.remote_field.get_accessor_name()
        arrow = "↔" if each.many_to_many else "→"
        way_back = f".{accessor}" if accessor and not each.remote_field.hidden else ""
        notes.append(f"{arrow} {target}{way_back}")
        if not each.many_to_many:
            notes.append(_on_delete(each.remote_field.on_delete))
        elif not each.remote_field.through._meta.auto_created:
            notes.append(f"through {each.remote_field.through._meta.object_name}")
    if each.primary_key:
        notes.append("primary key")
    elif each.unique and not each.one_to_one:
        notes.append("unique")
    if each.null and not each.many_to_many:
        notes.append("NULL")
    return ", ".join(notes)


def _on_delete(rule):
    name = getattr(rule, "__name__", str(rule))
    return "SET(…)" if name == "set_on_delete" else name


def _fork(x, y, way):
    tip = _number(x + way * 11)
    return f'<path class="end" d="M{_number(x)} {_number(y - 5)}L{tip} {_number(y)}L{_number(x)} {_number(y + 5)}"/>'


def _bar(x, y, way):
    return f'<path class="end" d="M{_number(x + way * 8)} {_number(y - 5)}v10"/>'


def _number(value):
    return f"{value:.1f}".removesuffix(".0")
