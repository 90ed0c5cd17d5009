"""Tasks whose following a program can check: "Answer in three words." Lesson 13.

Here are ten such demands with their checkers, and what they serve for: scores and filters.
"""

from lessons_lib.verifiable.checkers import CHECKERS, Checker, in_three_words
from lessons_lib.verifiable.following import (
    Sifted,
    deal,
    follow_rate,
    follow_table,
    follows,
    sift_by_checkers,
)
from lessons_lib.verifiable.probing import try_rules, with_rules

__all__ = [
    "Checker",
    "CHECKERS",
    "in_three_words",
    "deal",
    "follows",
    "follow_rate",
    "follow_table",
    "Sifted",
    "sift_by_checkers",
    "try_rules",
    "with_rules",
]
