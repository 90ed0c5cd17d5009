"""Whether this is a shrunk run, made only to see that everything works.

``LESSONS_LIB_QUICK=1``, which only tests set, shrinks training, validation, answers and SmolLM2, so
that a lesson runs from top to bottom in seconds; it changes nothing else. What a shrunk run shows
is not a result.
"""

import os

QUICK_ENTRIES = 6  # the number of entries measured in a shrunk run
QUICK_TOKENS = 10  # the longest answer in a shrunk run
QUICK_LAYERS = 3  # the blocks that SmolLM2 has in a shrunk run, of its 30


def is_quick() -> bool:
    """Whether this is a shrunk run, whose results mean nothing."""
    return os.environ.get("LESSONS_LIB_QUICK") == "1"
