"""Exercises of lesson 02: an entry as one text.

Each file holds one exercise; the list below is where the course finds it.
"""

from lessons_lib.exercises.prompts.extract_response import EXTRACT_RESPONSE
from lessons_lib.exercises.prompts.format_input import FORMAT_INPUT
from lessons_lib.exercises.prompts.repair_format import REPAIR_FORMAT

__all__ = ["FORMAT_INPUT", "REPAIR_FORMAT", "EXTRACT_RESPONSE"]
