"""Each fault of labels is found, with its row, column and token; right batches have no finding."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import (
    BatchError,
    InstructionCollator,
    InstructionDataset,
    custom_collate_fn,
    make_example,
)
from lessons_lib.data import END_OF_TEXT, PROMPT_FORMATS, get_tokenizer, load_entries
from lessons_lib.labels import EXPECT, lint_labels
from tests.helpers.llama_toys import tiny_tokenizer

IGNORED = -100
EXAMPLES = InstructionDataset(load_entries()[:4]).examples
INTENDED = {"none": "all", "keep-header": "keep-header", "prompt": "response"}
END = "<|endoftext|>"


def rows(mask="prompt"):
    """Four rows as transformers takes them, each with the place where its response begins."""
    made = []
    for example in EXAMPLES:
        ids = [*example.token_ids, END_OF_TEXT]
        start = InstructionCollator(mask).masked_length(example)
        made.append({"input_ids": ids, "labels": [IGNORED] * start + ids[start:]})
    return made


def kinds(found):
    return [(each.row, each.kind) for each in found]


def only(found):
    assert len(found) == 1, str(found)
    return found[0]


def lint(batch, **options):
    return lint_labels(batch, get_tokenizer(), **options)


# What is wrong under every intention


def test_a_stop_token_that_does_not_count():
    given_rows = rows()
    given_rows[2]["labels"][-1] = IGNORED
    one = only(lint(given_rows))
    assert (one.row, one.column, one.token) == (2, len(given_rows[2]["labels"]) - 1, END)
    assert one.kind == "stop-untrained" and "does not learn to stop" in one.sentence
    assert str(one).startswith("row 2, column ") and one.advice in str(one)


def test_ends_masked_with_padding_of_the_same_id():
    batch = InstructionCollator("prompt")(EXAMPLES)
    masked = batch.targets.masked_fill(batch.targets == END_OF_TEXT, IGNORED)
    found = lint(batch._replace(targets=masked))
    assert kinds(found) == [(row, "stop-untrained") for row in range(4)]
    for one, example in zip(found, EXAMPLES, strict=True):
        assert one.column == len(example.token_ids) - 1, "where its target stands"


def test_ends_hidden_by_an_attention_mask_made_of_ids():
    """The mask says of the end, too, that it is padding, wherever padding is told by its id."""
    given_rows = rows()
    width = max(len(row["input_ids"]) for row in given_rows) + 1
    batch = {"input_ids": [], "labels": [], "attention_mask": []}
    for row in given_rows:
        ids = row["input_ids"] + [END_OF_TEXT] * (width - len(row["input_ids"]))
        labels = row["labels"] + [IGNORED] * (width - len(row["labels"]))
        batch["input_ids"].append(ids)
        batch["labels"].append(
            [IGNORED if i == END_OF_TEXT else x for i, x in zip(ids, labels, strict=True)]
        )
        batch["attention_mask"].append([int(i != END_OF_TEXT) for i in ids])
    assert kinds(lint(batch)) == [(row, "stop-untrained") for row in range(4)]
    batch["labels"] = [
        row["labels"] + [IGNORED] * (width - len(row["labels"])) for row in given_rows
    ]
    assert not lint(batch, expect="response"), "the end counts, whatever attention sees of it"


def test_a_row_of_which_nothing_counts():
    given_rows = rows()
    given_rows[1]["labels"] = [IGNORED] * len(given_rows[1]["labels"])
    one = only(lint(given_rows))
    assert (one.row, one.column, one.kind) == (1, EXAMPLES[1].prompt_length, "nothing-counts")
    assert get_tokenizer().decode([EXAMPLES[1].token_ids[one.column]]) == one.token


@pytest.mark.parametrize("expect", [None, "response", "keep-header", "assistant"])
def test_truncation_that_took_the_response(expect):
    given_rows = rows("keep-header" if expect == "keep-header" else "prompt")
    kept = EXAMPLES[3].prompt_length - 3
    given_rows[3] = {name: part[:kept] for name, part in given_rows[3].items()}
    one = only(lint(given_rows, expect=expect))
    assert (one.row, one.column) == (3, kept - 1) and f"{kept} tokens" in one.sentence
    # Half a header that counts may as well be a response of which something was cut off.
    assert one.kind == ("stop-missing" if expect == "keep-header" else "response-cut")


def test_truncation_that_took_the_end():
    given_rows = rows()
    given_rows[0] = {name: part[:-2] for name, part in given_rows[0].items()}
    one = only(lint(given_rows, expect="response"))
    assert (one.row, one.column) == (0, len(given_rows[0]["labels"]) - 1)
    assert one.kind == "stop-missing" and "was cut at" in one.sentence


def test_the_courses_own_cuts_are_found():
    limit = max(example.prompt_length for example in EXAMPLES) + 1
    batch = InstructionCollator("prompt", allowed_max_length=limit)(EXAMPLES)
    cut = [n for n, example in enumerate(EXAMPLES) if len(example.token_ids) > limit]
    assert cut and kinds(lint(batch, expect="response")) == [(row, "stop-missing") for row in cut]


def test_two_begin_tokens():
    fast = tiny_tokenizer().fast  # its begin token is <|im_start|>
    begin, end = fast.bos_token_id, fast.eos_token_id
    ids = fast.encode("A question. An answer.")
    labels = [IGNORED] * 3 + ids[3:] + [end]
    right = {"input_ids": [begin, *ids, end], "labels": [IGNORED, *labels]}
    twice = {"input_ids": [begin, begin, *ids, end], "labels": [IGNORED, IGNORED, *labels]}
    one = only(lint_labels([right, twice], fast))
    assert (one.row, one.column, one.token, one.kind) == (1, 1, "<|im_start|>", "two-begins")
    assert "add_special_tokens=False" in one.advice


@pytest.mark.parametrize("with_mask", [True, False])
def test_padding_that_counts(with_mask):
    given_rows = rows()
    given_rows[0]["input_ids"] += [END_OF_TEXT] * 3
    given_rows[0]["labels"] += [IGNORED, END_OF_TEXT, END_OF_TEXT]
    if with_mask:
        for row, padding in zip(given_rows, (3, 0, 0, 0), strict=True):
            length = len(row["labels"]) - padding
            row["attention_mask"] = [1] * length + [0] * padding
    one = only(lint(given_rows, expect="response"))
    length = len(EXAMPLES[0].token_ids) + 1
    assert (one.row, one.column, one.token) == (0, length + 1, END)
    assert one.kind == "padding-trained" and "(2 such labels)" in one.sentence


def test_the_books_batch_before_padding_is_masked():
    steps = InstructionCollator("none").steps(EXAMPLES)
    found = lint((steps.inputs, steps.shifted))
    longest = max(range(4), key=lambda n: len(EXAMPLES[n].token_ids))
    assert kinds(found) == [(n, "padding-trained") for n in range(4) if n != longest]
    assert found[0].column == len(EXAMPLES[found[0].row].token_ids)


def test_a_label_that_is_another_token():
    given_rows = rows()
    given_rows[1]["labels"][-3] = 11
    one = only(lint(given_rows))
    assert (one.row, one.column, one.token) == (1, len(given_rows[1]["labels"]) - 3, ",")
    following = get_tokenizer().decode([given_rows[1]["input_ids"][-3]])
    assert one.kind == "label-differs" and repr(following) in one.sentence


def test_a_text_that_asks_for_the_next_one():
    first, second = rows("none")[:2]
    packed = {
        "input_ids": [first["input_ids"] + second["input_ids"]],
        "labels": [first["labels"] + second["labels"]],
        "position_ids": [[*range(len(first["labels"])), *range(len(second["labels"]))]],
    }
    one = only(lint(packed))
    assert (one.column, one.kind) == (len(first["labels"]), "next-text")
    packed["labels"][0][len(first["labels"])] = IGNORED
    assert not lint(packed, expect="all")


# Shifts


def test_a_shift_done_twice_needs_to_be_told_what_the_model_does():
    batch = custom_collate_fn([example.token_ids for example in EXAMPLES])
    assert not lint(batch) and not lint(batch, shifts_inside=False)
    one = only(lint(batch, shifts_inside=True))
    assert (one.row, one.column, one.kind) == (0, 0, "shifted-twice")
    assert "were shifted before the model" in lint(batch).convention


def test_labels_that_nobody_shifts():
    assert not lint(rows(), shifts_inside=True)
    one = only(lint(rows(), shifts_inside=False))
    assert (one.row, one.column, one.kind) == (0, EXAMPLES[0].prompt_length, "not-shifted")


def test_labels_two_tokens_ahead_were_shifted_twice_already():
    batch = InstructionCollator("prompt")(EXAMPLES)
    again = torch.full_like(batch.targets, IGNORED)
    again[:, :-1] = batch.targets[:, 1:]
    one = only(lint(batch._replace(targets=again)))
    assert one.kind == "shifted-twice" and one.column == EXAMPLES[0].prompt_length - 2


def test_labels_of_neither_convention():
    given_rows = rows()
    for row in given_rows:
        row["labels"] = [label if label < 0 else label // 2 for label in row["labels"]]
    found = lint(given_rows, shifts_inside=True)
    assert only(found).kind == "no-convention" and "neither convention" in found.convention


# What is wrong if responses alone should count


@pytest.mark.parametrize("expect", ["response", "assistant"])
def test_a_header_that_counts(expect):
    found = lint(rows("keep-header"), expect=expect)
    assert kinds(found) == [(row, "header-trained") for row in range(4)]
    assert [each.column for each in found] == [example.header_start for example in EXAMPLES]
    assert found[0].token == "\n" and "(6 such tokens)" in found[0].sentence


def test_one_token_of_the_header_that_counts():
    given_rows = rows()
    last = EXAMPLES[0].prompt_length - 1
    given_rows[0]["labels"][last] = given_rows[0]["input_ids"][last]
    one = only(lint(given_rows, expect="response"))
    assert (one.row, one.column, one.kind) == (0, last, "header-trained")


def test_a_mask_that_was_lost():
    found = lint(rows("none"), expect="keep-header")
    assert kinds(found) == [(row, "prompt-trained") for row in range(4)]
    assert found[0].column == 1, "nothing predicts a text's first token"


def test_a_first_token_that_is_lost():
    given_rows = rows()
    given_rows[3]["labels"][EXAMPLES[3].prompt_length] = IGNORED
    one = only(lint(given_rows, expect="response"))
    assert (one.row, one.column) == (3, EXAMPLES[3].prompt_length)
    assert one.kind == "response-masked"
    assert not lint(given_rows), "some do it on purpose"


def test_a_header_that_does_not_count_and_should():
    found = lint(rows(), expect="keep-header")
    assert kinds(found) == [(row, "header-masked") for row in range(4)]


def test_a_mask_where_all_should_count():
    found = lint(rows(), expect="all")
    assert kinds(found) == [(row, "masked") for row in range(4)]


def test_what_is_known_without_a_header():
    """Prompts of no known format: a mask that is there is believed, one that is not is missed."""
    texts = [("The capital of Norway is", " Oslo."), ("Two and two are", " four.")]
    made = []
    for prompt, response in texts:
        start, rest = get_tokenizer().encode(prompt), get_tokenizer().encode(response)
        ids = [*start, *rest, END_OF_TEXT]
        made.append({"input_ids": ids, "labels": [IGNORED] * len(start) + ids[len(start) :]})
    found = lint(made, expect="response")
    assert not found and any("No header of a known format" in note for note in found.notes)
    for row in made:
        row["labels"] = row["input_ids"]
    assert not lint(made) and not lint(made, expect="all")
    assert [each.kind for each in lint(made, expect="response")] == ["prompt-trained"] * 2


def chat(*turns, counts):
    """A chat in ChatML; ``counts`` says of each turn whether it and its end count."""
    tokenizer = tiny_tokenizer()
    end, line = tokenizer.end_of_text_id, tokenizer.encode("\n")
    ids, labels = [], []
    for (role, text), live in zip(turns, counts, strict=True):
        header = [1, *tokenizer.encode(f"{role}\n")]
        reply = [*tokenizer.encode(text), end]
        ids += [*header, *reply, *line]
        labels += [IGNORED] * len(header) + (reply if live else [IGNORED] * len(reply))
        labels += [IGNORED] * len(line)
    return {"input_ids": ids, "labels": labels}


TURNS = [("user", "Hi."), ("assistant", "Hello!"), ("user", "Bye."), ("assistant", "See you.")]


def test_replies_of_a_chat():
    tokenizer = tiny_tokenizer()
    all_replies = chat(*TURNS, counts=[0, 1, 0, 1])
    last_alone = chat(*TURNS, counts=[0, 0, 0, 1])
    users_too = chat(*TURNS, counts=[1, 1, 0, 1])
    for expect in (None, "response", "assistant"):
        assert not lint_labels(all_replies, tokenizer, expect=expect, shifts_inside=True)
    assert not lint_labels(last_alone, tokenizer, expect="response")
    one = only(lint_labels(last_alone, tokenizer, expect="assistant"))
    assert one.kind == "response-masked" and one.token == "H"
    one = only(lint_labels(users_too, tokenizer, expect="response"))
    assert one.kind == "prompt-trained" and one.token == "H"


def test_an_end_of_a_turn_that_does_not_count():
    row = chat(*TURNS, counts=[0, 1, 0, 1])
    first_end = [t for t, token in enumerate(row["input_ids"]) if token == 2][1]
    row["labels"][first_end] = IGNORED
    one = only(lint_labels(row, tiny_tokenizer()))
    assert (one.column, one.token, one.kind) == (first_end, "<|im_end|>", "stop-untrained")


@pytest.mark.parametrize(
    ("before", "after"),
    [("<|user|>\n{}<|endoftext|>\n<|assistant|>\n", "<|endoftext|>\n"), ("[INST] {} [/INST]", "")],
    ids=["Zephyr", "Llama 2"],
)
def test_formats_whose_replies_the_end_of_text_ends(before, after):
    def encode(text):
        return get_tokenizer().encode(text, allowed_special="all")

    ids, labels = [], []
    for question in ("Who?", "Where?"):
        prompt, reply = encode(before.format(question)), [*encode(" Here it is."), END_OF_TEXT]
        rest = encode(after)[1:]
        ids += prompt + reply + rest
        labels += [IGNORED] * len(prompt) + reply + [IGNORED] * len(rest)
    row = {"input_ids": ids, "labels": labels}
    assert not lint(row, expect="assistant") and not lint(row, expect="response")
    first, second = [t for t, token in enumerate(ids) if token == encode(" Here")[0]]
    last_alone = [IGNORED] * second + labels[second:]
    assert not lint({"input_ids": ids, "labels": last_alone}, expect="response")
    assert not lint({"input_ids": ids, "labels": last_alone})
    labels[second] = IGNORED
    one = only(lint(row, expect="assistant"))
    assert (one.column, one.kind, one.token) == (second, "response-masked", " Here")


def test_a_piece_of_a_long_text_needs_no_end_unless_one_is_meant():
    ids = get_tokenizer().encode("A text that goes on and on, and was cut where its row was full")
    row = {"input_ids": ids, "labels": ids}
    assert not lint(row)
    one = only(lint(row, expect="all"))
    assert one.kind == "stop-missing" and one.column == len(ids) - 1


# Right batches, drawn at random

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="#<|"), max_size=12)
ENTRY = st.fixed_dictionaries({"instruction": TEXT, "input": TEXT, "output": TEXT})


@pytest.mark.filterwarnings("ignore::lessons_lib.batching.BoundaryWarning")
@given(
    st.lists(ENTRY, min_size=1, max_size=3),
    st.sampled_from(list(INTENDED)),
    st.sampled_from(list(PROMPT_FORMATS)),
    st.none() | st.integers(120, 160),
)
def test_no_batch_of_ours_has_a_finding(entries, mask, prompt_format, pad_to):
    examples = [make_example(e, None, prompt_format, n) for n, e in enumerate(entries)]
    try:
        batch = InstructionCollator(mask, pad_to=pad_to)(examples)
    except BatchError:  # a text longer than pad_to
        return
    found = lint(batch, expect=INTENDED[mask], shifts_inside=False)
    assert not found, str(found)


@given(st.data())
def test_a_changed_label_is_never_overlooked(data):
    """Of a row whose intention is known, each label is either −100 or one certain token."""
    given_rows, row = rows(), data.draw(st.integers(0, 3))
    column = data.draw(st.integers(1, len(given_rows[row]["labels"]) - 1))
    right = given_rows[row]["labels"][column]
    wrong = given_rows[row]["input_ids"][column] if right == IGNORED else IGNORED
    given_rows[row]["labels"][column] = wrong
    one = only(lint(given_rows, expect="response"))
    assert (one.row, one.column) == (row, column)


# What is asked for


def test_what_can_be_expected_is_named():
    with pytest.raises(ValueError, match="expect is one of all, response, keep-header, assistant"):
        lint(rows(), expect="prompt")
    assert list(EXPECT) == ["all", "response", "keep-header", "assistant"]


def test_the_share_of_the_prompt_is_a_note():
    assert "0 count (0.0%)" in lint(rows()).notes[-1]
    assert "(100.0%)" in lint(rows("none")).notes[-1]


def test_findings_print_as_a_few_lines():
    right, wrong = lint(rows()), lint(rows("none") * 2, expect="response")
    assert str(right).splitlines() == [
        right.convention,
        *right.notes,
        "✓ nothing found in 4 rows",
    ]
    assert len(wrong) == 16 and repr(wrong).count("✗") == 10
    assert "  … and 3 more [header-trained]\n  → Let the mask end" in str(wrong)
