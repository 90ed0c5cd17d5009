"""Does masking save time? A training step with the head everywhere, and only where a target counts.

Lesson 11. The mask alone saves nothing: the blocks read every token either way. What it permits is
to leave out the head where nothing counts.
"""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from lessons_lib.batching import Batch, create_loader
from lessons_lib.data import Entry, tokenizer_of
from lessons_lib.experiments.masking.runs import Mode, mode_name
from lessons_lib.levers.memory import keep_freed_memory
from lessons_lib.models.protocol import token_losses
from lessons_lib.support import Table, is_quick
from lessons_lib.support.devices import device_of
from lessons_lib.training import batch_loss, make_optimizer
from lessons_lib.training.losses import live_mask

LEARNING_RATE, WEIGHT_DECAY = 1e-6, 0.1  # they do not matter for the time


@dataclass(frozen=True)
class StepTime:
    """The medians of one mode's steps."""

    mode: str
    live_share: float  # of the input tokens, padding included: where a target counts
    everywhere: float  # seconds per step, the head computed at every position
    where_live: float  # seconds per step, the head computed where a target counts


def every_position_loss(model: nn.Module, batch: Batch) -> Tensor:
    """The same loss as ``batch_loss``, but with the head computed at every position.

    Raises:
        BatchError: the batch has no live target.
    """
    live = live_mask(batch)  # (batch, length)
    hidden = model.hidden(batch).flatten(0, 1)  # (batch, length, width) → (batch · length, width)
    targets = batch.targets.masked_fill(~live, 0).flatten()  # (batch · length,)
    losses, _ = token_losses(model, hidden, targets)  # (batch · length,)
    weights = live if batch.weights is None else batch.weights * live
    weights = weights.flatten().to(losses)  # 0 where a target does not count
    return (losses * weights).sum() / weights.sum()


@keep_freed_memory()
def time_steps(
    model: nn.Module,
    entries: Sequence[Entry],
    modes: Sequence[Mode] = ("none", "prompt"),
    *,
    steps: int = 10,
    batch_size: int = 8,
) -> list[StepTime]:
    """Seconds of training steps on a copy of the model, in each mode with the head both ways.

    Modes and ways take turns batch by batch, so that a busy machine slows all of them alike. The
    median of ``steps`` is taken, after one step that is not counted. A shrunk run
    (``LESSONS_LIB_QUICK``) takes one.

    Raises:
        ValueError: ``steps`` is below 1. As ``create_loader``, which also refuses entries that are
            fewer than one batch.
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, not {steps}")
    steps = 1 if is_quick() else steps
    ways: tuple[Callable[[nn.Module, Batch], Tensor], ...] = (every_position_loss, batch_loss)
    model = copy.deepcopy(model).train()
    optimizer = make_optimizer(model, LEARNING_RATE, WEIGHT_DECAY)
    batches = {mode: _batches(model, entries, mode, batch_size, steps + 1) for mode in modes}
    seconds: dict[tuple[Mode, Callable], list[float]] = {}
    for step in range(steps + 1):
        for mode in modes:
            for loss in ways:
                each = _seconds(model, optimizer, loss, batches[mode][step])
                if step:
                    seconds.setdefault((mode, loss), []).append(each)
    found = []
    for mode in modes:
        live = [(b.targets != -100).float().mean().item() for b in batches[mode][1:]]
        times = (median(seconds[mode, loss]) for loss in ways)
        found.append(StepTime(mode_name(mode), sum(live) / steps, *times))
    return found


def step_times_table(times: Sequence[StepTime]) -> Table:
    """One row per mode, in milliseconds, and how many times as fast the second way is."""
    head = ("mode", "targets that count", "head everywhere", "head where they count", "faster by")
    rows = [
        (
            each.mode,
            f"{each.live_share:.0%}",
            f"{1000 * each.everywhere:.0f} ms",
            f"{1000 * each.where_live:.0f} ms",
            f"{each.everywhere / each.where_live:.2f} ×",
        )
        for each in times
    ]
    return Table(head, tuple(rows))


def _batches(
    model: nn.Module, entries: Sequence[Entry], mode: Mode, batch_size: int, count: int
) -> list[Batch]:
    """The first full batches of a mode; from the first again where there are too few."""
    mode_name(mode)  # refuses what is no mode
    mask = {"instruction_mask": mode} if isinstance(mode, str) else {"prompt_loss_weight": mode}
    loader = create_loader(
        entries,
        batch_size,
        drop_last=True,
        tokenizer=tokenizer_of(model),
        allowed_max_length=model.context_length,
        **mask,
    )
    batches = list(loader)
    return [batches[index % len(batches)].to(device_of(model)) for index in range(count)]


def _seconds(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Callable[[nn.Module, Batch], Tensor],
    batch: Batch,
) -> float:
    """One whole step: forward, backward, optimizer."""
    started = time.perf_counter()
    optimizer.zero_grad()
    loss(model, batch).backward()
    optimizer.step()
    if batch.inputs.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started
