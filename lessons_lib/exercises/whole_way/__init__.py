"""Exercises of lesson 00: entries of one's own, in the right shape.

Each file holds one exercise; the list below is where the course finds it.
"""

from lessons_lib.exercises.whole_way.notes_to_entries import NOTES_TO_ENTRIES

__all__ = ["NOTES_TO_ENTRIES"]
