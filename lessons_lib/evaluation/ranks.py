"""How well two gradings agree: ranks, AUC, Spearman's rho, and kappa for labels. Lesson 10.

What counts is which answer a scorer puts above which other one, not by how much; so scorers with
different scales can be compared. A score that is missing is None.
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

Score = float | None


def ranks(values: Sequence[float]) -> list[float]:
    """The rank of each value, 1 for the lowest; equal values share the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranked = [0.0] * len(values)
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or values[order[end]] != values[order[start]]:
            for index in order[start:end]:
                ranked[index] = (start + 1 + end) / 2  # the mean of start + 1 … end
            start = end
    return ranked


def auc(scores: Sequence[Score], good: Sequence[bool]) -> float | None:
    """How often a good answer scores higher than a bad one, 0 … 1; 0.5 is what guessing gets.

    Every good answer is compared with every bad one. A tie counts one half, and so does a pair in
    which a score is missing: a scorer that says nothing can only guess. None without a good or a
    bad answer.

    Raises:
        ValueError: there is not one label per score, or a score is NaN.

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
    ranked = ranks([score for score, _ in scored])
    high = [rank for rank, (_, label) in zip(ranked, scored, strict=True) if label]
    # A good answer's rank counts those below it; good ones below are taken off again.
    wins = math.fsum(high) - len(high) * (len(high) + 1) / 2
    compared = len(high) * (len(scored) - len(high))
    return (wins + (pairs - compared) / 2) / pairs


def pair_wins(
    scores: Sequence[Score], good: Sequence[bool], questions: Sequence[Hashable]
) -> list[float]:
    """For each question, how often its own good answer scores higher than its own bad one, 0 … 1.

    A tie counts one half, and so does a missing score, as in ``auc``; but no answer is compared
    with one to another question, which may be easier or have longer answers. A question without a
    good or without a bad answer is left out.

    Raises:
        ValueError: there is not one label and one question per score, or a score is NaN.
    """
    _check(scores, questions)
    rows: dict[Hashable, list[int]] = {}
    for row, question in enumerate(questions):
        rows.setdefault(question, []).append(row)
    found = [auc([scores[i] for i in own], [good[i] for i in own]) for own in rows.values()]
    return [wins for wins in found if wins is not None]


def spearman(first: Sequence[Score], second: Sequence[Score]) -> float | None:
    """Spearman's rank correlation, -1 … 1, over the answers to which both give a score.

    It is Pearson's correlation of the ranks, so ties are allowed for. None where there are fewer
    than three such answers, or where all scores of one list are the same.

    Raises:
        ValueError: the lists are not equally long, or a score is NaN.

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


def kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """How far two graders' labels agree beyond chance: 1 is always, 0 what chance would give.

    Chance is two graders who give their own labels as often as these do, and to any answer. None
    where both give one and the same label to all: chance alone would then agree always.

    Raises:
        ValueError: the lists are not equally long, or empty.

    Source: Cohen, "A coefficient of agreement for nominal scales", 1960.
    """
    if len(first) != len(second) or not len(first):
        raise ValueError(f"{len(first)} labels and {len(second)} to go with them: one each")
    count = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True)) / count
    ours, theirs = Counter(first), Counter(second)
    chance = sum(ours[label] * theirs[label] for label in ours) / count**2
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def rank_average(lists: Sequence[Sequence[Score]]) -> list[Score]:
    """One score from several: the mean of an answer's ranks, each from 0 (lowest) to 1 (highest).

    Ranks keep a scorer with a wide scale from drowning one with a narrow scale. Where a list has no
    score for an answer, the others decide alone; None where none has.

    Raises:
        ValueError: there are no lists, they are not equally long, or a score is NaN.
    """
    if not lists:
        raise ValueError("there are no scores to combine")
    ranked = []
    for scores in lists:
        _check(scores, lists[0])
        known = [score for score in scores if score is not None]
        last = len(known) - 1
        # A score alone is neither low nor high.
        scaled = iter((rank - 1) / last if last else 0.5 for rank in ranks(known))
        ranked.append([None if score is None else next(scaled) for score in scores])
    by_answer = [[rank for rank in each if rank is not None] for each in zip(*ranked, strict=True)]
    return [math.fsum(each) / len(each) if each else None for each in by_answer]


def _check(scores: Sequence[Score], others: Sequence) -> None:
    if len(scores) != len(others):
        raise ValueError(f"{len(scores)} scores and {len(others)} to go with them: one each")
    for index, score in enumerate(scores):
        if score is not None and math.isnan(score):
            raise ValueError(f"score {index} is no number (NaN)")


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))
