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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lessons_lib.exercises.grading.collecting import Submission, submissions
from lessons_lib.exercises.grading.limits import Limits, end_with_all_it_started
from lessons_lib.exercises.grading.notebook import KILLED, UNREADABLE, grade_notebook

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
