"""Two batches side by side, losses of a model, and the padding race: their Python sides."""

import pytest
import torch
import torch.nn.functional as F

from lessons_lib.batching import create_loader, padding_waste
from lessons_lib.data import TokenizerError, load_entries
from lessons_lib.models import GPT, GPTConfig
from lessons_lib.training import batch_loss
from lessons_lib.widgets import (
    InspectorError,
    compare_batches,
    inspect_batch,
    race_padding,
    show_token_losses,
    token_losses,
)
from tests.helpers.toys import LetterTokenizer, decided_model

ENTRIES = load_entries()[:40]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    return GPT(GPTConfig(width=16, layers=1, heads=1, context_length=64, dropout=0.5))


def test_both_sides_follow_what_is_clicked_and_set():
    left, right = inspect_batch(ENTRIES[:3]), inspect_batch(ENTRIES[:3], padding="static")
    pair = compare_batches(left, right)
    pair.right = {**pair.right, "instruction_mask": "prompt"}  # as a click does
    assert right.instruction_mask == "prompt" and left.instruction_mask == "none"
    left.substep = "2.4"
    assert pair.left["substep"] == "2.4" and pair.right["substep"] == "2.5"
    assert pair._datas[1] is None  # the same data travels once
    assert "Above:" in pair.alt_text() and len(pair.to_png()) < 160_000
    with pytest.raises(ValueError, match="same entries"):
        compare_batches(left, inspect_batch(ENTRIES[:2]))
    with pytest.raises(InspectorError, match="before two inspectors are compared"):
        left.add_entry(ENTRIES[4])
    assert left.entries == right.entries


def test_losses_are_those_of_the_batch(model):
    widget = show_token_losses(model, ENTRIES[:3], instruction_mask="prompt")
    batch, rows = widget.steps.batch, widget._data["losses"]["alpaca"]
    live = [rows[i]["loss"][t] for i, t in (batch.targets != -100).nonzero().tolist()]
    training = model.training
    mean = batch_loss(model.eval(), batch).item()
    model.train(training)
    assert sum(live) / len(live) == pytest.approx(mean, abs=1e-3)
    assert model.training
    tokens = {str(token) for row in rows for top in row["top"] for token, _ in top}
    assert tokens <= set(widget._data["words"])
    assert [each["name"] for each in widget._data["formats"]] == ["alpaca"]


def test_the_likeliest_tokens_are_the_models(model):
    example = inspect_batch(ENTRIES[:1]).examples[0]
    [row] = token_losses(model, [example])
    with torch.no_grad():
        logits = model.eval()(torch.tensor([example.token_ids]))[0]
    model.train()
    best = F.softmax(logits[-1], -1).max()
    assert row["top"][-1][0][1] == pytest.approx(best.item(), abs=1e-4)
    assert [len(top) for top in row["top"]] == [5] * len(example.token_ids)


def test_no_losses_beyond_the_context(model):
    long = {"instruction": "Count.", "input": "", "output": "one two three " * 40}
    widget = show_token_losses(model, [long])
    assert len(widget._data["losses"]["alpaca"][0]["loss"]) == 64 == widget._data["context"]


def test_models_of_which_no_loss_can_be_shown_are_refused():
    other = decided_model(128)
    other.tokenizer = LetterTokenizer()
    with pytest.raises(TokenizerError, match="does not say which token ends a text"):
        show_token_losses(other, ENTRIES[:1])
    diverged = GPT(GPTConfig(width=16, layers=1, heads=1, context_length=64))
    torch.nn.init.constant_(diverged.final_norm.weight, torch.nan)
    with pytest.raises(InspectorError, match="not finite"):
        show_token_losses(diverged, ENTRIES[:1])


def test_the_race_cuts_and_drops_nothing():
    long = {"instruction": "Count.", "input": "", "output": "one two three " * 40}
    race = race_padding([*ENTRIES[:4], long], batch_size=2, pack_length=64)
    tokens = [sum(c - p for c, p in lane["batches"]) for lane in race._lanes]
    assert len(set(tokens)) == 1, "the same tokens in all four lanes"


def test_the_race_counts_as_the_loaders_do():
    race = race_padding(ENTRIES, batch_size=4, pack_length=128)
    common = {"batch_size": 4}
    dynamic = create_loader(ENTRIES, **common)
    assert race.wastes["dynamic"] == pytest.approx(padding_waste(list(dynamic)))
    bucketed = create_loader(ENTRIES, **common, batching="bucketed")
    assert race.wastes["bucketed"] == pytest.approx(padding_waste(list(bucketed)))
    assert list(race.wastes) == ["static", "dynamic", "bucketed", "packed"]
    assert race.wastes["static"] >= race.wastes["dynamic"] >= race.wastes["bucketed"]
    assert "instruction" not in str(race._lanes)
