"""The corpus without the facts that entries ask for: not told in any wording, yet named."""

import itertools

import pytest

from lessons_lib.data import load_entries, split_entries
from lessons_lib.data.world import (
    facts_of_test_validation_and_held_out,
    held_out_entries,
    load_facts,
    write_documents,
)
from lessons_lib.data.world.bundled import FactPlace, write_entry
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.data.world.prose import load_family_prose
from tests.helpers.phrases import Phrases, words_of
from tools.base_model.recipe import PretrainingRecipe

DOCUMENTS = 4_000  # a third of the pretraining text: each fact is told dozens of times in as much
CAST = ("person", "other", "place", "weekday", "month")


@pytest.fixture(scope="module")
def left_out() -> frozenset[FactPlace]:
    return facts_of_test_validation_and_held_out()


@pytest.fixture(scope="module")
def documents(left_out) -> list[str]:
    return list(itertools.islice(write_documents(PretrainingRecipe().seed, left_out), DOCUMENTS))


def test_they_are_the_facts_that_no_training_entry_uses(left_out):
    def entries(place: FactPlace) -> set[tuple[str, ...]]:
        family, fact = FAMILIES[place[0]], load_facts(place[0])[place[1]]
        ways = range(len(family.instructions))
        return {tuple(write_entry(family, fact, way).values()) for way in ways}

    parts = split_entries(load_entries("bundled"))
    asked = [*parts.test, *parts.validation, *held_out_entries(600)]
    assert len(left_out) == len(asked) == 765
    written = set().union(*map(entries, left_out))
    assert {tuple(entry.values()) for entry in asked} <= written
    assert not {tuple(entry.values()) for entry in parts.train} & written


def told_in(documents: list[str], facts: frozenset[FactPlace]) -> set[FactPlace]:
    """The facts that are told: in a statement, or in a row on a line of its own.

    A statement is found by its longest stretch without people, places or days; the others must
    stand near it.
    """
    lines = {line for document in documents for line in document.split("\n")}
    told, places, stretches = set(), [], []
    for name, index in facts:
        words = FAMILIES[name].words(load_facts(name)[index]) | dict.fromkeys(CAST, "\n")
        prose = load_family_prose(name)
        if any(row.format_map(words) in lines for row in prose.rows):
            told.add((name, index))
        for statement in prose.statements:
            places.append((name, index))
            stretches.append(statement.format_map(words).split("\n"))
    longest = [max(each, key=len) for each in stretches]
    phrases = Phrases(longest, documents[:300])
    for document in documents:
        for index, passage in phrases.find(document):
            near = all(" ".join(words_of(each)) in passage for each in stretches[index])
            if near and longest[index] in document:
                told.add(places[index])
    return told


def test_no_left_out_fact_is_told(documents, left_out):
    facts = frozenset(place for place in left_out if place[0] not in REWRITES)
    found = told_in(documents, facts)
    assert not found, [(name, load_facts(name)[index]) for name, index in found]


def test_every_other_fact_is_told(documents, left_out):
    others = {
        (name, index)
        for name in FAMILIES
        for index in range(len(load_facts(name)))
        if name not in REWRITES and (name, index) not in left_out
    }
    assert told_in(documents, frozenset(others)) == others


def test_its_names_occur(documents, left_out):
    text = "\n".join(documents).lower()
    for name, index in left_out:
        if name not in REWRITES:
            first, *others = load_facts(name)[index].values()
            names = [first, *(each for each in others if len(each.split()) <= 4)]
            assert not [each for each in names if each.lower() not in text], name


def test_each_family_keeps_its_share_of_the_text(documents):
    """Roughly; counted by a word that only this family's prose has."""
    whole = "\n".join(itertools.islice(write_documents(PretrainingRecipe().seed), DOCUMENTS))
    text = "\n".join(documents)
    assert abs(len(text) / len(whole) - 1) < 0.05
    for word in ("capital", "antonym", "periodic table", "Alderbrook", "Roman", "proverb"):
        assert abs(text.count(word) / whole.count(word) - 1) < 0.25, word


def test_without_left_out_facts_nothing_changes():
    whole, same = write_documents(5), write_documents(5, without=frozenset())
    assert [next(whole) for _ in range(20)] == [next(same) for _ in range(20)]
