"""What differs from Alpaca's code, counted; and labels that are shifted twice."""

import json

import pytest

from lessons_lib.bridges import (
    alpaca_differences,
    learn_to_count,
    losses_by_labels,
    tokenizer_in_transformers,
)
from lessons_lib.bridges.double_shift import SHIFTED, UNSHIFTED
from lessons_lib.data import DatasetError, get_tokenizer, load_entries
from tests.helpers.toys import ENTRIES

pytest.importorskip("transformers", reason="pip install transformers")

ENTRY = {"instruction": "Greet.", "input": "", "output": "Hello"}


@pytest.fixture
def tokenizer(shared):
    yield shared
    shared.model_max_length, shared.pad_token = 1024, "<|endoftext|>"


@pytest.fixture(scope="module")
def shared():
    return tokenizer_in_transformers()


def measured(table):
    """What each row of the table says of the entries, by the row's name."""
    return {row[0]: row[3] for row in table.rows}


def test_each_row_says_what_both_do_and_what_that_comes_to(tokenizer):
    table = alpaca_differences(load_entries()[:40], tokenizer)
    assert table.head[1:3] == ("Alpaca's train.py", "this course")
    assert len(table.rows) == 10 == len({row[0] for row in table.rows})
    for _, theirs, ours, found in table.rows:
        assert theirs and ours and theirs != ours and any(map(str.isdigit, found))


def test_the_counts_are_those_of_the_entries(tokenizer):
    quoting = {"instruction": "Say yes.", "input": " ", "output": "'Yes'"}
    named = {"instruction": "What is <|endoftext|>?", "input": "x", "output": "A token."}
    found = measured(alpaca_differences([ENTRY, quoting, named, ENTRY], tokenizer))
    assert found["preamble"].startswith("2 of 4 have an input, 1 of them white space alone")
    assert found["after “### Response:”"].startswith("joined on 1 of 4 there")
    assert found["after “### Response:”"].endswith("; on 0 here")
    assert found["names of special tokens in an entry"].startswith("1 of 4 ")
    assert found["padding"].startswith("5 tokens of the texts")
    assert found["end of text"].startswith("4 of 4 rows")
    assert found["entries to validate and test with"] == "0 of 4 there; 1 and 0 here"


def test_labels_and_columns_are_counted_in_the_first_batch(tokenizer):
    found = measured(alpaca_differences([ENTRY] * 3, tokenizer))
    encode = get_tokenizer().encode_ordinary
    text = encode(
        "Below is an instruction that describes a task. Write a response that appropriately "
        "completes the request.\n\n### Instruction:\nGreet.\n\n### Response:"
    )
    there = len(text) + len(encode("Hello")) + 1
    assert found["columns of a batch"].startswith(f"the first batch is 3 × {there} there; 3 × ")
    assert found["columns of a batch"].endswith(
        f"3 × {there} here, where its longest text has {there + 1}"
    )
    assert "6 of 6 live labels are the input of their own column there" in found["labels"]
    assert f"{3 * (there - 1)} of {3 * (there - 1)} are that of the next" in found["labels"]
    assert found["prompt"].startswith(f"{2 / (there - 1):.1%} of the targets count there")
    assert f"here 100%, or {2 / there:.1%} with" in found["prompt"]


def test_where_texts_are_cut_the_limit_says(tokenizer):
    tokenizer.model_max_length = 30
    found = measured(alpaca_differences(ENTRIES, tokenizer))
    assert found["long texts"].startswith(
        "at 30 tokens: 5 are cut there and 5 of them have no live"
    )
    assert found["end of text"].startswith("0 of 5 ")
    tokenizer.model_max_length = int(1e30)
    found = measured(alpaca_differences(ENTRIES, tokenizer))
    assert found["long texts"].startswith("without a limit: 0 are cut there and 0 of them")


def test_on_the_books_entries_nine_outputs_lose_their_beginning(tokenizer, real_entries):
    """No more of its entries than needed: those nine and some others."""
    entries = json.loads(real_entries.read_text(encoding="utf-8"))
    quoted = [entry for entry in entries if entry["output"][0] in "'\""]
    found = measured(alpaca_differences(quoted + entries[:20], tokenizer))
    assert found["after “### Response:”"].startswith("joined on 9 of ")


def test_faulty_entries_are_named(tokenizer):
    with pytest.raises(DatasetError, match="entries, row 1, field 'output'"):
        alpaca_differences([ENTRY, {"instruction": "Add."}], tokenizer)


def test_targets_given_as_labels_are_shifted_again_and_the_other_ways_agree():
    table = losses_by_labels(load_entries()[:3])
    losses = [float(row[3]) for row in table.rows]
    assert losses[0] == pytest.approx(losses[1], abs=2e-3)
    assert losses[0] == pytest.approx(losses[2], abs=2e-3)
    assert losses[3] > losses[0] + 2
    assert [row[2] for row in table.rows] == ["the next token"] * 3 + ["the token after the next"]


def test_a_model_trained_on_labels_shifted_twice_leaves_out_every_other_number():
    rows = {row[0]: row[1:] for row in learn_to_count().rows}
    assert rows[UNSHIFTED][2] == "6 7 8 9 10 11"
    assert rows[SHIFTED][2] == "7 9 11 13 15 17"
    assert all(float(first) > 3 > 0.2 > float(last) for first, last, _ in rows.values())
