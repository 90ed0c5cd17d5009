"""Exercise: the loss of a large batch from two that fit into memory. Lesson 07."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer

IGNORE = -100


def accumulated_loss(batches: list[tuple[Tensor, Tensor]]) -> float:
    """The mean loss over the live targets of all batches together; a number.

    Each batch is (losses, targets), both (rows, length); its length may differ from the others'.
    """
    raise NotImplementedError


def answer(batches: list[tuple[Tensor, Tensor]]) -> float:
    total, count = 0.0, 0
    for losses, targets in batches:
        live = targets != -100  # (rows, length)
        total += losses[live].sum().item()
        count += live.sum().item()
    return total / count


def means_of(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Each batch's own mean over its live targets, (batches,)."""
    return torch.stack([losses[targets != IGNORE].mean() for losses, targets in batches])


def mean_of_means(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    return means_of(batches).mean()


def weighed_by_rows(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    rows = torch.tensor([len(targets) for _, targets in batches])
    return (means_of(batches) * rows).sum() / rows.sum()


def weighed_by_cells(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    cells = torch.tensor([targets.numel() for _, targets in batches])
    return (means_of(batches) * cells).sum() / cells.sum()


def divided_by_all_cells(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    cells = sum(targets.numel() for _, targets in batches)
    return sum(losses[targets != IGNORE].sum() for losses, targets in batches) / cells


def ignored_ones_counted(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    return torch.cat([losses.flatten() for losses, _ in batches]).mean()


def means_added(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    return means_of(batches).sum()


def last_batch_alone(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    return means_of(batches)[-1]


def undivided(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    return sum(losses[targets != IGNORE].sum() for losses, targets in batches)


def divided_by_batches(batches: list[tuple[Tensor, Tensor]]) -> Tensor:
    return undivided(batches) / len(batches)


def one(losses: list, targets: list) -> tuple[Tensor, Tensor]:
    return torch.tensor(losses), torch.tensor(targets)


def cases() -> list[tuple]:
    short = one([[3.0, 9.0, 9.0]], [[5, IGNORE, IGNORE]])
    long = one([[1.0, 2.0, 1.0]], [[6, 7, 8]])
    tall = one([[2.0, 8.0], [4.0, 1.0]], [[3, IGNORE], [2, 1]])
    return [([long],), ([short, long],), ([tall, short, long],)]


def draw(source: Random) -> tuple:
    """Up to five batches of unequal sizes, each with a target that counts."""
    batches = []
    for _ in range(source.randint(1, 5)):
        rows, length = source.randint(1, 4), source.randint(1, 6)
        losses = [[source.uniform(0.1, 9.0) for _ in range(length)] for _ in range(rows)]
        targets = [source.choices((IGNORE, 0, 5, 7), k=length) for _ in range(rows)]
        targets[0][0] = 3
        batches.append(one(losses, targets))
    return (batches,)


ACCUMULATE = Exercise(
    name="accumulate",
    title="Two small batches, one step",
    lesson="07",
    minutes=10,
    difficulty=2,
    statement="""
Sixteen entries do not fit into memory, so you read eight and then eight, add up, and only then
change the model: **gradient accumulation**. The result should be what one batch of sixteen would
give, and a famous mistake stands in the way.

The batches have unequal numbers of targets that count. Write `accumulated_loss`, which goes
through them once, one at a time, and returns the mean over **all** their targets that count, as if
they had been one batch. On paper first: one batch has the live loss 3; another has 1, 2 and 1.
""",
    attempt=accumulated_loss,
    answer=answer,
    hints=(
        "How many targets count in the example on paper, and what is their mean? What would you "
        "get from the two batches' own means, 3 and 4/3?",
        "Two running totals are enough: the sum of the live losses and their number. A target "
        "counts if it is not −100.",
        "In the loop `live = targets != -100`, `total += losses[live].sum()` and "
        "`count += live.sum()`; afterwards divide once.",
    ),
    wrong_answers=(
        WrongAnswer(
            mean_of_means,
            "the mean is taken of the batches' means",
            "A batch with few live targets then weighs as much as one with many, so each of its "
            "targets counts for more. This is the famous mistake. Add up sums and numbers, and "
            "divide once.",
        ),
        WrongAnswer(
            weighed_by_rows,
            "each batch's mean is weighed by its number of rows",
            "Rows have unequal numbers of targets, above all if the prompt is masked. What must "
            "be counted are live targets.",
        ),
        WrongAnswer(
            weighed_by_cells,
            "each batch's mean is weighed by its number of cells",
            "Cells include padding and masked prompts. Count the targets that are not −100.",
        ),
        WrongAnswer(
            divided_by_all_cells,
            "the sum is divided by the number of all cells",
            "What does not count in the sum must not count below the line either.",
        ),
        WrongAnswer(
            ignored_ones_counted,
            "losses count although their targets are −100",
            "The targets say which losses are meant; take those alone.",
        ),
        WrongAnswer(
            means_added,
            "the batches' means are added up",
            "With twice as many batches the steps would be twice as long. One division, at the "
            "end, by all live targets.",
        ),
        WrongAnswer(
            last_batch_alone,
            "only the last batch is left at the end",
            "The others were computed and forgotten: add with `+=` instead of setting anew.",
        ),
        WrongAnswer(
            undivided,
            "the losses are added up and not divided",
            "Divide by the number of live targets in all batches.",
        ),
        WrongAnswer(
            divided_by_batches,
            "the sum of all losses is divided by the number of batches",
            "What was added up are targets, so divide by how many targets there were.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
)
