"""Put exercises into notebooks, or write them anew there: statement, stub and ``check``.

``python -m tools.exercises.cells`` rewrites all cells of exercises that stand in a lesson;
``python -m tools.exercises.cells 06 mask-prompt --after cell-16`` puts one behind a cell. The
stored output is what the check says of the stub; nothing else is run.
"""

import argparse
import contextlib
import json
import sys
from pathlib import Path

from lessons_lib.exercises import Exercise
from lessons_lib.exercises.open_ended import OpenExercise, write_up
from lessons_lib.exercises.open_ended.rubric import statement_cell as open_statement_cell
from lessons_lib.exercises.open_ended.rubric import writing_cell
from lessons_lib.exercises.registry import declared, statement_cell, stub_cell
from tools.build_notebooks import lab_paths, lesson_paths, short_name


def statement_id(exercise: Exercise | OpenExercise) -> str:
    return f"exercise-{exercise.name}"


def stub_id(exercise: Exercise | OpenExercise) -> str:
    return f"attempt-{exercise.name}"


def exercise_cells(exercise: Exercise | OpenExercise) -> tuple[dict, dict]:
    """The two cells of an exercise as a notebook's JSON."""
    if isinstance(exercise, OpenExercise):
        texts = open_statement_cell(exercise), writing_cell(exercise)
        said = str(write_up(exercise.name))
        output = {
            "data": {"text/markdown": _lines(said), "text/plain": _lines(said)},
            "execution_count": None,
            "metadata": {},
            "output_type": "execute_result",
        }
    else:
        texts = statement_cell(exercise), stub_cell(exercise)
        result = exercise.check(exercise.attempt)
        output = {
            "data": {"text/html": _lines(result._repr_html_()), "text/plain": _lines(str(result))},
            "metadata": {},
            "output_type": "display_data",
        }
    statement = {
        "cell_type": "markdown",
        "id": statement_id(exercise),
        "metadata": {},
        "source": _lines(texts[0]),
    }
    stub = {
        "cell_type": "code",
        "execution_count": None,
        "id": stub_id(exercise),
        "metadata": {},
        "outputs": [output],
        "source": _lines(texts[1]),
    }
    return statement, stub


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def place(notebook: dict, exercise: Exercise | OpenExercise, after: str | None = None) -> bool:
    """Write an exercise's cells where they stand, or behind a cell; returns whether it is there.

    Raises:
        ValueError: the notebook has no cell ``after``.
    """
    cells = notebook["cells"]
    ids = [cell["id"] for cell in cells]
    if statement_id(exercise) in ids:
        at = ids.index(statement_id(exercise))
        del cells[at : at + 2]
    elif after is None:
        return False
    elif after not in ids:
        raise ValueError(f"no cell {after!r} in this notebook")
    else:
        at = ids.index(after) + 1
    cells[at:at] = exercise_cells(exercise)
    codes = [cell for cell in cells if cell["cell_type"] == "code"]
    for number, cell in enumerate(codes, start=1):
        cell["execution_count"] = number  # as in a run from top to bottom
        for output in cell["outputs"]:
            if "execution_count" in output:
                output["execution_count"] = number
    return True


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, notebook: dict) -> None:
    text = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.exercises.cells", description=__doc__)
    parser.add_argument(
        "lesson", nargs="?", help="the lesson's number, such as 06, or a lab's name"
    )
    parser.add_argument("name", nargs="?", help="the exercise's name")
    parser.add_argument("--after", help="the id of the cell behind which it is put")
    chosen = parser.parse_args(arguments)
    exercises = [each for each in declared() if chosen.name in {None, each.name}]
    if not exercises:
        parser.error(f"no exercise {chosen.name!r}")
    for path in [*lesson_paths(), *lab_paths()]:
        if chosen.lesson and short_name(path) != chosen.lesson:
            continue
        notebook = read(path)
        with contextlib.redirect_stdout(sys.stderr):
            placed = [each.name for each in exercises if place(notebook, each, chosen.after)]
        if placed:
            write(path, notebook)
            print(f"{path.name}: {', '.join(placed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
