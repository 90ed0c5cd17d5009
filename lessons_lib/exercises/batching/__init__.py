"""Exercises of lessons 04 to 06: padding, targets and masks.

Each file holds one exercise, in the order in which the lessons reach it.
"""

from lessons_lib.exercises.batching.collate import COLLATE
from lessons_lib.exercises.batching.keep_header import KEEP_HEADER
from lessons_lib.exercises.batching.left_padding import LEFT_PADDING
from lessons_lib.exercises.batching.mask_by_value import MASK_BY_VALUE
from lessons_lib.exercises.batching.mask_padding import MASK_PADDING
from lessons_lib.exercises.batching.mask_prompt import MASK_PROMPT
from lessons_lib.exercises.batching.name_the_bug import NAME_THE_BUG
from lessons_lib.exercises.batching.pad import PAD
from lessons_lib.exercises.batching.shift_targets import SHIFT_TARGETS

__all__ = [
    "PAD",
    "SHIFT_TARGETS",
    "LEFT_PADDING",
    "NAME_THE_BUG",
    "MASK_PADDING",
    "MASK_BY_VALUE",
    "MASK_PROMPT",
    "KEEP_HEADER",
    "COLLATE",
]
