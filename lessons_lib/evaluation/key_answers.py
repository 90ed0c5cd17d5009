"""What an answer must name to be right in substance, and where its first sentence ends. Lesson 10.

A fine-tuned model may know that the capital is Oslo and still phrase it in its own way. So beside
the exact match there is a lenient one: does the first sentence name the key answer?
"""

import re
import unicodedata
from typing import NamedTuple

import regex

from lessons_lib.data import Entry

# Words that link an answer to its question and carry no answer themselves, as "not" and "no" do.
FUNCTION_WORDS = frozenset(
    """
    a an the this that these those there here it its he she they we you i him her them his their
    our your my me us who whom whose which what where when how why
    am is are was were be been being has have had do does did will would can could may might
    and or but so if than then as at by for from in into of on onto out over to up with about
    also both each called named known written made used located means mean stands
    equal equals equivalent
    """.split()
)
# A minus belongs to its number, unless it stands behind something: 7-5, 5%-6%. Unlike re's, regex's
# \w has the vowel signs that belong to a word.
_WORD = regex.compile(r"(?<![\w)\]%°'\"’”*])-?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*|[^\W_]+(?:'[^\W_]+)*")
_INNER = r"(.{1,200}?)"  # bounded: a quote that never closes is not searched to the end
_QUOTED = re.compile(rf"(?<!\w)'{_INNER}'(?!\w)|\"{_INNER}\"|“{_INNER}”|‘{_INNER}’")
_ITEM = r"(?:(?:an?|the) )?[\w-]+"
_CHOICES = re.compile(rf"\b(?:{_ITEM}, )*{_ITEM},? or {_ITEM}", re.IGNORECASE)
_LIST_NUMBER = re.compile(r"^\d+[.)]\s+")
_SEARCHED = 1000  # characters of an instruction that are searched for choices

# Sentences end at a line's end, or at one of these with closing quotes, and a space or nothing.
# Possessive (++): models do write thousands of periods in a row, and searching must stay fast.
_ENDS = re.compile(r"(?<![.!?…])[.!?…]++['\"”’)\]]*+(?=\s|$)|[。！？]+[」』”’)\]]*")
_ABBREVIATIONS = frozenset(
    "Dr Mr Mrs Ms Prof St Mt Rev Gen Capt Lt Col Sgt Gov Sen vs cf e.g i.e approx".split()
)
_NUMBERED = frozenset({"No", "Nos", "Op", "Vol"})  # abbreviations before a number, words elsewhere
_NEAR = 60  # characters around a mark that are looked at
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")  # the J.R.R of J.R.R. Tolkien


class KeyAnswer(NamedTuple):
    """Words that the first sentence must name, and words that it must not."""

    words: tuple[str, ...]
    excluded: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(self.words)

    def named_in(self, sentence: str) -> bool:
        """Whether the sentence has each of the words, in any order, and no excluded one."""
        written = find_words(sentence)
        said = {*written, *map(str.casefold, written)}
        return said.issuperset(self.words) and said.isdisjoint(self.excluded)


def key_answer(entry: Entry) -> KeyAnswer | None:
    """What an entry's output says beyond the prompt; None where it adds no word of its own.

    Only the output's first sentence is read, without regard to case. In this order:

    1. The instruction offers choices ("positive or negative") and the output names exactly one:
       that one is wanted, and no other may be named.
    2. The output is the input rewritten: it keeps half of its words and drops others. Which words
       it has then says little, so there is no key answer.
    3. The output puts words into quotes that neither instruction nor input has:
       "An antonym of 'sharp' is 'dull'." wants "dull".
    4. Else all words that neither instruction nor input has, without function words:
       "What is the capital of Norway?" and "The capital of Norway is Oslo." want "oslo".

    Nothing is left where words are sorted or the plural of "sheep" is asked for. Where the output
    is a free text, every new word is wanted: that is nearly as strict as an exact match.
    """
    sentence = _LIST_NUMBER.sub("", first_sentence(entry["output"]), count=1)
    named = _content_words(sentence)
    choices = _choices(entry["instruction"])
    chosen = [word for word in choices if word in named]
    if len(chosen) == 1:
        return KeyAnswer((chosen[0],), tuple(word for word in choices if word != chosen[0]))
    given = set(_content_words(entry.get("input", "")))
    kept = given.intersection(named)
    if given != kept and len(kept) >= len(given) / 2:
        return None
    prompt = {
        word.casefold()
        for text in (entry["instruction"], entry.get("input", ""))
        for word in find_words(text)
    }
    quoted = " ".join("".join(groups) for groups in _QUOTED.findall(_plain(sentence)))
    for words in (_content_words(quoted), named):
        new = tuple(dict.fromkeys(word for word in words if word not in prompt))
        if new:
            return KeyAnswer(new)
    return None


def first_sentence(text: str) -> str:
    """The first sentence of a text, its end mark included; a line's end also ends it.

    A text without an end mark is one sentence, an empty one included. These do not end a sentence:
    the period of "Dr.", of initials, of 3.5 and of a list's "1.", and a mark after which the
    sentence goes on in lower case ("Who?" asked Ann).
    """
    line = next((line for line in text.strip().splitlines() if line.strip()), "").strip()
    for end in _ENDS.finditer(line):
        # Only what is near, so that thousands of sentences in one line stay cheap.
        before = line[max(0, end.start() - _NEAR) : end.start()]
        if not _goes_on(before, end[0], line[end.end() : end.end() + _NEAR].lstrip()):
            return line[: end.end()]
    return line


def find_words(text: str) -> list[str]:
    """The words and numbers of a text as they are written; 3,500 becomes 3500, Ann's becomes Ann.

    Hyphens part words, apostrophes inside words do not: well-known is two words, don't is one. A
    minus belongs to its number: -5 is not 5.
    """
    return [_bare(word) for word in _WORD.findall(_plain(text))]


def _plain(text: str) -> str:
    """The text with equivalent characters made the same (é in one or two parts, ² and 2), and with
    plain apostrophes and minus signs."""
    plain = unicodedata.normalize("NFKC", text).replace("−", "-")
    return re.sub(r"(?<=\w)’(?=\w)", "'", plain)


def _bare(word: str) -> str:
    if word.lstrip("-")[0].isdigit():
        return word.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", word) else word
    return word.removesuffix("'s")


def _content_words(text: str) -> list[str]:
    """Words in lower case without function words. A capitalised one at the end of the text is taken
    for a symbol or a numeral instead (As, In, I), and keeps its case."""
    words = find_words(text)
    kept = [word.casefold() for word in words if not _is_function(word)]
    if words and _is_function(words[-1]) and words[-1] != words[-1].casefold():
        kept.append(words[-1])
    return kept


def _is_function(word: str) -> bool:
    return word.casefold() in FUNCTION_WORDS


def _choices(instruction: str) -> list[str]:
    """The words that an instruction offers to choose from: "a mammal, bird, or fish"."""
    found = _CHOICES.search(instruction[:_SEARCHED])
    return list(dict.fromkeys(_content_words(found[0]))) if found else []


def _goes_on(before: str, mark: str, after: str) -> bool:
    """Whether the sentence continues after the mark."""
    following = find_words(after)
    if not following or mark[0] in "。！？":
        return False
    if after[0].islower():
        return True
    if mark != ".":
        return False
    word = re.split(r"[\s(\[\"'“‘]", before)[-1]
    if word in _ABBREVIATIONS or (word.isdigit() and word == before):
        return True
    if word in _NUMBERED:
        return after[0].isdigit()
    # An initial belongs to a name: "J. K. Rowling", but "Its symbol is K. It is a metal."
    initial = _INITIALS.fullmatch(word) and word[-1].isupper()
    return bool(initial) and not _is_function(following[0])
