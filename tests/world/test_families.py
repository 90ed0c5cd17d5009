"""The families of tasks: enough of them, asked in several ways, each fact asked only once."""

import string
from collections import Counter

import pytest

from lessons_lib.world.facts import load_facts
from lessons_lib.world.families import FAMILIES, WITH_INPUT
from lessons_lib.world.families_without_input import WITHOUT_INPUT

families = pytest.mark.parametrize("name", FAMILIES)


def column(name: str, *columns: str) -> list[str]:
    """All values of some columns of a fact file, row by row."""
    return [fact[column] for fact in load_facts(name) for column in columns]


def repeated(values) -> list:
    return [value for value, count in Counter(values).items() if count > 1]


def used_fields(*templates: str) -> set[str]:
    return {
        field
        for template in templates
        for _, field, _, _ in string.Formatter().parse(template)
        if field is not None
    }


def test_there_are_at_least_30_families():
    assert len(FAMILIES) == len(WITH_INPUT) + len(WITHOUT_INPUT)
    assert len(FAMILIES) >= 30


def test_they_make_1100_entries():
    assert sum(family.count for family in FAMILIES.values()) == 1100


def test_about_70_per_cent_are_without_input():
    without = sum(family.count for family in WITHOUT_INPUT)
    assert 0.65 <= without / 1100 <= 0.75
    assert not any(family.input for family in WITHOUT_INPUT)
    assert all(family.input for family in WITH_INPUT)


@families
def test_a_family_has_facts_enough(name):
    assert len(load_facts(name)) >= FAMILIES[name].count


@families
def test_a_family_asks_in_several_ways(name):
    instructions = FAMILIES[name].instructions
    assert len(instructions) >= 3
    assert len(set(instructions)) == len(instructions)


def test_no_two_families_ask_in_the_same_words():
    asked = [text for family in FAMILIES.values() for text in family.instructions]
    assert repeated(asked) == []


@families
def test_every_way_to_ask_tells_which_fact_is_meant(name):
    """Instruction and input together differ from fact to fact, in all facts of the file."""
    family = FAMILIES[name]
    for instruction in family.instructions:
        question = instruction + "\n" + family.input
        asked = [question.format_map(family.words(fact)) for fact in load_facts(name)]
        assert repeated(asked) == []


@families
def test_templates_are_filled_completely(name):
    family = FAMILIES[name]
    fields = used_fields(*family.instructions, family.input, family.output)
    for fact in load_facts(name):
        assert fields <= family.words(fact).keys(), fact


@families
def test_the_answer_is_not_given_away(name):
    """Something stands in the output that instruction and input do not hold."""
    family = FAMILIES[name]
    for fact in load_facts(name):
        words = family.words(fact)
        for instruction in family.instructions:
            question = (instruction + "\n" + family.input).format_map(words)
            assert family.output.format_map(words) not in question, fact


# The same fact in other clothes


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("synonyms", ("word", "synonym")),
        ("antonyms", ("word", "antonym")),
        ("homophones", ("word", "homophone")),
    ],
)
def test_a_pair_of_words_does_not_come_back_the_other_way_round(name, columns):
    assert (
        repeated(frozenset(fact[column] for column in columns) for fact in load_facts(name)) == []
    )
    both = {tuple(fact[column] for column in columns) for fact in load_facts(name)}
    assert [pair for pair in both if pair[::-1] in both] == []


def test_no_word_is_its_own_synonym_antonym_or_homophone():
    for name, other in [
        ("synonyms", "synonym"),
        ("antonyms", "antonym"),
        ("homophones", "homophone"),
    ]:
        assert [fact for fact in load_facts(name) if fact["word"] == fact[other]] == []


def test_no_pair_is_synonym_and_antonym():
    synonyms = {frozenset((f["word"], f["synonym"])) for f in load_facts("synonyms")}
    assert not synonyms & {frozenset((f["word"], f["antonym"])) for f in load_facts("antonyms")}


def test_active_and_passive_sentences_are_not_the_same_ones():
    said = [
        (fact["agent"], fact["past"], fact["object"])
        for name in ("active_voice", "passive_voice")
        for fact in load_facts(name)
    ]
    assert repeated(said) == []


def test_no_past_tense_is_asked_as_a_word_and_in_a_sentence():
    assert not set(column("past_tense", "past")) & set(column("present_to_past", "past"))


def test_no_statement_is_both_negated_and_turned_into_a_question():
    said = [
        (fact["subject"], fact["auxiliary"], fact["rest"])
        for name in ("negations", "statements_to_questions")
        for fact in load_facts(name)
    ]
    assert repeated(said) == []


def test_nothing_is_defined_that_is_also_a_job_or_a_tool():
    assert not set(column("definitions", "word")) & set(column("jobs", "job"))
    assert not set(column("definitions", "word")) & set(column("tools", "tool"))


def test_no_conversion_comes_back_the_other_way_round():
    assert (
        repeated(
            frozenset(((f["amount"], f["unit"]), (f["result"], f["target"])))
            for f in load_facts("unit_conversions")
        )
        == []
    )


def test_no_list_is_sorted_twice():
    assert repeated(frozenset(words.split(", ")) for words in column("sort_words", "words")) == []


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("spelling", "right"),
        ("townspeople", "role"),
        ("townspeople", "name"),
        ("capitals", "capital"),
        ("chemical_symbols", "symbol"),
        ("atomic_numbers", "number"),
        ("roman_numerals", "numeral"),
        ("plurals", "plural"),
        ("past_tense", "past"),
        ("comparatives", "superlative"),
        ("inventors", "invention"),
        ("landmarks", "landmark"),
    ],
)
def test_columns_without_a_repeated_value(name, columns):
    assert repeated(column(name, columns)) == []
