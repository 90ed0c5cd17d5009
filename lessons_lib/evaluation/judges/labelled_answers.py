"""Sixty answers whose quality is known, to judge the judges by. Lesson 10.

Thirty bundled test entries from thirty families, each with a good and a bad answer, so that no
scorer gains by finding some questions easier than others. Rules decide which answers are good, and
tests check the rules against the tables of facts.
"""

from typing import Literal, NamedTuple

from lessons_lib.data import Entry, split_entries
from lessons_lib.data.world import bundled_entries, load_facts
from lessons_lib.data.world.bundled import facts_of
from lessons_lib.data.world.facts import Fact
from lessons_lib.data.world.families import FAMILIES, Family

Kind = Literal["right", "reworded", "wrong fact", "wrong family", "other question", "empty", "echo"]
RIGHT, REWORDED, WRONG_FACT, WRONG_FAMILY, OTHER_QUESTION, EMPTY, ECHO = KINDS = (
    "right",
    "reworded",
    "wrong fact",
    "wrong family",
    "other question",  # only in ``judgements``
    "empty",
    "echo",
)
GRADES: dict[Kind, int] = {
    RIGHT: 2,
    REWORDED: 2,  # as good as the wanted text, which a scorer should notice
    WRONG_FACT: 1,
    WRONG_FAMILY: 1,
    OTHER_QUESTION: 1,
    EMPTY: 0,
    ECHO: 0,
}


class LabelledAnswer(NamedTuple):
    """An answer to an entry, and what is known about it."""

    entry: Entry
    answer: str
    kind: Kind
    family: str
    template: str = ""  # the sentence that was filled; "" where none was

    @property
    def good(self) -> bool:
        """Whether it answers the question rightly, in whatever words."""
        return self.grade == 2

    @property
    def grade(self) -> int:
        """2 right, 1 a fluent answer that is wrong, 0 no answer at all."""
        return GRADES[self.kind]

    @property
    def described(self) -> str:
        """The kind, with "reworded" before it where a bad answer is not in the wanted words."""
        wanted = self.good or self.template in ("", FAMILIES[self.family].output)
        return self.kind if wanted else f"reworded {self.kind}"


class _Plan(NamedTuple):
    """One question and its two answers."""

    family: str
    value: str  # one of the fact's values that no other fact of the family has
    good: Kind
    bad: Kind
    other: str = ""  # a wrong fact's value, or the other family
    reworded: bool = False  # whether the wrong fact stands in the rewording, too


_PLANS = (
    _Plan("synonyms", "garbage", REWORDED, WRONG_FACT, "pail", True),
    _Plan("past_tense", "think", REWORDED, WRONG_FACT, "teach", True),
    _Plan("capitals", "Portugal", REWORDED, WRONG_FACT, "Spain", True),
    _Plan("atomic_numbers", "calcium", REWORDED, WRONG_FACT, "potassium", True),
    _Plan("inventors", "the World Wide Web", REWORDED, WRONG_FACT, "the computer mouse", True),
    _Plan("artworks", "The Persistence of Memory", REWORDED, WRONG_FACT, "Guernica", True),
    _Plan("definitions", "greenhouse", REWORDED, WRONG_FACT, "aquarium"),
    _Plan("animal_classes", "salamander", REWORDED, WRONG_FACT, "gecko"),
    _Plan("jobs", "dentist", REWORDED, WRONG_FACT, "pharmacist"),
    _Plan("arithmetic", "84", REWORDED, WRONG_FACT, "56"),
    _Plan("roman_numerals", "365", REWORDED, WRONG_FACT, "250"),
    _Plan("antonyms", "wealth", RIGHT, WRONG_FACT, "strength"),
    _Plan("plurals", "piano", RIGHT, WRONG_FACT, "radio"),
    _Plan("nouns_from_verbs", "decide", RIGHT, WRONG_FACT, "divide"),
    _Plan("landmarks", "the Brandenburg Gate", RIGHT, WRONG_FACT, "the Spanish Riding School"),
    _Plan("animal_young", "turkey", RIGHT, WRONG_FACT, "duck"),
    _Plan("authors", "Moby-Dick", RIGHT, WRONG_FACT, "The Old Man and the Sea"),
    _Plan("unit_conversions", "35,000", RIGHT, WRONG_FACT, "1,500"),
    _Plan("continents", "Ireland", REWORDED, WRONG_FAMILY, "capitals"),
    _Plan("chemical_symbols", "magnesium", REWORDED, WRONG_FAMILY, "atomic_numbers"),
    _Plan("currencies", "Bangladesh", RIGHT, WRONG_FAMILY, "capitals"),
    _Plan("comparatives", "hot", RIGHT, WRONG_FAMILY, "antonyms"),
    _Plan("tools", "rake", REWORDED, EMPTY),
    _Plan("proverbs", "Practice makes", REWORDED, EMPTY),
    _Plan("homophones", "son", RIGHT, EMPTY),
    _Plan("sort_words", "owl, eagle, sparrow, duck", RIGHT, EMPTY),
    _Plan("sentiments", "The band played beautifully and everyone danced.", REWORDED, ECHO),
    _Plan("idioms", "spill the beans", REWORDED, ECHO),
    _Plan("animal_sounds", "dove", REWORDED, ECHO),
    _Plan("spelling", "grammar", RIGHT, ECHO),
)


def labelled_answers() -> list[LabelledAnswer]:
    """60 answers to 30 bundled test entries; two neighbours answer the same entry, good then bad.

    Good ones are 12 "right": the wanted text itself; and 18 "reworded": the same fact in a sentence
    with hardly a word of the wanted text. Bad ones are 18 "wrong fact": another fact of the family
    in the sentence that answers such questions (in 6 of them the reworded sentence); 4 "wrong
    family": a true sentence about the same thing that answers another question; 4 "empty"; and
    4 "echo": the question repeated.
    """
    test = split_entries(bundled_entries()).test
    by_value = {
        (family.facts, value): (entry, family, fact)
        for entry, (family, fact) in zip(test, facts_of(test), strict=True)
        for value in fact.values()
    }
    labelled = []
    for plan in _PLANS:
        entry, family, fact = by_value[plan.family, plan.value]
        template = family.reworded if plan.good == REWORDED else family.output
        good = template.format_map(family.words(fact))
        labelled.append(LabelledAnswer(entry, good, plan.good, plan.family, template))
        labelled.append(_bad_answer(plan, entry, family, fact))
    return labelled


def questions_of(labelled: list[LabelledAnswer]) -> list[int]:
    """The index of the question that each answer belongs to, 0, 0, 1, 1, …: groups to draw from."""
    numbers: dict[str, int] = {}
    texts = [f"{each.entry['instruction']}\n{each.entry['input']}" for each in labelled]
    return [numbers.setdefault(text, len(numbers)) for text in texts]


def echo_of(entry: Entry) -> str:
    """The question itself: instruction and input."""
    return "\n".join(filter(None, (entry["instruction"], entry["input"])))


def _bad_answer(plan: _Plan, entry: Entry, family: Family, fact: Fact) -> LabelledAnswer:
    template = ""
    if plan.bad == EMPTY:
        answer = ""
    elif plan.bad == ECHO:
        answer = echo_of(entry)
    elif plan.bad == WRONG_FAMILY:
        thing = next(iter(fact.values()))  # a family's first column names what it is about
        other = FAMILIES[plan.other]
        answer = other.output.format_map(other.words(find_fact(plan.other, thing)))
    else:
        other, asked = find_fact(plan.family, plan.other), asked_columns(family, fact)
        mixed = {column: (fact if column in asked else other)[column] for column in fact}
        template = family.reworded if plan.reworded else family.output
        answer = template.format_map(family.words(mixed))
    return LabelledAnswer(entry, answer, plan.bad, plan.family, template)


def asked_columns(family: Family, fact: Fact) -> list[str]:
    """The columns of a fact that its question names; the others are what is asked for.

    ``kind`` and ``part`` say what sort of thing is asked about, ``target`` into what unit.
    """
    question = " ".join((*family.instructions, family.input))
    return [name for name in fact if f"{{{name}}}" in question or f"{{a_{name}}}" in question]


def find_fact(family: str, value: str) -> Fact:
    """The one fact of a family that has this value in any column.

    Raises:
        ValueError: no fact has it, or several do.
    """
    (fact,) = [fact for fact in load_facts(family) if value in fact.values()]
    return fact
