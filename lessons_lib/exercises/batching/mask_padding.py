"""Exercise: take padding out of the targets, by length, and keep each row's end. Lesson 06."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.batching import BatchSteps, mask_padding
from lessons_lib.data import Entry, load_entries
from lessons_lib.exercises import Exercise, Shown, WrongAnswer

END, IGNORE = 50256, -100


def my_mask_padding(targets: Tensor, lengths: list[int]) -> Tensor:
    """Targets, (batch, length), with -100 for padding; row i has lengths[i] tokens before its end.

    The given targets stay as they are.
    """
    raise NotImplementedError


def answer(targets: Tensor, lengths: list[int]) -> Tensor:
    masked = targets.clone()  # (batch, length)
    for row, length in zip(masked, lengths, strict=True):
        row[length:] = -100
    return masked


def every_end_masked(targets: Tensor, lengths: list[int]) -> Tensor:
    return targets.masked_fill(targets == END, IGNORE)


def all_but_the_first_value(targets: Tensor, lengths: list[int]) -> Tensor:
    masked = targets.clone()
    for row in masked:
        row[torch.nonzero(row == END).flatten()[1:]] = IGNORE
    return masked


def one_padding_left(targets: Tensor, lengths: list[int]) -> Tensor:
    return answer(targets, [length + 1 for length in lengths])


def end_masked(targets: Tensor, lengths: list[int]) -> Tensor:
    return answer(targets, [length - 1 for length in lengths])


def text_masked(targets: Tensor, lengths: list[int]) -> Tensor:
    masked = targets.clone()
    for row, length in zip(masked, lengths, strict=True):
        row[:length] = IGNORE
    return masked


def first_length_for_all(targets: Tensor, lengths: list[int]) -> Tensor:
    return answer(targets, [lengths[0]] * len(lengths))


def with_zeros(targets: Tensor, lengths: list[int]) -> Tensor:
    return answer(targets, lengths).masked_fill(answer(targets, lengths) == IGNORE, 0)


def nothing_masked(targets: Tensor, lengths: list[int]) -> Tensor:
    return targets.clone()


def cases() -> list[tuple]:
    return [
        (torch.tensor([[2, 3, END], [END, END, END]]), [3, 1]),
        (torch.tensor([[6, END, END, END, END], [1, 2, 3, 4, END]]), [2, 5]),
        (torch.tensor([[END, 8, END, END, END], [1, 2, 3, 4, END]]), [3, 5]),
        (torch.tensor([[2, END]]), [2]),
        (torch.tensor([[4, 9, END, END], [2, END, END, END], [5, 6, 7, END]]), [3, 2, 4]),
    ]


def draw(source: Random) -> tuple:
    """Up to six rows of up to twelve tokens, 50256 among them, shifted and not masked yet."""
    lengths = [source.randint(1, 12) for _ in range(source.randint(1, 6))]
    rows = [source.choices([*range(20), END], k=length - 1) for length in lengths]
    width = max(lengths)
    return torch.tensor([row + [END] * (width - len(row)) for row in rows]), lengths


def some_entries() -> list[Entry]:
    entries = load_entries()
    return [entries[50], entries[3], entries[4]]


def shifted_and_lengths(steps: BatchSteps) -> tuple:
    return steps.shifted, [len(row) for row in steps.token_ids]


def as_targets(result: Tensor) -> tuple:
    return None, result


MASK_PADDING = Exercise(
    name="mask-padding",
    title="−100 on padding, by length",
    lesson="06",
    minutes=12,
    difficulty=2,
    statement="""
After the shift, a row of n tokens has n targets that mean something: its tokens from the second
on, and end of text. What follows is padding, and would teach the model to write padding after
padding. Write `my_mask_padding`, which puts −100 there and nowhere else.

End of text and padding have the same id, 50256, and a text may hold that id, too. So do not look
at values: `lengths` says how many tokens each row has, without its end. Return a new tensor.
""",
    attempt=my_mask_padding,
    answer=answer,
    hints=(
        "The row `[5, 6]` has the targets `[6, 50256, 50256, 50256]` in a wide batch. Which of the "
        "three 50256 is its end of text? At which column does padding begin, for n = 2?",
        "Begin with `masked = targets.clone()`. Then go through rows and lengths together, and "
        "write −100 into a slice of each row. (Or compare `torch.arange` of the columns with the "
        "lengths, without a loop.)",
        "Row i keeps its columns 0 to lengths[i] − 1; so `masked[i, lengths[i]:] = -100`.",
    ),
    wrong_answers=(
        WrongAnswer(
            every_end_masked,
            "every 50256 is masked",
            "The first one after a text is no padding: it's the sign to stop. A model whose data "
            "lose it never learns to end an answer.",
        ),
        WrongAnswer(
            all_but_the_first_value,
            "padding is found by its value, all 50256 but the first",
            "If the text itself holds a 50256, that one is kept and the true end is lost. Use the "
            "lengths.",
        ),
        WrongAnswer(
            one_padding_left,
            "masking begins one column too late",
            "One cell of padding still counts in every short row. A row of n tokens has n targets, "
            "its end of text included.",
        ),
        WrongAnswer(
            end_masked,
            "masking begins one column too early",
            "Each row loses its end of text. The length counts the row's tokens; the targets begin "
            "with the second and end with end of text, so there are as many.",
        ),
        WrongAnswer(
            text_masked,
            "the text is masked and the padding kept",
            "−100 means: does not count. It belongs on the padding.",
        ),
        WrongAnswer(
            first_length_for_all,
            "the first row's length is used for all rows",
            "Each row has padding of its own; take rows and lengths in pairs.",
        ),
        WrongAnswer(
            with_zeros,
            "0 is written in the place of −100",
            "0 is a token id, and the model would learn to predict it. Cross-entropy leaves out "
            "−100 alone.",
        ),
        WrongAnswer(
            nothing_masked,
            "nothing is masked",
            "The padding after each end of text still counts.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    library=mask_padding,
    library_name="`mask_padding` in `lessons_lib.batching`",
    shown=Shown(some_entries, arguments=shifted_and_lengths, batch=as_targets),
)
