"""The editor of tasks, its Python side: what is kept, counted, taken up again, and refused."""

import json
import re

import pytest

from lessons_lib.data import DatasetError
from lessons_lib.evaluation import Share
from lessons_lib.exercises.open_ended import edit_tasks
from lessons_lib.exercises.open_ended.reviewed_tasks import REVIEWS, Review, review_shares
from lessons_lib.support.paths import FRONT_END
from lessons_lib.widgets import InspectorError
from tests.helpers.hostile import HOSTILE

TASKS = [
    {"instruction": f"Do {number}.", "input": "", "output": f"Done {number}.", "id": number}
    for number in range(10)
]
YES = {"task": True, "input": True, "output": True}


def change_on_page(editor, **work):
    """A message from the page, as the front end sends it."""
    editor.set_state({"_work": json.loads(json.dumps({**editor._work, **work}))})


def test_untouched_nothing_is_kept_and_nothing_raises(work):
    for tasks in (TASKS, []):
        editor = edit_tasks(tasks)
        assert editor.kept == [] and editor.entries == tasks
        assert editor.judged == [Review()] * len(tasks)
        assert [row[1] for row in editor.table().rows] == ["–"] * 4
        assert f"0 of {len(tasks)} judged, 0 corrected, 0 kept." in editor.alt_text()
        assert editor.to_png().startswith(b"\x89PNG") and repr(editor) == f"[{editor.alt_text()}]"
    assert not work.exists()


def test_kept_are_the_good_and_those_that_were_mended(work):
    editor = edit_tasks(TASKS)
    assert str(editor.judge(0, **YES)) == "#0: Good, and kept."
    assert "2 of 3 questions are open" in str(editor.judge(1, output=False))
    assert str(editor.judge(2, True, True, False)) == "#2: Bad, and not kept. You can correct it."
    editor.judge(3, True, True, False)
    said = str(editor.correct(3, output="Finished."))
    assert said == "#3: Bad as it was written, and kept as you corrected it."
    assert "3 of 3 questions" in str(editor.correct(4, instruction="Do more.", output="More."))
    finished = {**TASKS[3], "output": "Finished."}
    assert editor.kept == [TASKS[0], finished]  # with further fields, such as "id"
    assert editor.entries[3:5] == [finished, {**TASKS[4], **editor.judged[4].corrected}]
    assert TASKS[3]["output"] == "Done 3."
    assert "3 of 10 judged, 2 corrected, 2 kept." in editor.alt_text()
    editor.judge(3, output=None)
    assert editor.kept == [TASKS[0]] and editor.judged[3].task is True
    assert "3 of 10 judged, 2 corrected" not in editor.alt_text()


@pytest.mark.parametrize("field", ["instruction", "output"])
@pytest.mark.parametrize("blank", ["", " \n", "\u200b"])
def test_a_task_without_instruction_or_output_is_told_and_not_kept(work, field, blank):
    editor = edit_tasks(TASKS)
    editor.judge(0, **YES)
    said = str(editor.correct(0, **{field: blank}))
    assert said.startswith(f"#0: The {field} is blank: write another, or undo the change.")
    assert editor.kept == [] and editor._told["tasks"][0]["standing"] == "faulty"
    assert str(editor.undo(0)) == "#0: Good, and kept." and editor.kept == TASKS[:1]
    editor.correct(0, input="")
    assert editor.judged[0].corrected == {} and editor.kept == TASKS[:1]


def test_what_is_as_it_was_written_is_no_correction(work):
    editor = edit_tasks(TASKS)
    editor.correct(0, output="Other.", input="some")
    editor.correct(0, output="Done 0.")
    assert editor.judged[0].corrected == {"input": "some"}


def test_shares_are_about_tasks_as_they_were_written(work):
    editor = edit_tasks(TASKS)
    for index in range(4):
        editor.judge(index, task=True, input=index > 0, output=index > 1)
        editor.correct(index, output="Better.")
    editor.judge(4, task=False)
    shares = review_shares(editor.judged)
    assert list(shares.values()) == [Share(4, 5), Share(3, 4), Share(2, 4), Share(2, 4)]
    rows = dict(editor.table().rows)
    assert rows["All three?"] == str(Share(2, 4)) == "2/4 = 50.0% (15% to 85%)"
    assert "Is the instruction a valid task? Yes for 4 of 5;" in editor.alt_text()
    assert editor.alt_text().endswith("All three? Yes for 2 of 4.")


def test_the_work_is_taken_up_again_wherever_the_tasks_stand(work):
    editor = edit_tasks(TASKS, "mine")
    editor.judge(0, **YES)
    editor.judge(1, **YES)
    editor.correct(7, output="Better.")
    again = edit_tasks(TASKS, "mine")
    assert again.judged == editor.judged and again.index == 2
    assert again._told["saved"] == f"Saved in {work.name}/{REVIEWS}."
    turned = edit_tasks(TASKS[:0:-1], "mine")
    assert turned.judged == editor.judged[:0:-1]
    assert edit_tasks(TASKS, "other").judged == [Review()] * 10
    turned.undo(2)
    assert edit_tasks(TASKS, "mine").judged[7] == Review()
    assert edit_tasks(TASKS, "mine").judged[0] == Review(True, True, True), "not among the turned"


def test_an_older_editor_writes_only_what_is_changed_in_it(work):
    old, new = edit_tasks(TASKS), edit_tasks(TASKS)
    new.judge(0, **YES)
    old.judge(1, **YES)
    assert [review.is_judged for review in edit_tasks(TASKS).judged[:3]] == [True, True, False]


def test_what_the_page_does_is_kept(work):
    editor = edit_tasks(TASKS)
    reviews = [dict(review) for review in editor._work["reviews"]]
    reviews[5] = {**YES, "corrected": {"output": "half \ud83d", "unknown": "x", "input": 3}}
    change_on_page(editor, turn=1, reviews=reviews)
    assert editor.judged[5] == Review(True, True, True, {"output": "half \ufffd"})
    assert editor._told["turn"] == 1 and editor._told["tasks"][5]["standing"] == "good"
    assert edit_tasks(TASKS).judged == editor.judged
    editor.correct(5, output="half \udc00")
    assert editor._work["turn"] == 2 and edit_tasks(TASKS).judged[5] == editor.judged[5]


@pytest.mark.parametrize("text", ["{", '{"tasks": 3}', '{"tasks": {"x": 3}}'])
def test_a_file_that_is_damaged_or_was_changed_by_hand_is_no_fault(work, text):
    work.mkdir()
    (work / REVIEWS).write_text(text, encoding="utf-8")
    editor = edit_tasks(TASKS)
    assert editor.judged == [Review()] * 10
    editor.judge(0, **YES)
    assert edit_tasks(TASKS).judged == editor.judged


def test_a_folder_that_cannot_be_written_is_one_sentence(work):
    work.write_text("a file where the folder should be", encoding="utf-8")
    editor = edit_tasks(TASKS)
    said = str(editor.judge(0, **YES))
    assert f"Good, and kept. This could not be saved in {work.name}/{REVIEWS}" in said
    assert "could not be saved" in editor._told["saved"] and editor.kept == TASKS[:1]


def test_what_cannot_be_is_refused(work):
    editor = edit_tasks(TASKS)
    with pytest.raises(ValueError, match="no task 10; the 10 tasks are numbered from 0"):
        editor.judge(10, **YES)
    with pytest.raises(ValueError, match="no task -1"):
        editor.correct(-1, output="x")
    with pytest.raises(ValueError, match="task must be True, False or None, not 'yes'"):
        editor.judge(0, task="yes")
    with pytest.raises(ValueError, match="output must be a text, not 3"):
        editor.correct(0, output=3)
    with pytest.raises(InspectorError, match=r"32 tasks at most, and these are 40: .*\[:10\]"):
        edit_tasks(TASKS * 4)
    with pytest.raises(DatasetError, match="output"):
        edit_tasks([{"instruction": "Do.", "output": ""}])
    assert not work.exists()


def test_hostile_text_is_spelled_out_and_never_markup(work, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STILLS", "1")
    editor = edit_tasks(HOSTILE)
    spelled = editor._data["spelled"][1]
    assert "⟨U+202E⟩Reverse" in spelled["instruction"] and "⟨U+001B⟩[31m" in spelled["output"]
    assert editor._data["tasks"][1] == HOSTILE[1], "the texts to edit are as they are"
    editor.correct(1, output="still \u202e", input="plain")
    assert editor._told["tasks"][1]["spelled"] == {"output": "still ⟨U+202E⟩"}
    data, metadata = editor._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == editor.alt_text() in data["text/plain"]
    code = (FRONT_END / "tasks.js").read_text(encoding="utf-8")
    assert not re.search("innerHTML|outerHTML|insertAdjacent|document.write|eval|srcdoc", code)


def test_the_still_picture_is_small(work):
    editor = edit_tasks(TASKS * 2)
    editor.judge(1, True, False, False)
    editor.correct(1, output="")
    assert len(editor.to_png()) < 40_000
