"""Orders of answers and how well two of them agree: ranks, AUC, Spearman's rho. Lesson 10.

What counts is which answer a scorer puts above which other one, not by how much; so scorers with
different scales can be compared. A score that is missing is None.
"""

import math
import random
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from lessons_lib.intervals import FEWEST

Score = float | None


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


def ranks(values: Sequence[float]) -> list[float]:
    """The place of each value from the lowest, 1, to the highest; equal ones share their mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    places = [0.0] * len(values)
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or values[order[end]] != values[order[start]]:
            for place in order[start:end]:
                places[place] = (start + 1 + end) / 2  # the mean of start + 1 … end
            start = end
    return places


def auc(scores: Sequence[Score], good: Sequence[bool]) -> float | None:
    """How often a good answer scores higher than a bad one, 0 … 1; 0.5 is what guessing gets.

    Every good answer is compared with every bad one. A tie counts one half, and so does a pair in
    which a score is missing: who says nothing can only guess. None without a good or a bad answer.

    Raises:
        ValueError: not one label a score, or a score that is no number (NaN).

    Source: Hanley and McNeil, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", 1982.
    """
    _check(scores, good)
    pairs = sum(map(bool, good)) * sum(not label for label in good)
    if not pairs:
        return None
    scored = [
        (score, label) for score, label in zip(scores, good, strict=True) if score is not None
    ]
    places = ranks([score for score, _ in scored])
    high = [place for place, (_, label) in zip(places, scored, strict=True) if label]
    # A good answer's rank counts those below it; good ones below are taken off again.
    wins = math.fsum(high) - len(high) * (len(high) + 1) / 2
    compared = len(high) * (len(scored) - len(high))
    return (wins + (pairs - compared) / 2) / pairs


def spearman(first: Sequence[Score], second: Sequence[Score]) -> float | None:
    """Spearman's rank correlation, -1 … 1, over the places where both have a score.

    It is Pearson's correlation of the ranks, so ties are allowed for. None where fewer than three
    places are left, or where one list is the same everywhere.

    Raises:
        ValueError: the lists are not equally long, or a score is no number (NaN).

    Source: Spearman, "The proof and measurement of association between two things", 1904.
    """
    _check(first, second)
    _check(second, first)
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if len(pairs) < 3:
        return None
    one, other = ranks([a for a, _ in pairs]), ranks([b for _, b in pairs])
    middle = (len(pairs) + 1) / 2
    one, other = [r - middle for r in one], [r - middle for r in other]
    spread = math.sqrt(_product(one, one) * _product(other, other))
    return _product(one, other) / spread if spread else None


def rank_average(lists: Sequence[Sequence[Score]]) -> list[Score]:
    """One score from several: the mean of an answer's places, each from 0 lowest to 1 highest.

    So a scorer with a wide scale does not drown one with a narrow scale. Where a list has no score
    for an answer, the others decide alone; None where none has.

    Raises:
        ValueError: there are no lists, they are not equally long, or a score is NaN.
    """
    if not lists:
        raise ValueError("there are no scores to combine")
    placed = []
    for scores in lists:
        _check(scores, lists[0])
        known = [score for score in scores if score is not None]
        last = len(known) - 1
        # A score alone is neither low nor high.
        place = iter((rank - 1) / last if last else 0.5 for rank in ranks(known))
        placed.append([None if score is None else next(place) for score in scores])
    together = [
        [place for place in places if place is not None] for places in zip(*placed, strict=True)
    ]
    return [math.fsum(places) / len(places) if places else None for places in together]


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


def _check(scores: Sequence[Score], others: Sequence) -> None:
    if len(scores) != len(others):
        raise ValueError(f"{len(scores)} scores and {len(others)} to go with them: one each")
    for place, score in enumerate(scores):
        if score is not None and math.isnan(score):
            raise ValueError(f"score {place} is no number (NaN)")


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))
