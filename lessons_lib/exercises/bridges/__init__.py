"""Exercises of lesson 14: what changes where the course's own code ends and other libraries begin.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.bridges.lora_by_hand import LORA_BY_HAND
from lessons_lib.exercises.bridges.name_the_fault import NAME_THE_FAULT

__all__ = ["NAME_THE_FAULT", "LORA_BY_HAND"]
