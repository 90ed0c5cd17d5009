"""Exercise: tell from a batch alone what went wrong when it was made. Lesson 05."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer

END = 50256


def name_the_bug(inputs: Tensor, targets: Tensor) -> str:
    """ "fine", "shifted right", "shifted twice", "not shifted" or "end lost"."""
    raise NotImplementedError


def answer(inputs: Tensor, targets: Tensor) -> str:
    if torch.equal(targets, inputs):
        return "not shifted"
    if torch.equal(targets[:, 1:], inputs[:, :-1]):
        return "shifted right"
    if (targets[:, -1] != 50256).any():
        return "end lost"
    if torch.equal(targets[:, :-2], inputs[:, 2:]):
        return "shifted twice"
    return "fine"


def left_for_right(inputs: Tensor, targets: Tensor) -> str:
    if torch.equal(targets[:, :-1], inputs[:, 1:]):
        return "shifted right"
    found = answer(inputs, targets)
    return "fine" if found == "shifted right" else found


def any_end_will_do(inputs: Tensor, targets: Tensor) -> str:
    found = answer(inputs, targets)
    return "fine" if found == "end lost" and (targets == END).any() else found


def first_row_alone(inputs: Tensor, targets: Tensor) -> str:
    return answer(inputs[:1], targets[:1])


def end_first(inputs: Tensor, targets: Tensor) -> str:
    return "end lost" if (targets[:, -1] != END).any() else answer(inputs, targets)


def never_twice(inputs: Tensor, targets: Tensor) -> str:
    found = answer(inputs, targets)
    return "fine" if found == "shifted twice" else found


def never_lost(inputs: Tensor, targets: Tensor) -> str:
    found = answer(inputs, targets)
    return "fine" if found == "end lost" else found


def batch(rows: list[list[int]], bug: str) -> tuple[Tensor, Tensor]:
    """Inputs and targets of these rows, made with a bug or "fine"."""
    ends = 0 if bug == "end lost" else 1
    width = max(map(len, rows)) + ends
    padded = torch.tensor([row + [END] * (width - len(row)) for row in rows])
    inputs, targets = padded[:, :-1], padded[:, 1:]  # (batch, length)
    if bug == "shifted right":
        return targets, inputs
    if bug == "not shifted":
        return inputs, inputs.clone()
    if bug == "shifted twice":
        return inputs, torch.cat([targets[:, 1:], torch.full_like(targets[:, :1], END)], dim=1)
    return inputs, targets


def cases() -> list[tuple]:
    toy = [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]
    alike = [[4, 4, 4, 4], [1, 2, 3, 5]]  # its first row looks shifted in any way
    single = [[11, 12, 13, 14]]
    bugs = ("fine", "shifted right", "shifted twice", "not shifted", "end lost")
    return [batch(rows, bug) for rows in (single, toy, alike) for bug in bugs]


def draw(source: Random) -> tuple:
    """Rows of four ids or more, all different, so that each bug shows, and a bug or none."""
    ids = source.sample(range(1000), 40)
    starts = range(0, 10 * source.randint(1, 4), 10)
    rows = [ids[start : start + source.randint(4, 10)] for start in starts]
    bugs = ("fine", "shifted right", "shifted twice", "not shifted", "end lost")
    return batch(rows, source.choice(bugs))


NAME_THE_BUG = Exercise(
    name="name-the-bug",
    title="Name the bug in four broken batches",
    lesson="05",
    minutes=15,
    difficulty=2,
    statement="""
Four things go wrong with targets, and none of them raises an error; training runs, and the model
is spoiled. The row `[1, 2, 3]` and its end of text make these batches:

| | inputs | targets |
|---|---|---|
| A | 2 3 50256 | 1 2 3 |
| B | 1 2 3 | 3 50256 50256 |
| C | 1 2 3 | 1 2 3 |
| D | 1 2 | 2 3 |

One is `"shifted right"`, one `"shifted twice"`, one `"not shifted"`, and one has its `"end
lost"`: it was never appended. Match them by eye; then write `name_the_bug`, which tells any
batch's bug, or `"fine"`, from its tensors alone. Rows are padded on the right with 50256, to the
longest of the batch, and nothing is masked yet.
""",
    attempt=name_the_bug,
    answer=answer,
    hints=(
        "In a right batch every target but the last stands among the inputs, one column further "
        "right. For A, B and C: how many columns away, and on which side, does the target stand?",
        "`torch.equal` compares two pieces of a batch, for instance `targets[:, 1:]` with "
        "`inputs[:, :-1]`. Ask about the end last: three of the bugs move it away as well.",
        "Not shifted: `targets` equals `inputs`. Right: `targets[:, 1:]` equals `inputs[:, :-1]`. "
        "End lost: some row's last target is not 50256, although it is either its end of text or "
        "padding. Twice, asked last: `targets[:, :-2]` equals `inputs[:, 2:]`; of two columns, as "
        "in D, nothing is left there to compare.",
    ),
    wrong_answers=(
        WrongAnswer(
            left_for_right,
            "left and right are taken for each other",
            "In a right batch `targets[:, t]` is `inputs[:, t + 1]`: seen from the inputs, the "
            "contents have moved to the left.",
        ),
        WrongAnswer(
            any_end_will_do,
            "any 50256 among the targets is taken for the end",
            "In a short row it may be padding. The longest row has no padding, so its last target "
            "shows whether an end was appended.",
        ),
        WrongAnswer(
            first_row_alone,
            "the first row alone is looked at",
            "A row of four equal tokens looks the same however it is shifted, and a short one ends "
            "in padding in any case. Compare all rows.",
        ),
        WrongAnswer(
            end_first,
            "the end is asked about first",
            "A batch that is not shifted, or shifted right, lacks the end as well, but that is not "
            "its bug. Ask about the shifts before.",
        ),
        WrongAnswer(
            never_twice,
            "a second shift is not looked for",
            "Compare the targets with the inputs two columns further right.",
        ),
        WrongAnswer(
            never_lost,
            "a lost end is not looked for",
            "The shift can be right and the end still missing: look at the last column.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
)
