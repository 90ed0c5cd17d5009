"""How sure is a share, a mean or a difference that was found on a few entries? Lessons 10 and 11.

110 test entries are few: of two models with 40 and 45 right answers, nobody can say from these
counts alone which one is better. Wilson's interval for a share; the bootstrap for a mean, for any
statistic of answers in groups, and for a mean over several runs, where runs and entries were drawn.
"""

import math
import random
from collections.abc import Callable, Hashable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

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


class Estimate(NamedTuple):
    """A number found on a few answers and the bounds of its interval.

    A value of None could not be computed; bounds of None mean that there were too few answers. A
    value that rests on no score at all is shown as none.
    """

    value: float | None
    low: float | None
    high: float | None
    count: int  # the scores it was found on

    def __str__(self) -> str:
        if self.value is None or not self.count:
            return "–"
        if self.low is None:
            return f"{self.value:.2f}"
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def resampled(
    statistic: Callable[..., float | None],
    *columns: Sequence,
    groups: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 123,
) -> Estimate:
    """A statistic of columns with one value an answer, and its bootstrap interval.

    As many groups are drawn with replacement as there are, and all answers of a group come along:
    two answers to one question are not two independent observations. Without ``groups`` each answer
    is its own. Draws on which the statistic is not defined are left out. Fewer than five groups
    have no interval.

    Raises:
        ValueError: not one group an answer. As the statistic.

    Source: Efron 1979, and for groups Davison and Hinkley, "Bootstrap Methods and their
    Application", 1997, section 3.8.
    """
    size = len(columns[0])
    if groups is not None and len(groups) != size:
        raise ValueError(f"{size} answers and {len(groups)} groups: each answer is in one")
    members: dict[Hashable, list[int]] = {}
    for place, group in enumerate(range(size) if groups is None else groups):
        members.setdefault(group, []).append(place)
    choose, parts = random.Random(seed).choices, list(members.values())
    value = statistic(*columns)
    scored = sum(None not in row for row in zip(*columns, strict=True))
    if value is None or len(parts) < FEWEST:
        return Estimate(value, None, None, scored)
    found = []
    for _ in range(draws):
        places = [place for part in choose(parts, k=len(parts)) for place in part]
        drawn = statistic(*([column[place] for place in places] for column in columns))
        if drawn is not None:
            found.append(drawn)
    found.sort()
    cut = int(len(found) * (1 - confidence) / 2)
    return Estimate(value, found[cut], found[len(found) - 1 - cut], scored)


DRAWS = 4000


class Interval(NamedTuple):
    """A value, and the bounds between which 95 % of its bootstrap draws lie."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0

    def format(self, form: str, scale: float = 1.0) -> str:
        """ "-0.12 (-0.15 to -0.09)" for the form "+.2f"."""
        value, low, high = (f"{scale * each:{form}}" for each in self)
        return f"{value} ({low} to {high})"


def seeds_and_entries_interval(
    numerators: np.ndarray, denominators: np.ndarray | None = None, seed: int = 123
) -> Interval:
    """The interval of 95 % of a mean over seeds and entries, from values (seeds, entries).

    Each draw takes as many seeds as there are, with replacement, and as many entries, and all
    values where they cross. For two modes give their differences: the same seed orders the same
    batches, and a hard entry is hard for both. With ``denominators`` (entries,) it is the sum of
    the drawn values divided by theirs, as a loss a token is.

    A few seeds show less spread than there is, so what they add to the interval is rather too
    small.

    Source: Efron, "Bootstrap methods: another look at the jackknife", 1979; both ways drawn as in
    Owen, "The pigeonhole bootstrap", 2007.
    """
    seeds, entries = numerators.shape
    weights = np.ones(entries) if denominators is None else denominators
    draw = np.random.default_rng(seed)
    of_seeds = draw.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS)  # (draws, seeds)
    of_entries = draw.multinomial(entries, np.full(entries, 1 / entries), DRAWS)  # (draws, entries)
    # (draws, seeds) × (seeds, entries) × (draws, entries) → (draws,)
    sums = np.einsum("ds,se,de->d", of_seeds, numerators, of_entries, optimize=True) / seeds
    low, high = np.quantile(sums / (of_entries @ weights), (0.025, 0.975))
    return Interval(float(numerators.sum() / seeds / weights.sum()), float(low), float(high))
