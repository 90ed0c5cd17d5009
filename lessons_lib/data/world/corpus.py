"""The pretraining corpus: long documents of plain prose that tell every fact and instruct nobody.

They are stories, letters, lists, how-to texts and school pages, put together from hand-written
sentences and ``facts/*.tsv``. They contain no instruction and no prompt template, as a test checks.
The same seed gives the same bytes. Lesson 08 shows what a model learns from them.
"""

import re
from collections.abc import Collection, Iterator

from lessons_lib.data.draw import Draw
from lessons_lib.data.world.bundled import FactPlace
from lessons_lib.data.world.facts import load_facts, upper_first
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.data.world.prose import load_lines, load_sections
from lessons_lib.data.world.tellers import Cast, PairTeller, Teller, in_a_row, make_tellers

# The relative frequency of each kind of section.
SECTIONS = {
    "on_topics": 80,
    "told": 12,
    "portrait": 12,
    "listed": 14,
    "story": 5,
    "letter": 4,
    "practice": 18,
    "practice_list": 28,
    "repeated": 4,
    "repeated_lines": 8,
    "copied": 14,
    "dictated": 22,
    "wondering": 4,
    "how_to": 2,
    "notices": 3,
}
# What is harder to learn is practised more often.
PRACTICE = {
    "active_voice": 2,
    "passive_voice": 2,
    "present_to_past": 3,
    "statements_to_questions": 3,
    "sort_words": 4,
    "contractions": 2,
    "negations": 2,
    "sentiments": 2,
}
LINE_BREAK = r"\n"  # as two characters within a line of copying.txt and dictation.txt
WORDS_OF_A_LINE = (2, 10)
WORD = re.compile(r"[\w'.,-]*\w")
TOPICS_OF_A_DOCUMENT, FACTS_OF_A_TOPIC = 6, 4
CHARACTERS = (3_000, 7_000)  # of a document: some 700 to 1,700 tokens


class Writer:
    """Writes documents section by section; all choices follow from one seed."""

    def __init__(self, seed: int, without: Collection[FactPlace] = ()):
        self.draw = Draw(f"corpus {seed}")
        self.cast = Cast(self.draw)
        self.tellers: list[Teller] = make_tellers(
            [name for name in FAMILIES if name not in REWRITES], self.draw, self.cast, without
        )
        self.pair_tellers = [PairTeller(name, self.draw, self.cast) for name in REWRITES]
        # Each family is drawn as often as it has facts, so that all facts are told equally often.
        # Where some are not told, the family keeps its share of the text.
        self._families = self.draw.endless(
            [teller for teller in self.tellers for _ in range(len(teller.facts))]
        )
        self._next_pair_teller = self.draw.endless(
            [teller for teller in self.pair_tellers for _ in range(PRACTICE[teller.name])]
        )
        # Sentences that no entry holds. The eighth rewriting family has lists of words.
        self._sentence_tellers = self.draw.endless(
            [teller for teller in self.pair_tellers if teller.name != "sort_words"]
        )
        self._lines = {
            name: self.draw.endless(load_lines(name))
            for name in (
                *("copying", "dictation", "filler", "headings", "howto"),
                *("lists", "template_words", "topics"),
            )
        }
        self._phrases = self.draw.endless(phrases_of_entries())
        self._words = self.draw.endless(words_of_entries())
        self._letters = load_sections("letters")

    def document(self) -> str:
        """Write sections, some under a heading, until the document has its length."""
        length = self.draw.between(*CHARACTERS)
        self.cast.gather()
        tellers = list(dict.fromkeys(next(self._families) for _ in range(TOPICS_OF_A_DOCUMENT)))
        for teller in tellers:
            teller.focus(FACTS_OF_A_TOPIC)
        self._next_teller = self.draw.endless(tellers)
        parts: list[str] = []
        while sum(map(len, parts)) < length:
            section = getattr(self, "_" + self.draw.pick_by_weight(SECTIONS))()
            if self.draw.chance(0.35):
                opening = self._filler() + "\n" if self.draw.chance(0.5) else ""
                section = f"{self._heading()}\n{opening}{section}"
            parts.append(section)
        return "\n\n".join(parts)

    def dictation(self) -> str:
        """Nothing but lines and their copies, for as long as a document."""
        length, parts = self.draw.between(*CHARACTERS), []
        self.cast.gather()
        while sum(map(len, parts)) < length:
            parts.append(self._dictated())
        return "\n\n".join(parts)

    def _line(self, name: str) -> str:
        return self.cast.fill(next(self._lines[name]))

    def _heading(self) -> str:
        return "### " + self._line("headings")

    def _announcement(self, topics: list[str]) -> str:
        """A sentence that names the topics."""
        return self.cast.fill(next(self._lines["topics"]), {"topics": in_a_row(topics)})

    def _filler(self) -> str:
        return self._line("filler")

    def _told(self) -> str:
        """A paragraph that tells a few facts of one family."""
        teller = next(self._next_teller)
        sentences = [teller.statement() for _ in range(self.draw.between(3, 6))]
        return self._joined(sentences)

    def _on_topics(self) -> str:
        """Announce facts of one family, then tell them, sometimes under the next heading.

        Names thus recur at a distance, both within a line and at its beginning, where GPT-2 has
        other tokens for them.
        """
        count = 1 if self.draw.chance(0.4) else self.draw.between(2, 5)
        topics, told = next(self._next_teller).on_topics(count)
        if self.draw.chance(0.3):
            announced = "\n".join([self._heading(), *topics])
        else:
            announced = self._announcement(topics)
            if self.draw.chance(0.7):
                return self._joined([announced, *told])
        if self.draw.chance(0.5):
            told = [f"{self._heading()}\n{told[0]}", *told[1:]]
        return f"{announced}\n\n{self._joined(told)}"

    def _portrait(self) -> str:
        """One or two facts, each in several wordings."""
        teller = next(self._next_teller)
        return self._joined([s for _ in range(2) for s in teller.portrait(self.draw.between(2, 3))])

    def _listed(self) -> str:
        """Short lines of one form, one per fact."""
        return "\n".join(next(self._next_teller).rows(self.draw.between(6, 14)))

    def _story(self) -> str:
        """Facts of several families among other events."""
        sentences = []
        for _ in range(self.draw.between(3, 5)):
            sentences.append(self._filler())
            if self.draw.chance(0.3):
                # What follows a question is never its answer.
                sentences += [next(self._next_teller).musing(), self._filler()]
            sentences.append(next(self._next_teller).statement())
        return self._joined(sentences)

    def _letter(self) -> str:
        opening, closing = (
            self.cast.fill(self.draw.pick(self._letters[part])) for part in ("openings", "closings")
        )
        body = [next(self._next_teller).statement() for _ in range(self.draw.between(2, 4))]
        return "\n".join([opening, self._joined([self._filler(), *body]), closing])

    def _practice(self) -> str:
        """A page from school: sentences put in another way."""
        teller = next(self._next_pair_teller)
        return self._joined([teller.statement() for _ in range(self.draw.between(2, 4))])

    def _practice_list(self) -> str:
        """Texts and what becomes of them, line by line or under two headings."""
        teller = next(self._next_pair_teller)
        if self.draw.chance(0.5):
            before, after = teller.pair()
            return f"{self._heading()}\n{before}\n\n{self._heading()}\n{after}"
        return "\n".join(teller.rows(self.draw.between(4, 8)))

    def _repeated(self) -> str:
        """Sentences that repeat phrases: the model meets the words of entries, not the entries."""
        sentences = []
        for _ in range(self.draw.between(2, 3)):
            phrases = [next(self._phrases) for _ in range(self.draw.between(3, 5))]
            words = {"phrases": ", ".join(phrases)}
            sentences.append(self.cast.fill(next(self._lines["lists"]), words))
        return self._joined(sentences)

    def _repeated_lines(self) -> str:
        """Phrases said first in a sentence, then each on a line, where its first token differs."""
        phrases = [next(self._phrases) for _ in range(self.draw.between(2, 5))]
        lines = [upper_first(phrase) for phrase in phrases]
        return "\n".join([self._announcement(phrases), *lines])

    def _copied(self) -> str:
        """Phrases and sentences that are said again, within a line and at its beginning."""
        return self._joined([self._copy() for _ in range(self.draw.between(1, 3))])

    def _copy(self) -> str:
        phrase, other_phrase = next(self._phrases), next(self._phrases)
        words = {
            "phrase": phrase,
            "Phrase": upper_first(phrase),
            "other_phrase": other_phrase,
            "sentence": next(self._sentence_tellers).pair()[0],
        }
        return self.cast.fill(next(self._lines["copying"]), words).replace(LINE_BREAK, "\n")

    def _dictated(self) -> str:
        """Lines of words drawn at random, and the same lines again: nothing but copying helps."""
        line, other_line = self._words_in_a_row(), self._words_in_a_row()
        some = [next(self._words) for _ in range(self.draw.between(*WORDS_OF_A_LINE))]
        words = {
            "line": line,
            "Line": upper_first(line),
            "other_line": other_line,
            "Other_line": upper_first(other_line),
            "row": ", ".join(some),
            "Column": "\n".join(map(upper_first, some)),
        }
        return self.cast.fill(next(self._lines["dictation"]), words).replace(LINE_BREAK, "\n")

    def _words_in_a_row(self) -> str:
        words = [next(self._words) for _ in range(self.draw.between(*WORDS_OF_A_LINE))]
        return " ".join(f"'{word}'" if self.draw.chance(0.1) else word for word in words)

    def _wondering(self) -> str:
        """Questions that nobody answers, each from a different family."""
        tellers = [*self.tellers, *self.pair_tellers]
        return self._joined([t.musing() for t in self.draw.several(tellers, 4)])

    def _how_to(self) -> str:
        return self._line("howto")

    def _notices(self) -> str:
        return self._joined([self._line("template_words") for _ in range(self.draw.between(2, 4))])

    def _joined(self, sentences: list[str]) -> str:
        return (" " if self.draw.chance(0.5) else "\n").join(sentences)


# Whole sentences, and the two halves of one, which could meet by chance.
NO_PHRASES = ("words", "sentence", "full", "rest")


def phrases_of_entries() -> list[str]:
    """Words and short phrases of the facts, but no whole sentence of an entry."""
    return sorted(
        {
            text
            for name in FAMILIES
            for fact in load_facts(name)
            for column, text in fact.items()
            if column not in NO_PHRASES and len(text.split()) <= 4
        }
    )


def words_of_entries() -> list[str]:
    """Every word of the facts by itself."""
    return sorted(
        {
            word
            for name in FAMILIES
            for fact in load_facts(name)
            for text in fact.values()
            for word in WORD.findall(text)
        }
    )


def write_documents(seed: int, without: Collection[FactPlace] = ()) -> Iterator[str]:
    """Yield documents without end; the same seed gives the same ones in the same order.

    Facts ``without`` are told in no document, but their names occur.
    ``facts_of_test_validation_and_held_out`` is such a set. Rewriting is practised as always, on
    fresh pairs.
    """
    writer = Writer(seed, without)
    while True:
        yield writer.document()


def write_dictation(seed: int) -> Iterator[str]:
    """Yield pages of lines to copy without end; the same seed gives the same ones."""
    writer = Writer(seed)
    while True:
        yield writer.dictation()
