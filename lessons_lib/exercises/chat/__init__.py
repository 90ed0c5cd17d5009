"""Exercises of lesson 12: from messages to the prompt that a model was trained on.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.chat.chat_prompt import CHAT_PROMPT
from lessons_lib.exercises.chat.fit_turns import FIT_TURNS
from lessons_lib.exercises.chat.open_own_company import OWN_COMPANY
from lessons_lib.exercises.chat.open_own_refusals import OWN_REFUSALS
from lessons_lib.exercises.chat.refusal_rate import REFUSAL_RATE

__all__ = ["REFUSAL_RATE", "OWN_REFUSALS", "OWN_COMPANY", "CHAT_PROMPT", "FIT_TURNS"]
