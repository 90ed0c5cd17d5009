"""How good the answers of a model are, in all and for each family of tasks, as a table. Lesson 10.

Answers come from a model of any kind, as texts; here they are only compared with the entries.
``score_responses`` marks them right or wrong; ``score_answers`` takes any scorers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean
from types import MappingProxyType

from lessons_lib.data import Entry, check_entries
from lessons_lib.evaluation.intervals import Estimate, Share, bootstrap_interval
from lessons_lib.evaluation.ranks import Score, rank_average
from lessons_lib.evaluation.scorers import (
    STATISTICAL,
    RuleScorer,
    Scorer,
    check_scorer,
    checked_scores,
    entry_by_entry,
    matches_exactly,
    names_key_answer,
)
from lessons_lib.support import Table

# Whether an answer is right; None where the check does not apply to such an entry.
Check = Callable[[Entry, str], bool | None]
CHECKS: Mapping[str, Check] = MappingProxyType(
    {"exact": matches_exactly, "lenient": names_key_answer}
)
STOPPED = "stopped"
ALL = "all entries"


@dataclass(frozen=True)
class Scores:
    """What scorers say of a model's answers: a table in a terminal and in Jupyter.

    Entries, answers, families and each list of ``scores`` have one value per entry, in one order.
    """

    entries: list[Entry]
    answers: list[str]
    families: list[str] | None
    scores: dict[str, list[Score]]  # name of a scorer → a score, or None: it has none
    # Names of the scores that describe answers: a higher value does not say that one is better.
    descriptive: frozenset[str] = frozenset({STOPPED})
    # Names of the scores that depend on the other answers, as *distinct* does.
    dependent: frozenset[str] = frozenset()

    @cached_property
    def marks(self) -> dict[str, list[bool | None]]:
        """The scores that say right or wrong of an answer by itself, as booleans.

        Those that are all 0, 1 or None, and do not depend on the other answers.
        """
        return {
            name: [None if score is None else bool(score) for score in scores]
            for name, scores in self.scores.items()
            if name not in self.dependent and all(score in (0, 1, None) for score in scores)
        }

    @property
    def ordering(self) -> list[str]:
        """The names of the scores of which a higher one stands for a better answer."""
        return [name for name in self.scores if name not in self.descriptive]

    def scores_of(self, name: str) -> list[Score]:
        """The scores of one scorer, one per answer.

        Raises:
            KeyError: there is no such score; the message names those there are.
        """
        if name not in self.scores:
            raise KeyError(f"there is no score {name!r}; there are {', '.join(self.scores)}")
        return self.scores[name]

    def share(self, mark: str, family: str | None = None) -> Share:
        """How many of the answers have a mark, of all those for which it is defined.

        Raises:
            KeyError: there is no such mark, or no such family.
        """
        if mark not in self.marks:
            raise KeyError(f"there is no mark {mark!r}; there are {', '.join(self.marks)}")
        known = self._known(mark, family)
        return Share(int(sum(known)), len(known))

    def mean(self, name: str, family: str | None = None) -> Estimate:
        """A score's mean over all answers or one family's, with its interval of 95 %.

        The interval is Wilson's for a mark, else the bootstrap's; both need answers that are
        independent, so a score that depends on the other answers has none. Answers without a score
        are left out; ``count`` is how many have one.

        Raises:
            KeyError: there is no such score, or no such family.
        """
        if name not in self.scores:
            raise KeyError(f"there is no score {name!r}; there are {', '.join(self.scores)}")
        known = self._known(name, family)
        if not known:
            return Estimate(None, None, None, 0)
        if name in self.dependent:
            return Estimate(fmean(known), None, None, len(known))
        return (
            self.share(name, family).interval() if name in self.marks else bootstrap_interval(known)
        )

    def mean_text(self, name: str, family: str | None = None) -> str:
        """``mean`` as a table shows it: "0.86 (0.79 to 0.92), 3 left out" where 3 have no score.

        A dash where none has one. Raises KeyError as ``mean``.
        """
        found = self.mean(name, family)
        missing = len(self._indices(family)) - found.count
        return f"{found}, {missing} left out" if found.count and missing else str(found)

    def on_the_same(self, *names: str) -> "Scores":
        """Only the answers that each of these scorers could score, so that means can be compared.

        *Lenient* has no score for some entries; its share beside *exact*'s of all entries would
        compare other questions, not only other scorers.

        Raises:
            KeyError: there is no such score. ValueError: no answer has all of these scores.
        """
        columns = [self.scores_of(name) for name in names]
        kept = [i for i in range(len(self.answers)) if all(each[i] is not None for each in columns)]
        if not kept:
            raise ValueError(f"no answer has a score by each of {', '.join(names)}")
        return replace(
            self,
            entries=[self.entries[i] for i in kept],
            answers=[self.answers[i] for i in kept],
            families=self.families and [self.families[i] for i in kept],
            scores={name: [each[i] for i in kept] for name, each in self.scores.items()},
        )

    def disagreement(self) -> list[Score]:
        """For each answer how far apart the scorers rank it, 0 … 1.

        A rank is 0 for the lowest answer of a scorer and 1 for the highest. 1 means that one
        scorer's best answer is another one's worst: those are worth reading. Scores that only
        describe answers, such as their length, take no part. None where no scorer has a score.
        """
        ranked = [rank_average([self.scores[name]]) for name in self.ordering]
        gaps: list[Score] = []
        for index in range(len(self.answers)):
            ranks = [each[index] for each in ranked if each[index] is not None]
            gaps.append(max(ranks) - min(ranks) if ranks else None)
        return gaps

    def table(self, sort_by: str = "family", lowest: int | None = None) -> Table:
        """A row for all entries, then one for each family.

        Families come in the order of their names, or of a score's mean, the highest first; those
        without such a score come last. ``lowest`` keeps so many families with the lowest means
        alone. Where all scores are marks, they are shown as counts.

        Raises:
            ValueError: ``sort_by`` is neither "family" nor a score; or ``lowest`` is given, and
                families are not sorted by a score.
        """
        if sort_by not in ("family", *self.scores):
            names = ", ".join(f'"{name}"' for name in ("family", *self.scores))
            raise ValueError(f"sort_by must be one of {names}, not {sort_by!r}")
        families = sorted(set(self.families or []))
        if sort_by != "family":  # a stable sort: equal means stay in the order of their names
            means = {family: self.mean(sort_by, family).value for family in families}
            families.sort(key=lambda name: (means[name] is None, -(means[name] or 0)))
        if lowest is not None:
            if sort_by == "family":
                raise ValueError('lowest needs a score to sort by, such as sort_by="exact"')
            families = [family for family in families if means[family] is not None]
            families = families[max(0, len(families) - lowest) :]
        # A share says itself of how many it is one.
        shown = self.share if len(self.marks) == len(self.scores) else self.mean_text
        rows = []
        for family in (None, *families):
            count = len(self._indices(family))
            found = (str(shown(name, family)) for name in self.scores)
            rows.append((ALL if family is None else family, str(count), *found))
        return Table(("family" if families else "", "entries", *self.scores), tuple(rows))

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def _known(self, name: str, family: str | None) -> list[float]:
        scores = self.scores[name]
        return [scores[i] for i in self._indices(family) if scores[i] is not None]

    def _indices(self, family: str | None) -> list[int]:
        """Of a family's answers; of all without one."""
        families = self.families or []
        if family is not None and family not in families:
            names = ", ".join(sorted(set(families))) or "none"
            raise KeyError(f"there is no family {family!r}; there are {names}")
        return [i for i in range(len(self.answers)) if family is None or families[i] == family]


def score_answers(
    entries: Sequence[Entry],
    answers: Sequence[str | None],
    scorers: Sequence[Scorer] = STATISTICAL,
    *,
    stopped: Sequence[bool | None] | None = None,
    families: Sequence[str] | None = None,
) -> Scores:
    """Let each scorer score each answer.

    Args:
        entries: what was asked, with the output that is expected.
        answers: the model's answers in the same order; None counts as an empty one.
        scorers: rules and models alike; see ``scorers.Scorer``.
        stopped: whether the model ended each answer by itself, with end of text; None where that
            is not known. It becomes one more score.
        families: the kind of each task. The bundled entries have theirs in
            ``data.world.entry_families()``: those from 935 to 1044 are of the test part.

    Raises:
        ValueError: the lists are not equally long, or empty; two scorers have the same name, or a
            scorer does not return one finite score, or None, per answer.
        DatasetError: an entry is faulty. TypeError: an answer is not a text, or a scorer is not a
            scorer. As the scorers.
    """
    scorers = _distinct(scorers)
    if not len(entries):
        raise ValueError("there are no entries to score")
    for name, values in (("answers", answers), ("stopped", stopped), ("families", families)):
        if values is not None and len(values) != len(entries):
            raise ValueError(
                f"{name} must have one value for each entry: there are {len(entries)} entries "
                f"and {len(values)} {name}"
            )
    entries = check_entries(list(entries))
    texts = [_text(answer, index) for index, answer in enumerate(answers)]
    scores = {scorer.name: checked_scores(scorer, entries, texts) for scorer in scorers}
    if stopped is not None:
        scores[STOPPED] = [None if value is None else float(bool(value)) for value in stopped]
    describing = {each.name for each in scorers if not each.orders_quality}
    dependent = frozenset(each.name for each in scorers if not each.independent)
    kept = None if families is None else list(families)
    return Scores(entries, texts, kept, scores, frozenset(describing | {STOPPED}), dependent)


def score_responses(
    entries: Sequence[Entry],
    answers: Sequence[str | None],
    stopped: Sequence[bool | None] | None = None,
    families: Sequence[str] | None = None,
    checks: Mapping[str, Check] = CHECKS,
) -> Scores:
    """Mark each answer right or wrong by each check: ``score_answers`` with rules alone.

    ``checks`` maps a name to a function of an entry and an answer that says whether the answer is
    right. The other arguments, and what is raised, are those of ``score_answers``.
    """
    rules = [RuleScorer(name, entry_by_entry(check)) for name, check in checks.items()]
    return score_answers(entries, answers, rules, stopped=stopped, families=families)


def _text(answer: str | None, index: int) -> str:
    if answer is None:
        return ""
    if not isinstance(answer, str):
        raise TypeError(f"answer {index} is {type(answer).__name__}; an answer is a text or None")
    return answer


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
