"""Which scorer can be trusted? Each scores answers of which we know how good they are. Lesson 10.

Beside the ranking, two more questions to a judge: does it favour long answers, and does it give the
same grade twice?
"""

import os
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import fmean

from lessons_lib.data import Entry
from lessons_lib.evaluation import (
    STATISTICAL,
    Estimate,
    RankAverage,
    Scorer,
    SemanticScorer,
    load_embedder,
)
from lessons_lib.evaluation.comparison import Difference, paired_difference
from lessons_lib.evaluation.embeddings import find_minilm
from lessons_lib.evaluation.intervals import FEWEST, bootstrap
from lessons_lib.evaluation.judges.labelled_answers import (
    KINDS,
    Kind,
    LabelledAnswer,
    labelled_answers,
    questions_of,
)
from lessons_lib.evaluation.judges.local import DigitJudge, LikelihoodScorer, LocalJudge
from lessons_lib.evaluation.judges.server import MODEL_VARIABLE, ServerJudge
from lessons_lib.evaluation.ranks import Score, auc, rank_average, spearman
from lessons_lib.evaluation.scorers import LENIENT, checked_scores
from lessons_lib.models import load_model
from lessons_lib.support import CheckpointError, Table, is_quick
from lessons_lib.support.devices import pick_device

QUICK_ANSWERS = 4  # in a shrunk run, whose results say nothing
# Politeness that says nothing about the question, whatever the question is.
FILLER = (
    " I hope that this answer helps you. It was a very interesting question, and I thought about "
    "it with great care. If there is anything else that you would like to know, just ask me."
)


@dataclass(frozen=True)
class Verdict:
    """How well one scorer tells good answers from bad ones."""

    name: str
    scores: list[Score]
    auc: Estimate  # of good answers (right, reworded) against all others
    spearman: Estimate  # with the grades 2, 1, 0 of ``labelled_answers.GRADES``
    seconds: float  # for these answers

    @property
    def seconds_per_100(self) -> float:
        """Seconds for a hundred such answers."""
        return 100 * self.seconds / len(self.scores)


@dataclass(frozen=True)
class Verdicts:
    """What ``judge_the_judges`` found: a table in a terminal and in Jupyter, the best scorer first.

    An AUC of 1 puts every good answer above every bad one; 0.5 is what guessing gets.
    """

    labelled: list[LabelledAnswer]
    verdicts: list[Verdict]

    def __getitem__(self, name: str) -> Verdict:
        """The verdict on the scorer of this name.

        Raises:
            KeyError: there is none; the message lists the names there are.
        """
        for verdict in self.verdicts:
            if verdict.name == name:
                return verdict
        names = ", ".join(verdict.name for verdict in self.verdicts)
        raise KeyError(f"there is no verdict on {name!r}; there are {names}")

    def table(self) -> Table:
        """One row per scorer, with how many of the answers it could score."""
        rows = []
        for each in self.verdicts:
            scored = f"{each.auc.count} of {len(each.scores)}"
            speed = f"{each.seconds_per_100:.1f}"
            rows.append((each.name, str(each.auc), str(each.spearman), scored, speed))
        return Table(("scorer", "AUC", "Spearman", "scored", "s per 100"), tuple(rows))

    def between(self, good: Kind, bad: Kind) -> dict[str, Estimate]:
        """Each scorer's AUC of one kind of answer against one other, with its interval.

        An AUC of all good answers against all bad ones mixes easy pairs with hard ones; this one
        says which pairs a scorer can tell apart. Without an interval where there are fewer than
        five answers of a kind.

        Raises:
            ValueError: there is no such kind of answer.
        """
        for kind in (good, bad):
            if kind not in KINDS:
                raise ValueError(f"there is no kind {kind!r}; there are {', '.join(KINDS)}")
        return {verdict.name: self._auc_between(verdict, good, bad) for verdict in self.verdicts}

    def _auc_between(self, verdict: Verdict, good: Kind, bad: Kind) -> Estimate:
        kinds = [each.kind for each in self.labelled]
        indices = [index for index, kind in enumerate(kinds) if kind in (good, bad)]
        if not indices:
            return Estimate(None, None, None, 0)
        questions = questions_of(self.labelled)
        found = bootstrap(
            auc,
            [verdict.scores[index] for index in indices],
            [kinds[index] == good for index in indices],
            groups=[questions[index] for index in indices],
        )
        few = min(kinds.count(good), kinds.count(bad)) < FEWEST
        return found._replace(low=None, high=None) if few else found

    def by_kind(self) -> Table:
        """Each scorer's mean rank of the answers of each kind, from 0 (lowest) to 1 (highest).

        A scorer that forgives wrong facts puts "wrong fact" above "reworded".
        """
        rows = []
        for verdict in self.verdicts:
            ranked = rank_average([verdict.scores])
            means = []
            for kind in KINDS:
                known = [
                    rank
                    for rank, each in zip(ranked, self.labelled, strict=True)
                    if rank is not None and each.kind == kind
                ]
                means.append(f"{fmean(known):.2f}" if known else "–")
            rows.append((verdict.name, *means))
        return Table(("scorer", *KINDS), tuple(rows))

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def available_scorers(
    prompted: bool = True, device: str = "auto", say: Callable[[str], object] = print
) -> list[Scorer]:
    """All scorers that this machine can run: rules, embeddings, a real model's likelihoods.

    ``prompted`` adds the slowest: the real model asked for a grade. A judge on a server joins in
    where ``LESSONS_LIB_JUDGE_MODEL`` names one. Where the real model's package is missing, a
    sentence says so.
    """
    base = SemanticScorer(load_embedder("base"))
    semantic = [base, SemanticScorer(load_embedder("minilm"))] if find_minilm() else [base]
    scorers: list[Scorer] = [*STATISTICAL, *semantic]
    try:
        model = load_model("smollm2").to(pick_device(device))
    except CheckpointError as error:
        say(str(error))
        return scorers
    likelihood = LikelihoodScorer(model)
    scorers += [likelihood, LikelihoodScorer(model, gain=True)]
    scorers.append(RankAverage((LENIENT, likelihood)))
    if prompted:
        scorers += [DigitJudge(model), LocalJudge(model)]
    if os.environ.get(MODEL_VARIABLE):
        scorers.append(ServerJudge())
    return scorers


def judge_the_judges(
    scorers: Sequence[Scorer], labelled: Sequence[LabelledAnswer] | None = None
) -> Verdicts:
    """Rank scorers by how well they separate the labelled answers, with intervals of 95 %.

    The answers are ``labelled_answers()`` if none are given; a shrunk run (``LESSONS_LIB_QUICK``)
    takes a few of them. The bootstrap draws questions, and both answers to each.

    Raises:
        ValueError: there are no answers. As ``scorers.checked_scores``.
    """
    if labelled is None:
        labelled = labelled_answers()[: QUICK_ANSWERS if is_quick() else None]
    labelled = list(labelled)
    if not labelled:
        raise ValueError("there are no labelled answers to judge by")
    verdicts = [judge_one(scorer, labelled) for scorer in scorers]
    verdicts.sort(key=lambda verdict: -(verdict.auc.value or 0))
    return Verdicts(labelled, verdicts)


def judge_one(scorer: Scorer, labelled: Sequence[LabelledAnswer]) -> Verdict:
    """The verdict on one scorer. Raises as ``scorers.checked_scores``."""
    began = time.perf_counter()
    entries, answers = [each.entry for each in labelled], [each.answer for each in labelled]
    scores = checked_scores(scorer, entries, answers)
    seconds = time.perf_counter() - began
    groups = questions_of(labelled)
    separates = bootstrap(auc, scores, [each.good for each in labelled], groups=groups)
    agrees = bootstrap(spearman, scores, [each.grade for each in labelled], groups=groups)
    return Verdict(scorer.name, scores, separates, agrees, seconds)


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
    and all answers to each, as ``judge_one`` does.

    Raises:
        ValueError: as ``ranks.spearman`` and ``intervals.bootstrap``.
    """
    return bootstrap(spearman, first, second, groups=groups)
