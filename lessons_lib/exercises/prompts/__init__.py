"""Exercises of lesson 02: an entry as one text.

Each file holds one exercise; the list below is where the course finds it.
"""

from lessons_lib.exercises.prompts.format_input import FORMAT_INPUT

__all__ = ["FORMAT_INPUT"]
