"""The families of bundled entries: which facts, how they are asked about, how they are answered.

They stand in ``families.toml``, which says how templates are written.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from lessons_lib.data import Entry
from lessons_lib.data.world.facts import Fact, upper_first, wordings


@dataclass(frozen=True)
class Family:
    """One kind of task. The first ``count`` facts of its file make bundled entries.

    ``unseen`` are ways to ask that no entry uses; ``reworded`` is a right answer in other words.
    """

    facts: str  # the file facts/<facts>.tsv; also the family's name
    count: int
    instructions: tuple[str, ...]
    output: str
    input: str = ""
    unseen: tuple[str, ...] = ()
    reworded: str = ""

    def words(self, fact: Fact) -> dict[str, str]:
        """What the templates may use for this fact."""
        derive = DERIVED.get(self.facts)
        return wordings(fact | derive(fact) if derive else fact)


def _sorted_words(fact: Fact) -> Fact:
    return {"sorted": ", ".join(sorted(fact["words"].split(", ")))}


def voices(fact: Fact) -> Fact:
    """The deed told twice, "active" and "passive"."""
    be = "was" if fact["number"] == "singular" else "were"
    return {
        "active": upper_first(f"{fact['agent']} {fact['past']} {fact['object']}."),
        "passive": upper_first(f"{fact['object']} {be} {fact['participle']} by {fact['agent']}."),
    }


# Columns that follow from a fact's own by a rule.
DERIVED = {
    "sort_words": _sorted_words,
    "active_voice": voices,
    "passive_voice": voices,
}


def unseen_phrasing(family: Family, fact: Fact, index: int) -> Entry:
    """An entry with the family's input and output, asked as no bundled entry asks.

    ``index`` counts through the family's unseen phrasings and starts again after the last.

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
