"""Unseen phrasings: every family has some, no entry uses them, and they ask for the same answer."""

import string
from collections import Counter

import pytest
from rapidfuzz import fuzz

from lessons_lib.data import split_entries
from lessons_lib.world.entries import (
    bundled_entries,
    entry_families,
    families_of,
    families_of_test_part,
    unseen_phrasing_entries,
    write_entry,
)
from lessons_lib.world.facts import load_facts
from lessons_lib.world.families import FAMILIES
from lessons_lib.world.families_without_input import WITHOUT_INPUT
from lessons_lib.world.phrasings import UNSEEN_PHRASINGS, unseen_phrasing

families = pytest.mark.parametrize("name", FAMILIES)

PARSE = string.Formatter().parse
MOST_ALIKE = 90  # percent; from here on a phrasing counts as one the entries already use

# What a phrasing speaks of, for each family; one of the words must stand in it.
SUBJECTS = {
    "synonyms": ("same meaning", "another way to say"),
    "antonyms": ("opposite", "contrary", "reverse"),
    "past_tense": ("past",),
    "plurals": ("plural", "more than one"),
    "comparatives": ("comparative",),
    "homophones": ("pronounced", "sound", "hear"),
    "definitions": ("meaning", "definition", "describe"),
    "idioms": ("mean", "stands for"),
    "nouns_from_verbs": ("noun",),
    "capitals": ("capital",),
    "continents": ("continent",),
    "currencies": ("money", "pay", "currency"),
    "landmarks": ("city", "where"),
    "chemical_symbols": ("symbol", "abbreviate", "letter"),
    "atomic_numbers": ("number",),
    "animal_young": ("young", "baby", "offspring"),
    "animal_sounds": ("sound", "noise", "heard"),
    "inventors": ("invent", "came up with"),
    "authors": ("author", "written", "writer"),
    "artworks": ("artist", "by whom"),
    "jobs": ("work", "earn a living"),
    "tools": ("do with", "does with", "need"),
    "townspeople": ("who ", "person", "name"),
    "unit_conversions": ("{target}",),
    "arithmetic": ("how much", "result", "makes"),
    "roman_numerals": ("roman",),
    "spelling": ("spell",),
    "active_voice": ("active",),
    "passive_voice": ("passive",),
    "animal_classes": ("mammal", "class"),
    "sentiments": ("positive or negative",),
    "proverbs": ("proverb", "saying"),
    "sort_words": ("alphabet", "order"),
    "present_to_past": ("past",),
    "statements_to_questions": ("question",),
    "contractions": ("contraction", "shortened"),
    "negations": ("negat", "deny"),
}


def fields(template: str) -> set[str]:
    return {field for _, field, _, _ in PARSE(template) if field is not None}


def wording(template: str) -> str:
    """The template's own words: every placeholder becomes the same short mark, since a long fact
    in both would make any two questions look alike."""
    return "".join(text + ("X" if field else "") for text, field, _, _ in PARSE(template))


def alike(name: str) -> list[tuple[str, str]]:
    """The pairs of an unseen and a used instruction that are too much alike."""
    return [
        (unseen, used)
        for unseen in UNSEEN_PHRASINGS[name]
        for used in FAMILIES[name].instructions
        if fuzz.ratio(wording(unseen), wording(used)) >= MOST_ALIKE
    ]


def test_exactly_the_families_have_phrasings():
    assert UNSEEN_PHRASINGS.keys() == FAMILIES.keys() == SUBJECTS.keys()


@families
def test_a_family_has_two_or_three_different_ones(name):
    assert len(UNSEEN_PHRASINGS[name]) in (2, 3)
    assert len(set(UNSEEN_PHRASINGS[name])) == len(UNSEEN_PHRASINGS[name])


def test_no_phrasing_is_an_instruction_of_any_family_or_stands_twice():
    unseen = [text for texts in UNSEEN_PHRASINGS.values() for text in texts]
    used = [text for family in FAMILIES.values() for text in family.instructions]
    assert [text for text, count in Counter(unseen + used).items() if count > 1] == []


@families
def test_none_is_much_like_an_instruction_of_its_family(name):
    assert alike(name) == []


def test_likeness_is_seen(monkeypatch):
    nearly = "What is the capital city in {country}?"
    monkeypatch.setitem(UNSEEN_PHRASINGS, "capitals", (nearly,))
    assert alike("capitals") == [(nearly, "What is the capital city of {country}?")]


@families
def test_every_placeholder_is_filled_for_every_fact(name):
    for fact in load_facts(name):
        for index, template in enumerate(UNSEEN_PHRASINGS[name]):
            assert fields(template) <= FAMILIES[name].words(fact).keys()
            entry = unseen_phrasing(FAMILIES[name], fact, index)
            assert entry["instruction"] and "{" not in "".join(entry.values())
            assert entry["instruction"][0].isupper() or entry["instruction"][0] in "'0123456789"


@families
def test_each_names_the_task(name):
    for template in UNSEEN_PHRASINGS[name]:
        assert any(subject in template.lower() for subject in SUBJECTS[name]), template


@families
def test_each_tells_which_fact_is_meant(name):
    """Instruction and input together differ from fact to fact."""
    for index in range(len(UNSEEN_PHRASINGS[name])):
        entries = [unseen_phrasing(FAMILIES[name], fact, index) for fact in load_facts(name)]
        assert len({(e["instruction"], e["input"]) for e in entries}) == len(entries)


@pytest.mark.parametrize("name", [family.facts for family in WITHOUT_INPUT])
def test_the_answer_is_not_given_away(name):
    for fact in load_facts(name):
        for index in range(len(UNSEEN_PHRASINGS[name])):
            entry = unseen_phrasing(FAMILIES[name], fact, index)
            assert entry["output"] not in entry["instruction"]


def test_input_and_output_are_those_of_an_ordinary_entry():
    for name, family in FAMILIES.items():
        fact = load_facts(name)[0]
        unseen, used = unseen_phrasing(family, fact, 0), write_entry(family, fact, 0)
        assert unseen["instruction"] != used["instruction"]
        assert (unseen["input"], unseen["output"]) == (used["input"], used["output"])


def test_no_bundled_entry_asks_so():
    used = {entry["instruction"] for entry in bundled_entries()}
    for name, family in FAMILIES.items():
        for fact in load_facts(name):
            for index in range(len(UNSEEN_PHRASINGS[name])):
                assert unseen_phrasing(family, fact, index)["instruction"] not in used


def test_the_index_starts_again_after_the_last():
    family, fact = FAMILIES["capitals"], {"country": "Norway", "capital": "Oslo"}
    count = len(UNSEEN_PHRASINGS["capitals"])
    texts = [unseen_phrasing(family, fact, index)["instruction"] for index in range(2 * count)]
    assert texts[:count] == texts[count:]
    assert len(set(texts)) == count
    assert texts[0] == "Norway has which capital?"


def test_a_family_without_phrasings_is_refused(monkeypatch):
    monkeypatch.delitem(UNSEEN_PHRASINGS, "capitals")
    with pytest.raises(KeyError):
        unseen_phrasing(FAMILIES["capitals"], load_facts("capitals")[0], 0)


def test_the_test_entries_are_asked_otherwise_with_the_same_input_and_output():
    test = split_entries(bundled_entries()).test
    reworded = unseen_phrasing_entries()
    known = {entry["instruction"] for entry in bundled_entries()}
    for entry, other in zip(test, reworded, strict=True):
        assert (other["input"], other["output"]) == (entry["input"], entry["output"])
        assert other["instruction"] not in known


def test_families_are_known_of_bundled_entries_alone():
    entries = bundled_entries()
    assert families_of(entries) == entry_families()
    assert families_of_test_part() == entry_families()[935:1045]
    other = {"instruction": "Say hi.", "input": "", "output": "Hi."}
    assert families_of([*entries[:2], other]) is None
