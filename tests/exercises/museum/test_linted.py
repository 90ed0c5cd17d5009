"""What the linter says of the museum: seven faults found, two named as out of its reach."""

import pytest

from lessons_lib.exercises.museum.exhibits import EXHIBITS
from lessons_lib.exercises.museum.linted import lint_museum
from lessons_lib.labels import OUT_OF_REACH


@pytest.fixture(scope="module")
def rows():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESSONS_LIB_QUICK", "1")
        return {row[0]: row[1:] for row in lint_museum().rows}


def test_the_right_batches_have_no_finding(rows):
    assert rows["–"] == ("nothing is wrong", "·", "·", "")


@pytest.mark.parametrize(
    ("number", "always", "told"),
    [
        ("1", {"stop-untrained"}, set()),
        ("2", set(), {"prompt-trained", "header-trained"}),
        ("3", {"shifted-twice"}, set()),
        ("4", set(), {"header-trained"}),
        ("5", {"response-cut", "label-differs", "no-convention"}, set()),
        ("6", set(), {"response-masked"}),
        ("7", {"nothing-counts"}, set()),
    ],
)
def test_faults_of_labels_are_found(rows, number, always, told):
    assert rows[number][0] == EXHIBITS[int(number)].title
    for cell, kinds in zip(rows[number][1:3], (always, told), strict=True):
        named = {part.split()[1] for part in cell.split(", ") if part != "·"}
        assert named == kinds
    assert rows[number][3] == ""


def test_faults_that_leave_the_labels_as_they_should_be(rows):
    found = [row for row in rows.values() if row[3]]
    assert [row[0] for row in found] == [each.fault for each in OUT_OF_REACH]
    for row, each in zip(found, OUT_OF_REACH, strict=True):
        assert row[1:] == ("·", "·", each.check) and "labels are right" in each.why
