"""Exercise: cut inputs and targets from padded rows. Lesson 05."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.batching import BatchSteps, shift_targets
from lessons_lib.data import Entry, load_entries
from lessons_lib.exercises import Exercise, Shown, WrongAnswer


def my_shift_targets(padded: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs and targets, both (batch, length), from padded rows of (batch, length + 1)."""
    raise NotImplementedError


def answer(padded: Tensor) -> tuple[Tensor, Tensor]:
    inputs = padded[:, :-1]  # (batch, length)
    targets = padded[:, 1:]  # (batch, length)
    return inputs, targets


def shifted_right(padded: Tensor) -> tuple[Tensor, Tensor]:
    return padded[:, 1:], padded[:, :-1]


def shifted_twice(padded: Tensor) -> tuple[Tensor, Tensor]:
    return padded[:, :-2], padded[:, 2:]


def not_shifted(padded: Tensor) -> tuple[Tensor, Tensor]:
    return padded[:, :-1], padded[:, :-1]


def rolled(padded: Tensor) -> tuple[Tensor, Tensor]:
    return padded, torch.roll(padded, -1, dims=1)


def rows_instead_of_columns(padded: Tensor) -> tuple[Tensor, Tensor]:
    return padded[:-1], padded[1:]


def end_lost(padded: Tensor) -> tuple[Tensor, Tensor]:
    return padded[:, :-2], padded[:, 1:-1]


def targets_as_long_as_the_rows(padded: Tensor) -> tuple[Tensor, Tensor]:
    return padded[:, :-1], padded


def cases() -> list[tuple]:
    end = 50256
    return [
        (torch.tensor([[1, 2, 3, end]]),),
        (torch.tensor([[7, end]]),),
        (torch.tensor([[1, 2, 3, end], [4, end, end, end]]),),
        (torch.tensor([[0, 1, 2, 3, 4, end], [5, 6, end, end, end, end], [7, end, 9, 8, 7, end]]),),
    ]


def draw(source: Random) -> tuple:
    """Up to six padded rows of up to twelve columns."""
    end, width = 50256, source.randint(2, 12)
    counts = [source.randint(1, width - 1) for _ in range(source.randint(1, 6))]
    rows = [source.choices([*range(20), end], k=count) for count in counts]
    return (torch.tensor([row + [end] * (width - len(row)) for row in rows]),)


def some_entries() -> list[Entry]:
    entries = load_entries()
    return [entries[50], entries[3], entries[4]]


def padded_rows(steps: BatchSteps) -> tuple:
    return (steps.padded,)


SHIFT_TARGETS = Exercise(
    name="shift-targets",
    title="Inputs and targets without a loop",
    lesson="05",
    minutes=8,
    difficulty=1,
    statement="""
The model reads the inputs; under each of them stands the target, the token that comes next. Write
`my_shift_targets`, which cuts both from the padded rows. No loop is needed: a tensor of two
dimensions is cut by `padded[rows, columns]`.

Both results have one column fewer than `padded`, and `targets[:, t]` is what the model must
predict after reading `inputs[:, t]`.
""",
    attempt=my_shift_targets,
    answer=answer,
    hints=(
        "Take one row, `[1, 2, 3, 50256]`. After reading 1 the model must predict 2. Write inputs "
        "and targets under each other on paper.",
        "Each result leaves out one column. Which one can never be an input, because nothing comes "
        "after it? Which one can never be a target, because nothing was read before it?",
        "The inputs are all columns but the last, `padded[:, :-1]`. The targets are all columns "
        "but the first.",
    ),
    wrong_answers=(
        WrongAnswer(
            shifted_right,
            "the contents move to the right, or when inputs and targets change places",
            "After reading 2 the model would have to predict 1, which it has just read. Each "
            "target comes from one column further right.",
        ),
        WrongAnswer(
            shifted_twice,
            "the targets are moved by two places",
            "The model would learn to leave out every other word. One shift, in one place of the "
            "program.",
        ),
        WrongAnswer(
            not_shifted,
            "nothing is shifted",
            "The token to predict is the one just read, so the loss falls to nearly nothing, and "
            "the model has learned to repeat.",
        ),
        WrongAnswer(
            rolled,
            "the row is turned round with `roll`",
            "What leaves on the left comes back on the right: after end of text the model would "
            "have to predict the first token. Cut instead.",
        ),
        WrongAnswer(
            rows_instead_of_columns,
            "rows are cut off instead of columns",
            "`padded[1:]` drops the first text of the batch. Columns come after the comma: "
            "`padded[:, …]`.",
        ),
        WrongAnswer(
            end_lost,
            "the last column is cut from the targets as well",
            "In the longest row it is end of text, the only sign from which the model learns to "
            "stop there.",
        ),
        WrongAnswer(
            targets_as_long_as_the_rows,
            "the targets are not cut",
            "Inputs and targets must be equally long, one target below each input.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from torch import Tensor\n\n",
    parts=("inputs", "targets"),
    library=shift_targets,
    library_name="`shift_targets` in `lessons_lib.batching`",
    shown=Shown(some_entries, arguments=padded_rows, batch=tuple, substep="2.4"),
)
