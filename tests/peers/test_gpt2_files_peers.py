"""What we save transformers loads, and the other way round: the same logits."""

import pytest
import torch

from lessons_lib.data import VOCABULARY_SIZE
from lessons_lib.models import GPT, GPTConfig, load_model, save_model

transformers = pytest.importorskip("transformers", reason="pip install transformers")

SIZES = {"context_length": 32, "width": 24, "layers": 2, "heads": 3}


@pytest.mark.parametrize("known", [None, [3, 50_256, 77, 1_000]])
def test_transformers_loads_what_was_saved(tmp_path, known):
    torch.manual_seed(1)
    ours = GPT(GPTConfig(**SIZES), known_tokens=known).eval()
    with torch.no_grad():
        for weight in ours.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    save_model(ours, tmp_path)
    theirs, report = transformers.GPT2LMHeadModel.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys"))
    ids = torch.tensor([[3, 77, 5, 1_000, 49_000, 50_256]])
    logits = theirs.eval()(ids).logits
    assert logits.shape == (1, 6, VOCABULARY_SIZE)
    torch.testing.assert_close(logits, ours(ids), rtol=1e-4, atol=1e-5)


def test_the_bundled_base_too(tmp_path):
    base = load_model("base")
    save_model(base, tmp_path)
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    ids = torch.tensor([[464, 3139, 286, 15238, 318]])  # "The capital of Norway is"
    torch.testing.assert_close(theirs(ids).logits, base(ids), rtol=1e-4, atol=1e-4)
    assert theirs(ids).logits[0, -1].argmax() == base(ids)[0, -1].argmax()


def test_a_model_of_transformers_saved_by_us_comes_back(tmp_path):
    torch.manual_seed(2)
    theirs = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=60, n_positions=32, n_embd=24, n_layer=2, n_head=3)
    ).eval()
    theirs.save_pretrained(tmp_path / "theirs")
    save_model(load_model(tmp_path / "theirs"), tmp_path / "ours")
    again = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "ours").eval()
    ids = torch.tensor([[1, 59, 7, 7]])
    assert torch.equal(again(ids).logits, theirs(ids).logits)
