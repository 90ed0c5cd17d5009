"""Exercise: which position may look at which in a packed row. Lesson 07."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer


def block_mask(segments: Tensor) -> Tensor:
    """For a packed row's segments, (length,), a bool tensor, (length, length).

    In row i and column j it is True where the token at position i may look at the one at j.
    """
    raise NotImplementedError


def answer(segments: Tensor) -> Tensor:
    same_text = segments[:, None] == segments[None, :]  # (length, length)
    places = torch.arange(len(segments))
    not_later = places[None, :] <= places[:, None]  # (length, length)
    return same_text & not_later


def causal_alone(segments: Tensor) -> Tensor:
    return torch.ones(len(segments), len(segments), dtype=torch.bool).tril()


def same_text_alone(segments: Tensor) -> Tensor:
    return segments[:, None] == segments


def looking_ahead(segments: Tensor) -> Tensor:
    return answer(segments).T


def not_at_itself(segments: Tensor) -> Tensor:
    return answer(segments).tril(-1)


def inverted(segments: Tensor) -> Tensor:
    return ~answer(segments)


def earlier_texts_too(segments: Tensor) -> Tensor:
    return (segments[:, None] >= segments) & causal_alone(segments)


def padding_blind(segments: Tensor) -> Tensor:
    return answer(segments) & (segments > 0)


def neighbours_alone(segments: Tensor) -> Tensor:
    return answer(segments).triu(-1)


def cases() -> list[tuple]:
    return [
        (torch.tensor([1, 1, 2]),),
        (torch.tensor([1, 2, 2, 0]),),
        (torch.tensor([1, 1, 1, 2, 2, 0, 0]),),
    ]


def draw(source: Random) -> tuple:
    """Up to four texts, and padding."""
    segments = []
    for number in range(1, source.randint(1, 4) + 1):
        segments += [number] * source.randint(1, 5)
    return (torch.tensor(segments + [0] * source.randint(0, 4)),)


BLOCK_MASK = Exercise(
    name="block-mask",
    title="Who may look at whom",
    lesson="07",
    minutes=8,
    difficulty=2,
    statement="""
Targets that stop at the border are half of it. The model must not *read* across the border either,
or an answer about Norway leans on a question about frogs. An **attention mask** says which token
may look at which. Write `block_mask` for one packed row: a token may look at tokens of its own
text, at itself and at earlier ones, and at nothing else.

`segments` numbers the texts of the row, `[1, 1, 1, 2, 2, 0]` for a text of three tokens, one of
two, and padding. Treat padding as one more text: what it looks at does not matter, but a softmax
over nothing would be NaN.
""",
    attempt=block_mask,
    answer=answer,
    hints=(
        "Draw the square for `[1, 1, 2]`: rows look, columns are looked at. Which three of the "
        "nine cells are above the diagonal, and which two cross the border from below?",
        "Two conditions, joined by `&`: the same segment, and not later. `segments[:, None]` is a "
        "column and `segments[None, :]` a row; comparing them gives the square.",
        "`segments[:, None] == segments[None, :]` is the first condition; the second is a square "
        "of True with `.tril()`, the lower triangle.",
    ),
    wrong_answers=(
        WrongAnswer(
            causal_alone,
            "nobody looks ahead, and everybody looks back across the borders",
            "This is the mask of a row that holds one text. Ask also whether both tokens have the "
            "same segment.",
        ),
        WrongAnswer(
            same_text_alone,
            "tokens see all of their text, the later ones too",
            "Then each token sees the very target it should predict. Nobody may look ahead.",
        ),
        WrongAnswer(
            looking_ahead,
            "rows and columns change places",
            "Each token would see itself and what comes after it. Row i looks, column j is looked "
            "at, and j must not be greater than i.",
        ),
        WrongAnswer(
            not_at_itself,
            "no token may look at itself",
            "A token has just been read and may be used; and the first of a text would have "
            "nothing at all to look at, a softmax over nothing: NaN.",
        ),
        WrongAnswer(
            inverted,
            "True stands where looking is forbidden",
            "Some functions want it so. Here, as in PyTorch's `scaled_dot_product_attention`, True "
            "means: may look.",
        ),
        WrongAnswer(
            earlier_texts_too,
            "segments are compared with ≥",
            "Then the second text reads the first. Only the same segment is allowed: `==`.",
        ),
        WrongAnswer(
            padding_blind,
            "padding may look at nothing",
            "A softmax over nothing is NaN, and NaN spreads. Padding may look at padding; its "
            "targets do not count anyway.",
        ),
        WrongAnswer(
            neighbours_alone,
            "each token sees itself and the one before",
            "All earlier tokens of its text may be read.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
)
