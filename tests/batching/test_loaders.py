"""Loaders: orders, epochs, dropped entries, workers, and how much padding each way costs."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from lessons_lib.batching import (
    Batch,
    BatchError,
    InstructionCollator,
    InstructionDataset,
    create_loader,
    padding_waste,
)
from lessons_lib.batching.loaders import EpochBatchSampler
from lessons_lib.data import load_entries, split_entries
from tests.helpers.toys import ENTRIES, EXAMPLES, LetterTokenizer

BATCHINGS = ["shuffled", "bucketed", "packed"]
SMALL = {"batch_size": 4, "pack_length": 256}


@pytest.fixture(scope="module")
def entries():
    """Enough entries to shuffle, few enough to be quick."""
    return load_entries()[:60]


@pytest.fixture(scope="module")
def book_entries(real_entries):
    """The book's 1,100 entries."""
    return load_entries(real_entries)


@pytest.fixture(scope="module")
def book_dataset(book_entries):
    return {
        name: InstructionDataset(book_entries, prompt_format=name) for name in ("alpaca", "phi3")
    }


def contents(loader) -> list[list]:
    """What one pass yields, as plain lists."""
    return [[None if part is None else part.tolist() for part in batch] for batch in loader]


def rows_of(batch: Batch) -> list[tuple[int, ...]]:
    """Each entry's tokens, from padded or packed rows."""
    if batch.segments is None:
        lengths = (batch.targets != -100).sum(dim=1)
        return [tuple(row[:n].tolist()) for row, n in zip(batch.inputs, lengths, strict=True)]
    return [
        tuple(row[segments == number].tolist()[:-1])
        for row, segments in zip(batch.inputs, batch.segments, strict=True)
        for number in range(1, int(segments.max()) + 1)
    ]


# Orders and epochs


def test_widths_of_the_first_five_batches_of_the_real_training_set(book_entries):
    loader = create_loader(split_entries(book_entries).train, 8, seed=123, drop_last=True)
    widths = [batch.inputs.shape[1] for batch in itertools.islice(loader, 5)]
    assert widths == [61, 76, 73, 68, 65]


@pytest.mark.parametrize("seed", [0, 123, 99_999])
@pytest.mark.parametrize("drop_last", [False, True])
def test_the_shuffled_order_is_pytorchs_own_for_two_epochs(entries, seed, drop_last):
    dataset = InstructionDataset(entries)
    collator = InstructionCollator()
    torch.manual_seed(seed)
    theirs = DataLoader(dataset, 8, shuffle=True, drop_last=drop_last, collate_fn=collator)
    expected = [contents(theirs), contents(theirs)]
    torch.manual_seed(seed + 1)  # PyTorch's order depends on the global state, ours does not
    ours = create_loader(dataset, 8, seed=seed, drop_last=drop_last)
    assert [contents(ours), contents(ours)] == expected


@pytest.mark.parametrize("batching", BATCHINGS)
def test_every_entry_comes_exactly_once_an_epoch(entries, batching):
    loader = create_loader(entries, batching=batching, **SMALL)
    expected = sorted(map(tuple, InstructionDataset(entries)))
    for _ in range(2):
        assert sorted(row for batch in loader for row in rows_of(batch)) == expected


@pytest.mark.parametrize("batching", BATCHINGS)
def test_epochs_differ_and_repeat_from_the_seed(entries, batching):
    one = create_loader(entries, batching=batching, seed=5, **SMALL)
    other = create_loader(entries, batching=batching, seed=5, **SMALL)
    torch.manual_seed(1)
    epochs = [contents(one), contents(one)]
    torch.manual_seed(2)
    assert epochs == [contents(other), contents(other)], "only seed and epoch may matter"
    assert epochs[0] != epochs[1]
    assert contents(create_loader(entries, batching=batching, seed=6, **SMALL)) != epochs[0]


@pytest.mark.parametrize("batching", BATCHINGS)
def test_set_epoch_repeats_one(entries, batching):
    loader = create_loader(entries, batching=batching, **SMALL)
    epochs = [contents(loader) for _ in range(3)]
    for epoch in (1, 0, 2):
        loader.set_epoch(epoch)
        assert contents(loader) == epochs[epoch]
    loader.set_epoch(1)
    contents(loader)
    assert contents(loader) == epochs[2], "after epoch 1 comes epoch 2"


def test_a_pass_that_was_broken_off_counts_as_an_epoch(entries):
    whole, broken = create_loader(entries), create_loader(entries)
    contents(whole)
    next(iter(broken))
    assert contents(broken) == contents(whole)


def test_without_shuffling_entries_keep_their_order(entries):
    loader = create_loader(entries, 7, shuffle=False)
    dataset = InstructionDataset(entries)
    for _ in range(2):
        assert [row for batch in loader for row in rows_of(batch)] == [*map(tuple, dataset)]


@pytest.mark.parametrize("batching", BATCHINGS)
def test_without_shuffling_epochs_are_equal(entries, batching):
    loader = create_loader(entries, batching=batching, shuffle=False, **SMALL)
    assert contents(loader) == contents(loader)


@pytest.mark.parametrize("batching", BATCHINGS)
@pytest.mark.parametrize("drop_last", [False, True])
def test_length_of_a_loader_and_its_last_batch(entries, batching, drop_last):
    loader = create_loader(entries[:41], batching=batching, drop_last=drop_last, **SMALL)
    sizes = [batch.inputs.shape[0] for batch in loader]
    assert len(loader) == len(sizes)
    assert sorted(sizes, reverse=True)[:-1] == [4] * (len(sizes) - 1)
    if drop_last:
        assert set(sizes) == {4}
    if batching != "packed":
        assert sum(sizes) == (40 if drop_last else 41)


@given(st.integers(1, 60), st.integers(1, 9), st.booleans(), st.booleans(), st.integers(0, 3))
def test_batches_of_indices_cover_the_data_once(size, batch_size, drop_last, bucketed, epoch):
    lengths = [7 * i % 13 for i in range(size)] if bucketed else None
    sampler = EpochBatchSampler(size, batch_size, drop_last=drop_last, lengths=lengths)
    sampler.epoch = epoch
    batches = list(sampler)
    drawn = [index for batch in batches for index in batch]
    assert len(batches) == len(sampler)
    assert len(set(drawn)) == len(drawn)
    assert len(drawn) == (size // batch_size * batch_size if drop_last else size)


def test_buckets_hold_entries_of_similar_length_and_come_in_random_order(entries):
    loader = create_loader(entries, 6, batching="bucketed")
    spreads, widths = [], []
    for batch in loader:
        lengths = [len(row) for row in rows_of(batch)]
        spreads.append((min(lengths), max(lengths)))
        widths.append(max(lengths))
    spreads.sort()
    assert all(low[1] <= high[0] for low, high in itertools.pairwise(spreads)), "one window: sorted"
    assert widths != sorted(widths)


def test_buckets_are_sorted_within_windows_only():
    """800 entries of batch size 8 are two windows of 50 batches: lengths start again."""
    lengths = list(range(800))
    sampler = EpochBatchSampler(800, 8, shuffle=False, lengths=lengths[::-1])
    tops = [batch[0] for batch in sampler]
    assert tops[0] == 399
    assert tops[49] == 7
    assert tops[50] == 799


# Dropped entries


LONG = {"instruction": "Say " + "very " * 40 + "much.", "input": "", "output": "Much."}


@pytest.mark.parametrize("batching", BATCHINGS)
@pytest.mark.parametrize("mask", ["none", "prompt"])
def test_edge_truncation_removes_the_whole_response_drops_and_lists_the_entry(batching, mask):
    loader = create_loader(
        [*ENTRIES[:2], LONG, ENTRIES[3]],
        batching=batching,
        allowed_max_length=60,
        instruction_mask=mask,
        pack_length=128,
    )
    [dropped] = loader.dropped
    assert dropped.index == 2
    assert "73 tokens; 60 are allowed" in dropped.reason
    responses = sum(int((batch.targets == 50256).sum()) for batch in loader)
    assert responses == 3, "the others are still there, whole"


def test_nothing_is_dropped_where_nothing_is_lost(entries):
    assert create_loader(entries).dropped == []
    assert create_loader(entries, batching="packed").dropped == []


def test_a_loader_drops_exactly_what_the_collator_would_refuse():
    dataset = InstructionDataset(ENTRIES)
    for limit in range(30, 60):
        collator, refused = InstructionCollator(allowed_max_length=limit), []
        for example in dataset.examples:
            try:
                collator([example])
            except BatchError:
                refused.append(example.index)
        if len(refused) == len(ENTRIES):
            continue
        dropped = create_loader(dataset, allowed_max_length=limit).dropped
        assert [entry.index for entry in dropped] == refused, limit


@pytest.mark.parametrize("batching", BATCHINGS)
def test_when_no_entry_is_left_the_message_says_so(batching):
    with pytest.raises(BatchError, match=r"none of 5 entries .* allowed_max_length=10"):
        create_loader(ENTRIES, batching=batching, allowed_max_length=10)


def test_no_entries_at_all():
    with pytest.raises(BatchError, match="none of 0 entries"):
        create_loader([])


@pytest.mark.parametrize("batching", BATCHINGS)
def test_a_cut_response_has_no_end_of_text(batching):
    loader = create_loader(
        ENTRIES, 5, batching=batching, allowed_max_length=44, instruction_mask="prompt"
    )
    dataset = InstructionDataset(ENTRIES)
    gone = {entry.index for entry in loader.dropped}
    whole = [i for i in range(5) if i not in gone and len(dataset[i]) <= 44]
    assert 0 < len(whole) < 5 - len(gone), "the limit must cut some and not others"
    ends = sum(int((batch.targets == 50256).sum()) for batch in loader)
    assert ends == len(whole)


def test_a_pass_draws_nothing_from_the_global_random_state(entries):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    contents(create_loader(entries))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("limit", [None, 47, 60])
def test_packing_cuts_what_is_longer_than_a_row(limit):
    loader = create_loader(ENTRIES, batching="packed", pack_length=48, allowed_max_length=limit)
    lengths = [len(row) for row in InstructionDataset(ENTRIES)]
    batch = next(iter(loader))
    assert batch.inputs.shape == (5, 48), "a row for each: no two fit"
    ends = int((batch.targets == 50256).sum())
    assert ends == sum(length < 48 for length in lengths) < 5


# Options


def test_a_loader_takes_entries_or_a_data_set(entries):
    made = create_loader(InstructionDataset(entries, prompt_format="phi3"))
    assert contents(made) == contents(create_loader(entries, prompt_format="phi3"))
    plain = InstructionDataset(entries, as_examples=False)
    masked = create_loader(plain, instruction_mask="prompt")
    assert contents(masked) == contents(create_loader(entries, instruction_mask="prompt"))


def test_a_loader_takes_another_tokenizer():
    loader = create_loader(
        ENTRIES, 5, tokenizer=LetterTokenizer(), end_of_text_id=3, pad_token_id=0
    )
    inputs = next(iter(loader)).inputs
    assert inputs.max() < 128
    assert all(chr(token) == "B" for token in inputs[:, 0].tolist())


@pytest.mark.parametrize("batching", BATCHINGS)
def test_the_collators_options_reach_it(entries, batching):
    loader = create_loader(entries, batching=batching, prompt_loss_weight=0.5)
    assert {0.5, 1.0} <= set(next(iter(loader)).weights.unique().tolist())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be 1 or more, not 0"),
        ({"batching": "sorted"}, "'shuffled', 'bucketed' or 'packed', not 'sorted'"),
        ({"instruction_mask": "all"}, "'none', 'keep-header', 'prompt', not 'all'"),
        ({"instruction_mask": "prompt", "prompt_loss_weight": 0.1}, "alone"),
        ({"batching": "packed", "pad_to": 200}, "pad_to does not go with batching='packed'"),
        ({"batching": "packed", "allowed_max_length": 0}, "none of 5 entries"),
        ({"prompt_format": "vicuna"}, "no prompt format 'vicuna'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        create_loader(ENTRIES, **options)


def test_a_misspelt_option_is_refused():
    with pytest.raises(TypeError, match="instruction_masks"):
        create_loader(ENTRIES, instruction_masks="prompt")


# Workers


def test_edge_no_workers_by_default(entries):
    assert create_loader(entries).num_workers == 0


@pytest.mark.parametrize("batching", BATCHINGS)
def test_two_workers_give_the_same_batches_for_two_epochs(entries, batching):
    options = {"batching": batching, "instruction_mask": "prompt"} | SMALL
    alone = create_loader(entries, **options)
    helped = create_loader(entries, num_workers=2, **options)
    for _ in range(2):
        assert contents(helped) == contents(alone)


@pytest.mark.parametrize("batching", BATCHINGS)
def test_edge_batches_are_made_on_the_cpu(entries, batching):
    loader = create_loader(entries, batching=batching, prompt_loss_weight=0.5)
    assert {part.device.type for part in next(iter(loader)) if part is not None} == {"cpu"}


# Waste


def test_waste_by_hand():
    batch = InstructionCollator(instruction_mask="prompt")(EXAMPLES)
    # Rows of 7, 4 and 5 tokens and an end of text each, in 3 × 8 cells.
    assert padding_waste([batch]) == pytest.approx(1 - 19 / 24)
    assert padding_waste([batch, batch]) == pytest.approx(1 - 19 / 24)
    assert padding_waste([]) == 0


@pytest.mark.parametrize("mask", ["none", "prompt"])
def test_waste_counts_columns_that_hold_nothing(entries, mask):
    lengths = [len(row) + 1 for row in InstructionDataset(entries)]
    loader = create_loader(entries, instruction_mask=mask, pad_to=99)
    assert padding_waste(loader) == pytest.approx(1 - sum(lengths) / len(lengths) / 100)


@pytest.mark.parametrize(
    ("name", "options", "waste"),
    [
        ("alpaca", {"pad_to": 1023}, 94.4),
        ("alpaca", {"pad_to": 91}, 37.6),
        ("alpaca", {"batching": "packed"}, 2.1),
        ("phi3", {"pad_to": 83}, 41.9),
        ("phi3", {"batching": "packed"}, 1.1),
    ],
)
def test_waste_of_the_real_entries(book_dataset, name, options, waste):
    loader = create_loader(book_dataset[name], 8, **options)
    assert 100 * padding_waste(loader) == pytest.approx(waste, abs=0.06)


@pytest.mark.parametrize(
    ("name", "batching", "waste"),
    [
        ("alpaca", "shuffled", 19),
        ("phi3", "shuffled", 20),
        ("alpaca", "bucketed", 0.9),
        ("phi3", "bucketed", 0.9),
    ],
)
def test_waste_of_the_real_entries_where_it_varies_from_epoch_to_epoch(
    book_dataset, name, batching, waste
):
    loader = create_loader(book_dataset[name], 8, batching=batching)
    tolerance = 1.0 if batching == "shuffled" else 0.2
    for _ in range(3):
        assert 100 * padding_waste(loader) == pytest.approx(waste, abs=tolerance)


@pytest.mark.parametrize(("name", "rows"), [("alpaca", 63), ("phi3", 53)])
def test_packed_rows_of_the_real_entries(book_dataset, name, rows):
    loader = create_loader(book_dataset[name], 8, batching="packed")
    assert sum(batch.inputs.shape[0] for batch in loader) == rows
    assert len(loader) == -(-rows // 8)


def test_too_few_entries_for_one_batch_are_named_with_what_works():
    with pytest.raises(BatchError, match="5 entries are fewer than one batch of 8.*batch_size=5"):
        create_loader(ENTRIES, 8, drop_last=True)
    assert len(create_loader(ENTRIES, 5, drop_last=True)) == 1
    assert len(create_loader(ENTRIES, 8, drop_last=False)) == 1
