"""Grades notebooks, each in a process of its own: what it does ends neither the others nor this.

The process writes a line for each exercise as it goes, so that what was found before it was killed
is kept. The lines are JSON, and whatever is in them is somebody's text.
"""

import dataclasses
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
from lessons_lib.exercises.grading.collecting import Submission, submissions
from lessons_lib.exercises.grading.fresh import FRESH, with_fresh_cases
from lessons_lib.exercises.grading.limits import Limits, end_with_all_it_started, enter
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
PATIENCE = 0.02  # seconds between two looks at the processes
GRACE = 5.0  # seconds for the start of a process, beyond its limit


@dataclass(frozen=True)
class Mark:
    """What was found of one exercise of one notebook; no ``exercise`` where it is of all of it."""

    student: str
    file: str
    lesson: str = ""
    exercise: str = ""
    mark: str = ""
    mistake: str = ""  # the named one: how its sentence ends
    said: str = ""  # what the check says, in full
    fresh: int = 0  # inputs drawn from the seed, on which it was right as well
    note: str = ""


def grade_folder(
    folder: Path,
    seed: int,
    limits: Limits | None = None,
    jobs: int = 1,
    say: Callable[[str], object] = lambda text: None,
) -> tuple[list[Mark], list[str]]:
    """The marks of all notebooks below a folder, in its order, and the limits that are missing.

    ``jobs`` notebooks are graded at once. ``say`` gets a line for each that is done.

    Raises:
        ValueError: there is no such folder, or nothing in it.
    """
    found, limits = submissions(folder), limits or Limits()
    waiting, running, done, missing = list(enumerate(found)), [], {}, set()
    with tempfile.TemporaryDirectory() as place:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    number, submission = waiting.pop(0)
                    if submission.file:
                        running.append((number, _Run(folder, submission, seed, limits, place)))
                    else:
                        done[number] = [_nothing(submission)]
                for number, run in [each for each in running if each[1].is_over()]:
                    running.remove((number, run))
                    done[number], lacking = run.marks()
                    missing |= lacking
                    say(f"{len(done)} of {len(found)}: {run.submission.file}")
                time.sleep(PATIENCE)
        finally:
            for _, run in running:
                run.end()
    return [mark for number in sorted(done) for mark in done[number]], sorted(missing)


def _nothing(submission: Submission) -> Mark:
    return Mark(submission.student, submission.file, mark=UNREADABLE, note=submission.note)


class _Run:
    """One notebook's process, its clock, and the file to which it writes."""

    def __init__(self, folder: Path, submission: Submission, seed: int, limits: Limits, place: str):
        self.submission, self.limits = submission, limits
        self._lines = Path(tempfile.mkdtemp(dir=place)) / "lines"
        path = folder.resolve() / submission.file
        self._process = _context().Process(
            target=grade_notebook, args=(path, self._lines, seed, limits), daemon=True
        )
        self._process.start()
        self._end = time.monotonic() + limits.seconds + GRACE
        self._too_slow = False

    def is_over(self) -> bool:
        if self._process.is_alive() and time.monotonic() < self._end:
            return False
        self._too_slow = self._process.is_alive()
        self.end()
        return True

    def end(self) -> None:
        end_with_all_it_started(self._process.pid)
        self._process.kill()
        self._process.join()

    def marks(self) -> tuple[list[Mark], set[str]]:
        """What the process wrote, and what it began without coming to an end."""
        whole = Mark(self.submission.student, self.submission.file, note=self.submission.note)
        marks, missing, begun, ended = [], set(), {}, False
        for line in _read_lines(self._lines):
            missing |= {str(each) for each in line.get("missing", [])}
            ended = ended or bool(line.get("end"))
            if "begun" in line:
                begun = {"exercise": str(line["begun"]), "lesson": str(line.get("lesson", ""))}
            elif "mark" in line:
                names = {field.name for field in dataclasses.fields(Mark)}
                known = {name: value for name, value in line.items() if name in names and value}
                marks.append(replace(whole, **known))
                begun = {}
        if not ended:
            marks.append(replace(whole, **begun, mark=KILLED, said=self._how_it_ended()))
        return marks, missing

    def _how_it_ended(self) -> str:
        if self._too_slow:
            return f"It had no end after {self.limits.seconds:g} seconds, and was killed."
        code = self._process.exitcode
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"Its process ended by itself ({how}): out of memory, a crash, or an exit."


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):  # the last line of a process that was killed
            continue
        if isinstance(found, dict):
            yield found


def _context() -> Any:
    """How processes start: on Linux as copies of one that has loaded PyTorch and all exercises."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lessons_lib.exercises.grading.loaded"])
    return context


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
