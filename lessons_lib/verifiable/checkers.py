"""Ten demands that can be put behind an instruction, each with a rule that says if a text meets it.

A rule sees the form of an answer and knows nothing of its sense: "Blue seven perhaps" is three
words. That makes it cheap, fast and of one mind, as no judge is.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from lessons_lib.data import Entry
from lessons_lib.evaluation.key_answers import find_words, first_sentence

# The last characters of a whole sentence: an end mark, then perhaps a closing quote or bracket.
_SENTENCE_END = re.compile(r"[.!?…。！？]['\"”’)\]」』]*$")
_LIST_MARK = re.compile(r"^\s*(?:[-*•–]|\d{1,3}[.)])\s+")


@dataclass(frozen=True)
class Checker:
    """A demand in words, and the rule by which a text meets it."""

    name: str
    suffix: str  # goes behind an instruction
    rule: Callable[[str], bool]

    def passes(self, text: str) -> bool:
        """Whether the text meets the demand; an empty one meets none, not even "no letter e"."""
        return bool(text.strip()) and self.rule(text.strip())

    def asked_of(self, entry: Entry) -> Entry:
        """The entry with the demand behind its instruction; its output is not changed."""
        return {**entry, "instruction": f"{entry['instruction'].rstrip()} {self.suffix}"}


def in_three_words(text: str) -> bool:
    """Whether these are three words, parted by white space.

    "ice-cream", "don't" and "3.5" are one word each; a dash that stands by itself is none.
    """
    words = [word for word in text.split() if any(map(str.isalnum, word))]
    return len(words) == 3


def in_capitals(text: str) -> bool:
    """Whether there are capital letters, and no small ones."""
    return text.isupper()


def names_number_in_range(text: str) -> bool:
    """Whether it names a number, in digits, and none below 10 or above 20."""
    numbers = [float(word) for word in find_words(text) if re.fullmatch(r"-?\d+(\.\d+)?", word)]
    return bool(numbers) and all(10 <= number <= 20 for number in numbers)


def includes_river(text: str) -> bool:
    """Whether the word is there, in whatever case; "rivers" is another word."""
    return bool(re.search(r"\briver\b", text, re.IGNORECASE))


def has_two_sentences(text: str) -> bool:
    """Whether these are two sentences, both with an end mark: one that was cut off is none."""
    first = first_sentence(text)
    second = first_sentence(text[len(first) :])
    rest = text[len(first) :].lstrip()[len(second) :]
    return not rest.strip() and all(_SENTENCE_END.search(each) for each in (first, second))


def ends_with_question_mark(text: str) -> bool:
    return text.endswith(("?", "？"))


def is_yes_or_no(text: str) -> bool:
    """Whether it is one of the two words alone; case, quotes and an end mark do not count."""
    return text.strip(" .!'\"“”‘’").casefold() in ("yes", "no")


def is_list_of_three(text: str) -> bool:
    """Whether there are three lines with something on them; a mark such as "1." is not enough."""
    lines = [line for line in text.splitlines() if line.strip()]
    items = [_LIST_MARK.sub("", line + " ") for line in lines]
    return len(items) == 3 and all(any(map(str.isalnum, item)) for item in items)


def is_without_e(text: str) -> bool:
    """Whether the letter e is missing; é is an e with an accent."""
    return "e" not in unicodedata.normalize("NFKD", text).casefold()


def begins_with_well(text: str) -> bool:
    """Whether the first word is this one; "Wellington" and "Well-being" are others."""
    return bool(re.match(r"Well(?![\w'’-])", text))


CHECKERS = (
    Checker("three words", "Answer in three words.", in_three_words),
    Checker("capitals", "Use capital letters only.", in_capitals),
    Checker("number", "Name a number from 10 to 20, in digits.", names_number_in_range),
    Checker("river", "Include the word 'river'.", includes_river),
    Checker("two sentences", "Write exactly two sentences.", has_two_sentences),
    Checker("question mark", "End with a question mark.", ends_with_question_mark),
    Checker("yes or no", "Answer with yes or no alone.", is_yes_or_no),
    Checker(
        "list of three",
        "Give a list of three items, one a line, without a heading.",
        is_list_of_three,
    ),
    Checker("no letter e", "Do not use the letter e.", is_without_e),
    Checker("begins with Well", "Begin with the word 'Well'.", begins_with_well),
)
