"""Exercises of lesson 10: scores, intervals, and comparisons entry by entry.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.evaluation.exact_match import EXACT_MATCH
from lessons_lib.exercises.evaluation.fooling_answer import FOOLING_ANSWER
from lessons_lib.exercises.evaluation.forgiving_match import FORGIVING_MATCH
from lessons_lib.exercises.evaluation.kappa import KAPPA
from lessons_lib.exercises.evaluation.mcnemar import MCNEMAR
from lessons_lib.exercises.evaluation.paired_bootstrap import PAIRED_BOOTSTRAP
from lessons_lib.exercises.evaluation.rouge import ROUGE
from lessons_lib.exercises.evaluation.wilson import WILSON

__all__ = [
    "EXACT_MATCH",
    "WILSON",
    "FORGIVING_MATCH",
    "FOOLING_ANSWER",
    "ROUGE",
    "PAIRED_BOOTSTRAP",
    "MCNEMAR",
    "KAPPA",
]
