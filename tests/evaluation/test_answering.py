"""Answering and scoring in one call gives what both give one after the other."""

import pytest

from lessons_lib.data import VOCABULARY_SIZE
from lessons_lib.evaluation import ROUGE_L, answer_and_score
from lessons_lib.generation import generate_responses
from tests.helpers.toys import ENTRIES, tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model(VOCABULARY_SIZE, context_length=96).eval()


def test_answers_and_scores_are_those_of_the_model(model):
    options = {"max_new_tokens": 5, "batch_size": 2}
    found = answer_and_score(model, ENTRIES, "phi3", families=list("aabbb"), **options)
    answers = generate_responses(model, ENTRIES, "phi3", **options)
    assert found.answers == [answer.text for answer in answers]
    assert found.marks["stopped"] == [answer.stopped for answer in answers]
    assert list(found.scores) == ["exact", "lenient", "stopped"]
    assert found.families == list("aabbb") and found.share("exact", "b").total == 3


def test_other_scorers_can_be_asked(model):
    found = answer_and_score(model, ENTRIES, scorers=[ROUGE_L], max_new_tokens=5)
    assert list(found.scores) == ["ROUGE-L", "stopped"]
    assert found.scores["ROUGE-L"] == ROUGE_L.score(ENTRIES, found.answers)
