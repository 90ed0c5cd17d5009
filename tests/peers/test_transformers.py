"""Ours against transformers: the same logits from the same weights, the same loss."""

import pytest
import torch

from lessons_lib.batching import Batch, InstructionCollator
from lessons_lib.models import load_model
from lessons_lib.models.gpt2_files import name_in_transformers, transposed
from lessons_lib.training import batch_loss
from tests.helpers.toys import EXAMPLES

transformers = pytest.importorskip("transformers", reason="pip install transformers")

END, PAD = 99, 98
SIZES = {"width": 32, "layers": 3, "heads": 4}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Their model with random weights, biases and norms included, and ours with the same."""
    torch.manual_seed(0)
    theirs = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=100,
            n_positions=48,
            n_embd=SIZES["width"],
            n_layer=SIZES["layers"],
            n_head=SIZES["heads"],
            bos_token_id=END,
            eos_token_id=END,
        )
    ).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    folder = tmp_path_factory.mktemp("gpt2")
    theirs.save_pretrained(folder)
    return load_model(folder), theirs


@pytest.fixture(scope="module")
def batch() -> Batch:
    return InstructionCollator(end_of_text_id=END, pad_token_id=PAD)(EXAMPLES)


@pytest.fixture(scope="module")
def unshifted() -> tuple[torch.Tensor, torch.Tensor]:
    """Input ids and labels of the same rows for a library that shifts: one column more."""
    steps = InstructionCollator(end_of_text_id=END, pad_token_id=PAD).steps(EXAMPLES)
    labels = steps.padded.clone()
    for row, example in zip(labels, EXAMPLES, strict=True):
        row[len(example.token_ids) + 1 :] = -100
    return steps.padded, labels


def test_every_weight_of_theirs_has_a_place_in_ours(pair):
    ours, theirs = pair
    named = {name_in_transformers(name) for name in ours.state_dict()}
    assert named == set(theirs.transformer.state_dict())
    assert sum(p.numel() for p in ours.parameters()) == theirs.num_parameters()


def test_logits_are_equal(pair, batch):
    ours, theirs = pair
    torch.testing.assert_close(
        ours(batch.inputs), theirs(batch.inputs).logits, rtol=1e-4, atol=1e-5
    )


def test_logits_are_equal_up_to_the_contexts_end(pair):
    ours, theirs = pair
    ids = torch.randint(0, 100, (2, 48), generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(ours(ids), theirs(ids).logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mask", ["none", "keep-header", "prompt"])
def test_the_loss_equals_theirs_with_shift_labels(pair, mask):
    ours, theirs = pair
    batch = InstructionCollator(mask, end_of_text_id=END, pad_token_id=PAD)(EXAMPLES)
    given = theirs(batch.inputs, labels=batch.targets, shift_labels=batch.targets).loss
    torch.testing.assert_close(batch_loss(ours, batch), given, rtol=1e-6, atol=0)


def test_the_loss_equals_theirs_with_unshifted_labels_of_one_more_column(pair, batch, unshifted):
    ours, theirs = pair
    inputs, labels = unshifted
    assert inputs.shape[1] == batch.inputs.shape[1] + 1
    given = theirs(inputs, labels=labels).loss
    torch.testing.assert_close(batch_loss(ours, batch), given, rtol=1e-6, atol=0)


def test_edge_shift_done_twice_gives_another_loss(pair, batch):
    """Shifted targets given as ``labels`` are shifted again, in silence."""
    ours, theirs = pair
    twice = theirs(batch.inputs, labels=batch.targets).loss
    assert not torch.isclose(twice, batch_loss(ours, batch), rtol=1e-3)


def test_edge_right_padding_needs_no_attention_mask(pair, unshifted):
    _, theirs = pair
    inputs, labels = unshifted
    rows = torch.tensor([len(example.token_ids) + 1 for example in EXAMPLES])
    mask = (torch.arange(inputs.shape[1]) < rows[:, None]).long()
    with_mask = theirs(inputs, labels=labels, attention_mask=mask).loss
    torch.testing.assert_close(theirs(inputs, labels=labels).loss, with_mask, rtol=1e-6, atol=0)


def test_gradients_are_equal(pair, batch):
    ours, theirs = pair
    batch_loss(ours, batch).backward()
    theirs(batch.inputs, labels=batch.targets, shift_labels=batch.targets).loss.backward()
    parameters = dict(theirs.transformer.named_parameters())
    for name, parameter in ours.named_parameters():
        gradient = transposed(name, parameters[name_in_transformers(name)].grad)
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6, msg=name)
    ours.zero_grad()
    theirs.zero_grad()
