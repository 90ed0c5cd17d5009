"""The five substeps, one by one, on rows small enough to check by eye."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import (
    BatchError,
    apply_template,
    mask_instructions,
    mask_padding,
    pad,
    shift_targets,
    tokenize,
)
from lessons_lib.batching.substeps import prompt_targets
from lessons_lib.data import END_OF_TEXT, PROMPT_FORMATS, get_tokenizer
from tests.helpers.toys import ENTRIES, TEXTS, TOY_ROWS, LetterTokenizer

P = END_OF_TEXT
ROWS = st.lists(st.lists(st.integers(0, 99), max_size=9), min_size=1, max_size=5)


def test_toy_batch_through_substeps_2_3_to_2_5():
    padded = pad(TOY_ROWS)
    assert padded.tolist() == [[0, 1, 2, 3, 4, P], [5, 6, P, P, P, P], [7, 8, 9, P, P, P]]
    inputs, shifted = shift_targets(padded)
    assert inputs.tolist() == [[0, 1, 2, 3, 4], [5, 6, P, P, P], [7, 8, 9, P, P]]
    assert shifted.tolist() == [[1, 2, 3, 4, P], [6, P, P, P, P], [8, 9, P, P, P]]
    targets = mask_padding(shifted, [5, 2, 3])
    assert targets.tolist() == [
        [1, 2, 3, 4, P],
        [6, P, -100, -100, -100],
        [8, 9, P, -100, -100],
    ]


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_apply_template_takes_a_name_or_a_format(name):
    text = apply_template(ENTRIES[1], name)
    assert text == PROMPT_FORMATS[name].text(ENTRIES[1])
    assert text == apply_template(ENTRIES[1], PROMPT_FORMATS[name])


def test_apply_template_writes_alpaca_by_default():
    assert apply_template(ENTRIES[0]).endswith("\n\n### Response:\nParis.")


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="alpaca, alpaca-stanford, phi3"):
        apply_template(ENTRIES[0], "vicuna")


@given(TEXTS)
def test_tokenize_loses_nothing(text):
    assert get_tokenizer().decode(tokenize(text)) == text


def test_edge_literal_end_of_text_in_user_text_is_ordinary_text():
    ids = tokenize("Explain <|endoftext|> to me.")
    assert P not in ids, "user text must never become the end-of-text token"
    assert get_tokenizer().decode(ids) == "Explain <|endoftext|> to me."
    assert len(tokenize("<|endoftext|>")) == 7


def test_tokenize_uses_a_tokenizer_that_only_encodes_and_decodes():
    assert tokenize("ab", LetterTokenizer()) == [97, 98]


@given(ROWS)
def test_pad_ends_every_row_once_and_fills_it(rows):
    padded = pad(rows, pad_token_id=200, end_of_text_id=300)
    width = max(map(len, rows)) + 1
    assert padded.shape == (len(rows), width)
    assert padded.dtype == torch.int64
    for row, result in zip(rows, padded.tolist(), strict=True):
        assert result == row + [300] + [200] * (width - len(row) - 1)


def test_pad_leaves_its_rows_as_they_were():
    rows = [[1, 2], [3]]
    pad(rows)
    assert rows == [[1, 2], [3]]


@pytest.mark.parametrize(("limit", "width"), [(1, 2), (2, 3), (4, 5), (5, 6), (6, 6), (99, 6)])
def test_pad_cuts_so_that_the_allowed_number_of_inputs_is_left(limit, width):
    assert pad(TOY_ROWS, allowed_max_length=limit).shape == (3, width)


def test_edge_a_cut_row_gets_no_end_of_text():
    assert pad([[1, 2, 3, 4]], allowed_max_length=3).tolist() == [[1, 2, 3, 4]]
    assert pad([[1, 2, 3]], allowed_max_length=3).tolist() == [[1, 2, 3, P]]


def test_pad_to_a_fixed_length():
    assert pad([[1], [2, 3]], pad_token_id=0, pad_to=4).tolist() == [
        [1, P, 0, 0, 0],
        [2, 3, P, 0, 0],
    ]


def test_pad_to_may_equal_the_longest_row():
    assert pad(TOY_ROWS, pad_to=5).tolist() == pad(TOY_ROWS).tolist()


def test_pad_to_shorter_than_a_row_says_both_lengths_and_the_way_out():
    with pytest.raises(BatchError, match=r"5 tokens, pad_to=4 .* set allowed_max_length=4"):
        pad(TOY_ROWS, pad_to=4)
    assert pad(TOY_ROWS, pad_to=4, allowed_max_length=4).shape == (3, 5)


def test_edge_an_empty_batch_is_refused():
    with pytest.raises(BatchError, match="at least one row"):
        pad([])


@pytest.mark.parametrize("option", ["allowed_max_length", "pad_to"])
@pytest.mark.parametrize("length", [0, -1])
def test_lengths_below_one_are_refused_by_name(option, length):
    with pytest.raises(BatchError, match=f"{option} must be 1 or more, not {length}"):
        pad(TOY_ROWS, **{option: length})


@given(ROWS)
def test_shift_moves_the_contents_one_place_to_the_left(rows):
    padded = pad(rows)
    inputs, targets = shift_targets(padded)
    assert inputs.shape == targets.shape == (len(rows), padded.shape[1] - 1)
    assert torch.equal(targets[:, :-1], inputs[:, 1:])
    assert torch.equal(torch.cat([padded[:, :1], targets], dim=1), padded)


def test_targets_are_a_copy_so_that_masking_in_place_cannot_reach_the_inputs():
    padded = pad(TOY_ROWS)
    inputs, targets = shift_targets(padded)
    targets.fill_(-100)
    assert torch.equal(padded, pad(TOY_ROWS))
    assert torch.equal(inputs, pad(TOY_ROWS)[:, :-1])


@given(ROWS)
def test_mask_padding_leaves_as_many_targets_as_a_row_has_tokens(rows):
    _, shifted = shift_targets(pad(rows))
    targets = mask_padding(shifted, [len(row) for row in rows])
    assert (targets != -100).sum(dim=1).tolist() == [len(row) for row in rows]
    for row, result in zip(rows, targets.tolist(), strict=True):
        assert result[: len(row)] == [*row, P][1:]


def test_padding_is_found_by_length_not_by_value():
    _, shifted = shift_targets(pad([[1, P, 3], [4, 5, 6, 7]]))
    assert mask_padding(shifted, [3, 4])[0].tolist() == [P, 3, P, -100]


def test_masks_return_new_tensors_and_take_another_ignore_index():
    _, shifted = shift_targets(pad(TOY_ROWS))
    before = shifted.clone()
    assert mask_padding(shifted, [5, 2, 3], ignore_index=-1)[1].tolist() == [6, P, -1, -1, -1]
    assert mask_instructions(shifted, [2, 2, 2], ignore_index=-7)[0].tolist() == [-7, 2, 3, 4, P]
    assert torch.equal(shifted, before)


@pytest.mark.parametrize(
    ("prompt_length", "expected"),
    [
        (0, [1, 2, 3, 4, P]),
        (1, [1, 2, 3, 4, P]),  # the first token is nobody's target
        (2, [-100, 2, 3, 4, P]),
        (4, [-100, -100, -100, 4, P]),
        (5, [-100, -100, -100, -100, P]),  # all prompt: only its end is left
        (6, [-100, -100, -100, -100, -100]),
    ],
)
def test_edge_off_by_one_in_the_instruction_mask(prompt_length, expected):
    _, targets = shift_targets(pad(TOY_ROWS[:1]))
    assert mask_instructions(targets, [prompt_length]).tolist() == [expected]


def test_prompt_targets_are_the_tokens_of_the_prompt_but_its_first():
    _, targets = shift_targets(pad(TOY_ROWS))
    assert prompt_targets(targets, [3, 1, 2]).tolist() == [
        [True, True, False, False, False],
        [False] * 5,
        [True, False, False, False, False],
    ]
