"""The ten checkers: what passes, what only looks like it, and that no text is too much for them."""

import random
import time

import pytest

from lessons_lib.verifiable import CHECKERS

BY_NAME = {checker.name: checker for checker in CHECKERS}
PASSING = {
    "three words": [
        "Red, blue, green.",
        "I don't know",
        "ice-cream costs 3.5",
        "yes – of course",
        " a\nb\tc ",
        "Ça va bien",
        "1 2 3",
    ],
    "capitals": ["OSLO.", "A 1 B", "ÉTÉ", "I"],
    "number": ["14", "I choose 14.", "10", "20", "12.5", "From 10 to 20: 15", "the 12th", "20.0"],
    "river": ["The river.", "RIVER", "a river's end", "'river'"],
    "two sentences": [
        "It is Oslo. It is big.",
        "Dr. Hill came. He left!",
        "“Go.” She went.",
        "One.\nTwo.",
        "It is 3.5 m. Is it?",
    ],
    "question mark": ["Why?", "It is so. Or is it? ", "何？"],
    "yes or no": ["yes", "No.", "YES!", "“Yes.”", " no\n"],
    "list of three": ["- a\n- b\n- c", "1. a\n\n2) b\n3. 4", "a\nb\nc", "• 1\n• 2\n• 3\n"],
    "no letter e": ["A cat sat.", "1, 2", "Ou là"],
    "begins with Well": ["Well, yes.", "Well", " Well: it is", "Well… no"],
}
FAILING = {
    "three words": ["two words", "one two three four", "a - b", "a b –", "– … –", "one-two-three"],
    "capitals": ["Oslo", "OSLo", "123", "STRAßE", "日本"],
    "number": ["fourteen", "9", "21", "20.5", "-15", "15 or 25", "1,500", "no number", "1.5"],
    "river": ["rivers", "Riverside", "driver", "a stream", "riv er"],
    "two sentences": [
        "It is Oslo.",
        "One. Two. Three.",
        "It is Oslo. It is the",
        "It is Oslo\nYes",
        "Hm?!",
        "One",
    ],
    "question mark": ["Why", "Why? Because.", "?!", "“Why?”"],
    "yes or no": ["Yes, it is.", "yes no", "maybe", "nope", "Yes or no", "y"],
    "list of three": ["a, b, c", "- a\n- b", "List:\n- a\n- b\n- c", "1.\n2.\n3.", "-\n-\n-"],
    "no letter e": ["Yes", "EGO", "é", "ｅ", "a cat, then"],
    "begins with Well": ["well, yes", "Wellington", "Well-being", "Oh, Well", "Well's end", "WELL"],
}


def pairs(texts):
    return [(name, text) for name, each in texts.items() for text in each]


def test_there_are_ten_with_texts_for_each():
    assert list(BY_NAME) == list(PASSING) == list(FAILING) and len(CHECKERS) == 10
    assert len({checker.suffix for checker in CHECKERS}) == 10
    # one inside another would be found where the other is meant
    assert not [(a, b) for a in CHECKERS for b in CHECKERS if a != b and a.suffix in b.suffix]


@pytest.mark.parametrize(("name", "text"), pairs(PASSING))
def test_passes(name, text):
    assert BY_NAME[name].passes(text) is True


@pytest.mark.parametrize(("name", "text"), pairs(FAILING))
def test_does_not_pass(name, text):
    assert BY_NAME[name].passes(text) is False


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda each: each.name)
@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_meets_no_demand(checker, text):
    assert checker.passes(text) is False


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda each: each.name)
def test_any_text_gets_an_answer(checker):
    draw = random.Random(123)
    signs = "aE. \n?-1,½²٣Ⅷ\ud800\0\u2028é日ß…”)•—Well river"
    for _ in range(500):
        text = "".join(draw.choice(signs) for _ in range(draw.randrange(60)))
        assert checker.passes(text) in (True, False)


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda each: each.name)
@pytest.mark.parametrize("piece", ["Well. ", "1", "- \n", "river?", "word ", "1.", ".", "1,"])
def test_a_huge_text_is_read_at_once(checker, piece):
    began = time.process_time()
    checker.passes(piece * 50_000)
    assert time.process_time() - began < 2


def test_the_demand_goes_behind_the_instruction():
    entry = {"instruction": "Name a sea. ", "input": "", "output": "The Baltic Sea"}
    asked = BY_NAME["three words"].asked_of(entry)
    assert asked == entry | {"instruction": "Name a sea. Answer in three words."}
    assert entry["instruction"] == "Name a sea. "
