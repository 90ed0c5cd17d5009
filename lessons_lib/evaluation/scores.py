"""How good the answers of a model are, in all and for each family of tasks, as tables. Lesson 10.

Answers come from a model of any kind, as texts; this module only compares them with the entries.
``score_responses`` counts marks, right or wrong; ``score_answers`` takes any scorers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lessons_lib.data import Entry, check_entries
from lessons_lib.evaluation.intervals import Estimate, Share, bootstrap_interval
from lessons_lib.evaluation.ranks import Score, rank_average
from lessons_lib.evaluation.scorers import (
    STATISTICAL,
    Scorer,
    check_scorer,
    checked_scores,
    matches_exactly,
    names_key_answer,
)
from lessons_lib.support import Table

# Whether an answer is right; None where this check says nothing about such an entry.
Check = Callable[[Entry, str], bool | None]
STOPPED = "stopped"
ALL = "all entries"


CHECKS: Mapping[str, Check] = MappingProxyType(
    {"exact": matches_exactly, "lenient": names_key_answer}
)


@dataclass(frozen=True)
class Row:
    """One line of the table: a family, or all entries, and the share of each mark."""

    name: str
    entries: int
    shares: dict[str, Share]


@dataclass(frozen=True)
class Scores:
    """What ``score_responses`` found: a table in a terminal and in Jupyter.

    Entries, answers, families and each list of ``marks`` have one value an entry, in one order.
    """

    entries: list[Entry]
    answers: list[str]
    families: list[str] | None
    marks: dict[str, list[bool | None]]  # name of a check → right, wrong, or None: not defined

    def share(self, mark: str, family: str | None = None) -> Share:
        """How many of the entries for which a mark is defined have it.

        Raises:
            KeyError: there is no such mark.
        """
        defined = [
            value
            for place, value in enumerate(self.marks[mark])
            if value is not None and family in (None, self._family(place))
        ]
        return Share(sum(defined), len(defined))

    def table(self, sort_by: str = "family") -> list[Row]:
        """A row for all entries, then one for each family.

        Rows come in the order of their names, or of a mark's share, the highest first; families
        for which the mark is not defined come last.

        Raises:
            ValueError: ``sort_by`` is neither "family" nor a mark.
        """
        if sort_by != "family" and sort_by not in self.marks:
            names = ", ".join(f'"{name}"' for name in ("family", *self.marks))
            raise ValueError(f"sort_by must be one of {names}, not {sort_by!r}")
        rows = [self._row(family) for family in sorted(set(self.families or []))]
        if sort_by != "family":  # a stable sort: equal shares stay in the order of their names
            rows.sort(key=lambda row: -_value(row.shares[sort_by]))
        return [self._row(None), *rows]

    def to_text(self, sort_by: str = "family") -> str:
        """The table as aligned lines. Raises ValueError as ``table``."""
        return str(self._shown(sort_by))

    def __str__(self) -> str:
        return self.to_text()

    __repr__ = __str__

    def to_html(self, sort_by: str = "family") -> str:
        """The table as HTML, every text escaped. Raises ValueError as ``table``."""
        return self._shown(sort_by)._repr_html_()

    _repr_html_ = to_html

    def _shown(self, sort_by: str) -> Table:
        head = ("family" if self.families else "", "entries", *self.marks)
        rows = (
            (row.name, str(row.entries), *map(str, row.shares.values()))
            for row in self.table(sort_by)
        )
        return Table(head, tuple(rows))

    def _row(self, family: str | None) -> Row:
        entries = len(self.entries) if family is None else self.families.count(family)
        shares = {mark: self.share(mark, family) for mark in self.marks}
        return Row(ALL if family is None else family, entries, shares)

    def _family(self, place: int) -> str | None:
        return self.families[place] if self.families else None


def score_responses(
    entries: Sequence[Entry],
    answers: Sequence[str | None],
    stopped: Sequence[bool | None] | None = None,
    families: Sequence[str] | None = None,
    checks: Mapping[str, Check] = CHECKS,
) -> Scores:
    """Mark each answer of a model by each check, and count.

    Args:
        entries: what was asked, with the output that is expected.
        answers: the model's answers in the same order; None counts as an empty one.
        stopped: whether the model ended each answer by itself, with end of text; None for an
            answer of which nobody knows. It becomes one more mark.
        families: the kind of each task. The bundled entries have theirs in
            ``data.world.entry_families()``: places 935 to 1044 are those of the test part.
        checks: name → function of entry and answer that says whether the answer is right.

    Raises:
        ValueError: the lists are not equally long, or empty. DatasetError: an entry is faulty.
        TypeError: an answer is no text.
    """
    if not len(entries):
        raise ValueError("there are no entries to score")
    for name, values in (("answers", answers), ("stopped", stopped), ("families", families)):
        if values is not None and len(values) != len(entries):
            raise ValueError(
                f"{name} must have one value for each entry: there are {len(entries)} entries "
                f"and {len(values)} {name}"
            )
    entries = check_entries(list(entries))
    texts = [_answer(answer, place) for place, answer in enumerate(answers)]
    marks = {
        name: [_mark(check(*pair)) for pair in zip(entries, texts, strict=True)]
        for name, check in checks.items()
    }
    if stopped is not None:
        marks[STOPPED] = list(map(_mark, stopped))
    return Scores(entries, texts, None if families is None else list(families), marks)


def _mark(value: Any) -> bool | None:
    """What a check says: 1, numpy's booleans and the like are True or False too."""
    return None if value is None else bool(value)


def _answer(answer: str | None, place: int) -> str:
    if answer is None:
        return ""
    if not isinstance(answer, str):
        raise TypeError(f"answer {place} is {type(answer).__name__}; an answer is a text or None")
    return answer


def _value(share: Share) -> float:
    """For sorting: a share that is not defined comes after one of 0."""
    return -1.0 if share.value is None else share.value


def mean_with_interval(scores: Sequence[Score], share: bool | None = None) -> Estimate:
    """The mean of the scores there are, with Wilson's interval where it is a share, else the
    bootstrap's.

    ``share`` says which; if it is None, scores that are all 0 or 1 make a share. No value without
    a score.
    """
    known = [score for score in scores if score is not None]
    if not known:
        return Estimate(None, None, None, 0)
    if right_or_wrong(known) if share is None else share:
        return Share(int(sum(known)), len(known)).interval()
    return bootstrap_interval(known)


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
        entries, answers, stopped, families: as ``score_responses`` takes them; "stopped"
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
