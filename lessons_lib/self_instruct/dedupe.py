"""Which instructions are too like earlier ones: ROUGE-L against all so far, fast and exact.

Alpaca compares each new instruction with all it has, one pair after another, and keeps it if no F
measure is above 0.7. The same are kept here. Lesson 13.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

THRESHOLD = 0.7
SHOWN = 10  # of the most similar instructions, Alpaca keeps so many
# With more instructions than these, the many that are not alike are no longer compared.
COMPARED_WITH_ALL = 5000
AT_ONCE = 256  # new instructions that are compared at a time
# Two F measures that differ are further apart than this; rounding errors are smaller.
ROUNDING = 1e-9

_WORD = re.compile("[a-z0-9]+")


def rouge_words(text: str) -> list[str]:
    """The words by which rouge-score compares by default: runs of a to z and digits, in lower case.

    All else parts words and is passed over, so that a text in another script has none. (Lesson 10's
    scores use a tokenizer that reads every script.)

    Source: the package rouge-score, ``tokenize`` without a stemmer, as Alpaca calls it.
    """
    return _WORD.findall(text.lower())


def rouge_l_f(first_tokens: Sequence[str], second_tokens: Sequence[str]) -> float:
    """ROUGE-L's F measure of two lists of words, 0 … 1: 1 for the same words in the same order.

    Which is first does not matter. 0 where either has no word.

    Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004; as computed by the
    package rouge-score, to the last bit.
    """
    common = LCSseq.similarity(first_tokens, second_tokens)
    return float(_f_measure(common, len(first_tokens), np.array([len(second_tokens)]))[0])


def _f_measure(common: np.ndarray | int, length: int, lengths: np.ndarray) -> np.ndarray:
    """F for the lengths of the longest common subsequences with texts of these ``lengths``, (n,).

    The harmonic mean of precision and recall; in the steps of rouge-score, so that what it rounds
    to just above the threshold is above it here, too.
    """
    precision = common / np.maximum(lengths, 1)  # (n,)
    recall = common / max(length, 1)  # (n,)
    return 2 * precision * recall / np.maximum(precision + recall, ROUNDING)


class Diversity(NamedTuple):
    """How varied some instructions are; the more there are, the nearer is the nearest."""

    instructions: int
    first_words: int  # different ones; for requests, these are mostly their verbs
    nearest: float  # the mean of each one's highest ROUGE-L F against the others, 0 … 1


def measure_diversity(instructions: Sequence[str]) -> Diversity:
    """The diversity of two instructions or more; compare sets of the same size.

    Raises:
        ValueError: there are fewer than two.
    """
    if len(instructions) < 2:
        raise ValueError("diversity is between instructions: two or more are needed")
    words = [rouge_words(instruction) for instruction in instructions]
    highest = [
        max(rouge_l_f(own, other) for place, other in enumerate(words) if place != index)
        for index, own in enumerate(words)
    ]
    first_words = {own[0] for own in words if own}
    return Diversity(len(words), len(first_words), float(np.mean(highest)))


@dataclass(frozen=True)
class Decision:
    """Whether a new instruction is kept, and what it is like."""

    instruction: str
    kept: bool
    # The most similar of the earlier ones with their F, the highest first: ten where all were
    # compared; else those alone that it is too like.
    most_similar: tuple[tuple[str, float], ...]
    mean_similarity: float | None  # of all F; None where not all were compared


class InstructionPool:
    """Instructions so far, and which of some new ones may join them.

    The first ones are taken as they are, as seeds are. A new one is kept if its ROUGE-L F against
    each earlier one is ``threshold`` at most. Up to ``compared_with_all`` instructions, each new
    one is compared with all, on all processor cores, and its ten most similar ones are recorded.
    With more, only the decision is made, and nearly all pairs are spared a comparison: two texts
    have no longer subsequence in common than they have words in common, in whatever order, nor than
    the shorter one is long. How many words a text shares with each earlier one is counted at once.

    Args:
        threshold: the highest F that is not too like.
        workers: how many processor cores compare; −1 is all.

    Raises:
        ValueError: ``threshold`` is not above 0, or above 1.
    """

    def __init__(
        self,
        instructions: Iterable[str] = (),
        threshold: float = THRESHOLD,
        *,
        compared_with_all: int = COMPARED_WITH_ALL,
        workers: int = -1,
    ):
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, not {threshold}")
        self.threshold, self.workers = threshold, workers
        self.compared_with_all = compared_with_all
        self.instructions: list[str] = []
        self._characters: dict[str, str] = {}  # a character for each word
        self._coded: list[str] = []  # each instruction with a character for each word
        self._lengths = array("i")  # of each instruction, in words
        # A numbered word → the indices of all instructions that have it.
        self._holders: defaultdict[tuple[str, int], array] = defaultdict(lambda: array("i"))
        for instruction in instructions:
            self._keep(instruction, self._code(instruction))

    def __len__(self) -> int:
        return len(self.instructions)

    def add(self, instructions: Iterable[str]) -> list[Decision]:
        """A decision on each new instruction, in their order; those that are kept join the pool."""
        new, decisions = list(instructions), []
        for start in range(0, len(new), AT_ONCE):
            batch = new[start : start + AT_ONCE]
            # Where the batch might go beyond the number, each is asked for by itself.
            if len(self) + len(batch) <= self.compared_with_all:
                decisions += self._add_by_all(batch)
            else:
                decisions += [self._add_one(instruction) for instruction in batch]
        return decisions

    def _add_by_all(self, batch: Sequence[str]) -> list[Decision]:
        """Decide by the F of all pairs; those within the batch are compared beforehand, too."""
        coded = [self._code(instruction) for instruction in batch]
        every, first = self._coded + coded, len(self)
        common = _common(coded, every, self.workers)  # (batch, all)
        lengths = np.array([len(each) for each in every])
        in_pool = np.arange(len(every)) < first  # of the batch, those that were kept join in
        decisions = []
        for row, (instruction, own) in enumerate(zip(batch, coded, strict=True)):
            similar = _f_measure(common[row, in_pool], len(own), lengths[in_pool])
            decision = self._decide(instruction, similar)
            decisions.append(decision)
            if decision.kept:
                in_pool[first + row] = True
                self._keep(instruction, own)
        return decisions

    def _add_one(self, instruction: str) -> Decision:
        if len(self) <= self.compared_with_all:
            return self._add_by_all([instruction])[0]
        own = self._code(instruction)
        indices = self._candidates(own)
        lengths = np.frombuffer(self._lengths, dtype=np.int32)[indices]
        # So few that one core has them compared before another one has started.
        common = _common([own], [self._coded[index] for index in indices], workers=1)[0]
        similar = _f_measure(common, len(own), lengths)
        alike = [
            (self.instructions[indices[place]], float(similar[place]))
            for place in np.argsort(-similar, kind="stable")
            if similar[place] > self.threshold
        ]
        if not alike:
            self._keep(instruction, own)
        return Decision(instruction, not alike, tuple(alike[:SHOWN]), None)

    def _decide(self, instruction: str, similar: np.ndarray) -> Decision:
        """By the F against all instructions of the pool, (n,)."""
        best = np.argsort(-similar, kind="stable")[:SHOWN]  # of equals the earlier first
        return Decision(
            instruction,
            kept=not (similar > self.threshold).any(),
            most_similar=tuple((self.instructions[i], float(similar[i])) for i in best),
            mean_similarity=float(similar.mean()) if len(similar) else None,
        )

    def _code(self, instruction: str) -> str:
        """A character for each word: texts are compared quickest as characters."""
        characters = self._characters
        return "".join(
            characters.setdefault(word, chr(len(characters))) for word in rouge_words(instruction)
        )

    def _keep(self, instruction: str, coded: str) -> None:
        for word in _numbered(coded):
            self._holders[word].append(len(self))
        self._lengths.append(len(coded))
        self.instructions.append(instruction)
        self._coded.append(coded)

    def _candidates(self, coded: str) -> np.ndarray:
        """Indices of all instructions that have enough words in common with this one, ascending."""
        holders = [self._holders[word] for word in _numbered(coded) if word in self._holders]
        if not holders:
            return np.arange(0)
        found = np.concatenate([np.frombuffer(each, dtype=np.int32) for each in holders])
        shared = np.bincount(found, minlength=len(self))  # words in common, (instructions,)
        words = len(coded) + np.frombuffer(self._lengths, dtype=np.int32)  # of both together
        # Without so many in common, 2 · common / words stays below the threshold.
        return np.flatnonzero(shared >= self.threshold / 2 * words - ROUNDING)


def _common(coded: Sequence[str], others: Sequence[str], workers: int) -> np.ndarray:
    """The lengths of the longest common subsequences, (coded, others)."""
    if not others:
        return np.zeros((len(coded), 0))
    return cdist(coded, others, scorer=LCSseq.similarity, workers=workers, dtype=np.int64)


def _numbered(coded: str) -> list[tuple[str, int]]:
    """Each word with its number in the text, as the second "the" is another than the first."""
    seen: dict[str, int] = {}
    words = []
    for character in coded:
        seen[character] = number = seen.get(character, 0) + 1
        words.append((character, number))
    return words
