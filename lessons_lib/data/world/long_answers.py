"""A second set of entries: short instructions whose outputs are long. Lesson 11.

Each entry asks for four facts of one family at once; the output is four sentences. There are as
many entries as in the bundled set, split into parts of the same sizes, and no two parts share a
fact. The base model's corpus tells all of these facts.
"""

import json
from pathlib import Path

from lessons_lib.data import Entry, split_entries
from lessons_lib.data.draw import Draw
from lessons_lib.data.world.facts import load_facts
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.tellers import in_a_row
from lessons_lib.support import cache_folder, write_whole

FACTS_AN_ENTRY = 4
SIZES = {"train": 935, "test": 110, "validation": 55}  # as ``split_entries`` cuts 1,100 entries
# The parts of ten consecutive facts. Test gets many, as each of its facts is to be asked once.
PARTS = ("test", "train", "test", "train", "validation", "test", "train", "test", "train", "train")

# For each family, how to ask for several facts at once, and how to name each of them.
ASKED = {
    "synonyms": ("Name synonyms for {topics}.", "'{word}'"),
    "antonyms": ("Name antonyms of {topics}.", "'{word}'"),
    "past_tense": ("Give the past tenses of {topics}.", "'{base}'"),
    "plurals": ("Give the plurals of {topics}.", "'{singular}'"),
    "comparatives": ("Compare the adjectives {topics}.", "'{adjective}'"),
    "homophones": ("Name homophones of {topics}.", "'{word}'"),
    "definitions": ("Define the words {topics}.", "'{word}'"),
    "idioms": ("Explain the idioms {topics}.", "'{idiom}'"),
    "nouns_from_verbs": ("Give the noun forms of {topics}.", "'{verb}'"),
    "capitals": ("Name the capitals of {topics}.", "{country}"),
    "continents": ("Name the continents of {topics}.", "{country}"),
    "currencies": ("Name the currencies of {topics}.", "{country}"),
    "landmarks": ("Where are {topics}?", "{landmark}"),
    "chemical_symbols": ("Give the chemical symbols for {topics}.", "{element}"),
    "atomic_numbers": ("Give the atomic numbers of {topics}.", "{element}"),
    "animal_young": ("What are the young of {topics} called?", "{a_animal}"),
    "animal_sounds": ("What sounds do {topics} make?", "{a_animal}"),
    "inventors": ("Who invented {topics}?", "{invention}"),
    "authors": ("Who wrote {topics}?", "'{work}'"),
    "artworks": ("Who made {topics}?", "the {kind} '{work}'"),
    "jobs": ("What do {topics} do?", "{a_job}"),
    "tools": ("What are {topics} used for?", "{a_tool}"),
    "townspeople": ("In Alderbrook, who are {topics}?", "the {role}"),
    "unit_conversions": ("Convert {topics}.", "{amount} {unit} to {target}"),
    "arithmetic": ("Work out {topics}.", "{left} {operator} {right}"),
    "roman_numerals": ("Write {topics} in Roman numerals.", "{number}"),
}


def long_answer_entries() -> list[Entry]:
    """All entries in order: train, test and validation, as ``split_entries`` cuts them."""
    entries = [entry for part, size in SIZES.items() for entry in _entries_of(part, size)]
    assert [len(part) for part in split_entries(entries)] == list(SIZES.values())
    return entries


def long_answers_file() -> Path:
    """Write these entries to a file in the cache folder, for ``Recipe.entries``; its path."""
    path = cache_folder() / "datasets" / "long-answers.json"
    text = json.dumps(long_answer_entries(), ensure_ascii=False, indent=1) + "\n"
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
    return path


def _entries_of(part: str, size: int) -> list[Entry]:
    """Write ``size`` entries from one part's facts, using each fact as rarely as possible."""
    draw = Draw(f"long answers {part}")
    entries: list[Entry] = []
    while len(entries) < size:  # a round uses each fact at most once
        drawn = [entry for family in ASKED for entry in _round(family, part, draw)]
        entries += draw.shuffled(drawn)
    return entries[:size]


def _round(family_name: str, part: str, draw: Draw) -> list[Entry]:
    """Write an entry for every four facts that the part has of this family."""
    family, (asked, topic) = FAMILIES[family_name], ASKED[family_name]
    facts = [
        family.words(fact)
        for place, fact in enumerate(load_facts(family.facts))
        if PARTS[place % len(PARTS)] == part
    ]
    facts = draw.shuffled(facts)
    groups = zip(*[iter(facts)] * FACTS_AN_ENTRY, strict=False)
    return [
        {
            "instruction": asked.format(topics=in_a_row([topic.format_map(f) for f in group])),
            "input": "",
            "output": " ".join(family.output.format_map(fact) for fact in group),
        }
        for group in groups
    ]
