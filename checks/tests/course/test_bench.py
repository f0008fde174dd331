import json

import pytest

from checks.course import bench
from checks.course.bench import Row, main, write_readme
from checks.course.lesson import CourseError


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        (Row("", 10, "ms", 10.0), "ok"),
        (Row("", 10, "ms", 10.1), "missed"),
        (Row("", 200, "×", 200.0, at_least=True), "ok"),
        (Row("", 200, "×", 199.0, at_least=True), "missed"),
        (Row("", 0, "", 0), "ok"),
        (Row("", 0, "", 1), "missed"),
        (Row("", 10, "ms", None), "not measured"),
    ],
)
def test_a_row_is_judged_by_its_bound(row, outcome):
    assert row.outcome == outcome


def test_a_row_reads_well():
    row = Row("grade", 1000, "per minute", 2345.6, at_least=True)
    assert (row.bound_text, row.measured_text) == ("≥ 1,000 per minute", "2,346 per minute")
    assert row.ratio == pytest.approx(2.3456)


def measures(monkeypatch, *rows):
    monkeypatch.setattr(bench, "MEASURES", {"one": lambda: iter(rows)})


def test_json_has_a_row_per_bound(monkeypatch, capsys):
    measures(monkeypatch, Row("reset", 10, "ms", 4.0, note="median"))
    assert main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "what": "reset",
            "bound": 10,
            "unit": "ms",
            "measured": 4.0,
            "at_least": False,
            "note": "median",
            "ratio": 0.4,
            "outcome": "ok",
        }
    ]


def test_a_missed_bound_fails(monkeypatch, capsys):
    measures(monkeypatch, Row("reset", 10, "ms", 4.0), Row("start", 1.3, "×", 2.0))
    assert main([]) == 1
    assert "missed" in capsys.readouterr().out


def test_what_cannot_be_measured_is_named_and_is_not_ok(monkeypatch, capsys):
    measures(monkeypatch, Row("quiz", 8, "ms", None, note="No Chromium was found."))
    assert main(["--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)[0]["outcome"] == "not measured"
    assert "NOT MEASURED: quiz: No Chromium was found." in shown.err


def test_a_measure_that_breaks_leaves_the_others(monkeypatch):
    def broken():
        raise ValueError("no data")
        yield

    monkeypatch.setattr(bench, "MEASURES", {"broken": broken, "fine": lambda: iter([Row("fine", 1, "", 1)])})
    rows = bench.measure(["broken", "fine"])
    assert [(row.what, row.outcome) for row in rows] == [("broken", "not measured"), ("fine", "ok")]
    assert rows[0].note == "ValueError: no data"


def test_an_unknown_measure_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["speed"])
    assert "there is no measure speed" in capsys.readouterr().err


def test_the_readme_quotes_the_table(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    write_readme([Row("`reset()`", 10, "ms", 4.0)], readme)
    text = readme.read_text(encoding="utf-8")
    assert "| `reset()` | ≤ 10 ms | 4 ms | ok |" in text
    assert text.startswith("before\n<!-- bench -->\n")
    assert text.endswith("<!-- /bench -->\nafter\n")
    assert "old" not in text


def test_a_readme_without_a_place_for_the_table(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("no markers\n", encoding="utf-8")
    with pytest.raises(CourseError, match="README.md has no lines"):
        write_readme([], readme)
