"""The commands for writers of exercises: mutants of the solutions, cells for the notebooks."""

import dataclasses

import pytest

from lessons_lib.exercises import EXERCISES
from tools.exercises import cells, mutants


def half(numbers):
    return numbers[1:] if len(numbers) < 3 else numbers


def test_mutants_change_one_thing_each():
    changed = [text for text, _ in mutants.mutants(half)]
    assert len(changed) == 7
    assert any("len(numbers) < 3 → len(numbers) <= 3" in text for text in changed)
    assert any("numbers[1:]" in text or "1: → :" in text for text in changed)


def test_a_weak_check_lets_mutants_live():
    exercise = EXERCISES["mask-prompt"]
    assert mutants.survivors(exercise)[1] == []
    weak = dataclasses.replace(exercise, cases=lambda: exercise.cases()[1:2])
    assert mutants.survivors(weak)[1]


def notebook():
    code = {"cell_type": "code", "id": "a", "execution_count": 1, "outputs": [], "source": ["1"]}
    return {"cells": [code, {**code, "id": "b", "execution_count": 2}]}


def test_cells_are_put_behind_a_cell_and_then_written_in_their_place():
    book, exercise = notebook(), EXERCISES["pad"]
    assert not cells.place(book, exercise)
    for _ in range(2):
        assert cells.place(book, exercise, after="a")
        ids = [cell["id"] for cell in book["cells"]]
        assert ids == ["a", "exercise-pad", "attempt-pad", "b"]
    counts = [cell.get("execution_count") for cell in book["cells"]]
    assert counts == [1, None, 2, 3]
    with pytest.raises(ValueError, match="no cell 'z'"):
        cells.place(notebook(), exercise, after="z")
