"""Inputs that no notebook shows, drawn from the teacher's seed, for the exercises that can draw.

Solutions and their inputs are public, for those who study alone. A function that only knows those
inputs fails here.
"""

import dataclasses
import random
from collections.abc import Callable

from lessons_lib.exercises.exercise import Exercise
from lessons_lib.exercises.registry import find

FRESH = 20  # inputs for each exercise


def fresh_cases(exercise: Exercise, seed: int, count: int = FRESH) -> list[tuple]:
    """So many tuples of arguments, the same for the same seed; none where none can be drawn."""
    if exercise.draw is None:
        return []
    source = random.Random(f"{seed} {exercise.name}")
    return [exercise.draw(source) for _ in range(count)]


def with_fresh_cases(exercise: Exercise, seed: int, count: int = FRESH) -> Exercise:
    """The exercise with drawn inputs in the place of its own; see ``Declaration.draw``.

    Raises:
        ValueError: no inputs can be drawn for this exercise.
    """
    if exercise.draw is None:
        raise ValueError(f"no fresh inputs can be drawn for {exercise.name!r}")
    return dataclasses.replace(
        exercise, cases=lambda: fresh_cases(exercise, seed, count), full_run=None
    )


def assert_right(name: str, function: Callable, seed: int) -> None:
    """Do nothing if the function is right, on the lesson's inputs and on fresh ones.

    For the test cells of other graders, which take an exception for a fault.

    Raises:
        AssertionError: it is not; the message is what the check says.
        ValueError: there is no such exercise.
    """
    exercise = find(name)
    result = exercise.check(function)
    if result.passed and exercise.draw:
        result = with_fresh_cases(exercise, seed).check(function)
    if not result.passed:
        raise AssertionError(str(result))
