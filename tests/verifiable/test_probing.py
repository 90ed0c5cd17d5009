"""Rules that a reader writes: what is said of them, and which of them are used."""

import pytest

from lessons_lib.verifiable import CHECKERS, try_rules, with_rules
from lessons_lib.verifiable.probing import PROBES

OF = {each.name: each for each in CHECKERS}


def said(rules):
    return {row[0]: row[2] for row in try_rules(rules).rows}


def test_the_texts_tell_each_checker_from_constant_answers():
    for checker in CHECKERS:
        assert {checker.passes(text) for text in PROBES} == {True, False}, checker.name


def test_a_rule_that_agrees_everywhere_is_used():
    rules = {"capitals": lambda text: text == text.upper() and text != text.lower()}
    assert said(rules)["capitals"] == "as the course's"
    used = {each.name: each for each in with_rules(rules)}
    assert used["capitals"].rule is rules["capitals"]
    assert used["river"] is OF["river"], "the course's, where none was written"


@pytest.mark.parametrize(
    ("name", "rule", "text"),
    [
        ("three words", lambda text: len(text.split()) == 3, "One - two - three"),
        ("number", lambda text: any(n in text for n in "0123456789"), "There are 12 of them, or"),
        ("river", lambda text: "river" in text.lower(), "Rivers and streams"),
        ("two sentences", lambda text: text.count(".") == 2, "Dr. Smith came"),
        ("question mark", lambda text: "?" in text, "Is it so? Yes."),
        ("yes or no", lambda text: text.lower().startswith(("yes", "no")), "Yes, it is."),
        ("list of three", lambda text: text.count("\n") == 2, "1. tea"),
        ("no letter e", lambda text: "e" not in text, "A café"),
        ("begins with Well", lambda text: text.startswith("Well"), "Wellington"),
    ],
)
def test_a_rule_made_in_a_hurry_is_shown_a_text_that_it_gets_wrong(name, rule, text):
    phrase = said({name: rule})[name]
    assert phrase.startswith("says ") and "the course's" in phrase
    wrong = [each for each in PROBES if bool(rule(each)) != OF[name].passes(each)]
    assert any(each.startswith(text) for each in wrong), wrong
    assert repr(wrong[0]) in phrase
    assert with_rules({name: rule}) == CHECKERS


def test_a_stub_and_a_rule_that_raises_are_told_and_not_used():
    rules = {"capitals": lambda text: None, "river": lambda text: text[200]}
    phrases = said(rules)
    assert phrases["capitals"] == phrases["number"] == "not written yet"
    assert phrases["river"].startswith("raises IndexError at 'Blue seven perhaps'")
    assert with_rules(rules) == CHECKERS
