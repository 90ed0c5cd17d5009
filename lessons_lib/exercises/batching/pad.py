"""Exercise: end each row, and pad all rows to one length. Lesson 04."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.batching import pad
from lessons_lib.exercises import Exercise, WrongAnswer


def my_pad(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    """Rows of token ids as one int64 tensor, (batch, longest + 1); the lists stay as they are."""
    raise NotImplementedError


def answer(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    width = max(len(row) for row in rows) + 1
    padded = [row + [pad_token_id] * (width - len(row)) for row in rows]
    return torch.tensor(padded)  # (batch, longest + 1)


def library(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    return pad(rows, pad_token_id, end_of_text_id=pad_token_id)


def without_end_of_text(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    width = max(len(row) for row in rows)
    return torch.tensor([row + [pad_token_id] * (width - len(row)) for row in rows])


def on_the_left(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    width = max(len(row) for row in rows) + 1
    return torch.tensor([[pad_token_id] * (width - len(row)) + row for row in rows])


def on_the_left_of_ended_rows(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    width = max(len(row) for row in rows)
    filled = [[pad_token_id] * (width - len(row)) + row for row in rows]
    return torch.tensor([[*row, pad_token_id] for row in filled])


def one_column_too_many(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    width = max(len(row) for row in rows) + 2
    return torch.tensor([row + [pad_token_id] * (width - len(row)) for row in rows])


def with_zeros(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    width = max(len(row) for row in rows) + 1
    return torch.tensor([[*row, pad_token_id] + [0] * (width - len(row) - 1) for row in rows])


def cut_to_the_shortest(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    width = min(len(row) for row in rows) + 1
    return torch.tensor([[*row, pad_token_id][:width] for row in rows])


def with_a_fixed_id(rows: list[list[int]], pad_token_id: int = 50256) -> Tensor:
    return answer(rows)


def cases() -> list[tuple]:
    return [
        ([[1, 2], [3]],),
        ([[5]], 50256),
        ([[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]], 50256),
        ([[4, 50256], [1, 2, 3]], 50256),
        ([[3, 1], [2, 2]], 9),
    ]


def draw(source: Random) -> tuple:
    """Up to six rows of up to twelve ids, that of padding among them."""
    pad_token_id = source.choice((50256, 9, 0))
    ids = [*range(1, 20), pad_token_id]
    rows = [source.choices(ids, k=source.randint(1, 12)) for _ in range(source.randint(1, 6))]
    return rows, pad_token_id


PAD = Exercise(
    name="pad",
    title="Pad a batch",
    lesson="04",
    minutes=10,
    difficulty=1,
    statement="""
A tensor is a rectangle, and rows of token ids are not equally long. Write `my_pad`: put one
`pad_token_id` after each row, as the sign that its text is over, then fill all rows up with more
of them, on the right, until each has as many columns as the longest row with its end. Return one
tensor of int64, and leave the lists that you were given as they are.
""",
    attempt=my_pad,
    answer=answer,
    hints=(
        "How many columns has the result when the longest row has five tokens? Count its end of "
        "text.",
        "First the width, from all rows; then, for each row, how many cells are missing. End of "
        "text and padding have the same id, so both can be added at once.",
        "`width = max(len(row) for row in rows) + 1`. A row of n tokens gets `width - n` times "
        "`[pad_token_id]` behind it; `row + […]` makes a new list, `row += […]` changes the old.",
    ),
    wrong_answers=(
        WrongAnswer(
            without_end_of_text,
            "rows are padded to the longest, and the longest gets no end of text",
            "Each row needs one of its own before anything is filled up. A model that never sees "
            "the end of long texts does not learn to stop.",
        ),
        WrongAnswer(
            on_the_left,
            "the padding, end of text included, is put on the left",
            "Then each text begins with the sign that it is over, and every token moves to another "
            "position. Right of a text no token of it can look.",
        ),
        WrongAnswer(
            on_the_left_of_ended_rows,
            "the padding is put on the left",
            "Every real token would see it, so an attention mask would be needed, and other "
            "positions. On the right it is invisible to the text.",
        ),
        WrongAnswer(
            one_column_too_many,
            "all rows get a column more than the longest needs",
            "The longest row needs one cell beyond its tokens, its end of text. A second one is "
            "computed for every row and teaches nothing.",
        ),
        WrongAnswer(
            with_zeros,
            "rows are filled up with 0",
            "0 is a token id like any other, in GPT-2 an exclamation mark. Fill with pad_token_id.",
        ),
        WrongAnswer(
            cut_to_the_shortest,
            "rows are cut to the shortest",
            "The rectangle is right, and the texts are lost. Fill the short ones up.",
        ),
        WrongAnswer(
            with_a_fixed_id,
            "50256 is written where pad_token_id should stand",
            "Other tokenizers have other ids; that is why it is an argument.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    library=library,
    library_name="`pad` in `lessons_lib.batching`",
)
