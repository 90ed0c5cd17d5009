"""The data set: substeps 2.1 and 2.2 for every entry, and where each prompt ends in tokens."""

import pickle
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import BoundaryWarning, Example, InstructionDataset, make_example
from lessons_lib.data import PROMPT_FORMATS, PromptFormat, format_input, get_tokenizer, load_entries
from tests.helpers.toys import ENTRIES, RANDOM_ENTRIES, LetterTokenizer

HEADER = "\n\n### Response:\n"
# Its last token, a line end, merges with a response that starts with line ends.
STRADDLING = {"instruction": "Begin with empty lines.", "input": "", "output": "\n\nHere."}


@pytest.fixture(scope="module")
def book_entries(real_entries):
    """The book's 1,100 entries."""
    return load_entries(real_entries)


def quiet_example(entry, **options) -> tuple[Example, list]:
    """The example and the boundary warnings it gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        example = make_example(entry, **options)
    return example, [one for one in caught if one.category is BoundaryWarning]


def test_an_item_is_a_list_of_token_ids():
    dataset = InstructionDataset(ENTRIES, get_tokenizer())
    assert len(dataset) == len(ENTRIES)
    assert isinstance(dataset[1], list)
    assert get_tokenizer().decode(dataset[1]) == PROMPT_FORMATS["alpaca"].text(ENTRIES[1])


def test_an_item_can_be_an_example_that_knows_its_borders():
    example = InstructionDataset(ENTRIES, as_examples=True)[1]
    decode = get_tokenizer().decode
    assert example.index == 1
    assert decode(example.token_ids[: example.prompt_length]).endswith(HEADER)
    assert decode(example.token_ids[example.prompt_length :]) == "It is 'Occasion'."
    assert decode(example.token_ids[: example.header_start]) == format_input(ENTRIES[1])


def test_the_data_set_keeps_the_entries_and_tokenizes_once():
    class Counting(LetterTokenizer):
        calls = 0

        def encode(self, text):
            Counting.calls += 1
            return super().encode(text)

    dataset = InstructionDataset(ENTRIES, Counting())
    made = Counting.calls
    assert dataset.data is ENTRIES
    assert [dataset[i] for i in range(len(dataset))] == [dataset[i] for i in range(len(dataset))]
    assert Counting.calls == made, "items are made once, not at each look"


def test_an_index_beyond_the_end_stops_a_for_loop():
    assert len(list(InstructionDataset(ENTRIES))) == len(ENTRIES)


def test_the_data_set_can_be_sent_to_a_worker():
    dataset = InstructionDataset(ENTRIES, as_examples=True)
    assert pickle.loads(pickle.dumps(dataset))[2] == dataset[2]


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_another_tokenizer_with_encode_and_decode_alone(name):
    prompt_format = PROMPT_FORMATS[name]
    example, caught = quiet_example(
        ENTRIES[1], tokenizer=LetterTokenizer(), prompt_format=prompt_format
    )
    assert not caught, "no token of one letter joins two letters"
    assert example.prompt_length == len(prompt_format.prompt(ENTRIES[1]))
    assert example.header_start == len(prompt_format.question(ENTRIES[1]))


@given(RANDOM_ENTRIES, st.sampled_from(sorted(PROMPT_FORMATS)))
def test_the_prompt_ends_where_its_tokens_and_the_texts_part(entry, name):
    prompt_format = PROMPT_FORMATS[name]
    example, caught = quiet_example(entry, prompt_format=prompt_format)
    prompt_ids = get_tokenizer().encode_ordinary(prompt_format.prompt(entry))
    assert example.token_ids[: example.prompt_length] == prompt_ids[: example.prompt_length]
    straddled = example.prompt_length < len(prompt_ids)
    if straddled and example.prompt_length < len(example.token_ids):
        there = example.prompt_length
        assert example.token_ids[there] != prompt_ids[there], "the prefix could be longer"
    assert bool(caught) == straddled
    assert 0 < example.header_start <= example.prompt_length <= len(example.token_ids)


def test_edge_prompt_tokens_are_no_prefix_of_the_texts():
    with pytest.warns(BoundaryWarning, match="entry 7: a token joins .*alpaca format"):
        example = make_example(STRADDLING, index=7)
    rest = get_tokenizer().decode(example.token_ids[example.prompt_length :])
    assert rest == "\n" + STRADDLING["output"], (
        "the straddling token's prompt characters come first"
    )


@pytest.mark.parametrize("name", ["alpaca", "phi3"])
def test_no_token_straddles_in_the_bundled_entries(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error", BoundaryWarning)
        InstructionDataset(load_entries(), prompt_format=name)


def test_stanfords_colon_joins_an_output_that_begins_with_a_quotation_mark():
    joined, outputs = [], [entry["output"] for entry in load_entries()]
    for entry in load_entries():
        example, caught = quiet_example(entry, prompt_format="alpaca-stanford")
        response = get_tokenizer().decode(example.token_ids[example.prompt_length :])
        assert response == (":" if caught else "") + entry["output"]
        joined += [entry["output"]] * len(caught)
    assert joined == [output for output in outputs if output.startswith("'")] != []


@pytest.mark.parametrize(
    ("header", "joined"),
    [
        (HEADER, 0),
        ("\n\n### Response:", 9),  # as Stanford's training script cuts: ':"' is one token
        ("\n\n### Response: ", 1100),
        ("\n\n### Response:\n\n", 1100),
    ],
    ids=["line end", "colon", "space", "blank line"],
)
def test_how_many_of_the_real_entries_have_a_straddling_token(book_entries, header, joined):
    prompt_format = PromptFormat("trial", format_input, header)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        InstructionDataset(book_entries, prompt_format=prompt_format)
    assert sum(one.category is BoundaryWarning for one in caught) == joined


@pytest.mark.parametrize(
    ("name", "figures"), [("alpaca", (41, 56, 57.4, 92)), ("phi3", (34, 48, 48.8, 84))]
)
def test_lengths_of_the_real_entries_with_end_of_text(book_entries, name, figures):
    dataset = InstructionDataset(book_entries, prompt_format=name)
    lengths = sorted(len(row) + 1 for row in dataset)
    mean = round(sum(lengths) / len(lengths), 1)
    assert (lengths[0], lengths[len(lengths) // 2], mean, lengths[-1]) == figures


@pytest.mark.parametrize(("name", "share"), [("alpaca", 77.1), ("phi3", 64.2)])
def test_share_of_the_prompt_in_the_real_entries(book_entries, name, share):
    examples = InstructionDataset(book_entries, prompt_format=name).examples
    prompts = sum(example.prompt_length for example in examples)
    total = sum(len(example.token_ids) + 1 for example in examples)
    assert round(100 * prompts / total, 1) == share


def test_tokens_that_start_every_alpaca_prompt(book_entries):
    rows = [example.token_ids for example in InstructionDataset(book_entries).examples]
    shared = 0
    while len({row[shared] for row in rows}) == 1:
        shared += 1
    assert shared == 24
