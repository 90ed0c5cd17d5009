"""Texts of a learner are kept, and graded by a rubric."""
