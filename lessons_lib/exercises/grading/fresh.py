"""Inputs that no notebook shows, drawn from the teacher's seed, for the exercises that can draw.

Solutions and their inputs are public, for those who study alone. A function that only knows those
inputs fails here.
"""

import dataclasses
import random

from lessons_lib.exercises.exercise import Exercise

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
