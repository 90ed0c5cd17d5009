"""The reader's own entries: kept whole, or not at all."""

import numpy as np
import pytest

from lessons_lib.data import (
    EXAMPLES,
    DatasetError,
    load_own_entries,
    notes_to_entries,
    save_own_entries,
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
