"""Exercises of lesson 07: which entries share a batch, and what shares a row.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.loaders.block_mask import BLOCK_MASK
from lessons_lib.exercises.loaders.bucket_sampler import BUCKET_SAMPLER
from lessons_lib.exercises.loaders.packed_targets import PACKED_TARGETS

__all__ = ["BUCKET_SAMPLER", "PACKED_TARGETS", "BLOCK_MASK"]
