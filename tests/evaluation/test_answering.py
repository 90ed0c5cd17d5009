"""Answering and scoring in one call gives what both give one after the other."""

import pytest

from lessons_lib.data import VOCABULARY_SIZE
from lessons_lib.evaluation import ROUGE_L, Share, answer_and_score, refusal_rates
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


def test_each_rate_of_refusals_has_its_own_denominator():
    unknown = ["I do not know.", " I do not know him.", "He said: I do not know."]
    before, wanted = ["Oslo.", "Rome.", "Bern."], ["Oslo.", "Rome.", "Paris."]
    after = ["Oslo.", "I do not know.", "Paris."]
    found = refusal_rates(unknown, before, after, wanted)
    assert found == (Share(2, 3), Share(1, 3), Share(1, 2))
    with pytest.raises(ValueError):
        refusal_rates(unknown, before[:2], after, wanted)
