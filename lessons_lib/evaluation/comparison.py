"""Two models on the same entries: which one is better, and could that be chance? Lesson 10.

An entry that is hard for one model is mostly hard for the other. So the two answers to an entry
stay paired, and their differences are tested; whether two intervals overlap says much less. So are
the gradings of one judge asked twice, or asked about longer answers.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from lessons_lib.data import Entry
from lessons_lib.evaluation.intervals import Estimate, bootstrap, bootstrap_interval
from lessons_lib.evaluation.ranks import Score, spearman
from lessons_lib.evaluation.scorers import Scorer, checked_scores
from lessons_lib.evaluation.scores import Scores
from lessons_lib.support import Table

# Politeness that says nothing about the question, whatever the question is.
FILLER = (
    " I hope that this answer helps you. It was a very interesting question, and I thought about "
    "it with great care. If there is anything else that you would like to know, just ask me."
)


class Difference(NamedTuple):
    """What one scorer says about two models, over the entries where it scores both."""

    first: float  # means
    second: float
    difference: Estimate  # second minus first, entry by entry
    p_value: float | None  # McNemar's; None where scores are not right or wrong

    def __str__(self) -> str:
        sure = "" if self.p_value is None else f", p = {self.p_value:.2g}"
        return self.difference.format("+.2f") + sure


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact p-value of McNemar's test: are two models right equally often?

    Entries that both models answer correctly, or both wrongly, tell nothing about that. On the
    others just one of them is right: ``only_first`` times the first model, ``only_second`` times
    the second. For equally good models each such entry is the toss of a fair coin; the p-value is
    the probability that tosses split at least as unevenly, in either direction.

    Raises:
        ValueError: a count is below 0.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", 1947; here with the binomial distribution itself in place of an approximation.
    """
    if only_first < 0 or only_second < 0:
        raise ValueError(f"counts are 0 or more, not {only_first} and {only_second}")
    tosses = only_first + only_second
    tail = sum(math.comb(tosses, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**tosses)


def paired_difference(
    first: Sequence[Score],
    second: Sequence[Score],
    test: bool = True,
    independent: bool = True,
) -> Difference | None:
    """How much higher the second scores are, with the paired bootstrap's interval.

    Where all scores are 0 or 1, McNemar's p-value is added, unless ``test`` is False: the test
    assumes that entries are independent. Where scores depend on other answers (``independent`` is
    False), there is neither interval nor p-value. Pairs in which a score is missing are left out;
    None where no pair is left. ``bootstrap_interval`` says when there is no interval.

    Raises:
        ValueError: the lists are not equally long.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} first scores and {len(second)} second ones: pairs are due")
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if not both:
        return None
    differences = [b - a for a, b in both]
    p_value = None
    if test and independent and all(score in (0, 1) for pair in both for score in pair):
        p_value = mcnemar(differences.count(-1), differences.count(1))
    means = fmean(a for a, _ in both), fmean(b for _, b in both)
    found = bootstrap_interval(differences)
    if not independent:
        found = found._replace(low=None, high=None)
    return Difference(*means, found, p_value)


@dataclass(frozen=True)
class Comparison:
    """What ``compare`` found: a table in a terminal and in Jupyter."""

    first: Scores
    second: Scores
    names: tuple[str, str]
    differences: dict[str, Difference | None]  # name of a scorer → what it says

    def table(self) -> Table:
        """One row per scorer: both means, their difference with its interval, McNemar's p-value."""
        rows = []
        for name, found in self.differences.items():
            if found is None:
                rows.append((name, "–", "–", "–", "0"))
                continue
            means = f"{found.first:.2f}", f"{found.second:.2f}"
            rows.append((name, *means, str(found), str(found.difference.count)))
        return Table(("score", *self.names, "difference", "entries"), tuple(rows))

    def differing(self, by: str, count: int = 10) -> Table:
        """The entries on which the two differ most, with both answers and both scores.

        Entries that both answer equally well are not among them.

        Raises:
            KeyError: there is no such scorer.
        """
        if by not in self.differences:
            names = ", ".join(self.differences)
            raise KeyError(f"there is no score {by!r} of both; there are {names}")
        pairs = list(zip(self.first.scores_of(by), self.second.scores_of(by), strict=True))
        gaps = [0.0 if None in pair else abs(pair[0] - pair[1]) for pair in pairs]
        rows = []
        # The sort is stable: among equal gaps entries keep their order.
        for index in sorted(range(len(gaps)), key=lambda index: -gaps[index])[:count]:
            if not gaps[index]:
                break
            entry = self.first.entries[index]
            asked = "\n".join(filter(None, (entry["instruction"], entry.get("input", ""))))
            answers = self.first.answers[index], self.second.answers[index]
            scored = zip(answers, pairs[index], strict=True)
            cells = [f"{text}  [{score:.2f}]" for text, score in scored]
            rows.append((asked, entry["output"], *cells))
        return Table(("asked", "wanted", *self.names), tuple(rows))

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def compare(
    first: Scores, second: Scores, names: tuple[str, str] = ("first", "second")
) -> Comparison:
    """Two models' answers to the same entries, by every scorer that both tables have.

    McNemar's test is left out for scorers that do not say which answer is better.

    Raises:
        TypeError: one of the two is no ``Scores``. ValueError: the entries are not
            the same, or no scorer is in both tables.
    """
    for each in (first, second):
        if not isinstance(each, Scores):
            raise TypeError(f"compare takes two tables of Scores, not {type(each).__name__}")
    if first.entries != second.entries:
        raise ValueError("two models can be compared on the same entries only, in the same order")
    shared = [name for name in first.scores if name in second.scores]
    if not shared:
        raise ValueError("the two tables have no scorer in common")
    ordering = {*first.ordering} & {*second.ordering}
    dependent = first.dependent | second.dependent
    found = {
        name: paired_difference(
            first.scores_of(name), second.scores_of(name), name in ordering, name not in dependent
        )
        for name in shared
    }
    return Comparison(first, second, names, found)


def length_bias(
    scorer: Scorer, entries: Sequence[Entry], answers: Sequence[str], filler: str = FILLER
) -> Difference | None:
    """By how much scores rise when polite words without content are added to every answer.

    In the scorer's own unit: a mean difference over the pairs, with its interval. None where the
    scorer scores no pair. Raises as ``scorers.checked_scores``.
    """
    longer = [answer + filler for answer in answers]
    before, after = (checked_scores(scorer, entries, each) for each in (answers, longer))
    return paired_difference(before, after, scorer.orders_quality)


def same_twice(
    first: Sequence[Score], second: Sequence[Score], groups: Sequence[Hashable] | None = None
) -> Estimate:
    """Spearman's correlation of two gradings of the same answers, with its interval of 95 %.

    For one judge asked twice, or for two judges. Where several answers answer the same question,
    ``groups`` says which (``labelled_answers.questions_of``): the bootstrap then draws questions,
    and all answers to each, as ``judge_the_judges`` does.

    Raises:
        ValueError: as ``ranks.spearman`` and ``intervals.bootstrap``.
    """
    return bootstrap(spearman, first, second, groups=groups)
