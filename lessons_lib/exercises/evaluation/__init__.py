"""Exercises of lesson 10: scores, intervals, and comparisons entry by entry.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

__all__ = []
