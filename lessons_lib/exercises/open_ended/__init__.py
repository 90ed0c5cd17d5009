"""Exercises without one right answer: a text or a trial of one's own, graded by a rubric.

The rubric has levels, and two sample answers show what they mean.
"""

from lessons_lib.exercises.open_ended.rubric import Criterion, OpenExercise, Sample
from lessons_lib.exercises.open_ended.writing import OPEN_EXERCISES, grade, write_up

__all__ = ["OPEN_EXERCISES", "write_up", "grade", "OpenExercise", "Criterion", "Sample"]
