"""Grades one notebook, in the process that is for it alone, and writes down what it finds.

First the lesson's own inputs, which name the mistake; where these are right, fresh ones.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lessons_lib.exercises.exercise import Exercise
from lessons_lib.exercises.grading.attempts import (
    AttemptError,
    Code,
    is_attempted,
    load_attempt,
    own_function,
    read_code,
)
from lessons_lib.exercises.grading.fresh import FRESH, with_fresh_cases
from lessons_lib.exercises.grading.limits import Limits, enter
from lessons_lib.exercises.grading.written import written_text
from lessons_lib.exercises.registry import declared
from lessons_lib.exercises.results import Result, Verdict
from lessons_lib.support.files import explain, read_json
from lessons_lib.support.time_limit import TooSlow, time_limit

RIGHT = str(Verdict.PASSED)
NAMED_MISTAKE = "a named mistake"
KNOWN_ONLY = "right on the lesson's inputs alone"
WRITTEN = "written, to be read"
NO_CODE = "cannot be run"
KILLED = "stopped at a limit"
UNREADABLE = "cannot be read"
LARGEST = 32 << 20  # bytes of a notebook


def grade_notebook(path: Path, lines: Path, seed: int, limits: Limits) -> None:
    """Write what is found in one notebook, line by line; runs in a process of its own."""
    with lines.open("a", encoding="utf-8") as file:

        def write(**found: Any) -> None:
            file.write(json.dumps(found) + "\n")
            file.flush()

        write(missing=enter(limits, lines.parent))
        try:
            cells = _cells(path)
        except ValueError as error:
            write(mark=UNREADABLE, said=str(error))
        else:
            for found in _marks(cells, read_code(cells), seed, limits, write):
                write(**found)
        write(end=True)


def _cells(path: Path) -> list[dict[str, Any]]:
    """A notebook's cells.

    Raises:
        ValueError: the file is empty, too large, no notebook, or cannot be read.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise ValueError("The file is empty.")
        if size > LARGEST:
            raise ValueError(f"The file has {size:,} bytes; {LARGEST:,} are read at most.")
        notebook = read_json(path)
    except OSError as error:
        raise ValueError(f"It cannot be opened ({explain(error)}).") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"It is no notebook: {error}.") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not all(isinstance(each, dict) for each in cells):
        raise ValueError("It is no notebook: a list of cells is missing.")
    return cells


def _marks(
    cells: list[dict[str, Any]],
    code: Code,
    seed: int,
    limits: Limits,
    write: Callable[..., None],
) -> Iterator[dict[str, Any]]:
    """What is found of each exercise of the notebook's lesson, in the lesson's order."""
    exercises = exercises_of(cells, code)
    if not exercises:
        yield {"mark": UNREADABLE, "said": "It holds none of the course's exercises."}
    for exercise in exercises:
        write(begun=exercise.name, lesson=exercise.lesson)
        about = {"exercise": exercise.name, "lesson": exercise.lesson}
        if isinstance(exercise, Exercise):
            yield about | _grade(code, exercise, seed, limits)
        else:
            text = written_text(code, exercise.name)
            yield about | {"mark": WRITTEN if text else str(Verdict.NOT_ATTEMPTED), "said": text}


def exercises_of(cells: list[dict[str, Any]], code: Code) -> list[Any]:
    """The exercises of the lesson to which the notebook belongs.

    Which that is, its cells' ids say, or, where an editor lost these, the functions' names.
    """
    ids = {str(cell.get("id", "")) for cell in cells}
    by_id = [each for each in declared() if {f"exercise-{each.name}", f"attempt-{each.name}"} & ids]
    by_name = [
        each
        for each in declared()
        if isinstance(each, Exercise) and code.mentions(each.function_name)
    ]
    lessons = Counter(each.lesson for each in by_id or by_name)
    if not lessons:
        return []
    (lesson, _), *_ = lessons.most_common(1)
    return [each for each in declared() if each.lesson == lesson]


def _grade(code: Code, exercise: Exercise, seed: int, limits: Limits) -> dict[str, Any]:
    """One exercise: first on the lesson's own inputs, then on fresh ones."""
    if not is_attempted(code, exercise):
        return {"mark": str(Verdict.NOT_ATTEMPTED)}
    seconds = min(exercise.seconds, limits.seconds / 4)
    exercise = replace(exercise, seconds=seconds, shown=None)
    try:
        with time_limit(limits.seconds / 4):
            function = load_attempt(code, exercise)
    except AttemptError as error:
        return {"mark": NO_CODE, "said": str(error)}
    except TooSlow:
        return {"mark": str(Verdict.TOO_SLOW), "said": "What its cells do first does not end."}
    except BaseException as error:  # an exit, or an interrupt that the code itself raised
        return {"mark": NO_CODE, "said": f"It ends with {type(error).__name__}."}
    result = exercise.check(function)
    if result.passed and exercise.draw:
        result = with_fresh_cases(exercise, seed).check(function)
        if not result.passed:
            return _said(exercise, result) | {"mark": KNOWN_ONLY}
        return {"mark": RIGHT, "fresh": FRESH, "note": own_function(code, exercise)}
    return _said(exercise, result) | {"note": own_function(code, exercise)}


def _said(exercise: Exercise, result: Result) -> dict[str, Any]:
    if result.passed:
        return {"mark": RIGHT}
    said = "\n".join(str(result).splitlines()[1:])
    for wrong in exercise.wrong_answers:
        if result.verdict == Verdict.KNOWN_MISTAKE and result.sentences[0] == wrong.sentence:
            return {"mark": NAMED_MISTAKE, "mistake": wrong.when, "said": said}
    return {"mark": str(result.verdict), "said": said}
