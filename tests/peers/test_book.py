"""Ours against the book's own code, the package llms-from-scratch: the same names do the same."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import InstructionDataset, custom_collate_fn
from lessons_lib.data import END_OF_TEXT, format_input, get_tokenizer, load_entries

book = pytest.importorskip(
    "llms_from_scratch.ch07",
    reason="the book's code, the package llms-from-scratch, is missing",
)
P = END_OF_TEXT
LIMITS = [None, 1, 30, 50, 56, 200]
ROWS = st.lists(st.lists(st.integers(0, P - 1), min_size=1, max_size=12), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def real(real_entries):
    return load_entries(real_entries)


@pytest.fixture(scope="module")
def real_rows(real):
    return list(InstructionDataset(real))


def assert_same(ours, theirs, where=""):
    for name, one, other in zip(("inputs", "targets"), ours, theirs, strict=True):
        assert one.dtype == other.dtype, f"{name} {where}"
        assert torch.equal(one, other), f"{name} {where}: ours {one}, the book's {other}"


def test_format_input_on_the_real_entries(real):
    assert [*map(format_input, real)] == [*map(book.format_input, real)]


def test_format_input_on_the_bundled_entries():
    entries = load_entries()
    assert [*map(format_input, entries)] == [*map(book.format_input, entries)]


def test_the_data_set_on_the_real_entries(real):
    theirs = book.InstructionDataset(real, get_tokenizer())
    ours = InstructionDataset(real, get_tokenizer())
    assert len(ours) == len(theirs) == 1100
    assert all(ours[i] == theirs[i] for i in range(len(ours)))


@pytest.mark.parametrize("limit", LIMITS)
def test_custom_collate_fn_on_all_real_entries(real_rows, limit):
    for start in range(0, len(real_rows), 8):
        rows = real_rows[start : start + 8]
        ours = custom_collate_fn(rows, allowed_max_length=limit)
        assert_same(ours, book.custom_collate_fn(rows, allowed_max_length=limit), f"from {start}")


@pytest.mark.parametrize("limit", [None, 50])
def test_custom_collate_fn_on_all_bundled_entries(limit):
    rows = list(InstructionDataset(load_entries()))
    for start in range(0, len(rows), 8):
        batch = rows[start : start + 8]
        ours = custom_collate_fn(batch, allowed_max_length=limit)
        assert_same(ours, book.custom_collate_fn(batch, allowed_max_length=limit), f"from {start}")


@given(ROWS, st.none() | st.integers(1, 14))
def test_custom_collate_fn_on_rows_without_end_of_text(rows, limit):
    ours = custom_collate_fn(rows, allowed_max_length=limit)
    assert_same(ours, book.custom_collate_fn(rows, allowed_max_length=limit))


@given(ROWS, st.none() | st.integers(1, 14), st.integers(50_257, 60_000), st.integers(-200, -1))
def test_custom_collate_fn_with_other_ids(rows, limit, pad, ignore):
    ours = custom_collate_fn(rows, pad, ignore, limit, "cpu")
    assert_same(ours, book.custom_collate_fn(rows, pad, ignore, limit, "cpu"))


def test_the_arguments_are_the_books_by_name_place_and_default():
    names = ["batch", "pad_token_id", "ignore_index", "allowed_max_length", "device"]
    for function in (custom_collate_fn, book.custom_collate_fn):
        assert list(function.__code__.co_varnames[: function.__code__.co_argcount]) == names
        assert function.__defaults__ == (50256, -100, None, "cpu")


def test_toy_batch():
    rows = [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]
    assert_same(custom_collate_fn(rows), book.custom_collate_fn(rows))


def test_the_one_difference_an_end_of_text_inside_a_row():
    """The book takes the first 50256 for the end, and drops the true one from the targets."""
    rows = [[1, P, 3], [4, 5, 6, 7]]
    ours, theirs = custom_collate_fn(rows), book.custom_collate_fn(rows)
    assert torch.equal(ours[0], theirs[0]), "inputs are the same"
    assert torch.equal(ours[1][1], theirs[1][1]), "the other row is the same"
    assert theirs[1][0].tolist() == [P, 3, -100, -100]
    assert ours[1][0].tolist() == [P, 3, P, -100]


@given(
    st.lists(st.lists(st.sampled_from([1, 2, P]), min_size=1, max_size=6), min_size=1, max_size=4)
)
def test_the_difference_is_confined_to_targets_that_are_end_of_text(rows):
    (inputs, ours), (their_inputs, theirs) = custom_collate_fn(rows), book.custom_collate_fn(rows)
    assert torch.equal(inputs, their_inputs)
    differs = ours != theirs
    assert (ours[differs] == P).all()
    assert (theirs[differs] == -100).all()
    for row, different in zip(rows, differs, strict=True):
        assert P in row[1:] or not different.any()
