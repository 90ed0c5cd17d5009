"""What is handed out gives nothing away, and what the teacher gets has all of it."""

import html
import json
import re
import xml.etree.ElementTree as ET

import pytest

from lessons_lib.exercises import EXERCISES
from lessons_lib.exercises.open_ended import OPEN_EXERCISES
from lessons_lib.exercises.registry import unwrapped
from tools.build_notebooks import NOTEBOOKS, lesson_paths
from tools.teaching import nbgrader, student
from tools.teaching.cheat_sheet import cheat_sheet

MASKS = NOTEBOOKS / "06_masks.ipynb"
CHAT = NOTEBOOKS / "12_chat.ipynb"


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    """Both folders, of two lessons."""
    folder = tmp_path_factory.mktemp("classroom")
    for name, write in (("student", student.write_student), ("teacher", student.write_teacher)):
        (folder / name).mkdir()
        write(folder / name, [MASKS, CHAT])
    return folder


def texts(folder):
    return {
        path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()
    }


def test_the_students_folder_is_whole(classroom):
    assert {*texts(classroom / "student")} == {
        *("06_masks.ipynb", "12_chat.ipynb", "06_masks.html", "12_chat.html"),
        *("README.md", "cheat_sheet.svg", "glossary.md"),
    }
    readme = (classroom / "student" / "README.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\((.+?)\)", readme):
        assert (classroom / "student" / link).is_file(), link
    masks = (classroom / "student" / "06_masks.ipynb").read_text(encoding="utf-8")
    assert "(glossary.md#live-target)" in masks and "../docs" not in masks


def test_no_copy_has_outputs_hints_or_answers(classroom):
    for path in (classroom / "student").glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert not any(cell["outputs"] for cell in codes)
    for name, text in texts(classroom / "student").items():
        assert "<summary>Answer" not in text and "<summary>Hint" not in text, name
        plain = html.unescape(text).replace("\\n", "\n")
        for exercise in EXERCISES.values():
            if exercise.lesson in ("06", "12"):
                assert unwrapped(exercise.hints[2])[:60] not in plain, (name, exercise.name)
                body = exercise.solution.partition("\n")[2]
                assert body not in plain, (name, exercise.name)
    masks = json.loads((classroom / "student" / "06_masks.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in masks["cells"]]
    assert any('hint("mask-prompt", 1)' in source for source in sources)


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_every_lesson_has_a_copy_without_empty_cells(path):
    notebook = student.student_notebook(path)
    assert all("".join(cell["source"]).strip() for cell in notebook["cells"])
    assert not re.search("<summary>(?:Answer|Hint)", json.dumps(notebook))


def test_the_teachers_sheet_has_solutions_mistakes_rubrics_and_answers():
    sheet = student.answer_sheet(MASKS)
    exercise = EXERCISES["mask-prompt"]
    assert exercise.solution in sheet and exercise.hints[2] in sheet
    assert all(wrong.why in sheet for wrong in exercise.wrong_answers)
    assert sheet.count("**Answer.**") == 3
    chat = student.answer_sheet(CHAT)
    criterion = OPEN_EXERCISES["own-refusals"].criteria[0]
    assert f"| **{criterion.name}** |" in chat and "**Sample B**, graded" in chat


def test_folds_that_give_nothing_away_stay():
    kept = "<details><summary>If yours differs</summary>\n\nTry.\n\n</details>"
    gone = "\n\n<details><summary>Answer</summary>\n\n42\n\n</details>"
    assert student.without_answers(f"Why?{gone}\n\n{kept}") == f"Why?\n\n{kept}"


def test_the_cheat_sheet_shows_what_the_code_gives():
    page = ET.fromstring(cheat_sheet())
    shown = ["".join(text.itertext()) for text in page.iter("{http://www.w3.org/2000/svg}text")]
    assert shown.count("pad") == 5 and shown.count("−100") == 2 + 2 + 7 + 5
    assert any("(2, 10)" in text for text in shown)
    assert "leave 4 targets that count" in page.find("{http://www.w3.org/2000/svg}title").text


def test_an_assignment_hides_the_check_behind_each_exercise(tmp_path):
    assert nbgrader.main([str(tmp_path), "06", "--seed", "731"]) == 0
    notebook = json.loads((tmp_path / "source/lesson_06/06_masks.ipynb").read_text("utf-8"))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    stub, test = cells["mask-prompt"], cells["test-mask-prompt"]
    assert "    ### BEGIN SOLUTION\n    raise NotImplementedError\n" in "".join(stub["source"])
    assert 'assert_right("mask-prompt", mask_prompt, seed=731)' in "".join(test["source"])
    assert test["metadata"]["nbgrader"]["points"] == 1
    assert stub["metadata"]["nbgrader"]["solution"] and not stub["metadata"]["nbgrader"]["grade"]


def test_every_stub_has_a_place_for_nbgraders_own():
    assert [name for name, each in EXERCISES.items() if not nbgrader.STUB.search(each.stub)] == []


def test_a_lesson_without_exercises_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        nbgrader.main([str(tmp_path), "99", "--seed", "1"])
    assert "there are: 00, 01" in capsys.readouterr().err
