import json

from checks.course import catalog as command
from checks.course.catalog import catalog
from checks.syllabus import QUESTIONS


def test_each_question_has_its_place(bench):
    (entry,) = catalog(bench.course)
    question = QUESTIONS["Q64"]
    assert entry == {
        "id": "Q64",
        "chapter": "25_deployment",
        "title": question.title,
        "level": question.level,
        "sources": list(question.sources),
        "lesson": "notebooks/25_deployment.ipynb",
        "items": ["Q64-1", "Q64-2", "Q64-3"],
        "exercises": ["25.1", "25.2", "25.3", "25.4", "25.5", "25.6"],
    }


def test_a_chapter_not_written_yet_has_no_lesson(bench):
    bench.lesson.unlink()
    assert catalog(bench.course)[0]["lesson"] is None


def test_json_is_one_object_per_question(bench, monkeypatch, capsys):
    monkeypatch.setattr(command, "Course", lambda: bench.course)
    assert command.main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out) == catalog(bench.course)


def test_the_table_names_each_question(bench, monkeypatch, capsys):
    monkeypatch.setattr(command, "Course", lambda: bench.course)
    assert command.main([]) == 0
    assert "Q64" in capsys.readouterr().out
