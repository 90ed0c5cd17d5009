"""Exercises of lesson 08: a model continues a text, and what it knows is asked for.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.models.cache_position import CACHE_POSITION
from lessons_lib.exercises.models.greedy_loop import GREEDY_LOOP
from lessons_lib.exercises.models.temperature import TEMPERATURE
from lessons_lib.exercises.models.ten_wordings import TEN_WORDINGS
from lessons_lib.exercises.models.top_k import TOP_K

__all__ = ["GREEDY_LOOP", "CACHE_POSITION", "TEMPERATURE", "TOP_K", "TEN_WORDINGS"]
