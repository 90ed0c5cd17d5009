"""Exercises of lesson 12: from messages to the prompt that a model was trained on.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.chat.chat_prompt import CHAT_PROMPT
from lessons_lib.exercises.chat.fit_turns import FIT_TURNS
from lessons_lib.exercises.chat.refusal_rate import REFUSAL_RATE

__all__ = ["REFUSAL_RATE", "CHAT_PROMPT", "FIT_TURNS"]
