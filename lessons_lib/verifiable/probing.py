"""Rules that a reader writes, tried on texts that are easily got wrong. Lesson 13."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from lessons_lib.support import Table
from lessons_lib.verifiable.checkers import CHECKERS, Checker

Rules = Mapping[str, Callable[[str], bool | None]]

PROBES = (
    "Blue seven perhaps",
    "Well-known ice-cream shops",
    "One - two - three",
    "IT IS 7 O'CLOCK",
    "It IS LOUD",
    "12:30",
    "Twelve",
    "There are 12 of them.",
    "There are 12 of them, or 25.",
    "It costs 10.",
    "It is 120 km away",
    "-15 degrees",
    "The River Thames",
    "Rivers and streams",
    "driver",
    "It rains. Take an umbrella.",
    "It rains. Take an umbrella. Go!",
    "It rains. Take an umbr",
    "Dr. Smith came. He left.",
    "Is it so?",
    "Is it so? Yes.",
    "Yes",
    "no.",
    '"Yes."',
    "Yes, it is.",
    "Nothing",
    "- tea\n- milk\n- sugar",
    "1. tea\n\n2. milk\n\n3. sugar",
    "Shopping:\n- tea\n- milk\n- sugar",
    "tea, milk, sugar",
    "1.\n2.\n3.",
    "A bold man had cash",
    "A café",
    "Every dog",
    "Well, it rains.",
    "Wellington boots",
    "well, it rains",
    "Well-being",
)


def try_rules(rules: Rules, checkers: tuple[Checker, ...] = CHECKERS) -> Table:
    """A row for each checker: where the rule of this name agrees with the course's, and where not.

    A rule takes a text without white space around it. One that returns None everywhere was not
    written yet; one that raises is told, and the others still count.
    """
    rows = [(each.name, each.suffix, _tried(rules.get(each.name), each)) for each in checkers]
    return Table(("rule", "demand", f"on {len(PROBES)} texts"), tuple(rows))


def with_rules(rules: Rules, checkers: tuple[Checker, ...] = CHECKERS) -> tuple[Checker, ...]:
    """The checkers with these rules, where they agree with the course's on all texts tried.

    A rule that does not, or is not there, leaves the course's in its place, so that scores with it
    mean the same for everybody.
    """
    return tuple(
        replace(each, rule=rules[each.name])
        if each.name in rules and _tried(rules[each.name], each) == AGREES
        else each
        for each in checkers
    )


AGREES, OPEN = "as the course's", "not written yet"


def _tried(rule: Callable[[str], bool | None] | None, checker: Checker) -> str:
    """What a rule makes of the texts, in a phrase."""
    if rule is None:
        return OPEN
    said = []
    for text in PROBES:
        try:
            said.append(rule(text))
        except Exception as error:  # a reader's function may raise anything
            return f"raises {type(error).__name__} at {text!r}: {error}"
    if all(each is None for each in said):
        return OPEN
    for text, mine in zip(PROBES, said, strict=True):
        if bool(mine) != checker.passes(text):
            return f"says {bool(mine)} of {text!r}, the course's {checker.passes(text)}"
    return AGREES
