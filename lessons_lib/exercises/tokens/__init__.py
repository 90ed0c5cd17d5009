"""Exercises of lesson 03: a text as numbers.

Each file holds one exercise, in the order of the lesson.
"""

from lessons_lib.exercises.tokens.merge_pairs import MERGE_PAIRS
from lessons_lib.exercises.tokens.prompt_length import PROMPT_LENGTH

__all__ = ["MERGE_PAIRS", "PROMPT_LENGTH"]
