"""Packed rows: nothing lost, nothing repeated, and no target that points into the next entry.

The shared start computed once: the same loss and the same gradients as the padded batch.
"""

import pickle
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import (
    Batch,
    Example,
    InstructionCollator,
    InstructionDataset,
    create_loader,
    padding_waste,
    share_prefix,
)
from lessons_lib.batching.batch import SHARED
from lessons_lib.batching.loaders import response_batches
from lessons_lib.batching.packing import PackingCollator, PrefixSharingCollator, best_fit_decreasing
from lessons_lib.data import END_OF_TEXT, load_entries, split_entries
from lessons_lib.models import GPT, GPTConfig
from lessons_lib.training import Recipe, batch_loss, evaluate_loss, finetune, live_losses, train
from lessons_lib.training.losses import evaluate, live_mask, live_weights
from tests.helpers.toys import ENTRIES, EXAMPLES, examples, live_targets, tiny_model

P = END_OF_TEXT
PACK = 24
OPTIONS = st.sampled_from(
    [
        {},
        {"instruction_mask": "prompt"},
        {"instruction_mask": "keep-header"},
        {"prompt_loss_weight": 0.25},
        {"pad_token_id": 60_000, "end_of_text_id": 60_001},
    ]
)


def packer(**options) -> PackingCollator:
    options = {"allowed_max_length": PACK - 1} | options
    return PackingCollator(InstructionCollator(**options), PACK)


def packed_rows(rows, pack):
    return [[rows[i] for i in row] for row in best_fit_decreasing([*map(pack.length, rows)], PACK)]


def live_pairs(batch) -> Counter:
    """How often each (input, target, weight) counts in a batch."""
    live = batch.targets != -100
    weights = batch.weights if batch.weights is not None else torch.ones(live.shape)
    columns = (batch.inputs[live].tolist(), batch.targets[live].tolist(), weights[live].tolist())
    return Counter(zip(*columns, strict=True))


# Best-fit decreasing


@given(st.lists(st.integers(1, 10), max_size=20))
def test_every_item_lies_in_exactly_one_row_and_no_row_overflows(lengths):
    rows = best_fit_decreasing(lengths, 10)
    assert sorted(item for row in rows for item in row) == list(range(len(lengths)))
    assert all(0 < sum(lengths[item] for item in row) <= 10 for row in rows)


@given(st.lists(st.integers(1, 10), min_size=1, max_size=20))
def test_rows_are_few(lengths):
    """No two rows would fit into one: the fuller half of them is more than half full."""
    sums = sorted(sum(lengths[i] for i in row) for row in best_fit_decreasing(lengths, 10))
    assert all(one + other > 10 for one, other in zip(sums, sums[1:], strict=False))


def test_the_fullest_row_with_room_is_taken():
    # 13 and 11 open rows; 8 fits beside 11 alone, and so 1 does best there too.
    assert best_fit_decreasing([13, 11, 8, 1], 20) == [[0], [1, 2, 3]]
    # The longest item comes first, wherever it stands in the list.
    assert best_fit_decreasing([5, 7, 3], 10) == [[1, 2], [0]]


def test_equal_lengths_keep_their_order_so_that_runs_repeat():
    assert best_fit_decreasing([4, 4, 4, 4], 8) == [[0, 1], [2, 3]]


def test_nothing_to_pack_needs_no_row():
    assert best_fit_decreasing([], 10) == []


def test_an_item_longer_than_a_row_is_refused():
    with pytest.raises(ValueError, match="item of 11 does not fit into a row of 10"):
        best_fit_decreasing([3, 11], 10)


@pytest.mark.parametrize(("name", "bins"), [("alpaca", 63), ("phi3", 53)])
def test_rows_of_1024_that_the_real_entries_need(real_entries, name, bins):
    dataset = InstructionDataset(load_entries(real_entries), prompt_format=name)
    assert len(best_fit_decreasing([len(row) + 1 for row in dataset], 1024)) == bins


# Packed batches


def test_a_packed_row_by_hand():
    batch = packer(instruction_mask="prompt")([EXAMPLES[1:]])
    assert batch.inputs.tolist() == [[20, 21, 22, 23, P, 30, 31, 32, 33, 34, P] + [P] * 13]
    ignored = [-100] * 13
    assert batch.targets.tolist() == [
        [-100, -100, 23, P, -100, -100, -100, 33, 34, P, -100, *ignored]
    ]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5] + [0] * 13]
    assert batch.segments.tolist() == [[1] * 5 + [2] * 6 + [0] * 13]
    assert batch.weights is None


@given(st.lists(examples(), min_size=1, max_size=8), OPTIONS)
def test_live_pairs_are_those_of_the_padded_batch(rows, options):
    pack = packer(**options)
    packed = pack(packed_rows(rows, pack))
    assert live_pairs(packed) == live_pairs(InstructionCollator(**options)(rows))


@given(st.lists(examples(), min_size=1, max_size=8), OPTIONS)
def test_edge_packing_no_target_points_from_one_entry_into_the_next(rows, options):
    pack = packer(**options)
    batch = pack(packed_rows(rows, pack))
    columns = (batch.inputs, batch.targets, batch.positions, batch.segments)
    for inputs, targets, positions, segments in zip(*columns, strict=True):
        for place in live_targets(targets).places:
            assert segments[place] > 0, "padding has no target"
            assert segments[place + 1] == segments[place], "the target is the next entry's token"
            assert targets[place] == inputs[place + 1]
            assert positions[place + 1] == positions[place] + 1


@given(st.lists(examples(), min_size=1, max_size=8))
def test_segments_and_positions_tell_the_entries_apart(rows):
    pack = packer()
    layout = packed_rows(rows, pack)
    batch = pack(layout)
    assert batch.inputs.shape == (len(layout), PACK)
    for row, inputs, segments, positions in zip(
        layout, batch.inputs, batch.segments, batch.positions, strict=True
    ):
        for number, example in enumerate(row, start=1):
            mine = segments == number
            assert inputs[mine].tolist() == [*example.token_ids, P]
            assert positions[mine].tolist() == list(range(len(example.token_ids) + 1))
        assert segments.max() == len(row)
        padding = segments == 0
        assert int(padding.sum()) == PACK - sum(map(pack.length, row))
        assert positions[padding].tolist() == [0] * int(padding.sum())


def test_an_entry_longer_than_the_row_is_cut_and_not_ended():
    example = EXAMPLES[0]._replace(token_ids=list(range(100, 140)))
    batch = packer()([[example]])
    assert batch.inputs.tolist() == [list(range(100, 100 + PACK))]
    assert batch.targets.tolist() == [[*range(101, 100 + PACK), -100]]


def test_a_text_that_fills_the_context_can_be_packed():
    long = {"instruction": "Count.", "input": "", "output": "one two three " * 40}
    options = {"allowed_max_length": 64, "drop_last": False}
    model = tiny_model(END_OF_TEXT + 1, context_length=64).eval()
    padded, packed = (
        evaluate_loss(model, create_loader([*ENTRIES, long], 2, batching=batching, **options))
        for batching in ("shuffled", "packed")
    )
    assert packed == pytest.approx(padded, rel=1e-5)


def test_dtypes_and_weights_of_a_packed_batch():
    batch = packer(prompt_loss_weight=0.25)([EXAMPLES[:2], EXAMPLES[2:]])
    for name in ("inputs", "targets", "positions", "segments"):
        assert getattr(batch, name).dtype == torch.int64, name
    assert batch.weights.dtype == torch.float32
    assert batch.weights.shape == batch.inputs.shape == (2, PACK)
    assert batch.weights[1, :6].tolist() == [0.25, 0.25, 1, 1, 1, 0]
    assert batch.weights[batch.targets == -100].unique().tolist() == [0]


def test_edge_the_packing_collator_pickles():
    pack = packer(instruction_mask="prompt")
    again = pickle.loads(pickle.dumps(pack))
    assert torch.equal(again([EXAMPLES]).targets, pack([EXAMPLES]).targets)


IDS = {"end_of_text_id": 62, "pad_token_id": 63}
SHARING_OPTIONS = [
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


@pytest.mark.parametrize("options", SHARING_OPTIONS, ids=str)
def test_loss_and_gradients_are_those_of_the_padded_batch(options):
    padded = InstructionCollator(**IDS, **options)(SHARING)
    assert_same_losses(tiny_model(), padded, share_prefix(padded))


@given(sharing_examples(), st.sampled_from(SHARING_OPTIONS[:4]))
def test_so_they_are_for_any_rows(examples, options):
    padded = InstructionCollator(**IDS, **options)(examples)
    assert_same_losses(tiny_model(), padded, share_prefix(padded))


@pytest.mark.parametrize("options", SHARING_OPTIONS[:4], ids=str)
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
    recipe = Recipe("base", learning_rate=1e-3, batch_size=2, share_prefix=True, max_steps=1)
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
