"""Exercises of lesson 12: from messages to the prompt that a model was trained on.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

__all__ = []
