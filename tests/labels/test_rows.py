"""Whatever holds labels is read: its convention, what is padding, why a target does not count."""

import numpy as np
import pytest
import torch

from lessons_lib.batching import InstructionCollator, InstructionDataset, create_loader
from lessons_lib.data import END_OF_TEXT, get_tokenizer, load_entries
from lessons_lib.labels import REASONS, LabelsError, read_labels
from tests.helpers.llama_toys import tiny_tokenizer
from tests.helpers.toys import LetterTokenizer

END, X = END_OF_TEXT, -100
ENTRIES = load_entries()[:6]
EXAMPLES = InstructionDataset(ENTRIES).examples
BATCH = InstructionCollator("prompt")(EXAMPLES)
# Two rows of ids that stand for anything: prompts of three and two tokens.
IDS = [[10, 11, 12, 13, 14, END], [20, 21, 22, END]]
LABELS = [[X, X, X, 13, 14, END], [X, X, 22, END]]
ROWS = [{"input_ids": i, "labels": x} for i, x in zip(IDS, LABELS, strict=True)]


def read(given, **options):
    return read_labels(given, get_tokenizer(), **options)


def padded(rows, fill, left=False):
    width = max(map(len, rows))
    fills = [[fill] * (width - len(row)) for row in rows]
    return [f + row if left else row + f for f, row in zip(fills, rows, strict=True)]


# What is taken


class Loader:
    """What has ``__iter__`` alone, as loaders do."""

    def __init__(self, *items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


def ways():
    ids, labels = padded(IDS, END), padded(LABELS, X)
    columns = {"input_ids": ids, "labels": labels}
    tensors = {name: torch.tensor(part) for name, part in columns.items()}
    arrays = {name: np.array(part) for name, part in columns.items()}
    yield "rows", ROWS
    yield "rows of tensors", [{n: torch.tensor(p) for n, p in row.items()} for row in ROWS]
    yield "rows of numpy's integers", [{n: list(np.array(p)) for n, p in r.items()} for r in ROWS]
    yield "columns", columns
    yield "tensors", tensors
    yield "arrays", arrays
    yield "a loader", Loader(tensors, tensors)
    yield "a stream of rows", iter(ROWS)
    yield "a loader of pairs", Loader((torch.tensor(ids), torch.tensor(labels)))


@pytest.mark.parametrize("given", [pytest.param(given, id=name) for name, given in ways()])
def test_everything_that_holds_labels_is_read_alike(given):
    batch = read(given)
    assert batch.shifts_inside and "(5 of 5 labels that count)" in batch.convention
    for row, ids, labels in zip(batch.rows, IDS, LABELS, strict=True):
        n = len(ids)
        assert list(row.input_ids[:n]) == ids and list(row.targets[: n - 1]) == labels[1:]
        assert set(row.targets[n - 1 :]) == {X}
    assert [row.index for row in batch.rows] == [0, 1] and batch.total_rows == 2


def test_encodings_and_data_sets_of_hugging_face():
    datasets, transformers = pytest.importorskip("datasets"), pytest.importorskip("transformers")
    columns = {"input_ids": padded(IDS, END), "labels": padded(LABELS, X)}
    encoding = transformers.BatchEncoding(columns, tensor_type="pt")
    for given in (encoding, datasets.Dataset.from_list(ROWS).with_format("torch")):
        assert [row.targets[3] for row in read(given).rows] == [14, X]
    streamed = datasets.Dataset.from_list(ROWS).to_iterable_dataset()
    assert len(read(streamed).rows) == 2
    parts = datasets.DatasetDict(train=datasets.Dataset.from_list(ROWS))
    with pytest.raises(LabelsError, match="several parts; give one of them: 'train'"):
        read(parts)


def test_the_courses_batches_are_shifted_before():
    batch = read(BATCH)
    assert not batch.shifts_inside and "shifted before the model" in batch.convention
    for row, example, targets in zip(batch.rows, EXAMPLES, BATCH.targets.tolist(), strict=True):
        n = len(example.token_ids)
        assert row.targets == tuple(targets)
        header = example.prompt_length - example.header_start
        kinds = ["prompt"] * example.header_start + ["header"] * header
        kinds += ["response"] * (n - len(kinds)) + ["stop"]
        kinds += ["padding"] * len(targets)
        assert list(row.kinds) == kinds[: len(targets)]
        assert row.reasons.count("counts") == n - example.prompt_length + 1
        assert set(row.segments[n + 1 :]) <= {0}
    assert read(tuple(BATCH[:2])).rows == batch.rows
    loader = create_loader(ENTRIES, 6, instruction_mask="prompt", shuffle=False)
    again = read(loader)
    assert again.rows == batch.rows and "Only the first batch" in again.notes[0]


# The convention


def test_where_counting_cannot_decide_the_names_do():
    nothing = {"input_ids": [[1, 2]], "labels": [[X, X]]}
    assert read(nothing).shifts_inside and "No label counts" in read(nothing).convention
    as_targets = {"inputs": [[1, 2]], "targets": [[X, X]]}
    assert not read(as_targets).shifts_inside
    alike = {"input_ids": [[7, 7, 7, 7]], "labels": [[X, 7, 7, X]]}
    assert read(alike).shifts_inside and "fit either convention" in read(alike).convention
    last = {"input_ids": [[1, 2, 3]], "labels": [[X, X, END]]}
    assert not read(last).shifts_inside and "in the last column" in read(last).convention


def test_neither_convention_is_said():
    strange = {"input_ids": [[1, 2, 3, 4, 5]], "labels": [[X, 9, 9, 9, 9]]}
    batch = read(strange)
    assert "neither convention: of 4 that count, 0 are" in batch.convention
    assert not batch.found.fits


def test_what_the_model_does_decides_over_the_targets():
    batch = read(BATCH, shifts_inside=True)
    assert batch.rows[0].targets[:-1] == tuple(BATCH.targets[0, 1:].tolist())
    assert "asked for the token after the next" in batch.convention
    assert "just read" in read(ROWS, shifts_inside=False).convention


# Why a target does not count


def test_every_reason_is_explained():
    assert {reason for row in read(BATCH).rows for reason in row.reasons} <= REASONS.keys()


def test_left_padding():
    ids, labels = padded(IDS, END, left=True), padded(LABELS, X, left=True)
    mask = padded([[1] * len(row) for row in IDS], 0, left=True)
    for given in (
        {"input_ids": ids, "labels": labels, "attention_mask": mask},
        {"input_ids": ids, "labels": labels},
    ):
        row = read(given).rows[1]
        assert row.kinds == ("padding", "padding", "prompt", "prompt", "response", "stop")
        assert row.reasons == ("padding", "padding", "prompt", "counts", "counts", "last")
        assert row.segments == (0, 0, 1, 1, 1, 1)


def test_packed_rows_by_positions_and_by_lengths():
    ids, labels = IDS[0] + IDS[1], LABELS[0] + LABELS[1]
    by_position = {
        "input_ids": [ids],
        "labels": [labels],
        "position_ids": torch.tensor([[0, 1, 2, 3, 4, 5, 0, 1, 2, 3]]),
    }
    by_length = [{"input_ids": ids, "labels": labels, "seq_lengths": [6, 4]}]
    by_borders = {"input_ids": [ids], "labels": [labels], "cu_seq_lens_q": torch.tensor([0, 6, 10])}
    by_nothing = [{"input_ids": ids, "labels": labels}]
    for given in (by_position, by_length, by_borders, by_nothing):
        (row,) = read(given).rows
        assert row.segments == (1,) * 6 + (2,) * 4
        assert row.reasons[5] == "segment" and row.kinds[5] == "stop"
        assert row.kinds[6:] == ("prompt", "prompt", "response", "stop")
        assert row.packed == (given is not by_nothing)
        unsaid = any("No column says where each begins" in note for note in read(given).notes)
        assert unsaid == (given is by_nothing)


def test_padding_of_another_id_and_of_none_that_is_known():
    """A tokenizer without a padding token, rows padded with 0."""
    batch = read({"input_ids": padded(IDS, 0), "labels": padded(LABELS, X)})
    assert batch.rows[1].kinds[-3:] == ("stop", "padding", "padding")
    fast = tiny_tokenizer().fast
    ids = [[5, 6, 7, 2, 0, 0], [5, 6, 7, 8, 9, 2]]
    labels = [[X, 6, 7, 2, X, X], [X, 6, 7, 8, 9, 2]]
    row = read_labels({"input_ids": ids, "labels": labels}, fast).rows[0]
    assert row.kinds == ("prompt", "response", "response", "stop", "padding", "padding")


def test_masks_of_trl_say_where_responses_are():
    rows = [
        {"input_ids": ids, "completion_mask": [int(x != X) for x in labels]}
        for ids, labels in zip(IDS, LABELS, strict=True)
    ]
    batch = read(rows)
    assert batch.shifts_inside and batch.rows[0].targets == (X, X, 13, 14, END, X)
    assert batch.rows[0].kinds == ("prompt",) * 3 + ("response", "response", "stop")
    assert "There is no column labels" in batch.notes[0]
    for row in rows:
        row["assistant_masks"] = [0] * len(row["input_ids"])
    assert set(read(rows).rows[0].targets) == {X}, "both masks must say so"


def test_between_two_replies():
    tokenizer = tiny_tokenizer()
    text = "<|im_start|>user\nA<|im_end|>\n<|im_start|>assistant\nB<|im_end|>\n"
    ids = tokenizer.fast.encode(text * 2, add_special_tokens=False)
    places = [t for t, token in enumerate(ids) if tokenizer.decode([token]) == "B"]
    labels = [X] * len(ids)
    for t in places:
        labels[t : t + 2] = ids[t : t + 2]
    (row,) = read_labels({"input_ids": [ids], "labels": [labels]}, tokenizer).rows
    assert row.reasons[places[0] + 1] == "turn" and row.reasons[0] == "prompt"
    assert row.reasons[places[1] - 2] == "header"
    assert [row.kinds[t] for t in places] == ["response"] * 2


# Many rows


def test_of_half_a_million_rows_a_sample_is_read_and_said():
    class Many:
        asked: list[int] = []

        def __len__(self):
            return 500_000

        def __getitem__(self, index):
            self.asked.append(index)
            return ROWS[index % 2]

    first, second = Many(), Many()
    batch = read(first, most_rows=100)
    assert "100 of 500,000 rows were read" in batch.notes[0] and batch.total_rows == 500_000
    indices = [row.index for row in batch.rows]
    assert len(set(indices)) == 100 and all(
        5_000 * n <= i < 5_000 * n + 5_000 for n, i in enumerate(indices)
    )
    assert [row.index for row in read(second, most_rows=100).rows] == indices
    assert len(Many.asked) == 200, "nothing else was touched"


def test_a_long_stream_is_read_from_its_start():
    batch = read((ROWS[0] for _ in range(1_000)), most_rows=10)
    assert len(batch.rows) == 10 and "first 10 rows of a stream" in batch.notes[0]


# What cannot be read


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "there is no row: the batch or data set is empty"),
        ({"input_ids": [], "labels": []}, "there is no row"),
        (iter(()), "there is no row"),
        (Loader({"input_ids": torch.zeros(0, 4), "labels": torch.zeros(0, 4)}), "there is no row"),
        ({"input_ids": [[1, 2]]}, "no column labels and none of completion_mask, assistant_masks"),
        ([{"input_ids": [1, 2]}], "row 0: there is no column labels.*get_train_dataloader"),
        ([ROWS[0], {"labels": [1]}], "row 1: there is no column input_ids"),
        ([{"messages": [], "id": 3}], "row 0: these rows are texts, not tokenized yet"),
        ({"text": ["a", "b"]}, "not tokenized yet"),
        ([ROWS[0], {"input_ids": [1, 2], "labels": [1]}], "row 1: input_ids has 2 tokens, but "
         "labels has 1. Cut, pad and mask them together"),
        ({"input_ids": [[1, 2]], "labels": [[1, 2]], "attention_mask": [[1]]}, "_mask has 1"),
        ({"input_ids": [[1], [2]], "labels": [[1]]}, "input_ids has 2 rows, but labels has 1"),
        ([{"input_ids": [1, 2], "labels": [1, 2], "seq_lengths": [3]}], "seq_lengths has 3"),
        ([{"input_ids": [1, 2.5], "labels": [X, 2]}], "row 0, column 1: input_ids holds 2.5"),
        ([{"input_ids": [1, None], "labels": [X, 2]}], "column 1: input_ids holds None"),
        ({"input_ids": torch.ones(1, 2), "labels": torch.ones(1, 2)}, "input_ids holds 1.0"),
        ([{"input_ids": [1, -2], "labels": [X, X]}], "row 0, column 1: input_ids is -2; token ids"),
        ([ROWS[0], {"input_ids": [1, 2], "labels": [-1, 2]}], "row 1, column 0: labels is -1;"),
        ([{"input_ids": [1, 50_300], "labels": [X, 2]}], "column 1: input_ids is 50300, beyond the "
         "vocabulary of gpt2, which has 50,257 ids"),
        ([{"input_ids": [1, 3], "labels": [X, 99_999]}], "labels is 99999, beyond the vocabulary"),
        ([{"input_ids": [], "labels": []}], "row 0 is empty"),
        ([[1, 2, 3], [4, 5, 6], [7]], "row 0 is an object of the type list, not a dictionary"),
        (EXAMPLES, "row 0 is an object of the type Example"),
        ("rows.jsonl", "a text has no labels; python -m lessons_lib lint FILE"),
        (7, "an object of the type int holds no rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_a_sentence(given, message):
    with pytest.raises(LabelsError, match=message):
        read(given)


def test_what_is_no_tokenizer():
    with pytest.raises(
        LabelsError, match="str cannot turn token ids into text: give the tokenizer"
    ):
        read_labels(ROWS, "gpt2")


def test_a_tokenizer_of_two_methods_will_do():
    ids = LetterTokenizer().encode("ask: say")
    row = {"input_ids": ids, "labels": [X] * 5 + ids[5:]}
    batch = read_labels([row], LetterTokenizer())
    assert batch.tokens.name == "LetterTokenizer" and batch.tokens.size is None
    assert batch.tokens.piece(ord("k")) == "k"
    assert batch.tokens.piece(2**40) == f"⟨{2**40}⟩"


def test_pieces_of_sentencepiece_keep_their_space():
    class Pieces:
        name_or_path, eos_token_id = "toy", 2

        def convert_ids_to_tokens(self, token_id):
            return ["▁the", "re", "</s>"][token_id]

        def decode(self, ids):
            return self.convert_ids_to_tokens(ids[0]).replace("▁", "")

    batch = read_labels([{"input_ids": [0, 1, 2], "labels": [X, 1, 2]}], Pieces())
    assert [batch.tokens.piece(token) for token in range(3)] == [" the", "re", "</s>"]
