"""Grades a class: a folder of notebooks, each in a process with limits, on inputs drawn afresh.

It says which named mistake each student made, and what the class as a whole got wrong.
"""

from lessons_lib.exercises.grading.fresh import assert_right, with_fresh_cases
from lessons_lib.exercises.grading.grading import Limits, grade_folder
from lessons_lib.exercises.grading.report import write_report

__all__ = ["Limits", "grade_folder", "write_report", "with_fresh_cases", "assert_right"]
