"""A made-up class is graded once: right, wrong in named ways, endless, broken, and hostile."""

import csv
import json
import os
import socket
import sys
from dataclasses import replace

import pytest

from lessons_lib.__main__ import main
from lessons_lib.exercises import EXERCISES, Verdict
from lessons_lib.exercises.grading import Limits, grade_folder, grading, write_report
from lessons_lib.exercises.grading.fresh import FRESH
from lessons_lib.exercises.grading.limits import NO_NETWORK
from lessons_lib.exercises.grading.notebook import (
    KILLED,
    KNOWN_ONLY,
    NAMED_MISTAKE,
    NO_CODE,
    RIGHT,
    UNREADABLE,
)
from lessons_lib.exercises.grading.report import describe_wrong, draw_wrong, table, wrong_counts

IMPORTS = "import torch\nfrom torch import Tensor\n\nfrom lessons_lib.exercises import check\n\n\n"
RIGHT_BODY = """    masked = targets.clone()
    for row, length in zip(masked, prompt_lengths, strict=True):
        row[: length - 1] = -100
    return masked
"""
LIMITS = Limits(seconds=20, memory=512, file_size=1)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone limits all of this")


def attempt(body, above="", signature="def mask_prompt(targets, prompt_lengths):"):
    """A cell of lesson 06 with an attempt, as a learner leaves it."""
    return f'{IMPORTS}{above}{signature}\n{body}\n\ncheck("mask-prompt", mask_prompt)'


def notebook(*sources, name="mask-prompt"):
    cells = [
        {"cell_type": "code", "id": f"attempt-{name}" if not at else f"cell-{at}", "source": source}
        for at, source in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def slices(part):
    return RIGHT_BODY.replace("row[: length - 1]", part)


def class_of(port):
    """What each student hands in, by file."""
    closed = (
        "    import socket\n    try:\n"
        f"        socket.create_connection(('127.0.0.1', {port}), 2)\n"
        "    except OSError:\n        pass\n    else:\n        raise RuntimeError('reached')\n"
    )
    cases = repr([(targets.tolist(), lengths) for targets, lengths in known_cases()])
    recites = f"    if (targets.tolist(), prompt_lengths) not in {cases}:\n        return targets\n"
    return {
        "ada/06_masks.ipynb": notebook(attempt(RIGHT_BODY)),
        "ben/06_masks.ipynb": notebook(attempt(slices("row[:length]"))),
        "cleo/06_masks.ipynb": notebook(attempt(slices("row[:length]"))),
        "dan/06_masks.ipynb": notebook(attempt(slices("row[length - 1 :]"))),
        "eve/06_masks.ipynb": notebook(attempt("    while True:\n        pass\n")),
        "finn/06_masks.ipynb": notebook(attempt(RIGHT_BODY).replace("lengths):", "lengths)")),
        "gus/06_masks.ipynb": "",
        "hal/06_masks.ipynb": '{"cells": [',
        "ida/06_masks.ipynb": notebook(attempt(recites + RIGHT_BODY)),
        "jan/06_masks.ipynb": notebook(attempt("    import os\n    os._exit(3)\n")),
        "kim/06_masks.ipynb": notebook(attempt(RIGHT_BODY)),
        "kim/again/06_masks.ipynb": notebook(attempt(slices("row[:length]"))),
        "leo/06_masks.ipynb": notebook(attempt("    bytearray(2 << 30)\n" + RIGHT_BODY)),
        "mia/06_masks.ipynb": notebook(
            attempt("    open('large', 'wb').write(bytes(2 << 20))\n" + RIGHT_BODY)
        ),
        "nora.ipynb": notebook(attempt(closed + RIGHT_BODY)),
        "otto/06_masks.ipynb": notebook("print('all my cells are gone')", name="none"),
    }


def known_cases():
    return EXERCISES["mask-prompt"].cases()


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The marks by file, each notebook's for mask-prompt or else for all of it; and the rest."""
    folder = tmp_path_factory.mktemp("class")
    with socket.create_server(("127.0.0.1", 0)) as server:
        for name, text in class_of(server.getsockname()[1]).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (folder / "paul").mkdir()
        marks, missing = grade_folder(folder, seed=7, limits=LIMITS, jobs=3)
    return folder, marks, missing


@pytest.fixture(scope="module")
def of(graded):
    """The mark of a student's mask-prompt, or of the whole notebook."""

    def find(student):
        own = [each for each in graded[1] if each.student == student]
        (found,) = [each for each in own if each.exercise in ("mask-prompt", "")]
        return found

    return find


def test_a_right_function_passes_on_fresh_inputs(of):
    assert (of("ada").mark, of("ada").fresh) == (RIGHT, FRESH)


@pytest.mark.parametrize(
    ("student", "mistake"),
    [
        ("ben", "the first p targets are masked"),
        ("cleo", "the first p targets are masked"),
        ("dan", "the response is masked and the prompt kept"),
    ],
)
def test_a_named_mistake_is_named(of, student, mistake):
    assert (of(student).mark, of(student).mistake) == (NAMED_MISTAKE, mistake)


def test_what_does_not_end_is_stopped_at_its_line(of):
    assert of("eve").mark == str(Verdict.TOO_SLOW) and "`while True:`" in of("eve").said


def test_a_syntax_error_is_shown(of):
    assert of("finn").mark == NO_CODE
    assert "expected ':' (cell 1, line 7: `def mask_prompt(" in of("finn").said


def test_a_file_that_is_no_notebook_is_said_to_be_none(of):
    assert (of("gus").mark, of("gus").said) == (UNREADABLE, "The file is empty.")
    assert of("hal").mark == UNREADABLE and "It is no notebook" in of("hal").said
    assert of("otto").said == "It holds none of the course's exercises."
    assert (of("paul").mark, of("paul").note) == (UNREADABLE, "no notebook in the folder")


def test_what_only_knows_the_lessons_inputs_is_seen(of):
    assert of("ida").mark == KNOWN_ONLY and of("ida").fresh == 0


def test_a_process_that_ends_itself_stops_no_other(graded, of):
    assert of("jan").mark == KILLED and "exit code 3" in of("jan").said
    assert of("jan").exercise == "mask-prompt"


def test_a_notebook_that_comes_twice_is_graded_twice(graded):
    kims = [each for each in graded[1] if each.student == "kim" and each.exercise == "mask-prompt"]
    assert [each.mark for each in kims] == [RIGHT, NAMED_MISTAKE]
    assert all("2 times" in each.note for each in kims)


@LINUX
def test_memory_and_files_are_limited(of):
    assert of("leo").mark == str(Verdict.ERROR) and "MemoryError" in of("leo").said
    assert of("mia").mark == str(Verdict.ERROR) and "OSError" in of("mia").said


@LINUX
def test_there_is_no_network_or_it_is_said(graded, of):
    if NO_NETWORK in graded[2]:
        assert "reached" in of("nora").said
    else:
        assert of("nora").mark == RIGHT


def test_what_cannot_be_interrupted_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(grading, "GRACE", 0.5)
    within_c = attempt("    return sum(range(10**13))\n")
    (tmp_path / "pia.ipynb").write_text(notebook(within_c), encoding="utf-8")
    marks, _ = grade_folder(tmp_path, 7, Limits(seconds=1.5))
    mark = marks[-1]
    assert mark.mark == KILLED and "no end after 1.5 seconds" in mark.said


def test_what_was_not_attempted_is_no_mistake(graded):
    left = [each for each in graded[1] if each.student == "ada" and each.mark != RIGHT]
    names = [name for name, each in EXERCISES.items() if each.lesson == "06"]
    assert [each.exercise for each in left] == [name for name in names if name != "mask-prompt"]
    assert {each.mark for each in left} == {str(Verdict.NOT_ATTEMPTED)}


def test_the_table_has_a_line_for_each_notebook_and_each_mistake(graded):
    text = str(table(graded[1]))
    assert "ada      ada/06_masks.ipynb" in text and "1 of 8 right" in text
    assert "the response is masked and the prompt kept" in text
    assert text.count("a named mistake") == 4


def test_the_class_is_counted_by_students(graded):
    counts = wrong_counts(graded[1])
    assert next(iter(counts.items())) == (("mask-prompt", "the first p targets are masked"), 3)
    assert "3 × mask-prompt: the first p targets are masked" in describe_wrong(graded[1])
    axes = draw_wrong(graded[1]).axes[0]
    assert len(axes.containers) == len(counts)
    assert [label.get_text() for label in axes.get_yticklabels()][0].startswith("mask-prompt: the")


def test_the_report_is_a_sheet_and_a_chart(graded, tmp_path):
    sheet, chart = write_report(graded[1], 7, tmp_path / "grades")
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(graded[1]) and {row["seed"] for row in rows} == {"7"}
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_a_class_without_mistakes_has_a_chart_too(graded, tmp_path):
    right = [each for each in graded[1] if each.mark == RIGHT]
    assert describe_wrong(right) == "Nothing went wrong in what was attempted."
    write_report(right, 7, tmp_path)


def test_a_spreadsheet_computes_nothing(graded, tmp_path):
    evil = replace(graded[1][0], student="=cmd|' /C calc'!A0", said="+1")
    sheet, _ = write_report([evil], 7, tmp_path)
    (row,) = csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines())
    assert row["student"].startswith("'=") and row["said"] == "'+1"


def test_a_folder_without_submissions_is_named(tmp_path, capsys):
    assert main(["grade", str(tmp_path / "none")]) == 1
    assert "there is no folder" in capsys.readouterr().err
    assert main(["grade", str(tmp_path)]) == 1
    assert "mira/06_masks.ipynb" in capsys.readouterr().err


def test_the_teachers_process_is_as_it_was(graded):
    """Limits, folder and variables belong to the notebooks' processes alone."""
    assert os.getcwd() != str(graded[0]) and "HOME" in os.environ
