"""All exercises by name, and what a lesson calls: ``check``, ``hint``, ``reveal``, ``progress``.

A stage's exercises stand in a folder of this room and are found there by name, so that nothing here
names one of them: add a file, list its exercise in the stage's ``__init__``, and it is there.
"""

import difflib
import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lessons_lib.exercises.declaration import DIFFICULTIES
from lessons_lib.exercises.exercise import Exercise
from lessons_lib.exercises.records import PROGRESS, change_record, read_record
from lessons_lib.exercises.results import Result, Verdict
from lessons_lib.support import Table

STAGES = (  # in the order of the course
    *("whole_way", "data", "prompts", "tokens"),
    *("batching", "padding", "losses", "loaders"),
    *("models", "training", "evaluation", "experiments", "chat"),
    *("self_instruct", "bridges", "museum"),
)
HINTS = 3


@dataclass(frozen=True)
class Note:
    """A text in Markdown; a notebook shows it as a page."""

    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return self.text


Kind = TypeVar("Kind")


class Exercises(Mapping[str, Kind]):
    """All exercises of a kind by name, in the order of the lessons; loaded when first asked for."""

    def __init__(self, kind: type[Kind]):
        self._kind = kind

    @functools.cached_property
    def _by_name(self) -> dict[str, Kind]:
        return {each.name: each for each in declared() if isinstance(each, self._kind)}

    def __getitem__(self, name: str) -> Kind:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


EXERCISES = Exercises(Exercise)


@functools.cache
def declared() -> tuple[Any, ...]:
    """All that the stages declare, checked exercises and open ones, in the order of the lessons."""
    rooms = [importlib.import_module(f"lessons_lib.exercises.{stage}") for stage in STAGES]
    found = [getattr(room, name) for room in rooms for name in room.__all__]
    return tuple(sorted(found, key=lambda each: each.lesson))


def find(name: str) -> Exercise:
    """The exercise of this name.

    Raises:
        ValueError: there is none; the message names the nearest, or all.
    """
    if name in EXERCISES:
        return EXERCISES[name]
    near = difflib.get_close_matches(str(name), EXERCISES, n=1)
    there = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(EXERCISES)}"
    raise ValueError(f"no exercise {name!r}; {there}")


def check(name: str, function: Callable) -> Result:
    """Run a learner's function on the exercise's inputs, and say what can be seen from its results.

    The result is kept in the learner's folder, unless nothing was attempted yet.

    Raises:
        ValueError: there is no such exercise. What the function does raises nothing.
    """
    exercise = find(name)
    result = exercise.check(function)
    if result.verdict == Verdict.NOT_ATTEMPTED:
        return result

    def note(record: dict[str, dict[str, Any]]) -> None:
        known = record.setdefault(name, {})
        known["attempts"] = _count(known, "attempts") + 1
        known["last"] = str(result.verdict)
        known["passed"] = known.get("passed") is True or result.passed

    said = change_record(PROGRESS, note)
    return replace(result, sentences=(*result.sentences, said)) if said else result


def hint(name: str, number: int = 1) -> Note:
    """One of three hints, from where to look (1) to nearly all of it (3).

    Raises:
        ValueError: there is no such exercise or no such hint.
    """
    exercise = find(name)
    if number not in range(1, HINTS + 1):
        raise ValueError(f"hints are numbered from 1 to {HINTS}; there is no number {number!r}")

    def note(record: dict[str, dict[str, Any]]) -> None:
        known = record.setdefault(name, {})
        known["hints"] = max(_count(known, "hints"), number)

    return _with_sentence(
        f"**Hint {number} of {HINTS}.** {exercise.hints[number - 1]}", change_record(PROGRESS, note)
    )


def reveal(name: str, sure: bool = False) -> Note:
    """The solution and the course's own function, once somebody is sure to want them.

    Raises:
        ValueError: there is no such exercise.
    """
    exercise = find(name)
    if not sure:
        return Note(
            f"This shows the solution of *{exercise.title}*. There are three hints, "
            f'`hint("{name}", 1)` to `3`; `reveal("{name}", sure=True)` shows it all the same.'
        )

    def note(record: dict[str, dict[str, Any]]) -> None:
        record.setdefault(name, {})["revealed"] = True

    said = change_record(PROGRESS, note)
    own = f"\n\nThe course's own is {exercise.library_name}." if exercise.library_name else ""
    return _with_sentence(f"```python\n{exercise.solution}```{own}", said)


def progress() -> Table:
    """All exercises in the order of the lessons, and how far this learner has come with each."""
    record = read_record(PROGRESS)
    rows = []
    for each in declared():
        rows.append((each.lesson, each.name, each.title, _state(record.get(each.name, {}))))
    done = sum(_done(record.get(each.name, {})) for each in declared())
    rows.append(("", "", "all", f"{done} of {len(declared())} done"))
    return Table(("lesson", "name", "exercise", "state"), tuple(rows))


def statement_cell(exercise: Exercise) -> str:
    """What stands above the stub in a notebook, as Markdown, with the hints folded."""
    hints = "".join(
        f"\n\n<details><summary>Hint {number}</summary>\n\n{text}\n\n</details>"
        for number, text in enumerate(exercise.hints, start=1)
    )
    return (
        f"### Exercise: {exercise.title}\n\n"
        f"*{exercise.minutes} minutes · difficulty {exercise.difficulty} of 3, "
        f"{DIFFICULTIES[exercise.difficulty]} · `{exercise.name}`*\n\n"
        f"{unwrapped(exercise.statement)}{hints}"
    )


def unwrapped(text: str) -> str:
    """Markdown whose paragraphs are one line each; tables keep their lines."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(
        each if each.startswith("|") else " ".join(each.split()) for each in paragraphs
    )


def stub_cell(exercise: Exercise) -> str:
    """The cell in which the learner writes: imports, the stub, and the line that checks it."""
    imports = f"{exercise.imports}from lessons_lib.exercises import check"
    return f"{imports}\n\n\n{exercise.stub}\n\n{exercise.call}"


def _state(known: dict[str, Any]) -> str:
    attempts, hints = _count(known, "attempts"), _count(known, "hints")
    state = "○ not attempted yet"
    if known.get("passed") is True:
        state = "✓ passed"
    elif known.get("written") is True:
        state = "✓ written and graded" if known.get("graded") is True else "written, not graded yet"
    elif attempts:
        state = f"✗ {known.get('last', Verdict.WRONG)}"
    more = [f"{attempts} attempts"] if attempts > 1 else []
    more += [f"{hints} hints" if hints > 1 else "one hint"] if hints else []
    more += ["solution seen"] if known.get("revealed") else []
    return f"{state} ({', '.join(more)})" if more else state


def _done(known: dict[str, Any]) -> bool:
    """Whether it was passed, or, where there is no check, written and graded by its author."""
    return known.get("passed") is True or (known.get("written"), known.get("graded")) == (
        True,
        True,
    )


def _count(known: dict[str, Any], name: str) -> int:
    """A count in a record, which somebody may have changed by hand."""
    value = known.get(name, 0)
    return value if isinstance(value, int) else 0


def _with_sentence(text: str, said: str) -> Note:
    return Note(f"{text}\n\n{said}" if said else text)
