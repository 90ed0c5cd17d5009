"""How sure is a share, a mean or a difference that was found on a few entries? Lessons 10 and 11.

110 test entries are few: of two models with 40 and 45 right answers, nobody can say from these
counts alone which one is better. A share has Wilson's interval, everything else one of a bootstrap.
All are intervals of 95 %.
"""

import math
import random
from collections.abc import Callable, Hashable, Sequence
from itertools import chain
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

TAIL = 0.025  # outside an interval of 95 %, on either side
FEWEST = 5  # a bootstrap of fewer values would pretend to be sure
DRAWS, SEED = 2000, 123
SAME = 1e-9  # equal differences of scores such as 0.1 and 1.1 may differ by a rounding


class Estimate(NamedTuple):
    """A number found on some answers, and the bounds of its interval of 95 %.

    A value of None could not be computed. Bounds of None mean that the answers say nothing about
    how far the value would vary: they are too few, or all the same.
    """

    value: float | None
    low: float | None
    high: float | None
    count: int  # the scores that it rests on

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval, and 0 lies outside."""
        return self.low is not None and (self.low > 0 or self.high < 0)

    def format(self, form: str = ".2f", scale: float = 1.0) -> str:
        """ "-0.12 (-0.15 to -0.09)" for the form "+.2f"; a dash where there is nothing to tell."""
        if self.value is None or not self.count:
            return "–"
        value = f"{scale * self.value:{form}}"
        if self.low is None:
            return value
        return f"{value} ({scale * self.low:{form}} to {scale * self.high:{form}})"

    def in_points(self) -> str:
        """A change of a share, "-2.7 points (-9 to +4)"; empty where there is nothing to tell."""
        if self.value is None:
            return ""
        points = f"{100 * self.value:+.1f} points"
        if self.low is None:
            return points
        return f"{points} ({100 * self.low:+.0f} to {100 * self.high:+.0f})"

    def __str__(self) -> str:
        return self.format()


class Share(NamedTuple):
    """``count`` of ``total``; a total of 0 is a share that nobody could measure."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share itself, 0 … 1, or None where there was nothing to count."""
        return self.count / self.total if self.total else None

    def interval(self) -> Estimate:
        """This share with its interval; see ``wilson_interval``."""
        return wilson_interval(self.count, self.total)

    def __str__(self) -> str:
        found = self.interval()
        if found.value is None:
            return "–"
        return (
            f"{self.count}/{self.total} = {found.value:.1%} ({found.low:.0%} to {found.high:.0%})"
        )


def wilson_interval(count: int, total: int) -> Estimate:
    """The share of which ``count`` of ``total`` were seen, with Wilson's interval.

    It holds the shares that a score test would not reject. Unlike the share plus and minus two
    standard errors, it stays inside 0 … 1, and 0 of 5 does not pretend to be certain.
    With a total of 0 nothing is known: there is no value, and the bounds are 0 and 1.

    Raises:
        ValueError: ``count`` is not between 0 and ``total``.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if not 0 <= count <= total:
        raise ValueError(f"count must be between 0 and the total {total}, not {count}")
    if total == 0:
        return Estimate(None, 0.0, 1.0, 0)
    z = NormalDist().inv_cdf(1 - TAIL)  # 1.96
    share, scale = count / total, 1 + z**2 / total
    middle = (share + z**2 / (2 * total)) / scale
    margin = z / scale * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    # At the ends the bound is exactly 0 or 1; floating point would miss it by a hair.
    low = 0.0 if count == 0 else max(0.0, middle - margin)
    high = 1.0 if count == total else min(1.0, middle + margin)
    return Estimate(share, low, high, total)


def bootstrap(
    statistic: Callable[..., float | None],
    *columns: Sequence,
    groups: Sequence[Hashable] | None = None,
) -> Estimate:
    """A statistic of columns with one value per answer, and its bootstrap interval.

    As many answers are drawn with replacement as there are, again and again; the middle 95 % of
    what the statistic then gives lie between the bounds. With ``groups``, groups are drawn, and all
    answers of a group come along: two answers to one question are not two independent
    observations. Draws for which the statistic is not defined are left out. Fewer than five groups
    have no interval.

    Raises:
        ValueError: there is not one group per answer. As the statistic.

    Source: Efron, "Bootstrap methods: another look at the jackknife", 1979; for groups Davison and
    Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8.
    """
    value, rows = statistic(*columns), list(zip(*columns, strict=True))
    if groups is not None and len(groups) != len(rows):
        raise ValueError(f"{len(rows)} answers and {len(groups)} groups: each answer is in one")
    members: dict[Hashable, list[tuple]] = {}
    for row, group in zip(rows, range(len(rows)) if groups is None else groups, strict=True):
        members.setdefault(group, []).append(row)
    choose, parts = random.Random(SEED).choices, list(members.values())
    scored = sum(None not in row for row in rows)
    if value is None or len(parts) < FEWEST:
        return Estimate(value, None, None, scored)
    draws = (chain.from_iterable(choose(parts, k=len(parts))) for _ in range(DRAWS))
    found = (statistic(*zip(*drawn, strict=True)) for drawn in draws)
    found = sorted(each for each in found if each is not None)
    cut = int(len(found) * TAIL)
    return Estimate(value, found[cut], found[len(found) - 1 - cut], scored)


def bootstrap_interval(values: Sequence[float]) -> Estimate:
    """The mean of some values, one per entry, with its ``bootstrap`` interval.

    To compare two models, give the differences entry by entry: hard entries are hard for both.
    Fewer than five values have no interval, and neither have values that are all the same: they say
    nothing about their spread.

    Raises:
        ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("there are no values to take the mean of")
    if max(values) - min(values) <= SAME:
        return Estimate(_mean(values), None, None, len(values))
    return bootstrap(_mean, values)


def seeds_and_entries_interval(
    numerators: np.ndarray, denominators: np.ndarray | None = None, comparisons: int = 1
) -> Estimate:
    """A mean over seeds and entries with its interval, from values (seeds, entries).

    Each draw takes as many seeds as there are, with replacement, and as many entries, and all
    values where they cross. To compare two modes, give their differences: the same seed orders the
    same batches, and a hard entry is hard for both. With ``denominators`` (entries,) the sum of the
    drawn values is divided by the sum of theirs, as for a loss per token.

    Where this is one of several ``comparisons``, the interval is so much wider that all of them
    together miss a true value in at most 5 of 100 cases (Bonferroni's correction).

    A few seeds show less spread than there is, so the part of the interval that comes from seeds
    is too small; what is left between seeds and entries is drawn more than once, which widens it.

    Source: Owen, "The pigeonhole bootstrap", 2007.
    """
    seeds, entries = numerators.shape
    weights = np.ones(entries) if denominators is None else denominators
    draw, draws = np.random.default_rng(SEED), 2 * DRAWS
    of_seeds = draw.multinomial(seeds, np.full(seeds, 1 / seeds), draws)  # (draws, seeds)
    of_entries = draw.multinomial(entries, np.full(entries, 1 / entries), draws)  # (draws, entries)
    # (draws, seeds) × (seeds, entries) × (draws, entries) → (draws,)
    sums = np.einsum("ds,se,de->d", of_seeds, numerators, of_entries, optimize=True) / seeds
    tail = TAIL / comparisons
    low, high = np.quantile(sums / (of_entries @ weights), (tail, 1 - tail))
    value = numerators.sum() / seeds / weights.sum()
    return Estimate(float(value), float(low), float(high), seeds * entries)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
