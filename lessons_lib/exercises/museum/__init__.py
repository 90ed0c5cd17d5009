"""The museum of masking bugs: nine faults that really happened, each one switch on our own code.

``visit`` shows an exhibit, and two exercises write the tests that would have seen it.
"""

from lessons_lib.exercises.museum.guard_batch import GUARD_BATCH
from lessons_lib.exercises.museum.guard_loss import GUARD_LOSS

__all__ = ["GUARD_BATCH", "GUARD_LOSS"]
