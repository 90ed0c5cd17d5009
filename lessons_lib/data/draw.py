"""Random draws by which a seed gives the same text in every version of Python."""

import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Seeded choices, all made with ``Random.random()``, which Python promises not to change."""

    def __init__(self, seed: int | str):
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self._random() * len(items))]

    def pick_by_weight(self, weights: dict[T, float]) -> T:
        place = self._random() * sum(weights.values())
        for item, weight in weights.items():
            place -= weight
            if place < 0:
                return item
        return next(reversed(weights))

    def shuffled(self, items: Sequence[T]) -> list[T]:
        keys = [self._random() for _ in items]
        return [items[i] for i in sorted(range(len(items)), key=keys.__getitem__)]

    def several(self, items: Sequence[T], count: int) -> list[T]:
        """``count`` items from different positions, in random order."""
        rest = list(items)
        return [rest.pop(int(self._random() * len(rest))) for _ in range(count)]

    def endless(self, items: Sequence[T]) -> Iterator[T]:
        """All items in random order, then all in another, and so on: each appears equally often."""
        while True:
            yield from self.shuffled(items)
