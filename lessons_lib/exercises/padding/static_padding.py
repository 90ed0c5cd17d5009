"""Exercise: a data set that pads all its rows once, when it is made."""

from random import Random

import torch
from torch import Tensor
from torch.utils.data import Dataset

from lessons_lib.exercises import Exercise, WrongAnswer


class StaticDataset(Dataset):
    """Rows of token ids, each ended and padded to ``columns`` cells when the data set is made.

    An item is an int64 tensor of shape (columns,).
    """

    def __init__(self, rows: list[list[int]], columns: int, pad_token_id: int = 50256):
        raise NotImplementedError

    def __getitem__(self, index: int) -> Tensor:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


class Answer(Dataset):
    """Rows of token ids, each ended and padded to ``columns`` cells when the data set is made.

    An item is an int64 tensor of shape (columns,).
    """

    def __init__(self, rows: list[list[int]], columns: int, pad_token_id: int = 50256):
        filled = [row + [pad_token_id] * (columns - len(row)) for row in rows]
        self.padded = torch.tensor(filled)  # (rows, columns)

    def __getitem__(self, index: int) -> Tensor:
        return self.padded[index]

    def __len__(self) -> int:
        return len(self.padded)


class PadsLater(Dataset):
    def __init__(self, rows: list[list[int]], columns: int, pad_token_id: int = 50256):
        self.rows, self.columns, self.pad_token_id = rows, columns, pad_token_id

    def __getitem__(self, index: int) -> Tensor:
        row = self.rows[index]
        return torch.tensor(row + [self.pad_token_id] * (self.columns - len(row)))

    def __len__(self) -> int:
        return len(self.rows)


class ToTheLongest(Answer):
    def __init__(self, rows: list[list[int]], columns: int, pad_token_id: int = 50256):
        super().__init__(rows, max(len(row) for row in rows) + 1, pad_token_id)


class OneColumnMore(Answer):
    def __init__(self, rows: list[list[int]], columns: int, pad_token_id: int = 50256):
        super().__init__(rows, columns + 1, pad_token_id)


class OnTheLeft(Answer):
    def __init__(self, rows: list[list[int]], columns: int, pad_token_id: int = 50256):
        filled = [[pad_token_id] * (columns - len(row)) + row for row in rows]
        self.padded = torch.tensor(filled)


class WithZeros(Answer):
    def __init__(self, rows: list[list[int]], columns: int, pad_token_id: int = 50256):
        ended = [[*row, pad_token_id] for row in rows]
        self.padded = torch.tensor([row + [0] * (columns - len(row)) for row in ended])


class WithAFixedId(Answer):
    def __init__(self, rows: list[list[int]], columns: int, pad_token_id: int = 50256):
        super().__init__(rows, columns)


class CountsColumns(Answer):
    def __len__(self) -> int:
        return self.padded.shape[1]

    def __getitem__(self, index: int) -> Tensor:
        return self.padded[index % len(self.padded)]


def items_later(dataset: Dataset, arguments: tuple) -> tuple:
    """How many items, how many cells each has, and all of them as one tensor, once the rows have
    been emptied.

    What was padded when the data set was made does not miss them.
    """
    for row in arguments[0]:
        row.clear()
    items = [dataset[index] for index in range(len(dataset))]
    cells = [len(item) for item in items]
    if all(isinstance(item, Tensor) for item in items) and len(set(cells)) == 1:
        return len(items), cells, torch.stack(items)
    return len(items), cells, items


def cases() -> list[tuple]:
    return [
        ([[1, 2], [3]], 4),
        ([[5, 6, 7]], 5, 50256),
        ([[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]], 8),
        ([[4, 50256], [1, 2, 3]], 4, 50256),
        ([[3, 1], [2, 2]], 6, 9),
    ]


def draw(source: Random) -> tuple:
    """Up to six rows of up to twelve ids, and room for the longest with its end, or more."""
    pad_token_id = source.choice((50256, 9, 0))
    ids = [*range(1, 20), pad_token_id]
    rows = [source.choices(ids, k=source.randint(1, 12)) for _ in range(source.randint(1, 6))]
    return rows, max(map(len, rows)) + source.randint(1, 5), pad_token_id


STATIC_PADDING = Exercise(
    name="static-padding",
    title="A data set that pads once",
    lesson="04",
    minutes=12,
    difficulty=2,
    statement="""
Static padding, built. Write `StaticDataset`: it takes rows of token ids and pads **all** of them
to `columns` cells when it is made, in `__init__`; each row gets its end of text and is filled up on
the right, as in `my_pad`. An item is one padded row, a tensor of int64.

`columns` is always large enough for the longest row with its end. What happens to the rows after
the data set was made must not matter to it.
""",
    attempt=StaticDataset,
    answer=Answer,
    hints=(
        "Three methods, and one of them does all the work. Which is called once, and which once "
        "for each item in each epoch?",
        "In `__init__`, make one tensor of all rows, (rows, columns), and keep it on `self`. What "
        "is left for the two others?",
        "`self.padded = torch.tensor([row + [pad_token_id] * (columns - len(row)) for row in "
        "rows])`; an item is `self.padded[index]`, and the length is the tensor's.",
    ),
    wrong_answers=(
        WrongAnswer(
            PadsLater,
            "a row is padded when it is asked for, in `__getitem__`",
            "It works, and does the same work again in each epoch. The check emptied the rows "
            "after the data set was made; do all of it in `__init__`.",
        ),
        WrongAnswer(
            ToTheLongest,
            "the rows are padded to the longest of them",
            "Static means: to the number of columns that was given, whatever the rows are.",
        ),
        WrongAnswer(
            OneColumnMore,
            "each row gets a cell more than `columns`",
            "The end of text is among the columns already.",
        ),
        WrongAnswer(
            OnTheLeft,
            "the padding is put on the left",
            "Real tokens would see it, and stand at other positions. It belongs on the right.",
        ),
        WrongAnswer(
            WithZeros,
            "rows are filled up with 0",
            "0 is a token id like any other. Fill with pad_token_id.",
        ),
        WrongAnswer(
            WithAFixedId,
            "50256 is written where pad_token_id should stand",
            "Other tokenizers have other ids; that is why it is an argument.",
        ),
        WrongAnswer(
            CountsColumns,
            "the length is the number of columns",
            "A data set is as long as it has items: a DataLoader counts by it.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=("number of items", "cells of each item", "the items, stacked"),
    imports="import torch\nfrom torch import Tensor\nfrom torch.utils.data import Dataset\n\n",
    observed=items_later,
)
