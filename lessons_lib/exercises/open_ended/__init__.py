"""Exercises without one right answer: texts graded by a rubric, answers and tasks judged by hand.

The rubric has levels, and two sample answers show what they mean.
"""

from lessons_lib.exercises.open_ended.rubric import Criterion, OpenExercise, Sample
from lessons_lib.exercises.open_ended.task_editor import TaskEditor, edit_tasks
from lessons_lib.exercises.open_ended.writing import OPEN_EXERCISES, grade, write_up

__all__ = [
    "OPEN_EXERCISES",
    "write_up",
    "grade",
    "edit_tasks",
    "TaskEditor",
    "OpenExercise",
    "Criterion",
    "Sample",
]
