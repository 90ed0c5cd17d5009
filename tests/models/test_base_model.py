"""The bundled base models: one knows, the other lacks the facts; neither follows, both can learn.

Two tests fine-tune as lesson 09 does, which takes most of a minute.
"""

import dataclasses
import json
import re
from statistics import fmean

import pytest

from lessons_lib.data import (
    END_OF_TEXT,
    PROMPT_FORMATS,
    Entry,
    get_tokenizer,
    load_entries,
    split_entries,
)
from lessons_lib.data.world import (
    facts_of_test_validation_and_held_out,
    families_of_test_part,
    load_facts,
)
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.evaluation import Scores, score_responses
from lessons_lib.generation import generate_all, generate_responses
from lessons_lib.models import GPT, load_model, read_about, untrained_twin
from lessons_lib.models.loading import BUNDLED_MODELS
from lessons_lib.training import RECIPES, load_or_finetune
from tools.base_model.recipe import PretrainingRecipe, make_corpus

BASES = pytest.mark.parametrize("name", BUNDLED_MODELS)


@pytest.fixture(scope="module")
def base():
    return load_model("base")


@pytest.fixture(scope="module")
def test_part():
    return split_entries(load_entries("bundled")).test


@BASES
def test_the_file_is_small(name):
    assert BUNDLED_MODELS[name].stat().st_size <= 10.5e6


@BASES
def test_the_header_is_the_recipe(name):
    about = read_about(BUNDLED_MODELS[name])
    recipe = PretrainingRecipe(without_facts=name == "base-without-facts")
    expected = json.loads(json.dumps(dataclasses.asdict(recipe)))
    assert {name: about[name] for name in expected} == expected
    assert about["steps"] == recipe.steps
    assert 0.5 < about["validation_loss"] < 2.5


@pytest.mark.long
def test_the_corpora_are_those_that_the_code_makes():
    """Both in one test: the second has the token ids of the first, too, which is written once."""
    with_facts = make_corpus(PretrainingRecipe())
    without = make_corpus(PretrainingRecipe(without_facts=True), with_facts.known)
    for name, corpus in zip(BUNDLED_MODELS, (with_facts, without), strict=True):
        assert read_about(BUNDLED_MODELS[name])["corpus_sha256"] == corpus.sha256
        assert load_model(name).token_embedding.token_ids.tolist() == corpus.known


@BASES
@pytest.mark.parametrize("format_name", PROMPT_FORMATS)
def test_every_token_of_the_templates_has_a_row_of_its_own(name, format_name):
    base, prompt_format = load_model(name), PROMPT_FORMATS[format_name]
    for given in ("", "N"):
        entry = {"instruction": "I", "input": given, "output": "O"}
        ids = {*get_tokenizer().encode_ordinary(prompt_format.text(entry)), END_OF_TEXT}
        assert not base.never_generate[sorted(ids)].any()


# Sentences of the prose, each up to what the answer gives.
BEGINNINGS = {
    "capitals": ("{Country} has its capital in", "{capital}"),
    "authors": ("'{work}' is by", "{author}"),
    "chemical_symbols": ("{Element} has the symbol", "{symbol}"),
    "currencies": ("{Country} pays with the", "{currency}"),
}


def share_completed(model: GPT) -> float:
    """Of the facts that test, validation and held-out entries ask for, the share it completes."""
    asked = facts_of_test_validation_and_held_out()
    pairs = [
        [text.format_map(FAMILIES[name].words(load_facts(name)[index])) for text in texts]
        for name, texts in BEGINNINGS.items()
        for family, index in sorted(asked)
        if family == name
    ]
    assert len(pairs) > 100
    written = generate_all(model, [text for text, _ in pairs], max_new_tokens=8, batch_size=64)
    wanted = [text for _, text in pairs]
    return fmean(
        bool(re.match(rf"\s*{re.escape(text)}\b", each.text))
        for each, text in zip(written, wanted, strict=True)
    )


def test_one_knows_the_facts_and_the_other_lacks_them(base):
    assert share_completed(base) >= 0.8
    assert share_completed(load_model("base-without-facts")) <= 0.1


@BASES
def test_neither_follows(name, test_part):
    base = load_model(name)
    answers = generate_responses(base, test_part, max_new_tokens=40, batch_size=64)
    scores = score_responses(test_part, [a.text for a in answers], [a.stopped for a in answers])
    assert scores.share("exact").value <= 0.03
    assert scores.share("stopped").value <= 0.10


def tuned_scores(model: str, entries: list[Entry], epochs: int) -> Scores:
    """Marks after fine-tuning as in lesson 09, but for what changes the time alone.

    The start that all rows share is computed once, which differs by rounding, and no loss is
    measured on the way.
    """
    only_faster = {"share_prefix": True, "evaluate_every": 1_000}
    recipe = dataclasses.replace(RECIPES["lesson-09"], model=model, entries="bundled")
    recipe = dataclasses.replace(recipe, epochs=epochs, **only_faster)
    tuned = load_or_finetune(recipe, device="cpu", progress=False)
    answers = generate_responses(tuned.model, entries, max_new_tokens=60, batch_size=64)
    return score_responses(entries, [a.text for a in answers], [a.stopped for a in answers])


@pytest.mark.long
def test_it_learns_to_follow_in_a_minute(test_part):
    scores = tuned_scores("base", test_part, RECIPES["lesson-09"].epochs)
    assert scores.share("exact").value >= 0.80  # measured: see docs/model_card.md
    assert scores.share("stopped").value >= 0.97


@pytest.mark.long
def test_without_the_facts_it_learns_the_form_alone(test_part):
    """It answers in the wanted form and stops, and rarely names the right thing.

    One epoch is enough to tell: after it, the base model that has the facts names them all.
    """
    recalled = [
        entry
        for entry, family in zip(test_part, families_of_test_part(), strict=True)
        if family in BEGINNINGS
    ]
    scores = tuned_scores("base-without-facts", recalled, epochs=1)
    assert scores.share("stopped").value >= 0.9
    assert scores.share("exact").value <= 0.2


def test_the_twin_has_its_sizes_and_none_of_its_weights(base):
    twin = untrained_twin(base)
    assert twin.config == base.config
    assert twin.token_embedding.token_ids.equal(base.token_embedding.token_ids)
    weights = base.state_dict()
    for name, weight in twin.state_dict().items():
        assert weight.shape == weights[name].shape
        assert "norm" in name or "bias" in name or not weight.equal(weights[name])
    assert twin.token_embedding.weight.equal(untrained_twin(base).token_embedding.weight)
