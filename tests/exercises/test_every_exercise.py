"""What holds for every exercise, those to come included: one test a promise."""

import html
import json
from itertools import combinations

import pytest

from lessons_lib.exercises import EXERCISES, Verdict
from lessons_lib.exercises.comparing import same_values
from lessons_lib.exercises.declaration import DIFFICULTIES
from lessons_lib.exercises.open_ended import OPEN_EXERCISES
from lessons_lib.exercises.registry import declared, stub_cell
from tools.build_notebooks import lab_paths, lesson_paths
from tools.exercises import cells
from tools.exercises.count import right_variants

VARIANTS = right_variants()
ENGLISH_END = (".", "?")


@pytest.fixture(params=EXERCISES)
def exercise(request):
    return EXERCISES[request.param]


def names(functions):
    return [function.__name__ for function in functions]


def test_the_stub_is_not_attempted(exercise):
    result = exercise.check(exercise.attempt)
    assert result.verdict == Verdict.NOT_ATTEMPTED and result.inspector is None


def test_its_cell_has_all_the_imports_that_it_needs(exercise, work):
    space = {}
    exec(stub_cell(exercise), space)
    assert exercise.function_name in space


def test_the_solution_passes(exercise):
    assert exercise.check(exercise.answer).passed


@pytest.mark.parametrize(
    ("name", "variant"),
    [pytest.param(name, each, id=each.__name__) for name in VARIANTS for each in VARIANTS[name]],
)
def test_right_variants_pass(name, variant):
    assert str(EXERCISES[name].check(variant)).startswith("✓")


def test_there_are_three_right_variants(exercise):
    assert len(VARIANTS[exercise.name]) >= 3


def test_each_wrong_answer_gets_its_own_sentence(exercise):
    for wrong in exercise.wrong_answers:
        result = exercise.check(wrong.function)
        assert result.verdict == Verdict.KNOWN_MISTAKE, wrong.function.__name__
        assert wrong.sentence in str(result) and wrong.when in html.unescape(result._repr_html_())
        assert result.evidence is not None


def test_wrong_answers_differ_from_each_other(exercise):
    results = {
        wrong.function.__name__: [
            exercise.outcome(wrong.function, case).value for case in exercise.cases()
        ]
        for wrong in exercise.wrong_answers
    }
    assert len(results) >= 3
    for one, other in combinations(results, 2):
        assert not same_values(results[one], results[other]), (one, other)


def test_is_written_as_a_teacher_would(exercise):
    assert exercise.difficulty in DIFFICULTIES and 1 <= exercise.minutes <= 45
    assert len(exercise.hints) == 3 == len(set(exercise.hints))
    for wrong in exercise.wrong_answers:
        assert not wrong.when.endswith(ENGLISH_END) and wrong.why.endswith(ENGLISH_END)
    opening = (f"def {exercise.function_name}(", f"class {exercise.function_name}(")
    assert exercise.stub.startswith(opening) and '"""' in exercise.stub
    assert exercise.solution.startswith(opening)
    assert "NotImplementedError" not in exercise.solution
    assert not {wrong.function.__name__ for wrong in exercise.wrong_answers} & {"answer"}


@pytest.mark.parametrize("name", [name for name, each in EXERCISES.items() if each.library])
def test_the_courses_own_function_passes(name):
    assert EXERCISES[name].check(EXERCISES[name].library).passed


def placed():
    """Every lesson with an exercise in it: (path, exercise)."""
    for path in [*lesson_paths(), *lab_paths()]:
        ids = {cell["id"] for cell in cells.read(path)["cells"]}
        yield from (
            pytest.param(path, each, id=f"{path.name[:2]}-{each.name}")
            for each in declared()
            if cells.statement_id(each) in ids
        )


@pytest.mark.parametrize(("path", "placed_exercise"), list(placed()))
def test_a_notebook_has_the_exercises_own_words(path, placed_exercise, work):
    found = {cell["id"]: cell for cell in cells.read(path)["cells"]}
    statement, stub = cells.exercise_cells(placed_exercise)
    assert path.name.startswith(placed_exercise.lesson)
    assert found[statement["id"]]["source"] == statement["source"]
    kept = found[stub["id"]]
    assert kept["source"] == stub["source"]
    for output in kept["outputs"] + stub["outputs"]:  # its place in the notebook is no word of it
        output.pop("execution_count", None)
    assert kept["outputs"] == stub["outputs"], "python -m tools.exercises.cells"
    state = "not attempted yet" if placed_exercise.name in EXERCISES else "Not written yet"
    assert json.dumps(kept["outputs"]).count(state)


def test_every_exercise_stands_in_a_notebook():
    names = {value.values[1].name for value in placed()}
    assert names == {*EXERCISES, *OPEN_EXERCISES}


@pytest.mark.parametrize("name", OPEN_EXERCISES)
def test_an_open_exercise_is_written_as_a_teacher_would(name):
    exercise = OPEN_EXERCISES[name]
    assert 3 <= len(exercise.criteria) <= 7 and 1 <= exercise.minutes <= 60
    assert all(2 <= len(criterion.levels) <= 4 for criterion in exercise.criteria)
    good, other = (sum(sample.levels) for sample in exercise.samples)
    assert good != other, "samples of one grade teach nothing about the levels"
    for sample in exercise.samples:
        assert len(sample.text) > 100 and sample.why.strip().endswith((".", ".)"))
