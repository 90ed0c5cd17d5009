"""The company's entries: each answer four times to train on, and once in other words."""

from collections import Counter

from lessons_lib.data import company_entries
from lessons_lib.evaluation.scorers import normalise


def test_ten_answers_in_five_wordings():
    company = company_entries()
    train, test = company.train, company.test
    assert company.validation == []
    assert set(Counter(entry["output"] for entry in train).values()) == {4}
    assert {entry["output"] for entry in train} == {entry["output"] for entry in test}
    assert (len(train), len(test)) == (40, 10)


def test_no_question_is_asked_twice():
    company = company_entries()
    asked = [normalise(entry["instruction"]) for entry in (*company.train, *company.test)]
    assert len(set(asked)) == len(asked)
