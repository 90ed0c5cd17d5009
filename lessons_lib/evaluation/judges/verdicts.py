"""Which scorer can be trusted? Each scores answers that are known to be good or bad. Lesson 10."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

from lessons_lib.evaluation import (
    STATISTICAL,
    Estimate,
    RankAverage,
    Scorer,
    SemanticScorer,
    load_embedder,
)
from lessons_lib.evaluation.embeddings import find_minilm
from lessons_lib.evaluation.intervals import (
    FEWEST,
    bootstrap,
    bootstrap_interval,
    wilson_interval,
)
from lessons_lib.evaluation.judges.labelled_answers import (
    KINDS,
    Kind,
    LabelledAnswer,
    labelled_answers,
    questions_of,
)
from lessons_lib.evaluation.judges.local import DigitJudge, LikelihoodScorer, LocalJudge
from lessons_lib.evaluation.judges.server import MODEL_VARIABLE, ServerJudge
from lessons_lib.evaluation.judges.trained import TrainedJudge, finetune_judge
from lessons_lib.evaluation.ranks import Score, auc, pair_wins, rank_average, spearman
from lessons_lib.evaluation.scorers import LENIENT, checked_scores
from lessons_lib.models import load_model
from lessons_lib.support import CheckpointError, Table, is_quick
from lessons_lib.support.devices import pick_device

QUICK_ANSWERS = 2  # in a shrunk run, whose results say nothing
QUICK_PAIRS = 4  # in a shrunk run, of the pairs that it is given


@dataclass(frozen=True)
class Verdict:
    """How well one scorer tells good answers from bad ones."""

    name: str
    scores: list[Score]
    paired: Estimate  # how often a question's good answer scores above its own bad one
    auc: Estimate  # of good answers (right, reworded) against all others, to whatever question
    spearman: Estimate  # with the grades 2, 1, 0 of ``labelled_answers.GRADES``
    seconds: float  # for these answers

    @property
    def seconds_per_100(self) -> float:
        """Seconds for a hundred such answers."""
        return 100 * self.seconds / len(self.scores)


@dataclass(frozen=True)
class Verdicts:
    """What ``judge_the_judges`` found: a table in a terminal and in Jupyter, the best scorer first.

    Best is who mostly puts a question's good answer above its bad one. In pairs as in an AUC, 1 is
    perfect and 0.5 is what guessing gets; a tie counts one half, and so does a missing score.
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
            values = map(str, (each.paired, each.auc, each.spearman))
            rows.append((each.name, *values, scored, speed))
        return Table(("scorer", "pairs", "AUC", "Spearman", "scored", "s per 100"), tuple(rows))

    def only(self, chosen: Callable[[LabelledAnswer], bool]) -> "Verdicts":
        """The verdicts by some of the answers alone, such as one family's; nobody judges again."""
        kept = [index for index, each in enumerate(self.labelled) if chosen(each)]
        share = len(kept) / len(self.labelled)
        found = [
            (each.name, [each.scores[index] for index in kept], share * each.seconds)
            for each in self.verdicts
        ]
        return _ranked([self.labelled[index] for index in kept], found)

    def paired(self, good: str, bad: str) -> dict[str, Estimate]:
        """How often each scorer puts a good answer above a bad one to the same question, by kinds.

        Kinds are those of ``LabelledAnswer.described``, which tells a "reworded wrong fact" from a
        "wrong fact" in the wanted words. ``count`` is the number of pairs.
        """
        rows = [i for i, each in enumerate(self.labelled) if each.described in (good, bad)]
        labelled = [self.labelled[index] for index in rows]
        return {
            verdict.name: _paired([verdict.scores[index] for index in rows], labelled)
            for verdict in self.verdicts
        }

    def pairs(self, *names: str) -> Table:
        """``paired`` for each kind of pair that there is, one row each, for the scorers named.

        Raises:
            KeyError: there is no verdict on a scorer of this name.
        """
        names = names or tuple(verdict.name for verdict in self.verdicts)
        labelled = sorted(self.labelled, key=lambda each: KINDS.index(each.kind))
        goods, bads = (
            list(dict.fromkeys(each.described for each in labelled if each.good == good))
            for good in (True, False)
        )
        rows = []
        for good, bad in product(goods, bads):
            found = self.paired(good, bad)
            if count := max(each.count for each in found.values()):
                shown = (found[self[name].name].format() for name in names)
                rows.append((f"{good} v. {bad}", str(count), *shown))
        return Table(("good v. bad", "pairs", *names), tuple(rows))

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
        rows, kinds = [], [k for k in KINDS if any(each.kind == k for each in self.labelled)]
        for verdict in self.verdicts:
            ranked = rank_average([verdict.scores])
            means = []
            for kind in kinds:
                known = [
                    rank
                    for rank, each in zip(ranked, self.labelled, strict=True)
                    if rank is not None and each.kind == kind
                ]
                means.append(f"{fmean(known):.2f}" if known else "–")
            rows.append((verdict.name, *means))
        return Table(("scorer", *kinds), tuple(rows))

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def available_scorers(
    prompted: bool = True,
    device: str = "auto",
    say: Callable[[str], object] = print,
    trained: bool = False,
) -> list[Scorer]:
    """All scorers that this machine can run: rules, embeddings, a real model's likelihoods.

    ``prompted`` adds the slowest: the real model asked for a grade. ``trained`` adds the real model
    fine-tuned to judge, which takes minutes unless it was done before. A judge on a server joins in
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
    if trained:
        scorers.append(TrainedJudge(finetune_judge(device=device, say=say).model))
    if os.environ.get(MODEL_VARIABLE):
        scorers.append(ServerJudge())
    return scorers


def judge_the_judges(
    scorers: Sequence[Scorer], labelled: Sequence[LabelledAnswer] | None = None
) -> Verdicts:
    """Rank scorers by how well they tell good answers from bad ones, with intervals of 95 %.

    The answers are ``labelled_answers()`` if none are given; a shrunk run (``LESSONS_LIB_QUICK``)
    takes a few of them. The bootstrap draws questions, and both answers to each.

    Raises:
        ValueError: there are no answers. As ``scorers.checked_scores``.
    """
    if labelled is None:
        labelled = labelled_answers()[: QUICK_ANSWERS if is_quick() else None]
    elif is_quick():
        labelled = _some_pairs(labelled)
    labelled = list(labelled)
    if not labelled:
        raise ValueError("there are no labelled answers to judge by")
    entries, answers = [each.entry for each in labelled], [each.answer for each in labelled]
    found = []
    for scorer in scorers:
        began = time.perf_counter()
        scores = checked_scores(scorer, entries, answers)
        found.append((scorer.name, scores, time.perf_counter() - began))
    return _ranked(labelled, found)


def _some_pairs(labelled: Sequence[LabelledAnswer]) -> list[LabelledAnswer]:
    """Every so many pairs, so that each kind of question is still among them."""
    every = max(1, len(labelled) // 2 // QUICK_PAIRS)
    return [each for index, each in enumerate(labelled) if index // 2 % every == 0]


def _ranked(
    labelled: list[LabelledAnswer], found: Sequence[tuple[str, list[Score], float]]
) -> Verdicts:
    """The verdicts on scorers, given as name, scores and seconds; the best first."""
    groups, good = questions_of(labelled), [each.good for each in labelled]
    grades = [each.grade for each in labelled]
    verdicts = [
        Verdict(
            name,
            scores,
            _paired(scores, labelled),
            bootstrap(auc, scores, good, groups=groups),
            bootstrap(spearman, scores, grades, groups=groups),
            seconds,
        )
        for name, scores, seconds in found
    ]
    verdicts.sort(key=lambda each: (each.paired.value or 0, each.auc.value or 0), reverse=True)
    return Verdicts(labelled, verdicts)


def _paired(scores: Sequence[Score], labelled: Sequence[LabelledAnswer]) -> Estimate:
    """The share of questions whose good answer scores above the bad one, with its interval.

    Questions are independent, their answers are not: where each pair is won or lost, Wilson's
    interval of these shares holds; where there are ties, the bootstrap's over questions.
    """
    wins = pair_wins(scores, [each.good for each in labelled], questions_of(labelled))
    if not wins or all(score is None for score in scores):
        return Estimate(0.5 if wins else None, None, None, 0)
    if set(wins) <= {0.0, 1.0}:
        return wilson_interval(int(sum(wins)), len(wins))
    return bootstrap_interval(wins)
