"""How sure is a mean over several runs and many entries? Both were drawn, so both are drawn again.

Lesson 11. ``intervals`` has the bootstrap over entries alone.
"""

from typing import NamedTuple

import numpy as np

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
