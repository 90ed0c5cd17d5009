"""What is handed on with a model: a card of it and one of its entries, filled from the run's files.

What nobody knows is said to be unknown, and a licence is named only where it is known.
"""

from lessons_lib.bridges.cards.pages import how_to_publish, write_cards
from lessons_lib.bridges.cards.run_record import RunError

__all__ = [
    "write_cards",
    "how_to_publish",
    "RunError",
]
