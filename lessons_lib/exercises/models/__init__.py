"""Exercises of lesson 08: a model continues a text, and what it knows is asked for.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

__all__ = []
