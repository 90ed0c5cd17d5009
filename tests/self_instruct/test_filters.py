"""The filters: each rule refuses what it should, and lets pass what only looks like it."""

import pytest

from lessons_lib.self_instruct import KEYWORDS, refusal_reason


def reason(instruction, output="Something."):
    return refusal_reason({"instruction": instruction, "input": "", "output": output})


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("Name a sea.", "instruction of fewer than 4 words"),
        ("", "instruction of fewer than 4 words"),
        ("Name a large sea.", None),
        ("word " * 150, None),
        ("word " * 151, "instruction of more than 150 words"),
        ("Write a program that adds two numbers.", "instruction beginning with “Write a program”"),
        ("write a program that adds two numbers.", None),
        ("Please write a program that adds.", None),
        ('"Hello" is a greeting in which language?', "instruction beginning with punctuation"),
        ("  (a) Name two large seas.", "instruction beginning with punctuation"),
        ("¿Cuál es la capital?", "instruction beginning with a non-ASCII character"),
        ("Éclairs: what are they?", "instruction beginning with a non-ASCII character"),
        ("Are éclairs a French pastry?", None),
        ("5 is a prime number, why?", None),
    ],
)
def test_the_first_rule_that_applies_gives_the_reason(instruction, expected):
    assert reason(instruction) == expected


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_each_keyword_is_refused_as_a_whole_word_only(keyword):
    expected = "instruction with a keyword such as image or file"
    assert reason(f"Please say what {keyword} means.") == expected
    assert reason(f"Please say what {keyword.upper()}: means.") == expected
    assert reason(f"Please say what x{keyword}x means.") is None


def test_alpacas_eighteen_keywords():
    assert len(set(KEYWORDS)) == 18


@pytest.mark.parametrize("word", ["profile", "graphite", "filed", "mapped", "drawer", "musical"])
def test_words_that_hold_a_keyword_stay(word):
    assert reason(f"What does the word {word} mean?") is None


@pytest.mark.parametrize("output", ["", " \n"])
def test_an_empty_output_is_refused(output):
    assert reason("Name a large sea.", output) == "empty output"
