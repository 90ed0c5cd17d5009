"""What comes out of an exercise's wrong answers, from its catalogue: a table for the teacher.

The catalogue is code, so each line shows what that code gives, on the input that tells most wrong
answers apart or else on the smallest that shows this one, beside what the check says to it.
"""

import functools
import os
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.exercises.comparing import Difference, first_difference, plain
from lessons_lib.exercises.declaration import DIFFICULTIES
from lessons_lib.exercises.open_ended import OpenExercise
from lessons_lib.exercises.registry import unwrapped
from lessons_lib.exercises.running import parameters
from lessons_lib.pictures import spell_text

LONGEST_CALL, LONGEST_VALUE = 140, 90  # characters that still fit into a line, into a cell


@dataclass(frozen=True)
class Failure:
    """A wrong answer on one of the exercise's inputs: what is wanted there, and what it gives."""

    case: int
    wanted: Any
    value: Any
    difference: Difference

    @property
    def is_short(self) -> bool:
        """Whether the value fits into a table's cell, and is seen to be another than is wanted."""
        return len(brief(self.value)) <= LONGEST_VALUE and brief(self.value) != brief(self.wanted)


@functools.cache
def exercise_part(exercise: Exercise | OpenExercise) -> str:
    """One exercise: minutes, a call with its right result, and a table of the wrong ones."""
    if isinstance(exercise, OpenExercise):
        return _open_part(exercise)
    found = [failures(exercise, wrong) for wrong in exercise.wrong_answers]
    by_size = sorted(range(len(exercise.cases())), key=lambda case: _size(exercise, case))
    usual = max(by_size, key=lambda case: _told_apart(found, case))
    shown = [each[next(case for case in (usual, *by_size) if case in each)] for each in found]
    rows = [
        f"| {_cell(_what_comes_out(exercise, each, usual))} | {_cell(unwrapped(wrong.when))} "
        f"| {_cell(unwrapped(wrong.why))} |"
        for wrong, each in zip(exercise.wrong_answers, shown, strict=True)
    ]
    said = DIFFICULTIES[exercise.difficulty]
    head = f"*{exercise.minutes} minutes · difficulty {exercise.difficulty} of 3, {said}.*"
    return "\n".join(
        [
            f"### `{exercise.name}`: {exercise.title}",
            "",
            f"{head} {_right(exercise, usual)}".strip(),
            "",
            "| what comes out | when | what to say |",
            "|---|---|---|",
            *rows,
        ]
    )


def failures(exercise: Exercise, wrong: WrongAnswer) -> dict[int, Failure]:
    """The wrong answer on each of the exercise's inputs that show it, by the input's place."""
    found = {}
    for case, (right_arguments, arguments) in enumerate(
        zip(exercise.cases(), exercise.cases(), strict=True)
    ):
        wanted = exercise.outcome(exercise.answer, right_arguments).value
        value = exercise.outcome(wrong.function, arguments).value
        difference = first_difference(wanted, value, exercise.parts)
        if difference:
            found[case] = Failure(case, wanted, value, difference)
    return found


def _told_apart(found: list[dict[int, Failure]], case: int) -> int:
    """How many different short results the wrong answers have on an input."""
    return len({brief(each[case].value) for each in found if case in each and each[case].is_short})


def _size(exercise: Exercise, case: int) -> int:
    return len(repr(plain(exercise.cases()[case])))


def _right(exercise: Exercise, case: int) -> str:
    """One call and what is right there, in a sentence; nothing where it would be too long."""
    call = call_of(exercise, case)
    value = brief(exercise.outcome(exercise.answer, exercise.cases()[case]).value)
    if len(call) > LONGEST_CALL or len(value) > LONGEST_CALL:
        return ""
    parts = f", that is: {', '.join(exercise.parts)}" if exercise.parts else ""
    return f"Right: {code(call)} gives {code(value)}{parts}."


def _what_comes_out(exercise: Exercise, found: Failure, usual: int) -> str:
    """What this wrong answer gives, and on what unless it is the usual input."""
    call = call_of(exercise, found.case)
    if isinstance(found.wanted, str) and isinstance(found.value, str) and not found.is_short:
        return _around(found.value, found.wanted)
    if not found.is_short or (len(call) > LONGEST_CALL and found.difference.part is not None):
        return _part_of(exercise, found)
    value, wanted = code(brief(found.value)), brief(found.wanted)
    if found.case == usual and _right(exercise, usual):
        return value
    before = f"{code(call)} gives " if len(call) <= LONGEST_CALL else ""
    instead = f", not {code(wanted)}" if len(wanted) <= LONGEST_VALUE else ""
    return f"{before}{value}{instead}"


def _part_of(exercise: Exercise, found: Failure) -> str:
    """The part of the result that differs, or a sentence where that is too long as well."""
    part = found.difference.part
    if part is not None and found.difference.row is None:
        value, wanted = brief(found.value[part]), brief(found.wanted[part])
        if max(len(value), len(wanted)) <= LONGEST_VALUE / 2 and value != wanted:
            return f"{exercise.parts[part]}: {code(value)}, not {code(wanted)}"
    return found.difference.sentence


def _around(text: str, wanted: str) -> str:
    """Where two texts part: a little of each."""
    same = len(os.path.commonprefix([text, wanted]))
    value, right = (repr(f"…{each[max(0, same - 20) : same + 25]}") for each in (text, wanted))
    return f"{code(value)}, not {code(right)}"


def _open_part(exercise: OpenExercise) -> str:
    criteria = ", ".join(f"*{criterion.name}*" for criterion in exercise.criteria)
    return (
        f"### `{exercise.name}`: {exercise.title}\n\n*{exercise.minutes} minutes · a text, graded "
        f"by a rubric.* What is looked at: {criteria}. The levels, and two samples with their "
        "grades, are in the answer sheet."
    )


def call_of(exercise: Exercise, case: int) -> str:
    """How the exercise's function is called on one of its inputs: ``my_pad([[1, 2], [3]])``.

    A parameter is named where there are several.
    """
    arguments = exercise.cases()[case]
    names = parameters(exercise.attempt)
    named = [
        brief(each) if len(arguments) == 1 else f"{name}={brief(each)}"
        for name, each in zip(names, arguments, strict=False)
    ]
    return f"{exercise.function_name}({', '.join(named)})"


def brief(value: Any) -> str:
    """A value in little room: tensors as lists, numbers with four digits, nothing invisible."""
    if type(value) is tuple:
        return "(" + ", ".join(map(brief, value)) + ")"
    if isinstance(value, FunctionType):
        return value.__name__  # its repr has an address, another one in each run
    return spell_text(repr(_rounded(plain(value) if _is_plain(value) else value)))


def _is_plain(value: Any) -> bool:
    return isinstance(value, Tensor | list | tuple | dict)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return value


def code(text: str) -> str:
    """The text as code in Markdown, whatever it holds."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    """The text for a table's cell, where a bar would end the cell."""
    return text.replace("|", r"\|")
