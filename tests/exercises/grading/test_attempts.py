"""A student's function is taken out of a notebook with what it needs, and nothing else is run."""

import pytest

from lessons_lib.exercises import EXERCISES
from lessons_lib.exercises.grading.attempts import (
    AttemptError,
    is_attempted,
    load_attempt,
    own_function,
    read_code,
)
from lessons_lib.exercises.grading.collecting import submissions
from lessons_lib.exercises.grading.notebook import exercises_of
from lessons_lib.exercises.grading.written import written_text
from lessons_lib.exercises.registry import declared, stub_cell
from tools.build_notebooks import lab_paths, lesson_paths
from tools.exercises.cells import read

WASTE = EXERCISES["padding-waste"]


def code_of(*sources):
    return read_code([{"cell_type": "code", "source": source} for source in sources])


def load(*sources):
    return load_attempt(code_of(*sources), WASTE)


def test_only_what_the_function_needs_is_run():
    waste = load(
        "raise SystemExit\nheavy = 1 / 0\nEND = 1",
        "import math\nfrom math import nan as nothing\nprint('not run')",
        "def widest(lengths):\n    return max(lengths) + END",
        "def my_waste(lengths):\n    heavy = widest(lengths)\n    return math.floor(heavy)",
        "check('padding-waste', my_waste)\nEND = 5",
    )
    assert waste([2, 3]) == 4  # END as it was above the helper, not below


def test_a_helper_may_stand_below():
    assert (
        load("def my_waste(lengths):\n    return half(8)", "def half(n):\n    return n / 2")([])
        == 4
    )


def test_the_last_definition_counts_but_not_a_stub():
    first, second = (f"def my_waste(lengths):\n    return {number}" for number in (1, 2))
    assert load(first, second, WASTE.stub)([]) == 2


def test_a_stub_is_no_attempt():
    assert not is_attempted(code_of(stub_cell(WASTE)), WASTE)
    assert not is_attempted(code_of("x = 1"), WASTE)
    assert is_attempted(code_of("def my_waste(lengths) return 1"), WASTE)


def test_what_only_ipython_understands_is_left_out():
    assert (
        load("%matplotlib inline\n!ls\nONE = 1", "%%time\ndef my_waste(n):\n    return ONE")(0) == 1
    )


def test_an_error_on_the_way_is_shown_with_its_cell():
    with pytest.raises(AttemptError, match=r"NameError: .*nowhere.* \(cell 1, line 2\)"):
        load("x = 1\nEND = nowhere", "def my_waste(lengths):\n    return END")


def test_the_courses_own_function_is_noticed():
    mask = EXERCISES["mask-prompt"]
    taken = "from lessons_lib.batching import mask_instructions\nmask_prompt = mask_instructions"
    assert own_function(code_of(taken), mask) == "names the course's own mask_instructions"
    assert own_function(code_of("def mask_prompt(targets, lengths):\n    pass"), mask) == ""


def test_a_text_is_taken_without_running_anything():
    text = 'write_up("conclusion", """\nNone is best.\n""")'
    assert (
        written_text(code_of('write_up("conclusion", ...)', text), "conclusion") == "None is best."
    )
    assert written_text(code_of('write_up("conclusion", ...)', text), "own-company") == ""


@pytest.mark.parametrize("path", [*lesson_paths(), *lab_paths()], ids=lambda path: path.stem)
def test_every_notebooks_exercises_are_found(path):
    """By its cells' ids, and, without these, by its functions; and only attempts define them."""
    cells = read(path)["cells"]
    code = read_code(cells)
    assert code.faults == {}
    wanted = [each for each in declared() if path.name.startswith(each.lesson)]
    assert exercises_of(cells, code) == wanted
    assert exercises_of([cell | {"id": ""} for cell in cells], code) == wanted
    assert not any(is_attempted(code, each) for each in wanted if each.name in EXERCISES)


def test_students_are_folders_or_files(tmp_path):
    for name in ("ada/06.ipynb", "ada/.ipynb_checkpoints/06.ipynb", "Ben/x/04.ipynb", "ben.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "ada")
    found = submissions(tmp_path)
    assert [(each.student, each.file) for each in found] == [
        ("Ben", "Ben/x/04.ipynb"),
        ("ada", "ada/06.ipynb"),
        ("ben", "ben.ipynb"),
        ("link", ""),
    ]
    assert [each.note for each in found] == [
        "the same name as ben",
        "",
        "the same name as Ben",
        "a link, which is not followed",
    ]
