"""Exercises of lesson 13: what becomes of a teacher's replies, and demands that can be checked.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.self_instruct.dedupe_in_order import DEDUPE_IN_ORDER
from lessons_lib.exercises.self_instruct.good_data_thrown_away import GOOD_DATA_THROWN_AWAY
from lessons_lib.exercises.self_instruct.nearest import NEAREST
from lessons_lib.exercises.self_instruct.parse_cut_off import PARSE_CUT_OFF
from lessons_lib.exercises.self_instruct.write_a_checker import WRITE_A_CHECKER

__all__ = [
    "PARSE_CUT_OFF",
    "GOOD_DATA_THROWN_AWAY",
    "NEAREST",
    "DEDUPE_IN_ORDER",
    "WRITE_A_CHECKER",
]
