"""Fills prose templates: tells fact after fact, each time in another of its family's wordings."""

import re
from collections.abc import Collection, Iterator

from lessons_lib.data.draw import Draw
from lessons_lib.data.world.bundled import FactPlace
from lessons_lib.data.world.facts import Fact, load_facts
from lessons_lib.data.world.families import FAMILIES, Family
from lessons_lib.data.world.pairs import Pair, fresh_pairs
from lessons_lib.data.world.prose import load_family_prose, load_lines

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

# A statement that begins with a column of the fact, capitalised: "{Inventor} gave the world …".
BEGINS_WITH_A_NAME = re.compile(r"{[A-Z]")
# What a fact is about, if that is not its first column.
TOPICS = {
    "arithmetic": "{left} {operator} {right}",
    "inventors": "{invention}",
    "townspeople": "the {role} of Alderbrook",
    "unit_conversions": "{amount} {unit}",
}


def in_a_row(words: list[str]) -> str:
    """ "a", "a and b", "a, b, and c"."""
    if len(words) < 3:
        return " and ".join(words)
    return ", ".join(words[:-1]) + ", and " + words[-1]


def _first_column(family: Family) -> str:
    """The first column as a template, in quotes where the family's answer quotes it."""
    column = "{" + next(iter(load_facts(family.facts)[0])) + "}"
    return f"'{column}'" if f"'{column}'" in family.output else column


class Cast:
    """People, places and days for a sentence's gaps; no two gaps get the same person.

    A document has few people and places, so that they recur.
    """

    def __init__(self, draw: Draw):
        self._draw = draw
        self.gather()

    def gather(self) -> None:
        """Choose new people and places, for another document."""
        self._people = self._draw.several(load_lines("people"), 5)
        self._places = self._draw.several(load_lines("places"), 3)

    def words(self) -> dict[str, str]:
        person, other = self._draw.several(self._people, 2)
        return {
            "person": person,
            "other": other,
            "place": self._draw.pick(self._places),
            "weekday": self._draw.pick(WEEKDAYS),
            "month": self._draw.pick(MONTHS),
        }

    def fill(self, template: str, words: Fact | None = None) -> str:
        """Fill the gaps named in ``words``, and the others with people, places and days."""
        return template.format_map(self.words() | (words or {}))


class Teller:
    """Tells the facts of one family in turn, never in the words of an entry's answer.

    Facts ``without`` (their indices) are named and wondered about, but not told.
    """

    def __init__(self, family_name: str, draw: Draw, cast: Cast, without: Collection[int] = ()):
        self._draw, self._cast = draw, cast
        family = FAMILIES[family_name]
        prose = load_family_prose(family_name)
        self.facts = [family.words(fact) for fact in load_facts(family.facts)]
        self._topic = TOPICS.get(family_name) or _first_column(family)
        self._row_forms = prose.rows
        self._musings = draw.endless(prose.musings)
        # Every fact goes through all wordings, in an order of its own.
        self._wordings = [draw.endless(prose.statements) for _ in self.facts]
        opening = [line for line in prose.statements if BEGINS_WITH_A_NAME.match(line)]
        # Few of them would be told too often; such a family's answers begin in another way, too.
        opening = opening if len(opening) >= 4 else prose.statements
        self._opening_wordings = [draw.endless(opening) for _ in self.facts]
        told = [index for index in range(len(self.facts)) if index not in without]
        self._next, self._listed = draw.endless(told), draw.endless(told)
        self._asked = draw.endless(range(len(self.facts)))
        self._untold = draw.endless(sorted(without))
        self._untold_of_told = len(without) / len(told)
        self.focus(len(told))

    def focus(self, count: int) -> None:
        """Turn to the next ``count`` facts, for another document; it may repeat them."""
        self._told = self._draw.endless([next(self._next) for _ in range(count)])

    def statement(self) -> str:
        """The next fact, told."""
        return self._tell(next(self._told))

    def portrait(self, times: int) -> list[str]:
        """The next fact, told several times in different words."""
        index = next(self._told)
        return [self._tell(index) for _ in range(times)]

    def on_topics(self, count: int) -> tuple[list[str], list[str]]:
        """The topics of the next facts, and the facts told, in another order.

        Topics of facts that are not told stand among the others, each as often as any.

        Two in five are told in a sentence that begins with a name, if the family has some: at the
        beginning of a line, GPT-2 has other tokens for it.
        """
        indices = list(dict.fromkeys(next(self._told) for _ in range(count)))
        told = [
            self._tell(index, self._opening_wordings if self._draw.chance(0.4) else self._wordings)
            for index in self._draw.shuffled(indices)
        ]
        if self._untold_of_told:
            share = self._untold_of_told
            untold = dict.fromkeys(next(self._untold) for _ in indices if self._draw.chance(share))
            indices = self._draw.shuffled([*indices, *untold])
        return [self._topic.format_map(self.facts[index]) for index in indices], told

    def _tell(self, index: int, wordings: list[Iterator[str]] | None = None) -> str:
        return self._cast.fill(next((wordings or self._wordings)[index]), self.facts[index])

    def rows(self, count: int) -> list[str]:
        """The next facts as short lines of one form."""
        form = self._draw.pick(self._row_forms)
        return [form.format_map(self.facts[next(self._listed)]) for _ in range(count)]

    def musing(self) -> str:
        """A question about the next fact, which is not told."""
        return self._cast.fill(next(self._musings), self.facts[next(self._asked)])


class PairTeller:
    """Tells fresh pairs of a rewriting family: a text, and what it becomes."""

    def __init__(self, family_name: str, draw: Draw, cast: Cast):
        self.name = family_name
        self._draw, self._cast = draw, cast
        prose = load_family_prose(family_name)
        self._pairs: Iterator[Pair] = fresh_pairs(family_name, draw)
        self._statements = draw.endless(prose.statements)
        self._row_forms = prose.rows
        self._musings = draw.endless(prose.musings)

    def statement(self) -> str:
        """The next pair, told."""
        return self._cast.fill(next(self._statements), self._words())

    def rows(self, count: int) -> list[str]:
        """The next pairs as short lines of one form, or each on two lines."""
        form = "{before}\n{after}" if self._draw.chance(0.5) else self._draw.pick(self._row_forms)
        return [form.format_map(self._words()) for _ in range(count)]

    def pair(self) -> Pair:
        """The next pair itself."""
        return next(self._pairs)

    def musing(self) -> str:
        """A musing on the next pair, which tells its first half alone."""
        return self._cast.fill(next(self._musings), self._words())

    def _words(self) -> Fact:
        before, after = next(self._pairs)
        return {"before": before, "after": after}


def make_tellers(
    families: list[str], draw: Draw, cast: Cast, without: Collection[FactPlace]
) -> list[Teller]:
    """One teller per family; ``without`` holds the family and index of each fact not to tell."""
    return [
        Teller(name, draw, cast, {index for family, index in without if family == name})
        for name in families
    ]
