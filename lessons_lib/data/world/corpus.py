"""The pretraining corpus: long documents of plain prose that tell every fact and instruct nobody.

They are stories, letters, lists, how-to texts and school pages, put together from hand-written
sentences and ``facts/*.tsv``. They contain no instruction and no prompt template, as a test checks.
The same seed gives the same bytes. Lesson 08 shows what a model learns from them.
"""

from collections.abc import Iterator

from lessons_lib.data.draw import Draw
from lessons_lib.data.world.facts import load_facts, upper_first
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.data.world.prose import load_lines, load_sections
from lessons_lib.data.world.tellers import Cast, PairTeller, Teller, in_a_row, make_tellers

# The relative frequency of each kind of section.
SECTIONS = {
    "on_topics": 50,
    "told": 6,
    "portrait": 6,
    "listed": 8,
    "story": 4,
    "letter": 3,
    "practice": 24,
    "practice_list": 32,
    "repeated": 6,
    "repeated_lines": 8,
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
TOPICS_OF_A_DOCUMENT, FACTS_OF_A_TOPIC = 6, 4
CHARACTERS = (3_000, 7_000)  # of a document: some 700 to 1,700 tokens


class Writer:
    """Writes documents section by section; all choices follow from one seed."""

    def __init__(self, seed: int):
        self.draw = Draw(f"corpus {seed}")
        self.cast = Cast(self.draw)
        self.tellers: list[Teller] = make_tellers(
            [name for name in FAMILIES if name not in REWRITES], self.draw, self.cast
        )
        self.pair_tellers = [PairTeller(name, self.draw, self.cast) for name in REWRITES]
        # Each family is drawn as often as it has facts, so that all facts are told equally often.
        self._families = self.draw.endless(
            [teller for teller in self.tellers for _ in range(len(teller.facts))]
        )
        self._next_pair_teller = self.draw.endless(
            [teller for teller in self.pair_tellers for _ in range(PRACTICE[teller.name])]
        )
        self._lines = {
            name: self.draw.endless(load_lines(name))
            for name in ("filler", "headings", "howto", "lists", "template_words", "topics")
        }
        self._phrases = self.draw.endless(phrases_of_entries())
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


def phrases_of_entries() -> list[str]:
    """Words and short phrases of the facts, but no whole sentence of an entry."""
    return sorted(
        {
            text
            for name in FAMILIES
            for fact in load_facts(name)
            for column, text in fact.items()
            if column not in ("words", "sentence") and len(text.split()) <= 4
        }
    )


def write_documents(seed: int) -> Iterator[str]:
    """Yield documents without end; the same seed gives the same ones in the same order."""
    writer = Writer(seed)
    while True:
        yield writer.document()
