"""The shared start computed once: the same loss and the same gradients as the padded batch."""

import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import Batch, Example, InstructionCollator
from lessons_lib.data import load_entries, split_entries
from lessons_lib.finetuning import finetune
from lessons_lib.loaders import create_loader, padding_waste
from lessons_lib.losses import (
    batch_loss,
    evaluate,
    live_losses,
    live_mask,
    live_weights,
    response_batches,
)
from lessons_lib.model import GPT, GPTConfig
from lessons_lib.recipes import Recipe
from lessons_lib.segments import SHARED
from lessons_lib.shared_prefix import PrefixSharingCollator, share_prefix
from lessons_lib.training import train
from tests.toys import ENTRIES, EXAMPLES, tiny_model

IDS = {"end_of_text_id": 62, "pad_token_id": 63}
OPTIONS = [
    {},
    {"instruction_mask": "keep-header"},
    {"instruction_mask": "prompt"},
    {"prompt_loss_weight": 0.25},
    {"instruction_mask": "prompt", "allowed_max_length": 9},
    {"pad_to": 20},
]
START = [1, 2, 3, 4, 5]
SHARING = [  # one start of five tokens, unequal rests, header and prompt at different places
    Example([*START, 6, 7, 8, 9, 10, 11, 12], 9, 7, 0),
    Example([*START, 6, 13, 8], 7, 6, 1),
    Example([*START, 14, 15, 8, 9], 7, 6, 2),
    Example([*START, 16, 17, 18, 19, 20], 8, 6, 3),
]


@st.composite
def sharing_examples(draw) -> list[Example]:
    """Rows that begin alike, of few tokens, so that some share more than that, or all."""
    start = draw(st.lists(st.integers(0, 3), max_size=5))
    rests = st.lists(st.integers(0, 3), min_size=2, max_size=6)
    rows = [start + rest for rest in draw(st.lists(rests, min_size=1, max_size=5))]
    examples = []
    for index, row in enumerate(rows):
        prompt_length = draw(st.integers(1, len(row) - 1))
        examples.append(Example(row, prompt_length, max(prompt_length - 1, 1), index))
    return examples


def assert_same_losses(model, padded: Batch, flat: Batch) -> None:
    """Loss to 1e-6 of it, gradients to 1e-6, and as many live targets of the same weights."""
    gradients = []
    for batch in (padded, flat):
        loss = batch_loss(model, batch)
        loss.backward()
        gradients.append((loss, [parameter.grad.clone() for parameter in model.parameters()]))
        model.zero_grad()
    (one, one_gradients), (other, other_gradients) = gradients
    torch.testing.assert_close(one, other, rtol=1e-6, atol=0)
    for first, second in zip(one_gradients, other_gradients, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-6)
    ours, theirs = (live_losses(model, batch) for batch in (padded, flat))
    for part, its in zip(ours, theirs, strict=True):
        torch.testing.assert_close(part.sort().values, its.sort().values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_loss_and_gradients_are_those_of_the_padded_batch(options):
    padded = InstructionCollator(**IDS, **options)(SHARING)
    assert_same_losses(tiny_model(), padded, share_prefix(padded))


@given(sharing_examples(), st.sampled_from(OPTIONS[:4]))
def test_so_they_are_for_any_rows(examples, options):
    padded = InstructionCollator(**IDS, **options)(examples)
    assert_same_losses(tiny_model(), padded, share_prefix(padded))


@pytest.mark.parametrize("options", OPTIONS[:4], ids=str)
def test_every_token_has_the_vector_that_it_has_alone(options):
    model = tiny_model()
    flat = share_prefix(InstructionCollator(**IDS, **options)(SHARING))
    hidden = model.hidden(flat)[0]  # (total, width)
    for number, example in enumerate(SHARING, start=1):
        mine = (flat.segments[0] == SHARED) | (flat.segments[0] == number)
        alone = model.hidden(Batch(torch.tensor([example.token_ids])))[0]
        torch.testing.assert_close(hidden[mine], alone, rtol=1e-5, atol=1e-6)


def test_a_flat_row_by_hand():
    batch = InstructionCollator("prompt", **IDS)([SHARING[0], SHARING[2]])
    flat = share_prefix(batch)
    assert flat.inputs.tolist() == [[*START, 6, 7, 8, 9, 10, 11, 12, 14, 15, 8, 9]]
    assert flat.positions.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 5, 6, 7, 8]]
    assert flat.segments.tolist() == [[SHARED] * 5 + [1] * 7 + [2] * 4]
    assert flat.targets.tolist() == [
        [-100] * 5 + [-100, -100, -100, 10, 11, 12, 62] + [-100, 8, 9, 62]
    ]
    assert flat.weights is None


def test_a_token_whose_target_differs_is_not_shared():
    """The fifth token predicts 6 in one row and 14 in the other; unmasked, each keeps its own."""
    flat = share_prefix(InstructionCollator(**IDS)([SHARING[0], SHARING[2]]))
    assert flat.segments.tolist() == [[SHARED] * 4 + [1] * 8 + [2] * 5]
    assert flat.inputs[0, [4, 12]].tolist() == [5, 5]
    assert flat.targets[0, [4, 12]].tolist() == [6, 14]
    live = live_mask(flat)
    assert live_weights(flat, live).tolist() == [1.0] * (2 * 4 + 8 + 5)


def test_without_a_common_start_only_the_padding_goes():
    flat = share_prefix(InstructionCollator(**IDS)(EXAMPLES))
    assert flat.segments.tolist() == [[1] * 7 + [2] * 4 + [3] * 5]
    assert flat.inputs.tolist() == [[token for e in EXAMPLES for token in e.token_ids]]


def test_one_row_or_equal_rows_keep_a_token_of_their_own():
    collate = PrefixSharingCollator(InstructionCollator(**IDS))
    assert collate(SHARING[1:2]).segments.tolist() == [[1] * 8]
    assert collate([SHARING[1]] * 3).segments.tolist() == [[SHARED] * 7 + [1, 2, 3]]


def test_a_row_without_a_live_target_is_left_out():
    batch = InstructionCollator(**IDS)(SHARING)
    batch.targets[1] = -100
    flat = share_prefix(batch)
    assert flat.segments.amax() == 3
    assert_same_losses(tiny_model(), batch, flat)


def test_rows_of_several_texts_and_batches_without_targets_are_refused():
    batch = InstructionCollator(**IDS)(SHARING)
    for wrong in (share_prefix(batch), Batch(batch.inputs)):
        with pytest.raises(ValueError, match="only a padded batch with targets"):
            share_prefix(wrong)


def test_the_collator_pickles():
    collate = PrefixSharingCollator(InstructionCollator("prompt", **IDS))
    assert torch.equal(pickle.loads(pickle.dumps(collate))(SHARING).inputs, collate(SHARING).inputs)


def test_24_tokens_open_every_alpaca_prompt():
    for entries in (load_entries()[:64], ENTRIES):
        for batch in create_loader(entries, 8, share_prefix=True, instruction_mask="prompt"):
            shared = int((batch.segments == SHARED).sum())
            assert shared >= 24 or batch.segments.amax() == 1
    assert padding_waste([batch]) == 0


@pytest.mark.parametrize("mask", ["none", "prompt"])
def test_a_run_records_what_it_would_without_sharing(mask):
    histories = []
    for sharing in (False, True):
        torch.manual_seed(0)
        model = GPT(GPTConfig(context_length=64, width=16, layers=2, heads=2))
        loaders = [
            create_loader(ENTRIES, 3, share_prefix=sharing, instruction_mask=mask) for _ in range(2)
        ]
        histories.append(
            train(model, *loaders, epochs=3, learning_rate=1e-3, accumulate=2, progress=False)
        )
        assert len(response_batches(loaders[0])[0].inputs) == (1 if sharing else len(ENTRIES))
    plain, shared = histories
    for name in ("train_loss", "gradient_norms", "validation_loss", "response_loss"):
        assert getattr(shared, name) == pytest.approx(getattr(plain, name), rel=1e-5), name
    for name in ("train_accuracy", "validation_accuracy", "live_targets", "tokens_seen"):
        assert getattr(shared, name) == getattr(plain, name), name


def test_evaluation_counts_every_target_of_the_shared_start():
    model = GPT(GPTConfig(context_length=64, width=16, layers=2, heads=2)).eval()
    plain, shared = (
        evaluate(model, create_loader(ENTRIES, 5, share_prefix=sharing))
        for sharing in (False, True)
    )
    assert shared == pytest.approx(plain, rel=1e-6)


def test_a_recipe_has_the_switch():
    recipe = Recipe("base", 1, 1e-3, batch_size=2, share_prefix=True, max_steps=1)
    seen = []

    class Watched(GPT):
        def hidden(self, batch, cache=None):
            seen.append(batch.segments is not None)
            return super().hidden(batch, cache)

    model = Watched(GPTConfig(context_length=128, width=16, layers=1, heads=2))
    finetune(model, recipe, split_entries(ENTRIES * 4), progress=False)
    assert seen
    assert all(seen)


def test_packed_rows_do_not_share_a_start_too():
    with pytest.raises(ValueError, match="not with batching='packed'"):
        create_loader(ENTRIES, batching="packed", share_prefix=True)
