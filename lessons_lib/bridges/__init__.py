"""Ways out into the ecosystem: anybody's batch inspected and linted here. Lesson 14.

What heavy packages need is imported where it is used, so the room opens without them.
"""

from lessons_lib.bridges.cards import RunError, how_to_publish, write_cards
from lessons_lib.labels import lint_labels
from lessons_lib.widgets import inspect_labels

__all__ = [
    "inspect_labels",
    "lint_labels",
    "write_cards",
    "how_to_publish",
    "RunError",
]
