"""Exercises of lesson 09: the training loop, and the rate it needs.

Each file holds one exercise, in the order in which the lesson reaches it.
"""

from lessons_lib.exercises.training.clipping import CLIP_GRADIENTS
from lessons_lib.exercises.training.rate_search import RATE_SEARCH
from lessons_lib.exercises.training.schedule import WARMUP_SCHEDULE
from lessons_lib.exercises.training.train_loop import TRAIN_LOOP

__all__ = ["TRAIN_LOOP", "CLIP_GRADIENTS", "WARMUP_SCHEDULE", "RATE_SEARCH"]
