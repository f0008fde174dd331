"""Every question of a finished chapter has what a lesson promises: an answer, evidence, the trap, the follow-ups."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode

from checks.course.guards.finding import Finding, relative
from checks.course.lesson import Chapter, Course, parse, source_text
from checks.syllabus import Question

HEADING = re.compile(r"^## (?P<id>Q\d\d) · (?P<title>.+)$")
ANY_HEADING = re.compile(r"^##? ", re.MULTILINE)
LEVEL_LINE = re.compile(r"^\*(?P<level>\w+) · asked as (?P<refs>[^*]+)\*$", re.MULTILINE)
MARKER = re.compile(r"^\*\*(Say it|See it|The trap|Asked next|Versions)\.?\*\*\.?[ \t]*", re.MULTILINE)
FOLLOW_UP = re.compile(r"^(?:[-*] |\d+\. |\*\*.+\?\*\*|\*[^*\s].*\?\*)", re.MULTILINE)
QUIZ = re.compile(r"""^\s*quiz\(\s*["']([^"']+)["']\s*\)\s*$""", re.MULTILINE)
SPOKEN = (40, 90)  # words


@dataclass
class Part:
    """What stands under one bold marker: its prose, and its code cells other than the quiz."""

    prose: str = ""
    code: list[NotebookNode] = field(default_factory=list)


@dataclass
class Section:
    """The cells of one question."""

    question: str
    number: int  # of its first cell
    head: str = ""
    parts: dict[str, Part] = field(default_factory=dict)
    quizzes: list[str] = field(default_factory=list)
    prose: str = ""


def sections(cells: list[NotebookNode]) -> list[Section]:
    """A lesson cut at its question headings; what comes before the first, or after another heading, is left out."""
    found: list[Section] = []
    section = part = None
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown" and ANY_HEADING.match(cell.source):
            heading = HEADING.match(cell.source.split("\n", 1)[0])
            section = Section(heading["id"], number) if heading else None
            part = None
            if section:
                found.append(section)
        if section is None:
            continue
        if cell.cell_type == "code":
            quizzes = QUIZ.findall(cell.source)
            section.quizzes += quizzes
            if part and not quizzes:
                part.code.append(cell)
        elif cell.cell_type == "markdown":
            section.prose += cell.source + "\n\n"
            before, *marked = MARKER.split(cell.source)
            if part is None:
                section.head += before
            else:
                part.prose += "\n\n" + before
            for name, prose in zip(marked[::2], marked[1::2], strict=True):
                part = section.parts.setdefault(name, Part())
                part.prose += prose
    return found


def words(prose: str) -> int:
    """How many words a piece of markdown has, as one would count them aloud."""
    plain = re.sub(r"\]\([^)]*\)", "]", prose)
    return sum(any(letter.isalnum() for letter in word) for word in plain.split())


def spoken(part: Part) -> str:
    """The spoken answer: the first paragraph."""
    return part.prose.strip().split("\n\n", 1)[0]


def completeness(course: Course) -> Iterator[Finding]:
    """Each finished chapter answers exactly its questions, each with every part."""
    for chapter in course.chapters:
        if not (chapter.finished and chapter.questions):
            continue
        file = relative(chapter.lesson_source, course.root)
        found = sections(parse(source_text(chapter.lesson_source)).cells)
        wanted = [question.id for question in chapter.questions]
        if [section.question for section in found] != wanted:
            has = ", ".join(section.question for section in found) or "none"
            remedy = f"write a heading `## Qnn · …` for each of {', '.join(wanted)}, in this order"
            yield Finding(file, "", f"answers {has}", remedy)
        for section in found:
            if section.question in course.questions:
                for what, remedy in missing(section, course.questions[section.question], chapter):
                    yield Finding(file, f"{section.question}, cell {section.number}", what, remedy)


def missing(section: Section, question: Question, chapter: Chapter) -> Iterator[tuple[str, str]]:
    """What a section lacks, as (what, remedy)."""
    line = f"*{question.level.capitalize()} · asked as {', '.join(question.sources)}*"
    level = LEVEL_LINE.search(section.head)
    if not level:
        yield "has no line with its level and sources", f"write `{line}` under the heading"
    else:
        if level["level"].lower() != question.level:
            yield f"says it is {level['level']}", f"the syllabus says: `{line}`"
        if sorted(level["refs"].strip().split(", ")) != sorted(question.sources):
            yield f"says it is asked as {level['refs']}", f"the syllabus says: `{line}`"
    for name in ("Say it", "See it", "The trap", "Asked next"):
        if name not in section.parts:
            yield f"has no **{name}.**", "begin a paragraph with it"
    if part := section.parts.get("Say it"):
        count = words(spoken(part))
        if not SPOKEN[0] <= count <= SPOKEN[1]:
            yield f"the spoken answer has {count} words", f"say it in {SPOKEN[0]} to {SPOKEN[1]}"
    if (part := section.parts.get("See it")) and len(part.code) < 3:
        yield f"**See it** has {len(part.code)} code cells", "show at least three"
    if (part := section.parts.get("The trap")) and not part.code:
        yield "**The trap** is claimed, not shown", "follow it with a cell that refutes it"
    if part := section.parts.get("Asked next"):
        entries = len(FOLLOW_UP.findall(part.prose))
        if entries < 2:
            yield f"**Asked next** has {entries} follow-ups", "answer at least two, each as a list item"
        if not part.code:
            yield "**Asked next** shows nothing live", "show at least one answer with a cell"
    if section.question not in section.quizzes:
        yield "has no quiz", f'end it with a cell `quiz("{section.question}")`'
    if f"../exercises/{chapter.exercises.name}" not in section.prose:
        yield "does not lead to the exercises", f"link to ../exercises/{chapter.exercises.name} at its end"
