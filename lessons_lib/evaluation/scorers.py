"""Scores of answers that need no model: rules and counts, behind one small protocol. Lesson 10.

Everything that can score answers, here and in the modules on judges, has a ``name`` and
``score(entries, answers)``. A score belongs to one answer; None means that there is none.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol, runtime_checkable

import regex

from lessons_lib.data import DatasetError, Entry
from lessons_lib.evaluation.key_answers import key_answer
from lessons_lib.evaluation.ranks import Score, rank_average


def rouge_l(entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
    """ROUGE-L's F measure of each answer, 0 … 1: 1 for the same words in the same order.

    Words are those of ``ScriptTokenizer``: in Latin script rouge-score's own, not stemmed; in other
    scripts words, too, or single characters where a script puts no spaces between words. None where
    the output has no word, as an emoji or ">" has none.

    Raises:
        ImportError: rouge-score is not installed.

    Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004; as computed by
    the package rouge-score.
    """
    from rouge_score.rouge_scorer import RougeScorer

    tokenizer = ScriptTokenizer()
    scorer = RougeScorer(["rougeL"], tokenizer=tokenizer)
    return [
        scorer.score(entry["output"], text)["rougeL"].fmeasure
        if tokenizer.tokenize(entry["output"])
        else None
        for entry, text in zip(entries, answers, strict=True)
    ]


_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
# Letters and digits of all scripts but Latin. Common has the micro sign and such, which stand in
# Latin texts, too; of it only the Arabic digits are taken.
_OTHER = rf"[[\p{{L}}\p{{Nd}}٠-٩]--[\p{{Latin}}\p{{Common}}{_UNSPACED}--٠-٩]]"
_ROUGE_WORD = regex.compile(
    rf"[a-z0-9]+|[[\p{{L}}\p{{Nd}}ー]&&[{_UNSPACED}]]\p{{M}}*|(?:{_OTHER}\p{{M}}*)+", regex.V1
)


class ScriptTokenizer:
    """The words of a text in any script, for rouge-score.

    Of a text in Latin script they are exactly rouge-score's: runs of the letters a to z and digits,
    in lower case; all else, accented letters included, is passed over and parts words. Letters of
    other scripts make words with their vowel signs. Chinese, Japanese, Thai, Lao, Khmer and Burmese
    put no spaces between words: there each character counts as one.
    """

    def tokenize(self, text: str) -> list[str]:
        """The words in their order."""
        words = _ROUGE_WORD.findall(text.lower())
        return [unicodedata.normalize("NFC", word) for word in words]  # the same in all spellings


def matches_exactly(entry: Entry, answer: str) -> bool:
    """Whether the answer is the entry's output, apart from white space around either."""
    return answer.strip() == entry["output"].strip()


def names_key_answer(entry: Entry, answer: str) -> bool | None:
    """Whether the answer's first sentence names what the output says beyond the prompt.

    What that is, ``key_answers.key_answer`` defines; None where it finds nothing. A program must be
    the answer's whole code; None where it stands beside other things. An exact match always names
    the key.
    """
    key = key_answer(entry)
    return None if key is None else key.named_in(answer)


_ARTICLES = regex.compile(r"\b(?:an?|the)\b")
# A mark between digits belongs to the number, and so does a minus: 3.5 is not 35, -5 not 5.
# Symbols are no punctuation: 5 > 3 is not 5 < 3, and an emoji is an answer. Unlike re's, regex's \w
# has vowel signs, without which two words of many languages would be one.
_PUNCTUATION = regex.compile(
    r"(?<!\d)(?!-\d)[^\w\s\p{Sc}\p{Sm}\p{So}]|[^\w\s\p{Sc}\p{Sm}\p{So}](?!\d)"
)


@runtime_checkable
class Scorer(Protocol):
    """Whatever scores answers; a scorer of one's own inherits from it.

    A higher score says that an answer is better, unless ``orders_quality`` is False: such a scorer
    only describes answers. ``independent`` is False where an answer's score depends on the other
    answers; a mean of such scores has no interval here, since those count on separate answers.
    """

    name: str
    orders_quality: bool = True
    independent: bool = True

    def score(self, entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
        """One score per answer, in the same order; answer i answers entry i."""
        ...


@dataclass(frozen=True)
class RuleScorer(Scorer):
    """A scorer made of a function of all entries and all answers."""

    name: str
    rule: Callable[[Sequence[Entry], Sequence[str]], Sequence[Score | bool]]
    orders_quality: bool = True
    independent: bool = True

    def score(self, entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
        """The rule's values, True as 1 and False as 0.

        Raises:
            ValueError, TypeError, DatasetError: as ``check_pairs``.
        """
        check_pairs(entries, answers)
        values = self.rule(entries, answers)
        return [None if value is None else float(value) for value in values]


@dataclass(frozen=True)
class RankAverage(Scorer):
    """Several scorers as one: an answer's mean rank among these answers, 0 (lowest) to 1 (highest).

    Rules and models make different mistakes. Ranks depend on the other answers, so combined scores
    of two sets of answers cannot be compared.
    """

    scorers: tuple[Scorer, ...]
    name: str = "combined"
    independent: bool = False

    def score(self, entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
        """See ``ranks.rank_average``.

        Raises:
            ValueError: there are no scorers. As ``checked_scores``.
        """
        return rank_average([checked_scores(each, entries, answers) for each in self.scorers])


def entry_by_entry(rule: Callable[[Entry, str], Score | bool]) -> Callable:
    """A rule for one entry and one answer, as a rule for all of them."""
    return lambda entries, answers: [rule(*pair) for pair in zip(entries, answers, strict=True)]


def normalise(text: str) -> str:
    """A text without what hardly ever matters: case, punctuation, articles, extra white space.

    A text that consists of nothing else ("A", "...") is kept, for it is the answer.

    Source: Rajpurkar et al. 2016, "SQuAD", the official evaluation script; here for any script.
    Unlike there, symbols ($, +, <, an emoji) are kept.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("−", "-")
    plain = plain.replace("\ufe0f", "")  # says only that an emoji is to be drawn in colour
    kept = _PUNCTUATION.sub("", plain)
    for text in (_ARTICLES.sub(" ", kept), kept):
        if text.strip():
            return " ".join(text.split())
    return " ".join(plain.split())


def matches_normalised(entry: Entry, answer: str) -> bool:
    """Whether the answer is the entry's output once both are normalised."""
    return normalise(answer) == normalise(entry["output"])


def chrf(entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
    """chrF of each answer, 0 … 1: how many runs of up to six characters it shares with the output.

    It forgives another ending of a word, and works in every script. None where the output is blank.

    Raises:
        ImportError: sacrebleu is not installed.

    Source: Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015; as computed
    by the package sacrebleu (Post 2018).
    """
    from sacrebleu.metrics import CHRF

    metric, pairs = CHRF(), zip(entries, answers, strict=True)
    return [
        metric.sentence_score(text, [entry["output"]]).score / 100
        if entry["output"].strip()
        else None
        for entry, text in pairs
    ]


def length_ratio(entry: Entry, answer: str) -> float | None:
    """The answer's words for each word of the output; 1 is as long, 2 twice as long. None where the
    output has no word."""
    wanted = len(entry["output"].split())
    return len(answer.split()) / wanted if wanted else None


def first_of_its_kind(entries: Sequence[Entry], answers: Sequence[str]) -> list[bool]:
    """Whether no earlier answer is the same, normalised. Their share is that of distinct answers:
    low for a model that says the same to everything."""
    seen: set[str] = set()
    found = []
    for text in map(normalise, answers):
        found.append(text not in seen)
        seen.add(text)
    return found


EXACT = RuleScorer("exact", entry_by_entry(matches_exactly))
NORMALISED = RuleScorer("normalised", entry_by_entry(matches_normalised))
LENIENT = RuleScorer("lenient", entry_by_entry(names_key_answer))
ROUGE_L = RuleScorer("ROUGE-L", rouge_l)
CHRF = RuleScorer("chrF", chrf)
LENGTH_RATIO = RuleScorer("length ratio", entry_by_entry(length_ratio), orders_quality=False)
DISTINCT = RuleScorer("distinct", first_of_its_kind, orders_quality=False, independent=False)
# What a table of one model's answers shows; the first five also say which answer is better.
STATISTICAL = EXACT, NORMALISED, LENIENT, ROUGE_L, CHRF, LENGTH_RATIO, DISTINCT


def check_pairs(entries: Sequence[Entry], answers: Sequence[str]) -> None:
    """Check that there is one answer per entry, each a text, and that each entry has an output.

    Raises:
        ValueError: there is not one answer per entry. TypeError: an answer is not a text, or
            ``answers`` is a single text. DatasetError: an entry's output is missing, or not a text.
    """
    if isinstance(answers, str):
        raise TypeError("answers is a list of texts; put a single one into [ ]")
    if len(entries) != len(answers):
        raise ValueError(f"{len(entries)} entries and {len(answers)} answers: each entry has one")
    for index, (entry, answer) in enumerate(zip(entries, answers, strict=True)):
        if not isinstance(answer, str):
            raise TypeError(f"answer {index} is {_kind(answer)}; an answer is a text")
        if not isinstance(entry, dict):
            raise DatasetError(f"is {_kind(entry)}; an entry has fields", "entries", index)
        if not isinstance(entry.get("output"), str):
            raise DatasetError("is missing, or no text", "entries", index, "output")


def check_scorer(scorer: object) -> None:
    """Raise a TypeError unless this is a ``Scorer``."""
    if isinstance(scorer, type):
        raise TypeError(f"{scorer.__name__} is a class; a scorer is made by calling it")
    if not isinstance(scorer, Scorer):
        raise TypeError(
            f"{scorer!r} is no scorer but {_kind(scorer)}. A scorer has a name and "
            "score(entries, answers), and inherits from lessons_lib.evaluation.Scorer"
        )


def checked_scores(scorer: Scorer, entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
    """A scorer's scores of these answers, checked: one finite number, or None, per answer.

    Raises:
        TypeError: it is not a scorer, or does not return a list of numbers and None.
        ValueError: it returns more or fewer scores than there are answers, or one that is not
            finite. As the scorer.
    """
    check_scorer(scorer)
    found = scorer.score(entries, answers)
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise TypeError(f"the scorer {scorer.name!r} returned {_kind(found)}, not a list of scores")
    if len(found) != len(answers):
        raise ValueError(
            f"the scorer {scorer.name!r} returned {len(found)} scores for {len(answers)} answers"
        )
    for index, score in enumerate(found):
        returned = f"the scorer {scorer.name!r} returned {score!r} for answer {index}"
        if score is not None and not isinstance(score, Real):
            raise TypeError(f"{returned}; a score is a number or None")
        if score is not None and not math.isfinite(score):
            raise ValueError(f"{returned}; a score is finite, or None where there is none")
    return [None if score is None else float(score) for score in found]


def _kind(value: Any) -> str:
    return "None" if value is None else f"an object of type {type(value).__name__}"
