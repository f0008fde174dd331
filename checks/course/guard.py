"""The static guards: what is missing or wrong in the course, found without running it."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict

from checks.course.guards import notebooks, practice, repository, sections, style
from checks.course.guards.finding import Finding
from checks.course.lesson import Course

GUARDS: tuple[Callable[[Course], Iterator[Finding]], ...] = (
    notebooks.agreement,
    notebooks.execution,
    notebooks.comparability,
    notebooks.outputs,
    sections.completeness,
    style.rhythm,
    style.code,
    practice.bank,
    practice.rubrics,
    practice.exercises,
    practice.known_ids,
    repository.links,
    repository.chapters_listed,
    repository.sample_quoted,
    repository.dependencies,
    repository.module_names,
    repository.layering,
    repository.launcher,
    repository.machine_paths,
)


def verify(course: Course) -> list[Finding]:
    """All findings of all guards."""
    return [finding for guard in GUARDS for finding in guard(course)]


def main(argv: list[str] | None = None) -> int:
    """`python -m checks verify [--json]`; 1 when there is an error. Warnings do not count."""
    parser = argparse.ArgumentParser(
        prog="python -m checks verify", description="Find what is missing or wrong in the course, without running it."
    )
    parser.add_argument("--json", action="store_true", help="one list of findings, for tools")
    options = parser.parse_args(argv)
    findings = verify(Course())
    errors = sum(finding.level == "error" for finding in findings)
    if options.json:
        json.dump([asdict(finding) for finding in findings], sys.stdout, indent=2, ensure_ascii=False)
        print()
    else:
        for finding in sorted(findings, key=lambda finding: (finding.level != "error", finding.file)):
            place = f"{finding.file}, {finding.place}" if finding.place else finding.file
            print(f"{finding.level}: {place}: {finding.what}\n    {finding.remedy}")
        print(f"{errors} errors, {len(findings) - errors} warnings")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
