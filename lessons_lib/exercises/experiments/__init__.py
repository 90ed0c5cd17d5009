"""Exercises of lesson 11: a comparison that is fair to both sides.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.experiments.bonferroni import BONFERRONI
from lessons_lib.exercises.experiments.edge_of_the_grid import EDGE_OF_THE_GRID
from lessons_lib.exercises.experiments.fair_settings import FAIR_SETTINGS
from lessons_lib.exercises.experiments.open_conclusion import CONCLUSION
from lessons_lib.exercises.experiments.open_plan import PLAN_AN_EXPERIMENT

__all__ = ["FAIR_SETTINGS", "CONCLUSION", "BONFERRONI", "EDGE_OF_THE_GRID", "PLAN_AN_EXPERIMENT"]
