"""Exercises of lesson 09: the training loop, and the rate it needs.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

__all__ = []
