"""Exercises without one right answer: a text or a trial of one's own, graded by a rubric.

The rubric has levels, and two sample answers show what they mean.
"""

__all__ = []
