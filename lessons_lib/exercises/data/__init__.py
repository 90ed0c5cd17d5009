"""Exercises of lesson 01: entries, their parts, and what leaks between them.

Each file holds one exercise, in the order of the lesson.
"""

from lessons_lib.exercises.data.plant_leak import PLANT_LEAK
from lessons_lib.exercises.data.repair_leak import REPAIR_LEAK
from lessons_lib.exercises.data.split_fractions import SPLIT_FRACTIONS

__all__ = ["SPLIT_FRACTIONS", "PLANT_LEAK", "REPAIR_LEAK"]
