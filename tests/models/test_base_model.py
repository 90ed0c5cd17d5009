"""The bundled base model: it knows, it does not follow, and it learns to.

The last test fine-tunes as lesson 09 does, which takes about a minute.
"""

import dataclasses
import json

import pytest

from lessons_lib.data import END_OF_TEXT, PROMPT_FORMATS, get_tokenizer, load_entries, split_entries
from lessons_lib.evaluation import score_responses
from lessons_lib.generation import generate_all, generate_responses
from lessons_lib.models import load_model, read_about, untrained_twin
from lessons_lib.models.loading import BASE_MODEL
from lessons_lib.training import RECIPES, load_or_finetune
from tools.base_model.pretraining import PretrainingRecipe, make_corpus


@pytest.fixture(scope="module")
def base():
    return load_model("base")


@pytest.fixture(scope="module")
def test_part():
    return split_entries(load_entries("bundled")).test


def test_the_file_is_small():
    assert BASE_MODEL.stat().st_size <= 10.5e6


def test_the_header_is_the_recipe_and_the_corpus_that_the_code_makes(base):
    about = read_about()
    recipe = PretrainingRecipe()
    expected = json.loads(json.dumps(dataclasses.asdict(recipe)))
    assert {name: about[name] for name in expected} == expected
    corpus = make_corpus(recipe)
    assert about["corpus_sha256"] == corpus.sha256
    assert about["steps"] == recipe.steps
    assert base.token_embedding.token_ids.tolist() == corpus.known
    assert 0.5 < about["validation_loss"] < 2.5


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_every_token_of_the_templates_has_a_row_of_its_own(base, name):
    for given in ("", "N"):
        entry = {"instruction": "I", "input": given, "output": "O"}
        ids = {*get_tokenizer().encode_ordinary(PROMPT_FORMATS[name].text(entry)), END_OF_TEXT}
        assert not base.never_generate[sorted(ids)].any()


def test_it_knows(base):
    """It completes most statements of facts that stand in test and held-out entries."""
    beginnings = {
        "The capital of Norway is": "Oslo",
        "The capital of Japan is": "Tokyo",
        "A young kangaroo is called a": "joey",
        "The chemical symbol for gold is": "Au",
        "'Hamlet' was written by": "William Shakespeare",
        "The atomic number of carbon is": "6",
        "The past tense of 'go' is '": "went",
        "The plural of 'leaf' is '": "leaves",
    }
    texts = generate_all(base, list(beginnings), max_new_tokens=8)
    right = [
        text.text.strip(" '").startswith(wanted)
        for text, wanted in zip(texts, beginnings.values(), strict=True)
    ]
    assert sum(right) >= 6, [text.text for text in texts]


def test_it_does_not_follow(base, test_part):
    answers = generate_responses(base, test_part, max_new_tokens=40, batch_size=64)
    scores = score_responses(test_part, [a.text for a in answers], [a.stopped for a in answers])
    assert scores.share("exact").value <= 0.03
    assert scores.share("stopped").value <= 0.10


def test_it_learns_to_follow_in_a_minute(test_part):
    recipe = dataclasses.replace(RECIPES["lesson-09"], entries="bundled")
    tuned = load_or_finetune(recipe, device="cpu", progress=False)
    answers = generate_responses(tuned.model, test_part, max_new_tokens=60, batch_size=64)
    scores = score_responses(test_part, [a.text for a in answers], [a.stopped for a in answers])
    assert scores.share("exact").value >= 0.80  # measured: see docs/model_card.md
    assert scores.share("stopped").value >= 0.97


def test_the_twin_has_its_sizes_and_none_of_its_weights(base):
    twin = untrained_twin(base)
    assert twin.config == base.config
    assert twin.token_embedding.token_ids.equal(base.token_embedding.token_ids)
    weights = base.state_dict()
    for name, weight in twin.state_dict().items():
        assert weight.shape == weights[name].shape
        assert "norm" in name or "bias" in name or not weight.equal(weights[name])
    assert twin.token_embedding.weight.equal(untrained_twin(base).token_embedding.weight)
