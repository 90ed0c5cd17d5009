"""Lessons as assignments for nbgrader: ``python -m tools.teaching.nbgrader COURSE 06 --seed 731``.

An assignment holds a lesson's exercises and nothing else, because nbgrader runs a notebook from top
to bottom and a lesson trains models. Its hidden tests are the course's own check, on the lesson's
inputs and on fresh ones from the seed. What is written by hand is left to its own form.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lessons_lib.exercises import EXERCISES
from lessons_lib.exercises.open_ended import OpenExercise
from lessons_lib.exercises.open_ended.rubric import statement_cell as open_statement_cell
from lessons_lib.exercises.registry import declared, statement_cell, stub_cell
from tools.build_notebooks import KERNEL, lab_paths, lesson_paths, short_name
from tools.teaching.student import without_answers

STUB = re.compile(r"^( *)(raise NotImplementedError|return \.\.\.)$", re.MULTILINE)
SOLUTION = r"\1### BEGIN SOLUTION\n\1\2\n\1### END SOLUTION"  # nbgrader writes its own stub there
HIDDEN = """from lessons_lib.exercises.grading import assert_right

### BEGIN HIDDEN TESTS
assert_right("{name}", {function}, seed={seed})
### END HIDDEN TESTS"""


def assignment(lesson: str, seed: int) -> nbformat.NotebookNode:
    """The instructor's version of one lesson's exercises, with nbgrader's metadata."""
    cells = []
    for exercise in (each for each in declared() if each.lesson == lesson):
        name = exercise.name
        if isinstance(exercise, OpenExercise):
            most = sum(criterion.best for criterion in exercise.criteria)
            cells.append(new_markdown_cell(open_statement_cell(exercise)))
            own = new_markdown_cell("YOUR ANSWER HERE")
            cells.append(_marked(own, name, grade=True, solution=True, points=most))
            continue
        cells.append(new_markdown_cell(without_answers(statement_cell(exercise))))
        stub = new_code_cell(STUB.sub(SOLUTION, stub_cell(exercise)))
        cells.append(_marked(stub, name, grade=False, solution=True))
        hidden = HIDDEN.format(name=name, function=exercise.function_name, seed=seed)
        test = new_code_cell(hidden)
        cells.append(_marked(test, f"test-{name}", grade=True, solution=False, points=1))
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=metadata)


def _marked(cell, name: str, grade: bool, solution: bool, points: int | None = None):
    """The cell with what nbgrader wants to know of it."""
    cell.id = name
    cell.metadata["nbgrader"] = {
        "grade": grade,
        "grade_id": name,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    } | ({"points": points} if points is not None else {})
    return cell


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.teaching.nbgrader", description=__doc__)
    parser.add_argument("course", type=Path, help="the folder that nbgrader calls the course")
    parser.add_argument("lesson", help="such as 06, or a lab's name")
    parser.add_argument("--seed", type=int, required=True, help="of the fresh inputs")
    chosen = parser.parse_args(arguments)
    paths = {short_name(path): path for path in [*lesson_paths(), *lab_paths()]}
    if chosen.lesson not in paths or not any(
        each.lesson == chosen.lesson for each in EXERCISES.values()
    ):
        parser.error(f"no exercises in {chosen.lesson!r}; there are: {', '.join(paths)}")
    folder = chosen.course / "source" / f"lesson_{chosen.lesson}"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(assignment(chosen.lesson, chosen.seed), folder / paths[chosen.lesson].name)
    print(f"{folder}: now `nbgrader generate_assignment lesson_{chosen.lesson}`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
