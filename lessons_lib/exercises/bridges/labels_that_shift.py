"""Exercise: our batch as a model wants it that shifts labels inside. Lesson 14."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer

END, IGNORE = 50256, -100


def labels_that_shift(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """input_ids and labels, both (batch, length + 1), of the same rows, nothing shifted.

    ``inputs`` and ``targets``, (batch, length), come from the course's collator and stay as they
    are.
    """
    raise NotImplementedError


def answer(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    last = targets[:, -1:]  # (batch, 1)
    last = torch.where(last == -100, 50256, last)
    first = torch.full_like(last, -100)
    input_ids = torch.cat([inputs, last], dim=1)  # (batch, length + 1)
    labels = torch.cat([first, targets], dim=1)  # (batch, length + 1)
    return input_ids, labels


def as_they_are(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    return inputs.clone(), targets.clone()


def last_target_lost(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    input_ids, labels = answer(inputs, targets)
    return input_ids[:, :-1], labels[:, :-1]


def shifted_once_more(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    input_ids, _ = answer(inputs, targets)
    ignored = torch.full_like(targets[:, :1], IGNORE)
    return input_ids, torch.cat([targets, ignored], dim=1)


def mask_lost(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    input_ids, _ = answer(inputs, targets)
    return input_ids, input_ids.clone()


def copied_behind_the_first(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    input_ids, labels = mask_lost(inputs, targets)
    labels[:, 0] = IGNORE
    return input_ids, labels


def masked_by_value(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    input_ids, labels = copied_behind_the_first(inputs, targets)
    return input_ids, labels.masked_fill(labels == END, IGNORE)


def written_into_the_targets(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    last = targets[:, -1:]
    last[last == IGNORE] = END
    return answer(inputs, targets)


def every_ignored_target_filled(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    return answer(inputs, targets.masked_fill(targets == IGNORE, END))


def minus_100_in_the_inputs(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    input_ids = torch.cat([inputs, targets[:, -1:]], dim=1)
    return input_ids, answer(inputs, targets)[1]


def end_of_text_in_every_row(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    input_ids = torch.cat([inputs, torch.full_like(targets[:, :1], END)], dim=1)
    return input_ids, answer(inputs, targets)[1]


def first_token_counts(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    input_ids, labels = answer(inputs, targets)
    labels[:, 0] = inputs[:, 0]
    return input_ids, labels


def rolled(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    return inputs.clone(), torch.roll(targets, 1, dims=1)


def cases() -> list[tuple]:
    return [
        (torch.tensor([[1, 2, 3]]), torch.tensor([[2, 3, END]])),
        (torch.tensor([[1, 2, 3]]), torch.tensor([[IGNORE, 3, END]])),
        (torch.tensor([[1, 2, 3]]), torch.tensor([[IGNORE, 3, 4]])),
        (
            torch.tensor([[1, 2, 3, 4], [5, 6, END, END]]),
            torch.tensor([[2, 3, 4, END], [6, END, IGNORE, IGNORE]]),
        ),
        (
            torch.tensor([[1, END, 3, 4, 5], [6, 7, 8, END, END]]),
            torch.tensor([[IGNORE, IGNORE, 4, 5, 9], [IGNORE, 8, END, IGNORE, IGNORE]]),
        ),
    ]


def draw(source: Random) -> tuple:
    """Up to six rows, padded on the right, each with a masked prompt; the longest may be cut."""
    lengths = [source.randint(2, 12) for _ in range(source.randint(1, 6))]
    width, inputs, targets = max(lengths), [], []
    for length in lengths:
        row = source.choices([*range(20), END], k=length)
        last = source.randint(0, 20) if length == width and source.random() < 0.5 else END
        masked = source.randint(0, length - 1)
        padding = width - length
        inputs.append(row + [END] * padding)
        targets.append([IGNORE] * masked + [*row[1:], last][masked:] + [IGNORE] * padding)
    return torch.tensor(inputs), torch.tensor(targets)


LABELS_THAT_SHIFT = Exercise(
    name="labels-that-shift",
    title="Labels for a model that shifts them itself",
    lesson="14",
    minutes=12,
    difficulty=2,
    statement="""
The models of transformers compare the logits at column t with `labels[:, t + 1]`: they shift
inside. Our collator has shifted already. Write `labels_that_shift`, which undoes that: from a
batch's inputs and targets it makes `input_ids` and `labels`, both one column wider, so that
wherever a label counts it is the id of its *own* column.

Nothing predicts the first token of a row, so its label is −100. The new last column of `input_ids`
holds the row's last token, the one that the last target asks for; where that target is −100, the
row ends in padding, and padding is 50256. What was masked stays masked.
""",
    attempt=labels_that_shift,
    answer=answer,
    hints=(
        "Write one row on paper: inputs `[1, 2, 3]`, targets `[-100, 3, 50256]`. Which four ids "
        "were they cut from? Below each, write its label.",
        "The labels are the targets moved one column to the right, with −100 in front. One id of "
        "the row stands in the targets alone: it was cut off the inputs, and comes back as their "
        "last column.",
        "`last = targets[:, -1:]`, with `torch.where(last == -100, 50256, last)`; then "
        "`torch.cat([inputs, last], dim=1)` and `torch.cat([first, targets], dim=1)`, where "
        "`first` is a column of −100.",
    ),
    wrong_answers=(
        WrongAnswer(
            as_they_are,
            "inputs and targets are handed on as they are",
            "The model shifts them a second time, and each position is asked for the token after "
            "the next. The loss falls all the same, and what is learned leaves out every other "
            "token.",
        ),
        WrongAnswer(
            last_target_lost,
            "the rows stay as wide as they were",
            "Moved to the right without a new column, the labels lose their last: in the longest "
            "row that is end of text, and the model never learns to stop there.",
        ),
        WrongAnswer(
            shifted_once_more,
            "the new column of −100 stands behind the targets instead of before them",
            "The labels must move to the right, under their own tokens. Here they stay where they "
            "were, one column too early, and the model moves them once more.",
        ),
        WrongAnswer(
            mask_lost,
            "the labels are a copy of input_ids",
            "What was masked counts again, padding included. The targets know what counts.",
        ),
        WrongAnswer(
            copied_behind_the_first,
            "the labels are copied from input_ids, and the first alone is masked",
            "The mask is lost: prompt and padding count again. The ids cannot say what was masked; "
            "the targets can, and they are the labels, moved one column to the right.",
        ),
        WrongAnswer(
            masked_by_value,
            "the labels are copied from input_ids, and every 50256 is masked",
            "End of text has the number of padding and must count, and a prompt is masked whatever "
            "its ids are. Move the targets: they know what counts.",
        ),
        WrongAnswer(
            written_into_the_targets,
            "50256 is written into `targets` in place",
            "`targets[:, -1:]` is a view: what you write into it stands in `targets` too, and so "
            "in the labels, where padding now counts. `torch.where` makes a new tensor, and "
            "`.clone()` a copy that you may write into.",
        ),
        WrongAnswer(
            every_ignored_target_filled,
            "the labels are made of targets in which 50256 has replaced −100",
            "Then everything masked asks for end of text. Replace −100 in the last id of "
            "`input_ids` alone, and leave the labels their own.",
        ),
        WrongAnswer(
            minus_100_in_the_inputs,
            "the last target is taken as the last input even where it is −100",
            "No row of the embedding has the number −100: on most machines this is an error, and "
            "never what is meant. Padding is 50256 in the inputs.",
        ),
        WrongAnswer(
            end_of_text_in_every_row,
            "every row ends in 50256",
            "A row that was cut ends in a token of its text, and that is what its last target "
            "says. Label and input of that column no longer agree.",
        ),
        WrongAnswer(
            first_token_counts,
            "the first label is the first token",
            "Nothing was read before it, so nothing predicts it. The model drops that label, and "
            "whoever counts labels counts one too many.",
        ),
        WrongAnswer(
            rolled,
            "the targets are turned round with `roll`",
            "What leaves on the right comes back on the left: the first label is the last target, "
            "and the last is gone. Add a column instead.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    parts=("input_ids", "labels"),
)
