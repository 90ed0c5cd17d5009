"""Exercises of lesson 14: the course's batches in other people's code.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.bridges.alpaca_preprocess import ALPACA_PREPROCESS
from lessons_lib.exercises.bridges.labels_that_shift import LABELS_THAT_SHIFT

__all__ = [
    "LABELS_THAT_SHIFT",
    "ALPACA_PREPROCESS",
]
