"""Exercises of lesson 04 about the width of a batch: what padding wastes, and padding once.

Each file holds one exercise, in the order of the lesson.
"""

from lessons_lib.exercises.padding.padding_waste import PADDING_WASTE
from lessons_lib.exercises.padding.static_padding import STATIC_PADDING

__all__ = ["PADDING_WASTE", "STATIC_PADDING"]
