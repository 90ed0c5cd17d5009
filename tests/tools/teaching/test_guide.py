"""The guide's pages say what their lessons say, and what is written by hand names what there is."""

import re

import nbformat
import pytest

from lessons_lib.exercises import EXERCISES
from tools.build_notebooks import lab_paths, lesson_paths, read, title
from tools.slides.rule import slides_of
from tools.teaching import guide, mistakes
from tools.teaching.sections import Section, aims, closing_questions, sections_of

NOTEBOOKS = [*lesson_paths(), *lab_paths()]
PAGES = [path for path in NOTEBOOKS if guide.page_of(path).is_file()]
PARTS = ["lesson", "minutes", "predictions", "exercises", "questions"]


def page(path):
    return guide.page_of(path).read_text(encoding="utf-8")


def section(text, heading):
    """What stands below a heading of the second level."""
    return re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## )", text, re.M | re.S)[1]


def of_four(*names):
    """Lesson 04's sections by title, or one of them."""
    found = {each.title: each for each in sections_of(read(lesson_paths()[4]))}
    return found[names[0]] if names else found


def test_the_pages_are_up_to_date(capsys):
    assert guide.main(["--check"]) == 0, capsys.readouterr().out


def test_there_is_a_page_for_lesson_04():
    assert guide.page_of(lesson_paths()[4]) in map(guide.page_of, PAGES)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_whole(path):
    text = page(path)
    assert guide.MARKED.findall(text) == PARTS
    for heading, placeholder in guide.BY_HAND.items():
        written = section(text, heading)
        assert len(written.split()) > 30 and placeholder not in written, heading


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_what_may_be_left_out_is_in_the_lesson(path):
    """In that section whatever is in italics is the name of a section or of an exercise."""
    found = sections_of(read(path))
    there = {each.title for each in found}
    there |= {exercise.title for each in found for exercise in each.exercises}
    named = re.findall(
        r"(?<![*\w])\*([^*\n]+)\*(?![*\w])", section(page(path), "When time is short")
    )
    assert named and {*named} - there == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_thread_goes_through_the_lesson_in_its_order(path):
    """Where a page goes through the sections, each begins with the section's name."""
    titles = [each.title.rstrip(".?") for each in sections_of(read(path))]
    told = re.findall(r"^- \*\*(.+?)[.?]*\*\*", section(page(path), "The thread"), re.M)
    assert told == [title for title in titles if title in told]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    text, folder = page(path), guide.GUIDE
    for address in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (folder / address).exists(), address
    headings = {
        re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-")
        for each in re.findall(r"^#+ (.*)$", text, re.M)
    }
    assert {*re.findall(r"\]\(#([^)]+)\)", text)} <= headings


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_three_questions_each_with_wrong_answers(path):
    questions = section(page(path), "Three questions for the class")
    parts = re.split(r"^\*\*\d\. ", questions, flags=re.M)[1:]
    assert len(parts) == 3
    for part in parts:
        assert len(re.findall(r"^\| ", part, re.M)) >= 3, part  # a head and two wrong answers


def test_only_what_stands_between_marks_is_replaced():
    before = f"By hand.\n\n{guide.marked('minutes', 'old')}\n\nMore."
    new = r"new \1"  # no reference to a group
    after = guide.with_parts(before, {"minutes": new})
    assert after == f"By hand.\n\n{guide.marked('minutes', new)}\n\nMore."


def test_a_mark_without_a_part_is_refused():
    with pytest.raises(ValueError, match="there are: minutes"):
        guide.with_parts(guide.marked("aims", ""), {"minutes": ""})


def test_a_new_page_gets_all_parts(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(guide, "GUIDE", tmp_path)
    monkeypatch.setattr(guide, "ROOT", tmp_path)
    monkeypatch.setattr(guide, "parts", lambda path: dict.fromkeys(PARTS, path.name))
    assert guide.main(["--new", "03"]) == 0
    text = (tmp_path / "03.md").read_text(encoding="utf-8")
    assert text.count("03_tokens.ipynb") == len(PARTS)
    assert all(below in text for below in guide.BY_HAND.values())
    with pytest.raises(SystemExit):
        guide.main(["--new", "03"])
    assert "there already" in capsys.readouterr().err
    (tmp_path / "03.md").write_text(text.replace("03_tokens.ipynb", "old"), encoding="utf-8")
    assert guide.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().out


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_lesson_gives_its_parts(path):
    notebook = read(path)
    found = sections_of(notebook)
    assert len({each.title for each in found}) == len(found)
    assert sum(each.presenting for each in found) == sum(s.minutes for s in slides_of(notebook))
    named = [exercise.name for each in found for exercise in each.exercises]
    cells = [cell.id[9:] for cell in notebook.cells if cell.id.startswith("exercise-")]
    assert named == cells
    assert all(p.outcomes for each in found for p in each.predictions)
    listed, time, before = aims(notebook)
    assert 3 <= len(listed) <= 5 and time and before
    assert [bool(asked and told) for asked, told in closing_questions(notebook)] == [True] * 3


def test_the_columns_of_the_plan_add_up():
    plan = guide.minutes_part([*of_four().values()], {})
    rows = [line.strip("| ").split(" | ") for line in plan.splitlines() if line.startswith("| ")]
    *lines, total = [[cell.strip("* ") for cell in row] for row in rows[1:]]
    for column in (1, 2, 4, 5):
        assert sum(float(row[column] or 0) for row in lines) == float(total[column])
    exercises = sum(int(n) for row in lines for n in re.findall(r"` (\d+)", row[3]))
    assert exercises == int(total[3])
    for row in lines:
        own = sum(int(n) for n in re.findall(r"` (\d+)", row[3]))
        assert int(row[1]) + int(row[2] or 0) + own == int(row[4])


def test_running_times_are_shown_where_they_were_measured():
    ran = {"Substep 2.3: padding": {"all": 130.0, "longest": 95.0}}
    plan = guide.minutes_part([*of_four().values()], {"machine": "a slow machine", "sections": ran})
    assert "| 2 min, one cell of them 95 s |" in plan and "not measured" in plan
    assert "(a slow machine)" in plan


def test_an_exercise_cell_counts_as_its_minutes_alone():
    padding = of_four("Substep 2.3: padding")
    assert [exercise.name for exercise in padding.exercises] == ["pad"]
    assert padding.minutes == padding.reading + 2 + 10
    without = [cell for cell in padding.cells if not cell.id.startswith(("exercise", "attempt"))]
    assert padding.reading == Section("", without).reading


def test_a_prediction_stands_beside_what_came_out():
    (asked,) = of_four("How much of a batch is padding?").predictions
    assert asked.question.startswith("Three rows have 9, 4 and 2 tokens")
    assert asked.outcomes == ["0.4"]
    shown = guide.predictions_part([of_four("Why the usual way fails")])
    assert "“refuses”" in shown and "(pads" not in shown  # the question names the choices


def test_several_predictions_below_one_question_are_one():
    quote = nbformat.v4.new_markdown_cell("## A heading\n\n> **Predict.** Two numbers?")
    cells = [nbformat.v4.new_code_cell(f'predict("{name}", ...)') for name in "ab"]
    said = nbformat.v4.new_output("stream", text="It is 1. You did not predict it.\n" * 2)
    last = nbformat.v4.new_code_cell('recall("a", 1)\nrecall("b", 1)', outputs=[said])
    _, found = sections_of(nbformat.v4.new_notebook(cells=[quote, *cells, last]))
    assert [(p.question, p.outcomes) for p in found.predictions] == [("Two numbers?", ["1", "1"])]


def test_links_start_from_the_guide():
    text = guide.lesson_part(lesson_paths()[4], read(lesson_paths()[4]))
    moved = guide.linked(text, "../../../notebooks")
    assert "](../../../notebooks/pytorch_you_need.ipynb)" in moved
    assert title(read(lesson_paths()[4])) in moved
    assert guide.linked("[a](https://x.org) [b](#c)", "up") == "[a](https://x.org) [b](#c)"


@pytest.mark.parametrize("name", EXERCISES)
def test_each_wrong_answer_has_a_line(name):
    exercise = EXERCISES[name]
    part = mistakes.exercise_part(exercise)
    rows = part.splitlines()[part.splitlines().index("|---|---|---|") + 1 :]
    assert len(rows) == len(exercise.wrong_answers)
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) == 4, row


def test_what_comes_out_is_what_the_wrong_code_gives():
    part = mistakes.exercise_part(EXERCISES["pad"])
    assert "`my_pad([[1, 2], [3]])` gives `[[1, 2, 50256], [3, 50256, 50256]]`" in part
    assert "| `[[1, 2], [3, 50256]]` | rows are padded to the longest, and" in part
    assert "`my_pad(rows=[[3, 1], [2, 2]], pad_token_id=9)` gives" in part  # another input


def test_a_long_text_is_shown_where_it_differs():
    part = mistakes.exercise_part(EXERCISES["format-input"])
    assert r"'…pletes the request.\n### Instruction:\nName a c'`, not `" in part


def test_of_a_long_result_the_part_is_shown_that_differs():
    part = mistakes.exercise_part(EXERCISES["plant-leak"])
    assert "| leaks that the audit finds: `1`, not `0` | only capitals" in part
    assert "number of items: `6`, not `2`" in mistakes.exercise_part(EXERCISES["static-padding"])
