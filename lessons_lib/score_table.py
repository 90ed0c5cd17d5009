"""All scores of one model's answers in one table, each with its interval. Lesson 10.

A score of 110 answers is a sample. Of what it would be on other questions of the same kind, only
an interval can be told: Wilson's where a score says right or wrong, the bootstrap's for a mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from lessons_lib.evaluation import ALL, STOPPED, score_responses
from lessons_lib.intervals import FEWEST, bootstrap_interval, wilson_interval
from lessons_lib.ranks import Estimate, Score, rank_average
from lessons_lib.reading import Entry
from lessons_lib.scorers import STATISTICAL, Scorer, check_scorer, checked_scores
from lessons_lib.table import Table


def mean_with_interval(
    scores: Sequence[Score], confidence: float = 0.95, share: bool | None = None
) -> Estimate:
    """The mean of the scores there are, with Wilson's interval where it is a share, else the
    bootstrap's.

    ``share`` says which; if it is None, scores that are all 0 or 1 make a share. No value without
    a score; no bounds of a bootstrap with fewer than five scores, or where all are the same: they
    say nothing about their spread.

    Raises:
        ValueError: ``confidence`` is not between 0 and 1.
    """
    known = [score for score in scores if score is not None]
    if not known:
        return Estimate(None, None, None, 0)
    mean = fmean(known)
    if right_or_wrong(known) if share is None else share:
        return Estimate(mean, *wilson_interval(int(sum(known)), len(known), confidence), len(known))
    if len(known) < FEWEST or len(set(known)) == 1:
        return Estimate(mean, None, None, len(known))
    return Estimate(mean, *bootstrap_interval(known, confidence), len(known))


def right_or_wrong(scores: Sequence[Score]) -> bool:
    """Whether the scores there are are all 0 or 1, so that their mean is a share."""
    return all(score in (0, 1, None) for score in scores)


@dataclass(frozen=True)
class ScoreTable:
    """What ``score_answers`` found: a table in a terminal and in Jupyter.

    Entries, answers, families and each list of ``scores`` have one value an entry, in one order.
    """

    entries: list[Entry]
    answers: list[str]
    families: list[str] | None
    scores: dict[str, list[Score]]  # name of a scorer → a score, or None: it has none
    # Names of the columns that describe answers: a higher value does not say that one is better.
    descriptive: frozenset[str] = frozenset({STOPPED})
    _means: dict[tuple[str, str | None], Estimate] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def ordering(self) -> list[str]:
        """The names of the scorers whose higher scores stand for better answers."""
        return [name for name in self.scores if name not in self.descriptive]

    def scores_of(self, name: str) -> list[Score]:
        """A scorer's scores. Raises KeyError, with the names there are: there is none like it."""
        if name not in self.scores:
            raise KeyError(f"there is no score {name!r}; there are {', '.join(self.scores)}")
        return self.scores[name]

    def mean(self, name: str, family: str | None = None) -> Estimate:
        """A scorer's mean over all answers or one family's, with its interval of 95 %.

        Raises:
            KeyError: there is no such scorer, or no such family.
        """
        if (name, family) not in self._means:
            scores = self.scores_of(name)
            chosen = [scores[place] for place in self.places(family)]
            # The whole column decides: a family of perfect ROUGE-L does not make it a share.
            share = right_or_wrong(scores)
            self._means[name, family] = mean_with_interval(chosen, share=share)
        return self._means[name, family]

    def places(self, family: str | None = None) -> list[int]:
        """The places of a family's answers; of all without one.

        Raises:
            KeyError: there is no such family.
        """
        if family is None:
            return list(range(len(self.answers)))
        found = [place for place, each in enumerate(self.families or []) if each == family]
        if not found:
            names = ", ".join(sorted(set(self.families or []))) or "none"
            raise KeyError(f"there is no family {family!r}; there are {names}")
        return found

    def disagreement(self) -> list[Score]:
        """For each answer how far its places by the scorers lie apart, 0 … 1.

        A place is 0 for the lowest answer of a scorer and 1 for the highest. 1 means that one
        scorer's best answer is another one's worst: those are worth reading. Columns that only
        describe answers, such as their length, take no part. None where no scorer has a score.
        """
        placed = [rank_average([self.scores[name]]) for name in self.ordering]
        gaps = []
        for place in range(len(self.answers)):
            places = [each[place] for each in placed if each[place] is not None]
            gaps.append(max(places) - min(places) if places else None)
        return gaps

    def table(self) -> Table:
        """A row for all entries, then one for each family, in the order of their names."""
        families = sorted(set(self.families or []))
        head = ("family" if families else "", "entries", *self.scores)
        return Table(head, tuple(self._row(family) for family in [None, *families]))

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def _row(self, family: str | None) -> tuple[str, ...]:
        means = (str(self.mean(name, family)) for name in self.scores)
        return (ALL if family is None else family, str(len(self.places(family))), *means)


def score_answers(
    entries: Sequence[Entry],
    answers: Sequence[str | None],
    scorers: Sequence[Scorer] = STATISTICAL,
    *,
    stopped: Sequence[bool | None] | None = None,
    families: Sequence[str] | None = None,
) -> ScoreTable:
    """Let each scorer score each answer.

    Args:
        entries, answers, stopped, families: as ``evaluation.score_responses`` takes them; "stopped"
            becomes one more column.
        scorers: rules and models alike; see ``scorers.Scorer``.

    Raises:
        ValueError: the lists are not equally long, or empty; two scorers have one name, or a
            scorer does not return one finite score, or None, an answer.
        DatasetError: an entry is faulty. TypeError: an answer is no text, or what should be a
            scorer is none. As the scorers.
    """
    scorers = _distinct(scorers)
    checked = score_responses(entries, answers, stopped, families, checks={})
    scores = {each.name: checked_scores(each, checked.entries, checked.answers) for each in scorers}
    if stopped is not None:
        marks = checked.marks[STOPPED]
        scores[STOPPED] = [None if mark is None else float(mark) for mark in marks]
    describing = {each.name for each in scorers if not getattr(each, "orders_quality", True)}
    descriptive = frozenset(describing | {STOPPED})
    return ScoreTable(checked.entries, checked.answers, checked.families, scores, descriptive)


def _distinct(scorers: Sequence[Scorer]) -> list[Scorer]:
    if isinstance(scorers, (str, Scorer)):
        raise TypeError("scorers is a list of scorers; put a single one into [ ]")
    scorers = list(scorers)
    if not scorers:
        raise ValueError("there are no scorers")
    for scorer in scorers:
        check_scorer(scorer)
    names = [scorer.name for scorer in scorers]
    if len({*names, STOPPED}) <= len(names):
        raise ValueError(f'each scorer needs a name of its own, and none is "{STOPPED}": {names}')
    return scorers
