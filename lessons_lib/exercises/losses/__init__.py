"""Exercises of lessons 06 and 07: what a loss is, and what it is the mean of.

Each file holds one exercise, in the order in which the lessons reach it.
"""

from lessons_lib.exercises.losses.accumulate import ACCUMULATE
from lessons_lib.exercises.losses.all_masked import ALL_MASKED
from lessons_lib.exercises.losses.cross_entropy import CROSS_ENTROPY
from lessons_lib.exercises.losses.weighted_mean import WEIGHTED_MEAN

__all__ = ["CROSS_ENTROPY", "WEIGHTED_MEAN", "ALL_MASKED", "ACCUMULATE"]
