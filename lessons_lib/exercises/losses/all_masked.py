"""Exercise: find the rows of a batch of which nothing counts. Lesson 06."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer

END, IGNORE = 50256, -100


def lost_rows(targets: Tensor) -> list[int]:
    """The indices of the rows, of (batch, length), in which no target counts; none: []."""
    raise NotImplementedError


def answer(targets: Tensor) -> list[int]:
    return [index for index, row in enumerate(targets) if (row == -100).all()]


def any_ignored(targets: Tensor) -> list[int]:
    return [index for index, row in enumerate(targets) if (row == IGNORE).any()]


def whole_batch_alone(targets: Tensor) -> list[int]:
    return list(range(len(targets))) if (targets == IGNORE).all() else []


def rows_that_count(targets: Tensor) -> list[int]:
    return [index for index, row in enumerate(targets) if (row != IGNORE).any()]


def first_target_alone(targets: Tensor) -> list[int]:
    return [index for index, row in enumerate(targets) if row[0] == IGNORE]


def last_target_alone(targets: Tensor) -> list[int]:
    return [index for index, row in enumerate(targets) if row[-1] == IGNORE]


def first_lost_alone(targets: Tensor) -> list[int]:
    return answer(targets)[:1]


def zero_taken_for_nothing(targets: Tensor) -> list[int]:
    return [index for index, row in enumerate(targets) if row.clamp(min=0).sum() == 0]


def counted(targets: Tensor) -> int:
    return len(answer(targets))


def one_flag_a_row(targets: Tensor) -> Tensor:
    return (targets == IGNORE).all(dim=1)


def cases() -> list[tuple]:
    ignored = [IGNORE] * 3
    return [
        (torch.tensor([[IGNORE, 5, END]]),),
        (torch.tensor([ignored]),),
        (torch.tensor([[IGNORE, 5, END], ignored, [7, END, IGNORE]]),),
        (torch.tensor([ignored, [0, IGNORE, IGNORE], ignored, [IGNORE, 8, IGNORE]]),),
    ]


def draw(source: Random) -> tuple:
    """Up to eight rows, some of them masked as a whole."""
    width = source.randint(1, 6)
    choices = ((IGNORE,), (IGNORE, IGNORE, 0, 5, END))
    rows = [source.choices(source.choice(choices), k=width) for _ in range(source.randint(1, 8))]
    return (torch.tensor(rows),)


ALL_MASKED = Exercise(
    name="all-masked",
    title="The rows of which nothing is left",
    lesson="06",
    minutes=6,
    difficulty=1,
    statement="""
A batch in which *no* target counts gives itself away by its NaN. A batch in which one row of eight
has lost all its targets does not: its loss looks healthy, and the entry is read in every epoch and
never learned from. So it's worth asking before training, and the answer should name the rows.

Write `lost_rows`, which returns the indices of the rows without a target that counts, as a list in
ascending order.
""",
    attempt=lost_rows,
    answer=answer,
    hints=(
        "Which ids may stand in a row that is fine? Think of padding at its end, and of the prompt "
        "at its beginning.",
        "Compare a row with −100; you get True and False. Is it enough that one of them is True?",
        "`(row == -100).all()` is true for a lost row; collect `index` from `enumerate(targets)`.",
    ),
    wrong_answers=(
        WrongAnswer(
            any_ignored,
            "a row is called lost as soon as one target is −100",
            "With a masked prompt, or with padding, nearly every row has some. Lost means all.",
        ),
        WrongAnswer(
            whole_batch_alone,
            "rows are reported only if the whole batch is lost",
            "That batch is noticed anyway. Ask each row by itself.",
        ),
        WrongAnswer(
            rows_that_count,
            "the rows are reported that are fine",
            "It is the others somebody has to look at.",
        ),
        WrongAnswer(
            first_target_alone,
            "the first target alone is looked at",
            "Where the prompt is masked it is always −100. Look at the whole row.",
        ),
        WrongAnswer(
            last_target_alone,
            "the last target alone is looked at",
            "In a short row it is padding, and −100 as it should be. Look at the whole row.",
        ),
        WrongAnswer(
            first_lost_alone,
            "only the first lost row is reported",
            "Whoever mends it comes back for the next. Name them all.",
        ),
        WrongAnswer(
            zero_taken_for_nothing,
            "token 0 is taken for nothing",
            "0 is a token id like any other, in GPT-2 an exclamation mark. Only −100 does not "
            "count.",
        ),
        WrongAnswer(
            counted,
            "the lost rows are counted",
            "A number says that something is wrong, not where. Return their indices.",
        ),
        WrongAnswer(
            one_flag_a_row,
            "True or False is returned for each row",
            "All is in it; now turn it into the indices of the rows that are True.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
)
