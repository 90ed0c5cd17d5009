"""One optimizer step: gradients of the mean loss over one or more batches, then AdamW. Lesson 09.

Several batches may share a step. The mean is then taken over all live targets of the step, not
over the batches: a batch with twice as many targets counts twice, as it would in one big batch.
"""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from lessons_lib.batching import Batch
from lessons_lib.batching.batch import as_batch, repeats
from lessons_lib.data import IGNORE_INDEX
from lessons_lib.models import LanguageModel
from lessons_lib.support.devices import device_of
from lessons_lib.training.history import Step
from lessons_lib.training.losses import live_losses, live_mask, live_weights
from lessons_lib.training.options import Precision


def make_optimizer(
    model: nn.Module, learning_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """AdamW that decays matrices but not biases and norms; fused into one pass over all weights."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, fused=True)


def optimizer_step(
    model: LanguageModel,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Batch],
    max_gradient_norm: float | None = 1.0,
    precision: Precision = "float32",
) -> Step:
    """Take one step on the (weighted) mean loss over all live targets of the batches.

    If the loss or the gradient's norm is not finite, the weights stay as they are.

    Raises:
        BatchError: a batch has no live target; the weights are unchanged.
    """
    device = device_of(model)
    # The total weight is known before any loss, so each batch's share of the mean can be
    # backpropagated at once: only one batch's activations are in memory at a time.
    live = [live_mask(batch) for batch in batches]  # (batch, length) each
    pairs = list(zip(batches, live, strict=True))
    weight = sum(float(live_weights(*pair).sum()) for pair in pairs)
    optimizer.zero_grad(set_to_none=True)
    total, correct, count = torch.zeros((), device=device), 0, 0
    for batch, mask in pairs:
        with _autocast(device, precision):
            losses, weights, right = live_losses(model, batch.to(device), mask.to(device))  # (n,)
        share = (losses * weights).sum() / weight
        share.backward()
        total, correct, count = total + share.detach(), correct + right.sum(), count + len(right)
    norm = _clip(model, max_gradient_norm)
    loss, correct, norm = torch.stack([total, correct.to(total), norm.to(total)]).tolist()
    step = Step(loss, correct / count, norm, *_sizes(batches))
    if step.is_finite:
        optimizer.step()
    return step


def in_groups(loader: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """Batches in groups of ``size``; the last group holds what is left."""
    batches = map(as_batch, loader)
    while group := list(itertools.islice(batches, size)):
        yield group


def _sizes(batches: Sequence[Batch]) -> tuple[int, int]:
    """How many targets of the batches are not the ignore index, and how many inputs not padding."""
    return sum(map(count_targets, batches)), sum(map(input_tokens, batches))


def count_targets(batch: Batch) -> int:
    """How many targets are not the ignore index; one that several texts share counts for each."""
    targets = batch.targets != IGNORE_INDEX  # (batch, length)
    return int((targets if batch.segments is None else targets * repeats(batch.segments)).sum())


def input_tokens(batch: Batch) -> int:
    """How many tokens a model reads of a batch with targets, without padding.

    A token that several texts share counts for each of them.
    """
    return int((batch.lengths if batch.segments is None else repeats(batch.segments)).sum())


def _autocast(device: torch.device, precision: Precision) -> contextlib.AbstractContextManager:
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def _clip(model: nn.Module, max_norm: float | None) -> Tensor:
    """The gradients' norm, 0-dimensional; they are scaled down to ``max_norm`` if it is larger."""
    if max_norm is not None:
        return nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    return nn.utils.get_total_norm(gradients)
