"""Finds thousands of phrases in a long text, each by its rarest word."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

# Where a sentence ends, also within quotation marks, or a line.
_ENDS = re.compile(r"[.!?…]+(?=[\"'”’)]*(?:\s|$))|\n")
_END = "¶"
_WORDS, _WORDS_AND_ENDS = re.compile(r"\w+"), re.compile(r"\w+|¶")
AROUND = 12  # words of a passage on either side of the phrase


def words_of(text: str, ends: bool = False) -> list[str]:
    """The words of a text without case and punctuation; if wanted, with the ends of sentences."""
    text = text.lower().replace("'", "").replace("’", "")
    return _WORDS_AND_ENDS.findall(_ENDS.sub(_END, text)) if ends else _WORDS.findall(text)


class Found(NamedTuple):
    phrase: int  # its index
    passage: str  # the words that were found, and some around them


class Phrases:
    """Phrases to look for, with at most ``inserted`` other words within each.

    Without inserted words a phrase may run from a sentence into the next.
    """

    def __init__(self, phrases: Sequence[str], sample: Iterable[str], inserted: int = 0):
        """``sample``: texts that show which words are rare."""
        self._inserted = inserted
        counts = Counter(word for text in sample for word in words_of(text, ends=inserted > 0))
        self._by_anchor: dict[str, list[tuple[int, int, list[str]]]] = {}
        for index, text in enumerate(phrases):
            phrase = words_of(text.rstrip(".?!"), ends=inserted > 0)
            place = min(range(len(phrase)), key=lambda i: counts[phrase[i]])
            self._by_anchor.setdefault(phrase[place], []).append((index, place, phrase))

    def find(self, text: str) -> Iterator[Found]:
        """Where a phrase stands in the text."""
        words = words_of(text, ends=self._inserted > 0)
        anchors = self._by_anchor
        for position in [place for place, word in enumerate(words) if word in anchors]:
            for index, place, phrase in anchors[words[position]]:
                start = self._walk(words, position, phrase[:place][::-1], -1)
                if start is None:
                    continue
                end = self._walk(words, position, phrase[place + 1 :], 1)
                if end is None or end - start + 1 - len(phrase) > self._inserted:
                    continue
                yield Found(index, " ".join(words[max(0, start - AROUND) : end + 1 + AROUND]))

    def _walk(self, words: list[str], position: int, phrase: list[str], by: int) -> int | None:
        """Where the phrase ends that goes on from here, each word as near as can be."""
        spare = self._inserted
        for wanted in phrase:
            position += by
            while spare and 0 <= position < len(words) and words[position] not in (wanted, _END):
                position += by
                spare -= 1
            if not 0 <= position < len(words) or words[position] != wanted:
                return None
        return position
