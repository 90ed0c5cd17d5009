"""Texts of a learner are kept, shown a rubric afterwards, and graded beside two samples."""

import pytest

from lessons_lib.exercises import progress
from lessons_lib.exercises.open_ended import (
    Criterion,
    OpenExercise,
    Sample,
    grade,
    write_up,
    writing,
)
from lessons_lib.exercises.records import read_record

TEXT = "The masked run did better here: 12.8 points, with an interval of 7.2 to 18.2 points."
TRIAL = OpenExercise(
    name="trial",
    title="Say what was seen",
    lesson="11",
    minutes=5,
    statement="Say it in a sentence.",
    criteria=(
        Criterion("the size is given", ("not at all", "without its interval", "with its interval")),
        Criterion("no winner is called where none is shown", ("one is called", "none is called")),
    ),
    samples=(
        Sample("It was **better**.", (0, 0), "No number stands in it."),
        Sample("It was better by 12.8 points.", (1, 1), "The interval is left out."),
    ),
)


@pytest.fixture(autouse=True)
def one_exercise(work, monkeypatch):
    monkeypatch.setattr(writing.OPEN_EXERCISES, "_by_name", {"trial": TRIAL})


def test_nothing_is_shown_before_something_is_written(work):
    assert "Not written yet" in str(write_up("trial"))
    assert "too little to grade" in str(write_up("trial", "Better."))
    assert "too little to grade" in str(write_up("trial", 7))
    assert "Sample" not in str(write_up("trial")) and not work.exists()


def test_the_rubric_and_the_samples_follow_the_text():
    shown = str(write_up("trial", TEXT))
    assert "| **the size is given** | not at all | without its interval |" in shown
    assert "**Sample A**\n\n> It was **better**." in shown
    assert "No number stands in it" not in shown, "the course's grades come after the reader's"


def test_the_first_text_stays_beside_the_last():
    write_up("trial", TEXT)
    write_up("trial", TEXT + " It is one experiment.")
    kept = read_record("writings.json")["trial"]
    assert kept == {"first": TEXT, "text": TEXT + " It is one experiment."}


def test_grades_are_compared_with_the_courses():
    write_up("trial", TEXT)
    said = str(grade("trial", a=[0, 1], b=[1, 1], mine=[2, 1]))
    assert "| the size is given | 0 | 0 | 1 | 1 | 2 |" in said
    assert "| **of 3** | 1 | 0 | 2 | 2 | 3 |" in said
    assert "same level in 3 of 4 cases; in sum you are milder than it" in said
    assert "Why the course grades A so.** No number" in said
    assert read_record("writings.json")["trial"]["levels"]["mine"] == [2, 1]


def test_samples_can_be_graded_before_ones_own_text():
    assert "Not graded yet" in str(grade("trial"))
    assert "stricter than" in str(grade("trial", a=[0, 0], b=[0, 1]))
    assert "There is no text of yours yet" in str(grade("trial", a=[0, 0], b=[1, 1], mine=[2, 1]))


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([1], "these are 1"),
        (2, "give 2 levels"),
        ([1, 2], "has the levels 0 to 1, not 2"),
        ([1, True], "not True"),
        ([-1, 0], "not -1"),
    ],
)
def test_levels_that_there_are_not_are_named(levels, said):
    assert said in str(grade("trial", a=levels, b=[1, 1]))


def test_a_wrong_declaration_is_refused():
    with pytest.raises(ValueError, match="trial: a sample's levels: give 2 levels"):
        OpenExercise(**vars(TRIAL) | {"samples": (Sample("A", (1,), ""), TRIAL.samples[1])})


def test_an_unknown_name_is_told():
    with pytest.raises(ValueError, match="there are: trial"):
        write_up("trail", TEXT)


def test_progress_counts_it_once_it_is_written_and_graded(monkeypatch):
    monkeypatch.setattr("lessons_lib.exercises.registry.declared", lambda: (TRIAL,))
    write_up("trial", TEXT)
    assert progress().rows[0][3] == "written, not graded yet"
    grade("trial", a=[0, 0], b=[1, 1], mine=[2, 1])
    assert progress().rows[0][3] == "✓ written and graded"
    assert progress().rows[-1][3] == "1 of 1 done"


def test_who_agrees_in_all_is_told_so_and_no_more():
    said = str(grade("trial", a=[0, 0], b=[1, 1]))
    assert "the same level in all 4 cases." in said
    assert "two careful readers" not in said and "strict" not in said
