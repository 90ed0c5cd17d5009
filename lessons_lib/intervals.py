"""How sure a share or a mean is that was found on a few entries: two intervals. Lesson 10.

110 test entries are few: of two models with 40 and 45 right answers, nobody can say from these
counts alone which one is better.
"""

import math
import random
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

FEWEST = 5  # a bootstrap of fewer values would pretend to be sure


class Share(NamedTuple):
    """``count`` of ``total``; a total of 0 is a share that nobody could measure."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share itself, 0 … 1, or None where there was nothing to count."""
        return self.count / self.total if self.total else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's interval of this share."""
        return wilson_interval(self.count, self.total, confidence)

    def __str__(self) -> str:
        if self.value is None:
            return "–"
        low, high = self.interval()
        return f"{self.count}/{self.total} = {self.value:.1%} ({low:.0%} to {high:.0%})"


def wilson_interval(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The (lower, upper) bounds of a share of which ``count`` of ``total`` were seen.

    These are the shares that a score test would not reject. Unlike the share plus and minus two
    standard errors, they stay inside 0 … 1, and 0 of 5 does not pretend to be certain.
    With a total of 0 nothing is known: (0, 1).

    Raises:
        ValueError: ``count`` is not between 0 and ``total``, or ``confidence`` not between 0 and 1.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if not 0 <= count <= total:
        raise ValueError(f"count must be between 0 and the total {total}, not {count}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}")
    if total == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)  # 1.96 for 95 %
    share, scale = count / total, 1 + z**2 / total
    middle = (share + z**2 / (2 * total)) / scale
    margin = z / scale * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    # At the ends the bound is exactly 0 or 1; floating point would miss it by a hair.
    low = 0.0 if count == 0 else max(0.0, middle - margin)
    high = 1.0 if count == total else min(1.0, middle + margin)
    return low, high


def bootstrap_interval(
    values: Sequence[float], confidence: float = 0.95, draws: int = 2000, seed: int = 123
) -> tuple[float, float]:
    """The (lower, upper) bounds of the mean of some values, one an entry.

    As many entries are drawn with replacement as there are, again and again; the middle
    ``confidence`` of the drawn means lies between the bounds. For the difference of two models
    give the differences, entry by entry: hard entries are hard for both.

    Raises:
        ValueError: there are no values, ``confidence`` is not between 0 and 1, or ``draws`` is
            below 1.

    Source: Efron, "Bootstrap methods: another look at the jackknife", 1979.
    """
    if not len(values):
        raise ValueError("there are no values to take the mean of")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}")
    if draws < 1:
        raise ValueError(f"draws must be 1 or more, not {draws}")
    choose, size = random.Random(seed).choices, len(values)
    means = sorted(math.fsum(choose(values, k=size)) / size for _ in range(draws))
    cut = int(draws * (1 - confidence) / 2)
    return means[cut], means[draws - 1 - cut]
