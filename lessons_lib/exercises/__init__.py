"""Exercises that see what was written: statement, stub, hints, and a check that knows the mistake.

The engine's files stand here, each stage's exercises in a folder of its own; ``registry`` finds
them by name.
"""

from lessons_lib.exercises.declaration import FullRun, Shown, WrongAnswer
from lessons_lib.exercises.exercise import Exercise
from lessons_lib.exercises.kept import keep, my_or_library
from lessons_lib.exercises.predictions import predict, recall
from lessons_lib.exercises.registry import EXERCISES, check, hint, progress, reveal
from lessons_lib.exercises.results import Result, Verdict

__all__ = [
    "EXERCISES",
    "check",
    "hint",
    "reveal",
    "progress",
    "predict",
    "recall",
    "keep",
    "my_or_library",
    "Exercise",
    "WrongAnswer",
    "Shown",
    "FullRun",
    "Result",
    "Verdict",
]
