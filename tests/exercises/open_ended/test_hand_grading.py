"""Grading by hand: clicks and letters are kept, and nothing that was written is taken for HTML."""

import json

import pytest

from lessons_lib.exercises.open_ended.hand_grading import GRADES, grade_by_hand, hand_grades

ENTRIES = [
    {"instruction": f"Question {number}", "input": "", "output": f"Wanted {number}"}
    for number in range(3)
]
ANSWERS = ["one <b>bold</b>", "", "three\x1b[2J"]


def buttons_of(grading):
    *parts, said = grading.form().children
    return parts[1::2], parts[::2], said


def test_every_click_is_kept_and_met_again(work):
    assert hand_grades("a") == []
    buttons, _, said = buttons_of(grade_by_hand("a", ENTRIES, ANSWERS))
    assert [each.value for each in buttons] == [None] * 3 and "0 of 3" in said.value
    assert not (work / GRADES).exists(), "looking keeps nothing"
    buttons[2].value = "wrong"
    buttons[0].value = "right"
    assert hand_grades("a") == [True, None, False] and "2 of 3" in said.value
    again, _, said = buttons_of(grade_by_hand("a", ENTRIES, ANSWERS))
    assert [each.value for each in again] == ["right", None, "wrong"] and "2 of 3" in said.value
    again[0].value = "wrong"
    again[2].value = None
    assert hand_grades("a") == [False, None, None]
    assert hand_grades("b") == []


def test_letters_do_without_the_form(work):
    assert str(grade_by_hand("a", ENTRIES, ANSWERS, marks="rw r")) == "Kept: 2 right, 1 wrong."
    assert hand_grades("a") == [True, False, True]
    grade_by_hand("a", ENTRIES, ANSWERS, marks="r..")
    assert hand_grades("a") == [True, None, None]
    for wrong in ("rw", "rwrw", "rwx"):
        said = str(grade_by_hand("a", ENTRIES, ANSWERS, marks=wrong))
        assert "Nothing was kept" in said and "each of the 3 answers" in said
    assert hand_grades("a") == [True, None, None]
    grade_by_hand("a", ENTRIES, ANSWERS, marks="...")
    assert hand_grades("a") == []


def test_other_answers_begin_anew(work):
    grade_by_hand("a", ENTRIES, ANSWERS, marks="rrr")
    grade_by_hand("a", ENTRIES, ANSWERS)
    assert hand_grades("a") == [True] * 3
    other = grade_by_hand("a", ENTRIES, [*ANSWERS[:2], "other"])
    assert other.marks == "..." and hand_grades("a") == []


@pytest.mark.parametrize("damaged", [{"marks": 3}, {"of": "x"}, {"marks": "rrxr", "of": "x"}])
def test_a_record_changed_by_hand_stops_nothing(work, damaged):
    work.mkdir()
    (work / GRADES).write_text(json.dumps({"a": damaged}))
    assert all(each in (True, False, None) for each in hand_grades("a"))
    assert grade_by_hand("a", ENTRIES, ANSWERS).marks == "..."


def test_what_was_written_stays_text(work):
    grading = grade_by_hand("a", ENTRIES, ANSWERS)
    _, texts, _ = buttons_of(grading)
    shown = [each.value for each in texts]
    assert "&lt;b&gt;bold" in shown[0] and "<b>bold" not in shown[0]
    assert "(empty)" in shown[1] and "\x1b" not in shown[2] + str(grading)
    assert "<b>bold" not in grading._repr_html_() and "mathjax_ignore" in grading._repr_html_()


def test_buttons_name_their_answer(work):
    buttons, _, _ = buttons_of(grade_by_hand("a", ENTRIES, ANSWERS))
    assert [each.description for each in buttons] == ["Answer 1", "Answer 2", "Answer 3"]
    assert buttons[1].tooltips == ("answer 2 is right", "answer 2 is wrong")


def test_an_answer_belongs_to_each_entry(work):
    with pytest.raises(ValueError, match="3 entries and 2 answers"):
        grade_by_hand("a", ENTRIES, ANSWERS[:2])


def test_a_folder_that_cannot_be_written_is_said(work):
    work.mkdir()
    (work / GRADES).mkdir()
    grading = grade_by_hand("a", ENTRIES, ANSWERS)
    buttons, _, said = buttons_of(grading)
    buttons[0].value = "right"
    assert "could not be saved" in said.value
    assert "could not be saved" in str(grade_by_hand("a", ENTRIES, ANSWERS, marks="rrr"))
