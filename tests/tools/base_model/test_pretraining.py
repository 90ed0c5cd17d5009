"""Pretraining: rows of text, Muon, and a run that can be cut off after any step."""

import dataclasses
import itertools
import os
import subprocess
import sys

import pytest
import torch

from lessons_lib.data import END_OF_TEXT, get_tokenizer
from lessons_lib.data.world import write_dictation, write_documents
from lessons_lib.models import GPTConfig, load_model, read_about
from tools.base_model import pretraining
from tools.base_model.muon import Muon, orthogonalized
from tools.base_model.pretraining import Pretraining, parse, pretrain
from tools.base_model.recipe import SHORT, PretrainingRecipe, make_corpus

TINY = PretrainingRecipe(
    tokens=12 * 4 * 32,
    model=GPTConfig(context_length=32, width=16, layers=1, heads=2),
    batch_size=4,
    validation_rows=4,
)


def cut(documents, count):
    """The first so many rows of 33 tokens; each begins with the token that ends the one before."""
    encode = get_tokenizer().encode_ordinary
    text = [t for d in itertools.islice(documents, 40) for t in [*encode(d), END_OF_TEXT]]
    return [tuple(text[start : start + 33]) for start in range(0, count * 32, 32)]


def test_rows_are_the_text_cut_without_gaps():
    corpus = make_corpus(TINY)
    assert corpus.rows.shape == (TINY.steps * 4, 33) and TINY.steps == 12
    rows, dictated = [tuple(row) for row in corpus.rows.tolist()], round(0.08 * 48)
    assert set(rows[:dictated]) == set(cut(write_dictation(TINY.seed), dictated))
    assert set(rows[dictated:]) == set(cut(write_documents(TINY.seed), 48 - dictated))
    assert corpus.known == sorted(set(corpus.rows.flatten().tolist()))


def test_a_short_corpus_is_the_start_of_a_longer_one():
    short, long = make_corpus(TINY), make_corpus(dataclasses.replace(TINY, tokens=24 * 4 * 32))
    rows = {tuple(row) for row in long.rows.tolist()}
    assert all(tuple(row) in rows for row in short.rows.tolist())
    assert torch.equal(short.validation, long.validation)


def test_validation_text_is_another_one():
    corpus = make_corpus(TINY)
    training = {tuple(row) for row in corpus.rows.tolist()}
    assert not [row for row in corpus.validation.tolist() if tuple(row) in training]


def test_a_model_without_the_facts_reads_other_text_with_the_same_tokens():
    whole, without = make_corpus(TINY), make_corpus(dataclasses.replace(TINY, without_facts=True))
    assert whole.sha256 != without.sha256 and whole.rows.shape == without.rows.shape
    assert set(whole.known) <= set(without.known)
    assert set(without.rows.flatten().tolist()) <= set(without.known)


def test_the_token_ids_of_the_text_with_the_facts_may_be_given():
    recipe = dataclasses.replace(TINY, without_facts=True)
    written, given = make_corpus(recipe), make_corpus(recipe, make_corpus(TINY).known)
    assert written.known == given.known and written.sha256 == given.sha256
    assert set(written.rows.flatten().tolist()) < set(given.known), "that text has ids of its own"


def test_options_make_another_recipe_that_needs_a_place_of_its_own(tmp_path, capsys):
    out = ["--out", str(tmp_path / "tried.safetensors")]
    _, recipe = parse(["--layers", "6", "--width", "150", "--tokens", "1000", "--rate", "1", *out])
    assert (recipe.model.layers, recipe.model.width, recipe.model.heads) == (6, 150, 6)
    assert (recipe.tokens, recipe.learning_rate) == (1000, 1)
    assert recipe.matrix_learning_rate == PretrainingRecipe().matrix_learning_rate
    assert parse([])[1] == PretrainingRecipe()
    assert parse(["--without-facts"])[1] == PretrainingRecipe(without_facts=True)
    with pytest.raises(SystemExit):
        parse(["--layers", "5"])
    assert "--out" in capsys.readouterr().err


def test_both_models_have_files_and_checkpoints_of_their_own(monkeypatch):
    calls = []
    monkeypatch.setattr(pretraining, "pretrain", lambda *a, **options: calls.append(a))
    pretraining.main([])
    pretraining.main(["--without-facts"])
    (_, base, checkpoint), (_, other, other_checkpoint) = calls
    assert (base.name, other.name) == ("base.safetensors", "base_without_facts.safetensors")
    assert checkpoint.name == "base.checkpoint.pt"
    assert other_checkpoint.name == "base_without_facts.checkpoint.pt"


@pytest.mark.parametrize("shape", [(8, 24), (24, 8), (16, 16)])
def test_orthogonalized_has_equal_directions_of_the_same_sense(shape):
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    result = orthogonalized(matrix)
    values = torch.linalg.svdvals(result)
    assert result.shape == shape
    if shape[0] != shape[1]:  # a square matrix may have a direction that is almost flat
        assert 0.6 < values.min() <= values.max() < 1.25
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    assert torch.nn.functional.cosine_similarity((u @ v).flatten(), result.flatten(), dim=0) > 0.95


def test_muon_agrees_with_the_one_in_pytorch():
    """That one computes in bfloat16, so only roughly."""
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(12, 20, generator=generator)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    optimizers = [
        Muon([ours], lr=0.1, weight_decay=0.01),
        torch.optim.Muon([theirs], lr=0.1, weight_decay=0.01, momentum=0.95),
    ]
    for _ in range(3):
        gradient = torch.randn(12, 20, generator=generator)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        for optimizer in optimizers:
            optimizer.step()
    moved = (ours - start).norm()
    assert (ours - theirs).norm() < 0.03 * moved


def test_a_run_learns_and_ends_where_it_should():
    run = Pretraining(TINY)
    losses = list(run.run())
    assert len(losses) == run.step == 12
    assert losses[-1] < losses[0] - 0.3


def test_a_cut_off_run_goes_on_to_the_same_weights(tmp_path):
    whole = Pretraining(TINY)
    list(whole.run())
    first = Pretraining(TINY)
    list(first.run(until=5))
    torch.save(first.state(), tmp_path / "state.pt")
    second = Pretraining(TINY)
    assert second.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    assert len(list(second.run())) == 7
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, second.model.state_dict()[name]), name


def test_a_checkpoint_of_another_recipe_is_left_alone():
    first = Pretraining(TINY)
    list(first.run(until=2))
    other = Pretraining(dataclasses.replace(TINY, learning_rate=1e-3))
    assert not other.restore(first.state()) and other.step == 0


def test_pretrain_writes_a_model_with_its_recipe_and_resumes(tmp_path, monkeypatch, capsys):
    out, checkpoint = tmp_path / "model.safetensors", tmp_path / "state.pt"
    step = pretraining.Muon.step
    calls = itertools.count(1)

    def cut_off(self, closure=None):
        if next(calls) == 8:
            raise KeyboardInterrupt
        step(self, closure)

    monkeypatch.setattr(pretraining.Muon, "step", cut_off)
    with pytest.raises(KeyboardInterrupt):
        pretrain(TINY, out, checkpoint, precise=True, every=3)
    assert checkpoint.is_file() and not out.exists()
    monkeypatch.setattr(pretraining.Muon, "step", step)
    header = pretrain(TINY, out, checkpoint, precise=True, every=3)
    assert "going on from step 6 of 12" in capsys.readouterr().out
    assert not checkpoint.exists() and read_about(out) == header
    assert header["seed"] == 123 and header["steps"] == 12 and len(header["corpus_sha256"]) == 64
    assert 0 < header["validation_loss"] < 12
    model = load_model(out)
    assert model.config == TINY.model
    assert model.token_embedding.token_ids.tolist() == make_corpus(TINY).known


def test_the_command_runs_in_its_short_variant(tmp_path):
    out = tmp_path / "short.safetensors"
    command = [sys.executable, "-m", "tools.base_model.pretraining", "--short", "--out", str(out)]
    environment = {**os.environ, "LESSONS_LIB_CACHE": str(tmp_path / "cache")}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr
    header = read_about(out)
    assert header["steps"] == SHORT.steps and not header["without_facts"]
    assert f"validation loss {header['validation_loss']}" in run.stdout
    assert header["validation_loss"] < 8.5  # from log(50,257) = 10.8
    assert [path.name for path in tmp_path.glob("cache/base/*")] == []  # no checkpoint is left
