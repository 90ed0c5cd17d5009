"""What an answer must name to be right in substance, and where its first sentence ends. Lesson 10.

A fine-tuned model may know that the capital is Oslo and still phrase it in its own way. So beside
the exact match there is a lenient one: does the first sentence name the key answer?
"""

import re
import textwrap
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
# A minus belongs to its number, unless it stands behind something: 7-5, 5%-6%, 'x'-5. Unlike re's,
# regex's \w has the vowel signs that belong to a word.
_BEHIND = r"(?<![\w)\]%°]['\"’”*]{0,3})"
_NUMBER = r"(?:\d+(?:[.,]\d+)*|(?<![\w.])\.\d+)"
_WORD = regex.compile(rf"{_BEHIND}-(?:\d+(?:[.,]\d+)*|\.\d+)|{_NUMBER}|[^\W_]+(?:'[^\W_]+)*")
_MINUS_CURRENCY = regex.compile(rf"{_BEHIND}-(\p{{Sc}})(?=\.?\d)")  # -$5 is $-5
_INNER = r"(.{1,200}?)"  # bounded: a quote that never closes is not searched to the end
_QUOTED = re.compile(rf"(?<!\w)'{_INNER}'(?!\w)|\"{_INNER}\"|“{_INNER}”|‘{_INNER}’")
_ITEM = r"(?:(?:an?|the) )?[\w-]+"
_CHOICES = re.compile(rf"\b(?:{_ITEM}, )*{_ITEM},? or {_ITEM}", re.IGNORECASE)
# A block of code between fences, the last of which may be missing; on one line, too.
_FENCED = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[^`\n]*\n(?P<block>.*?)(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|```(?P<line>[^`\n]+)```",
    re.DOTALL | re.MULTILINE,
)
_IN_BACKTICKS = re.compile(r"`([^`]+)`")
# Lines that are hardly anything else: a call, a head with its colon, an import, a statement's end.
_CODE_LINE = re.compile(
    r"(?!\w+\(e?s\)$)[\w.]+\(.*\);?|(?:def|class|for|while|if|with) .*:|import [\w.]+"
    r"|from [\w.]+ import .+|#include\b.*|(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\b.*"
    r"|</?\w[^<>]*>.*|.*(?:[)\]}\"'];|\{)"
)
_CODE_BEGINS = re.compile(r"[\w.]+ = .+|#.*|//.*")  # lines that code follows

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
    """Words that the first sentence must name, and words that it must not; or a program."""

    words: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    code: str = ""

    def __str__(self) -> str:
        return self.code or ", ".join(self.words)

    def named_in(self, answer: str) -> bool | None:
        """Whether the answer names this.

        Words must all be in the first sentence, in any order, and no excluded one. A program must
        be the answer's code: what is in its fences, or without fences the whole answer. One that
        stands there beside other things may be right or not: None.
        """
        if self.code:
            return self._is_code_of(answer)
        written = find_words(first_sentence(_without_fences(answer)))
        said = {*written, *map(str.casefold, written)}
        return said.issuperset(self.words) and said.isdisjoint(self.excluded)

    def _is_code_of(self, answer: str) -> bool | None:
        if self.code in (_code_of(answer), _tidy(answer)):
            return True
        return None if self.code in _tidy(answer) else False


def key_answer(entry: Entry) -> KeyAnswer | None:
    """What an entry's output says beyond the prompt; None where it adds no word of its own.

    Only the output's first sentence is read, without regard to case, unless the output has code. In
    this order:

    0. The output has code, in fences or backticks or by its looks: the code is wanted as it is,
       apart from blank lines, indentation of the whole and spaces at the ends of lines.
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
    if code := _code_of(entry["output"]):
        return KeyAnswer((), code=code)
    sentence = _LIST_NUMBER.sub("", first_sentence(_without_fences(entry["output"])), count=1)
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


def split_sentences(text: str) -> list[str]:
    """The sentences of a text in order; where one ends, ``first_sentence`` says."""
    found, rest = [], text.strip()
    while rest:
        found.append(first_sentence(rest))
        rest = rest[len(found[-1]) :].lstrip()
    return found


def find_words(text: str) -> list[str]:
    """The words and numbers of a text as they are written; Ann's becomes Ann.

    Hyphens part words, apostrophes inside words do not: well-known is two words, don't is one. A
    minus belongs to its number: -5 is not 5. Numbers are written in one way: 3,500 becomes 3500,
    29.00 becomes 29, and .5 becomes 0.5.
    """
    return [_bare(word) for word in _WORD.findall(_plain(text))]


def _plain(text: str) -> str:
    """The text with equivalent characters made the same (é in one or two parts, ² and 2), and with
    plain apostrophes and minus signs."""
    plain = unicodedata.normalize("NFKC", text).replace("−", "-")
    plain = re.sub(r"(?<=\w)’(?=\w)", "'", plain)
    return _MINUS_CURRENCY.sub(r"\1-", plain)


def _bare(word: str) -> str:
    if not word.lstrip("-.")[0].isdigit():
        return word.removesuffix("'s")
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", word):
        word = word.replace(",", "")
    if re.fullmatch(r"-?\d*\.\d+", word):  # 3.0.1 is no number
        word = re.sub(r"^(-?)\.", r"\g<1>0.", word.rstrip("0")).removesuffix(".")
    return "0" if word == "-0" else word


def _code_of(text: str) -> str:
    """The code in a text: what is in its fences, else in backticks, else the text, where its lines
    look like code; "" where there is none."""
    blocks = [found["block"] or found["line"] or "" for found in _FENCED.finditer(text)]
    if code := "\n".join(filter(None, map(_tidy, blocks))):
        return code
    if inline := _IN_BACKTICKS.findall(text):
        return "\n".join(map(_tidy, inline))
    lines = _tidy(text).splitlines()
    if lines and lines[0].endswith(":") and not _CODE_LINE.fullmatch(lines[0]):
        del lines[0]  # Here is a program:
    looks = [bool(_CODE_LINE.fullmatch(line.strip())) for line in lines]
    begins = any(looks) and (looks[0] or _CODE_BEGINS.fullmatch(lines[0]))
    return _tidy("\n".join(lines)) if begins else ""


def _tidy(code: str) -> str:
    """Code without blank lines, common indentation and spaces at the ends of lines."""
    lines = [line.rstrip() for line in textwrap.dedent(code.expandtabs(4)).splitlines()]
    return textwrap.dedent("\n".join(filter(None, lines)))


def _without_fences(text: str) -> str:
    """The text without the lines that fence something off, and the words on them."""
    return _FENCED.sub(lambda found: f"\n{found['block'] or found['line'] or ''}\n", text)


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
