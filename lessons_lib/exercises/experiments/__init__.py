"""Exercises of lesson 11: a comparison that is fair to both sides.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

__all__ = []
