"""The rules of the hand-written prose, held for every fact of every family."""

import re

import pytest

from lessons_lib.data.world import load_facts
from lessons_lib.data.world.bundled import all_entries
from lessons_lib.data.world.corpus import PRACTICE
from lessons_lib.data.world.families import FAMILIES, unseen_phrasing
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.data.world.prose import load_family_prose, load_lines, load_sections

CAST = {"person": "Ada", "other": "Ben", "place": "the pier", "weekday": "Monday", "month": "May"}
TOLD = [name for name in FAMILIES if name not in REWRITES]


def written(template, fact):
    return template.format_map(CAST | fact)


def worded_facts(family):
    return [FAMILIES[family].words(fact) for fact in load_facts(family)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_told_in_many_ways(family):
    prose = load_family_prose(family)
    assert len(prose.statements) >= 10 and len(prose.rows) >= 3 and len(prose.musings) >= 6
    assert all(len(set(templates)) == len(templates) for templates in vars(prose).values())


@pytest.mark.parametrize("family", TOLD)
def test_statements_are_sentences_for_every_fact(family):
    for fact in worded_facts(family):
        for template in load_family_prose(family).statements:
            sentence = written(template, fact)
            assert "?" not in sentence and "  " not in sentence and ".." not in sentence
            assert sentence.rstrip('"').endswith((".", "!")), sentence
            assert not sentence[0].islower(), sentence


def plain(text):
    """Lower case, without the marks at the ends, so that a near copy is found as well."""
    return text.lower().rstrip(".?! ")


@pytest.mark.parametrize("family", FAMILIES)
def test_no_template_words_an_instruction(family):
    """Neither one of the entries nor one of the unseen phrasings."""
    rewrites = family in REWRITES
    pair = {"before": "It rains.", "after": "It rained."}
    told = [("", pair)] if rewrites else list(enumerate(worded_facts(family)))
    for index, words in told:
        if rewrites:
            asked = [entry["instruction"] for entry in all_entries(family)[:3]]
            asked += FAMILIES[family].unseen
        else:
            fact = load_facts(family)[index]
            asked = [text.format_map(words) for text in FAMILIES[family].instructions]
            asked += [
                unseen_phrasing(FAMILIES[family], fact, phrasing)["instruction"]
                for phrasing in range(len(FAMILIES[family].unseen))
            ]
        prose = load_family_prose(family)
        text = "\n".join(
            written(template, words)
            for template in (*prose.statements, *prose.rows, *prose.musings)
        ).lower()
        assert not [instruction for instruction in asked if plain(instruction) in text]


def test_practice_names_every_rewriting_family():
    assert set(PRACTICE) == set(REWRITES)


@pytest.mark.parametrize(
    "name", ["copying", "filler", "headings", "howto", "lists", "template_words", "people"]
)
def test_no_line_stands_twice(name):
    lines = load_lines(name)
    assert len(set(lines)) == len(lines)
    if name not in ("copying", "filler", "lists"):
        assert not [line for line in lines if "{" in line]


def test_every_line_of_copying_says_something_again():
    for line in load_lines("copying"):
        gaps = [gap.lower() for gap in re.findall(r"{(\w+)}", line)]
        assert set(gaps) <= {"phrase", "other_phrase", "sentence", "person", "other", "place"}, line
        assert len(set(gaps)) < len(gaps), line


def test_gaps_are_only_those_of_the_cast():
    letters = [line for lines in load_sections("letters").values() for line in lines]
    for line in (*load_lines("filler"), *letters):
        assert set(re.findall(r"{(\w+)}", line)) <= set(CAST), line
