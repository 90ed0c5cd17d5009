"""Exercise: pad on the left, and make the targets agree. Lesson 05."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer

END = 50256


def pad_left(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Inputs and targets, both (batch, longest), of rows that were padded on the left.

    The given lists stay as they are.
    """
    raise NotImplementedError


def answer(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    width = max(len(row) for row in rows) + 1
    padded = [[50256] * (width - 1 - len(row)) + row + [50256] for row in rows]
    inputs = torch.tensor(padded)[:, :-1]  # (batch, longest)
    targets = torch.tensor(padded)[:, 1:]  # (batch, longest)
    return inputs, targets


def on_the_right(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    width = max(len(row) for row in rows) + 1
    padded = torch.tensor([row + [END] * (width - len(row)) for row in rows])
    return padded[:, :-1], padded[:, 1:]


def end_before_the_text(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    width = max(len(row) for row in rows) + 1
    padded = torch.tensor([[END] * (width - len(row)) + row for row in rows])
    return padded[:, :-1], padded[:, 1:]


def shifted_right(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(rows)
    return targets, inputs


def not_shifted(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    inputs, _ = answer(rows)
    return inputs, inputs.clone()


def targets_from_the_right(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    return answer(rows)[0], on_the_right(rows)[1]


def both_sides(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    width = max(len(row) for row in rows) + 1
    padded = torch.tensor([[END] * (width - len(row)) + row + [END] for row in rows])
    return padded[:, :-1], padded[:, 1:]


def no_end_in_the_longest(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    width = max(len(row) for row in rows)
    padded = [[END] * (width - len(row)) + row for row in rows]
    return torch.tensor(padded)[:, :-1], torch.tensor(padded)[:, 1:]


def cases() -> list[tuple]:
    return [
        ([[1, 2]],),
        ([[1, 2, 3], [4]],),
        ([[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]],),
        ([[6, END], [1, 2, 3, 4]],),
    ]


def draw(source: Random) -> tuple:
    """Up to six rows of up to twelve ids, that of end of text among them."""
    counts = [source.randint(1, 12) for _ in range(source.randint(1, 6))]
    return ([source.choices([*range(20), END], k=count) for count in counts],)


LEFT_PADDING = Exercise(
    name="left-padding",
    title="Padding on the other side",
    lesson="05",
    minutes=10,
    difficulty=2,
    statement="""
When a model writes answers to several prompts at once, all rows must end together, because that is
where it writes on; so the padding goes to the left. Write `pad_left`, which does that to training
rows: each gets its own end of text behind it, padding with 50256 comes *before* it, and inputs and
targets are cut so that each target is still the token that comes next.

For `[[1, 2, 3], [4]]` the second row of the inputs is `[50256, 50256, 4]`. Write its targets on
paper first, and ask of each: is it a token of the text, the end of text, or padding?
""",
    attempt=pad_left,
    answer=answer,
    hints=(
        "Only the filling changes sides. End of text still comes after the last token of its text, "
        "or it would not be an end.",
        "Build the padded rows as before, one column wider than the longest text. The cut into "
        "inputs and targets does not know on which side the padding is.",
        "`padded` holds `[50256] * (width - 1 - len(row)) + row + [50256]` for each row, with "
        "`width = longest + 1`; the inputs are `padded[:, :-1]`, the targets `padded[:, 1:]`.",
    ),
    wrong_answers=(
        WrongAnswer(
            on_the_right,
            "the padding is on the right as before",
            "Here it should stand before the text.",
        ),
        WrongAnswer(
            end_before_the_text,
            "everything is moved to the left, end of text included",
            "Now each text begins with the sign that it is over, and no target says where it "
            "stops. Padding and end of text have one id, and yet only the padding changes sides.",
        ),
        WrongAnswer(
            shifted_right,
            "inputs and targets change places",
            "Padding has moved, time has not: the target is still the token that comes next, one "
            "column further right in the padded rows.",
        ),
        WrongAnswer(
            not_shifted,
            "nothing is shifted",
            "The token to predict would be the one just read.",
        ),
        WrongAnswer(
            targets_from_the_right,
            "the inputs are padded on the left and the targets on the right",
            "Under each token stands a stranger. Pad once, and cut both from the same rows.",
        ),
        WrongAnswer(
            both_sides,
            "all rows are one column too wide",
            "The longest row needs no padding at all: its tokens and its end of text fill it.",
        ),
        WrongAnswer(
            no_end_in_the_longest,
            "no end of text is appended",
            "A model that never sees an end does not learn to stop.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    parts=("inputs", "targets"),
)
