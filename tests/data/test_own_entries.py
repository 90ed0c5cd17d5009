"""The reader's own entries: kept whole, or not at all."""

import numpy as np
import pytest

from lessons_lib.data import (
    EXAMPLES,
    DatasetError,
    Splits,
    load_own_entries,
    notes_to_entries,
    own_splits,
    save_own_entries,
    variety_table,
)

GOOD = {"instruction": "Say hello.", "input": "", "output": "Hello."}
pytestmark = pytest.mark.usefixtures("cache")


def test_until_some_are_written_there_are_examples():
    assert load_own_entries() == EXAMPLES


def test_entries_are_kept_with_all_their_fields():
    entries = [GOOD, {**GOOD, "source": "me", "score": 0.5}]
    save_own_entries(entries)
    assert load_own_entries() == entries


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"score": float("nan")}, "score"),
        ({"id": np.int64(3)}, "id"),
        ({"note": "\ud83d"}, "note"),
        ({"output": " "}, "output"),
    ],
)
def test_what_cannot_be_kept_is_named_and_changes_nothing(wrong, field):
    save_own_entries([GOOD])
    with pytest.raises(DatasetError) as caught:
        save_own_entries([GOOD, GOOD | wrong])
    assert (caught.value.row, caught.value.field) == (1, field)
    assert load_own_entries() == [GOOD]


def test_each_name_has_a_file_of_its_own(cache):
    save_own_entries([GOOD])
    assert load_own_entries("refusals") == []
    refusal = GOOD | {"output": "I do not know."}
    path = save_own_entries([refusal], "refusals")
    assert path == cache / "own_refusals.json"
    assert (load_own_entries("refusals"), load_own_entries()) == ([refusal], [GOOD])
    assert load_own_entries("refusals-test") == []


def test_a_fault_names_the_entries_row_and_field():
    with pytest.raises(DatasetError, match=r"your company, row 1, field 'output'"):
        save_own_entries([GOOD, GOOD | {"output": ""}], "company")
    assert load_own_entries("company") == []


@pytest.mark.parametrize("name", ["refusal", "../entries", ""])
def test_a_name_that_nobody_reads_is_refused(name):
    for call in (lambda: save_own_entries([GOOD], name), lambda: load_own_entries(name)):
        with pytest.raises(ValueError, match="there are: entries, refusals, refusals-test"):
            call()


def test_the_courses_stand_in_until_both_parts_are_written(capsys):
    course = Splits(train=[GOOD] * 2, test=[GOOD], validation=[])
    own = [GOOD | {"output": "I do not know."}]
    said = "these are the course's own: 2 to train on, 1 test questions.\n"
    for kept, missing in ((None, "refusals"), ("refusals", "refusals-test")):
        if kept:
            save_own_entries(own, kept)
        assert own_splits("refusals", course) is course
        assert capsys.readouterr().out == f"No entries of yours are kept as {missing}; {said}"
    save_own_entries(own * 3, "refusals-test")
    assert own_splits("refusals", course) == Splits(own, own * 3, [])
    said = "Your own refusals: 1 to train on, 3 test questions.\n"
    assert capsys.readouterr().out == said


def test_variety_is_counted_without_a_warning(recwarn):
    questions = ["When is the shop open?", "When is the bar open?", "when  is the shop open"]
    train = [GOOD | {"instruction": each, "output": "At nine."} for each in questions] * 20
    test = [train[0], GOOD, train[1] | {"instruction": "When is the car open?"}]
    table = variety_table(Splits(train=train, test=test, validation=[]))
    counts = ["60", "1", "1", "58", "3", "1", "2"]  # the first of them in other spaces, too
    assert [row[1] for row in table.rows] == counts and not recwarn.list


def test_notes_become_entries():
    notes = [" Say hello. | Hello.", "Make it plural.|a mouse|mice "]
    assert notes_to_entries(notes) == [
        GOOD,
        {"instruction": "Make it plural.", "input": "a mouse", "output": "mice"},
    ]


@pytest.mark.parametrize("note", ["Say hello.", "a|b|c|d", "a | ", "", "a||b"])
def test_a_note_of_another_shape_is_named(note):
    with pytest.raises(ValueError, match="note 2 must be 'question | answer'"):
        notes_to_entries(["Say hello. | Hello.", note])
