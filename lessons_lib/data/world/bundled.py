"""The bundled entries, written from the facts: the same facts give the same file, byte for byte.

``python -m lessons_lib.data.world.bundled`` writes ``assets/entries.json``, which lesson 01 loads.
"""

import hashlib
import json
from collections.abc import Sequence

from lessons_lib.data import Entry, split_entries
from lessons_lib.data.entries import BUNDLED_ENTRIES
from lessons_lib.data.world.facts import Fact, load_facts
from lessons_lib.data.world.families import FAMILIES, Family, unseen_phrasing

# Two entries have fixed places, at which lesson 01 looks: one with an input, one without.
SHOWN_WITH_INPUT = (50, "spelling")
SHOWN_WITHOUT_INPUT = (999, "antonyms")

HELD_OUT = 600  # of the entries in reserve, as many as are ever asked
FactPlace = tuple[str, int]  # a family, and the index of a fact in its file


def write_entry(family: Family, fact: dict[str, str], phrasing: int) -> Entry:
    """Write an entry from a fact; ``phrasing`` chooses among the family's ways to ask."""
    words = family.words(fact)
    instruction = family.instructions[phrasing % len(family.instructions)]
    return {
        "instruction": instruction.format_map(words),
        "input": family.input.format_map(words),
        "output": family.output.format_map(words),
    }


def bundled_entries() -> list[Entry]:
    """All bundled entries in order: train, test and validation, as ``split_entries`` cuts them.

    Each part holds entries of every family. No fact is used twice, so no two parts share a fact.
    The order follows from hashes, so it does not depend on a version of Python's random numbers.
    """
    return [entry for _, entry in _ordered()]


def entry_families() -> list[str]:
    """The family of each bundled entry, in the order of the entries."""
    return [family for family, _ in _ordered()]


def families_of(entries: Sequence[Entry]) -> list[str] | None:
    """The family of each entry; None unless all entries are bundled ones."""
    known = {_key(entry): family for family, entry in _ordered()}
    families = [known.get(_key(entry)) for entry in entries]
    return None if None in families else families


def families_of_test_part() -> list[str]:
    """The family of each bundled test entry."""
    return families_of(split_entries(bundled_entries()).test)


def unseen_phrasing_entries() -> list[Entry]:
    """The bundled test entries, each asked in a way that no bundled entry uses."""
    told = facts_of(split_entries(bundled_entries()).test)
    return [unseen_phrasing(family, fact, index) for index, (family, fact) in enumerate(told)]


def facts_of(entries: Sequence[Entry]) -> list[tuple[Family, Fact]]:
    """The family and the fact from which each entry was written, bundled or held out.

    Raises:
        KeyError: an entry is neither.
    """
    facts = {
        _key(write_entry(family, fact, phrasing)): (family, fact)
        for family in FAMILIES.values()
        for fact in load_facts(family.facts)
        for phrasing in range(len(family.instructions))
    }
    return [facts[_key(entry)] for entry in entries]


def facts_of_test_validation_and_held_out() -> frozenset[FactPlace]:
    """The facts that no training entry uses and some entry asks about.

    They are left out where a base model is to lack the facts it will be asked for.
    """
    splits = split_entries(bundled_entries())
    asked = {_key(e) for e in (*splits.test, *splits.validation, *held_out_entries(HELD_OUT))}
    return frozenset(
        (name, index)
        for name, family in FAMILIES.items()
        for index, fact in enumerate(load_facts(name))
        for phrasing in range(len(family.instructions))
        if _key(write_entry(family, fact, phrasing)) in asked
    )


def _key(entry: Entry) -> tuple[str, str]:
    return entry["instruction"], entry["input"]


def all_entries(family_name: str) -> list[Entry]:
    """Every fact of a family in every phrasing, bundled or in reserve."""
    family = FAMILIES[family_name]
    return [
        write_entry(family, fact, phrasing)
        for fact in load_facts(family.facts)
        for phrasing in range(len(family.instructions))
    ]


def held_out_entries(count: int) -> list[Entry]:
    """Entries of facts that no bundled entry uses but the corpus tells, spread over the families.

    They are the first ``count`` in a fixed order, so a larger count only adds entries.

    Raises:
        ValueError: fewer facts are in reserve.
    """
    return [entry for _, entry in _held_out(count)]


def held_out_families(count: int) -> list[str]:
    """The family of each of ``held_out_entries(count)``."""
    return [family for family, _ in _held_out(count)]


def choosing_entries() -> list[Entry]:
    """300 held-out entries by which learning rates and numbers of epochs are chosen."""
    return _half_of_held_out(0)


def reporting_entries() -> list[Entry]:
    """The other 300, answered only when all is chosen: what lesson 11 reports is about these."""
    return _half_of_held_out(1)


def _half_of_held_out(which: int) -> list[Entry]:
    """Every second entry of each family, in the order of ``held_out_entries``."""
    entries, families = held_out_entries(HELD_OUT), held_out_families(HELD_OUT)
    by_family = sorted(range(HELD_OUT), key=families.__getitem__)
    return [entries[index] for index in sorted(by_family[which::2])]


def _held_out(count: int) -> list[tuple[str, Entry]]:
    placed = []
    for name, family in FAMILIES.items():
        pairs = _draw(family, reserve=True)
        # Spread evenly between 0 and 1, so that the first ``count`` hold each family's share.
        placed += [((i + 0.5) / len(pairs), name, pair) for i, pair in enumerate(pairs)]
    if not 0 <= count <= len(placed):
        raise ValueError(f"{len(placed)} facts are in reserve, so not {count} entries")
    return [pair for _, _, pair in sorted(placed, key=lambda place: place[:2])[:count]]


def _ordered() -> list[tuple[str, Entry]]:
    drawn = [pair for family in FAMILIES.values() for pair in _draw(family)]
    # Families lie end to end; of every 20 places 17 go to train, 2 to test and 1 to validation.
    parts: dict[str, list[tuple[str, Entry]]] = {"train": [], "test": [], "validation": []}
    for place, pair in enumerate(drawn):
        part = {3: "test", 13: "test", 8: "validation"}.get(place % 20, "train")
        parts[part].append(pair)
    order = [pair for part in parts.values() for pair in sorted(part, key=_rank)]
    for index, family in (SHOWN_WITH_INPUT, SHOWN_WITHOUT_INPUT):
        other = next(i for i in range(index, len(order)) if order[i][0] == family)
        order[index], order[other] = order[other], order[index]
    return order


def _draw(family: Family, reserve: bool = False) -> list[tuple[str, Entry]]:
    """The family's entries, its facts in an order and each in a phrasing drawn by hashes."""
    facts = load_facts(family.facts)
    facts = facts[family.count :] if reserve else facts[: family.count]
    facts = sorted(facts, key=lambda fact: _hash(*fact.values()))
    phrasings = [int(_hash("phrasing", *fact.values()), 16) for fact in facts]
    return [
        (family.facts, write_entry(family, fact, phrasing))
        for fact, phrasing in zip(facts, phrasings, strict=True)
    ]


def _rank(pair: tuple[str, Entry]) -> str:
    return _hash(pair[0], *pair[1].values())


def _hash(*texts: str) -> str:
    return hashlib.sha256("\t".join(texts).encode()).hexdigest()


def to_json(entries: list[Entry]) -> str:
    """Entries as the text of the file: indented JSON with one newline at the end."""
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    entries = bundled_entries()
    BUNDLED_ENTRIES.write_text(to_json(entries), encoding="utf-8", newline="\n")
    sizes = [len(part) for part in split_entries(entries)]
    print(f"{BUNDLED_ENTRIES}: {len(entries)} entries, split {sizes}")
