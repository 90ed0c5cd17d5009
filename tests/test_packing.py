"""Packed rows: nothing lost, nothing repeated, and no target that points into the next entry."""

import pickle
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import InstructionCollator, InstructionDataset
from lessons_lib.data import load_entries
from lessons_lib.loaders import create_loader
from lessons_lib.packing import PackingCollator, best_fit_decreasing
from lessons_lib.tokenizer import END_OF_TEXT
from lessons_lib.training import evaluate_loss
from tests.toys import ENTRIES, EXAMPLES, examples, live_targets, tiny_model

P = END_OF_TEXT
PACK = 24
OPTIONS = st.sampled_from(
    [
        {},
        {"instruction_mask": "prompt"},
        {"instruction_mask": "keep-header"},
        {"prompt_loss_weight": 0.25},
        {"ignore_index": -1, "pad_token_id": 60_000, "end_of_text_id": 60_001},
    ]
)


def packer(**options) -> PackingCollator:
    options = {"allowed_max_length": PACK - 1} | options
    return PackingCollator(InstructionCollator(**options), PACK)


def packed_rows(rows, pack):
    return [[rows[i] for i in row] for row in best_fit_decreasing([*map(pack.length, rows)], PACK)]


def live_pairs(batch, ignore_index: int = -100) -> Counter:
    """How often each (input, target, weight) counts in a batch."""
    live = batch.targets != ignore_index
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
    ignore = options.get("ignore_index", -100)
    packed = pack(packed_rows(rows, pack))
    assert live_pairs(packed, ignore) == live_pairs(InstructionCollator(**options)(rows), ignore)


@given(st.lists(examples(), min_size=1, max_size=8), OPTIONS)
def test_edge_packing_no_target_points_from_one_entry_into_the_next(rows, options):
    pack = packer(**options)
    ignore = options.get("ignore_index", -100)
    batch = pack(packed_rows(rows, pack))
    columns = (batch.inputs, batch.targets, batch.positions, batch.segments)
    for inputs, targets, positions, segments in zip(*columns, strict=True):
        for place in live_targets(targets, ignore).places:
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
