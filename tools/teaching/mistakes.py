"""What comes out of an exercise's wrong answers, from its catalogue: a table for the teacher.

The catalogue is code, so each line shows what that code gives on the smallest input on which it
goes wrong, beside the sentences that the check says to it.
"""

import functools
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.exercises.comparing import first_difference, plain
from lessons_lib.exercises.declaration import DIFFICULTIES
from lessons_lib.exercises.open_ended import OpenExercise
from lessons_lib.exercises.registry import unwrapped
from lessons_lib.exercises.running import Outcome, parameters
from lessons_lib.pictures import spell_text

LONGEST_CALL, LONGEST_VALUE = 140, 90  # characters that still fit into a line, into a cell


@dataclass(frozen=True)
class Failure:
    """A wrong answer on one of the exercise's inputs: which input, and what it gives there."""

    case: int
    outcome: Outcome
    said: str  # what differs, in a sentence


@functools.cache
def exercise_part(exercise: Exercise | OpenExercise) -> str:
    """One exercise: minutes, a call with its right result, and a table of the wrong ones."""
    if isinstance(exercise, OpenExercise):
        return _open_part(exercise)
    found = [failures(exercise, wrong) for wrong in exercise.wrong_answers]
    by_size = sorted(range(len(exercise.cases())), key=lambda case: _size(exercise, case))
    usual = max(by_size, key=lambda case: sum(case in each for each in found))
    shown = [each[next(case for case in (usual, *by_size) if case in each)] for each in found]
    rows = [
        f"| {_what_comes_out(exercise, each, usual)} | {_cell(unwrapped(wrong.when))} "
        f"| {_cell(unwrapped(wrong.why))} |"
        for wrong, each in zip(exercise.wrong_answers, shown, strict=True)
    ]
    said = DIFFICULTIES[exercise.difficulty]
    head = f"*{exercise.minutes} minutes · difficulty {exercise.difficulty} of 3, {said}.*"
    right = _right(exercise, usual)
    return "\n".join(
        [
            f"### `{exercise.name}`: {exercise.title}",
            "",
            f"{head} {right}".strip(),
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
        outcome = exercise.outcome(wrong.function, arguments)
        difference = first_difference(wanted, outcome.value, exercise.parts)
        if difference:
            found[case] = Failure(case, outcome, difference.sentence)
    return found


def _size(exercise: Exercise, case: int) -> int:
    return len(repr(plain(exercise.cases()[case])))


def _right(exercise: Exercise, case: int) -> str:
    """One call and what is right there, in a sentence; nothing where it would be too long."""
    arguments = exercise.cases()[case]
    call = call_of(exercise, case)
    value = brief(exercise.outcome(exercise.answer, arguments).value)
    if len(call) > LONGEST_CALL or len(value) > LONGEST_CALL:
        return ""
    parts = f", that is: {', '.join(exercise.parts)}" if exercise.parts else ""
    return f"Right: {code(call)} gives {code(value)}{parts}."


def _what_comes_out(exercise: Exercise, found: Failure, usual: int) -> str:
    """What this wrong answer gives, and on what unless it is the usual input."""
    value, call = brief(found.outcome.value), call_of(exercise, found.case)
    right = brief(exercise.outcome(exercise.answer, exercise.cases()[found.case]).value)
    if len(value) > LONGEST_VALUE or len(call) > LONGEST_CALL or value == right:
        return _cell(found.said)
    if found.case == usual and _right(exercise, usual):
        return _cell(code(value))
    return _cell(f"{code(call)} gives {code(value)}, not {code(right)}")


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
