"""The families of bundled entries: their facts, the ways to ask and the form of the answer.

They are listed in ``families.toml``, which also explains the templates.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from lessons_lib.data import Entry
from lessons_lib.data.world.facts import Fact, upper_first, wordings


@dataclass(frozen=True)
class Family:
    """A kind of task. Bundled entries are made from the first ``count`` facts of its file.

    ``unseen`` holds ways to ask that no entry uses; ``reworded`` is a right answer in other words.
    ``by_rule`` says that who never read the fact can form the answer, as a plural or a sum.
    """

    facts: str  # the file facts/<facts>.tsv; also the family's name
    count: int
    instructions: tuple[str, ...]
    output: str
    input: str = ""
    unseen: tuple[str, ...] = ()
    reworded: str = ""
    by_rule: bool = False

    def words(self, fact: Fact) -> dict[str, str]:
        """What the templates may use for this fact."""
        derive = DERIVED.get(self.facts)
        return wordings(fact | derive(fact) if derive else fact)


def _sorted_words(fact: Fact) -> Fact:
    return {"sorted": ", ".join(sorted(fact["words"].split(", ")))}


def voices(fact: Fact) -> Fact:
    """The deed told in two voices, "active" and "passive"."""
    be = "was" if fact["number"] == "singular" else "were"
    return {
        "active": upper_first(f"{fact['agent']} {fact['past']} {fact['object']}."),
        "passive": upper_first(f"{fact['object']} {be} {fact['participle']} by {fact['agent']}."),
    }


# Columns that follow by a rule from a fact's own.
DERIVED = {
    "sort_words": _sorted_words,
    "active_voice": voices,
    "passive_voice": voices,
}


def unseen_phrasing(family: Family, fact: Fact, index: int) -> Entry:
    """An entry with the family's input and output, but asked as no bundled entry asks.

    ``index`` counts through the family's unseen phrasings, starting again after the last.

    Raises:
        ValueError: the family has no unseen phrasings. KeyError: the fact lacks one of its columns.
    """
    if not family.unseen:
        raise ValueError(f"the family {family.facts!r} has no unseen phrasings")
    words = family.words(fact)
    return {
        "instruction": family.unseen[index % len(family.unseen)].format_map(words),
        "input": family.input.format_map(words),
        "output": family.output.format_map(words),
    }


def _read_families(path: Path) -> dict[str, Family]:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    lists = ("instructions", "unseen")
    return {
        name: Family(name, **{k: tuple(v) if k in lists else v for k, v in table.items()})
        for name, table in tables.items()
    }


FAMILIES = _read_families(Path(__file__).with_name("families.toml"))
