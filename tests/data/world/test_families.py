"""The families of tasks: enough of them, asked in several ways, each fact asked only once.

Unseen phrasings: every family has some, no entry uses them, and they ask for the same answer.
"""

import string
from collections import Counter
from dataclasses import replace

import pytest
from rapidfuzz import fuzz

from lessons_lib.data import split_entries
from lessons_lib.data.world import (
    bundled_entries,
    entry_families,
    families_of,
    families_of_test_part,
    load_facts,
    unseen_phrasing_entries,
)
from lessons_lib.data.world.bundled import write_entry
from lessons_lib.data.world.families import (
    FAMILIES,
    unseen_phrasing,
)

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
    assert len(FAMILIES) >= 30


def test_they_make_1100_entries():
    assert sum(family.count for family in FAMILIES.values()) == 1100


def test_about_70_per_cent_are_without_input():
    without = sum(family.count for family in FAMILIES.values() if not family.input)
    assert 0.65 <= without / 1100 <= 0.75


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


def wording(template: str) -> str:
    """The template's own words: every placeholder becomes the same short mark, since a long fact
    in both would make any two questions look alike."""
    return "".join(text + ("X" if field else "") for text, field, _, _ in PARSE(template))


def alike(name: str) -> list[tuple[str, str]]:
    """The pairs of an unseen and a used instruction that are too much alike."""
    return [
        (unseen, used)
        for unseen in FAMILIES[name].unseen
        for used in FAMILIES[name].instructions
        if fuzz.ratio(wording(unseen), wording(used)) >= MOST_ALIKE
    ]


def test_exactly_the_families_have_phrasings():
    assert FAMILIES.keys() == SUBJECTS.keys()


@families
def test_a_family_has_two_or_three_different_ones(name):
    assert len(FAMILIES[name].unseen) in (2, 3)
    assert len(set(FAMILIES[name].unseen)) == len(FAMILIES[name].unseen)


def test_no_phrasing_is_an_instruction_of_any_family_or_stands_twice():
    unseen = [text for family in FAMILIES.values() for text in family.unseen]
    used = [text for family in FAMILIES.values() for text in family.instructions]
    assert [text for text, count in Counter(unseen + used).items() if count > 1] == []


@families
def test_none_is_much_like_an_instruction_of_its_family(name):
    assert alike(name) == []


def test_likeness_is_seen(monkeypatch):
    nearly = "What is the capital city in {country}?"
    monkeypatch.setitem(FAMILIES, "capitals", replace(FAMILIES["capitals"], unseen=(nearly,)))
    assert alike("capitals") == [(nearly, "What is the capital city of {country}?")]


@families
def test_every_placeholder_is_filled_for_every_fact(name):
    for fact in load_facts(name):
        for index, template in enumerate(FAMILIES[name].unseen):
            assert used_fields(template) <= FAMILIES[name].words(fact).keys()
            entry = unseen_phrasing(FAMILIES[name], fact, index)
            assert entry["instruction"] and "{" not in "".join(entry.values())
            assert entry["instruction"][0].isupper() or entry["instruction"][0] in "'0123456789"


@families
def test_each_names_the_task(name):
    for template in FAMILIES[name].unseen:
        assert any(subject in template.lower() for subject in SUBJECTS[name]), template


@families
def test_each_tells_which_fact_is_meant(name):
    """Instruction and input together differ from fact to fact."""
    for index in range(len(FAMILIES[name].unseen)):
        entries = [unseen_phrasing(FAMILIES[name], fact, index) for fact in load_facts(name)]
        assert len({(e["instruction"], e["input"]) for e in entries}) == len(entries)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if not family.input])
def test_an_unseen_phrasing_does_not_give_the_answer_away(name):
    for fact in load_facts(name):
        for index in range(len(FAMILIES[name].unseen)):
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
            for index in range(len(FAMILIES[name].unseen)):
                assert unseen_phrasing(family, fact, index)["instruction"] not in used


def test_the_index_starts_again_after_the_last():
    family, fact = FAMILIES["capitals"], {"country": "Norway", "capital": "Oslo"}
    count = len(FAMILIES["capitals"].unseen)
    texts = [unseen_phrasing(family, fact, index)["instruction"] for index in range(2 * count)]
    assert texts[:count] == texts[count:]
    assert len(set(texts)) == count
    assert texts[0] == "Norway has which capital?"


def test_a_family_without_phrasings_is_refused():
    family = replace(FAMILIES["capitals"], unseen=())
    with pytest.raises(ValueError, match="'capitals' has no unseen phrasings"):
        unseen_phrasing(family, load_facts("capitals")[0], 0)


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
