"""One optimizer step: gradients of the mean loss over one or more batches, then AdamW. Lesson 09.

Several batches may share a step. Their mean is taken over all live targets of the step, not over
the batches: a batch with twice the targets counts twice, as it would in one big batch. The learning
rate of a step follows a schedule: warm-up, then constant, or down along a cosine.
"""

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from lessons_lib.batching import Batch
from lessons_lib.batching.batch import repeats
from lessons_lib.data import IGNORE_INDEX
from lessons_lib.support.devices import device_of
from lessons_lib.training.history import Step
from lessons_lib.training.losses import live_losses, live_mask, live_weights

Precision = Literal["float32", "bf16"]


def make_optimizer(
    model: nn.Module, learning_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """AdamW that decays matrices and leaves biases and norms alone; one pass over all weights."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, fused=True)


def optimizer_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Batch],
    max_gradient_norm: float | None = 1.0,
    precision: Precision = "float32",
) -> Step:
    """One step on the mean loss over all live targets of the batches (or all their weights).

    Raises:
        BatchError: a batch has no live target; the weights are unchanged then.
    """
    device = device_of(model)
    # Known before any loss, so that each batch's share of the mean can go backward at once,
    # and only one batch's activations are in memory.
    weight = sum(float(live_weights(batch, live_mask(batch)).sum()) for batch in batches)
    optimizer.zero_grad(set_to_none=True)
    total, correct, count = torch.zeros((), device=device), 0, 0
    for batch in batches:
        with _autocast(device, precision):
            losses, weights, right = live_losses(model, batch.to(device))  # (n,) each
        share = (losses * weights).sum() / weight
        share.backward()
        total, correct, count = total + share.detach(), correct + right.sum(), count + len(right)
    norm = _clip(model, max_gradient_norm)
    optimizer.step()
    loss, correct, norm = torch.stack([total, correct.to(total), norm.to(total)]).tolist()
    live, read = sum(map(live_targets, batches)), sum(map(input_tokens, batches))
    return Step(loss, correct / count, norm, live, read)


def in_groups(loader: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """Batches by ``size``; the last group has those that are left."""
    batches = iter(loader)
    while group := list(itertools.islice(batches, size)):
        yield group


def live_targets(batch: Batch) -> int:
    """Targets that are not the ignore index; one that several texts share counts for each."""
    live = batch.targets != IGNORE_INDEX  # (batch, length)
    return int((live if batch.segments is None else live * repeats(batch.segments)).sum())


def input_tokens(batch: Batch) -> int:
    """Tokens of a batch with targets that a model reads, padding not counted.

    A token that several texts share counts for each of them.
    """
    if batch.segments is not None:
        return int(repeats(batch.segments).sum())
    live = batch.targets != IGNORE_INDEX  # (batch, length)
    columns = torch.arange(1, live.shape[1] + 1, device=live.device)  # (length,)
    # The last token that a row reads is the one before its last live target.
    return int((live * columns).amax(dim=1).sum())


def _autocast(device: torch.device, precision: Precision) -> contextlib.AbstractContextManager:
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def _clip(model: nn.Module, max_norm: float | None) -> Tensor:
    """The gradients' norm, 0-dimensional; they are scaled down where it is above ``max_norm``."""
    if max_norm is not None:
        return nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    return nn.utils.get_total_norm(gradients)


Schedule = Literal["constant", "cosine"]
SCHEDULES = ("constant", "cosine")


def learning_rate_at(
    step: int,
    total_steps: int,
    learning_rate: float,
    schedule: Schedule = "constant",
    warmup_steps: int = 0,
    final_share: float = 0.1,
) -> float:
    """The learning rate of a step, counted from 1 to ``total_steps``.

    Warm-up rises in equal parts and reaches ``learning_rate`` at step ``warmup_steps``. After it
    the rate stays ("constant"), or falls along half a cosine to ``final_share`` of
    ``learning_rate``, which the last step has ("cosine").
    """
    if step <= warmup_steps:
        return learning_rate * step / warmup_steps
    if schedule == "constant":
        return learning_rate
    done = (step - warmup_steps) / (total_steps - warmup_steps)  # 0 … 1
    return learning_rate * (final_share + (1 - final_share) * (1 + math.cos(math.pi * done)) / 2)


def check_schedule(schedule: str, warmup_steps: float, final_share: float) -> None:
    """Refuse what ``learning_rate_at`` cannot follow.

    Raises:
        ValueError: an unknown schedule, a negative warm-up, a share of steps above 1, or a final
            share outside 0 … 1.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule is 'constant' or 'cosine', not {schedule!r}")
    if warmup_steps < 0 or (isinstance(warmup_steps, float) and warmup_steps > 1):
        raise ValueError(
            f"warmup_steps is a whole number of steps, or a share of them from 0.0 to 1.0, "
            f"not {warmup_steps}"
        )
    if not 0 <= final_share <= 1:
        raise ValueError(f"final_share is from 0 to 1, not {final_share}")


def count_warmup_steps(warmup_steps: int | float, total_steps: int) -> int:
    """Steps of warm-up: a whole number is one already, a float is a share of all steps."""
    return round(warmup_steps * total_steps) if isinstance(warmup_steps, float) else warmup_steps
