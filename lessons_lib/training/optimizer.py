"""One optimizer step: gradients of the mean loss over one or more batches, then AdamW. Lesson 09.

Several batches may share a step. The mean is then taken over all live targets of the step, not
over the batches: a batch with twice as many targets counts twice, as it would in one big batch.
"""

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import nn

from lessons_lib.batching import Batch
from lessons_lib.batching.batch import as_batch, repeats
from lessons_lib.data import IGNORE_INDEX
from lessons_lib.levers import Bfloat16AdamW, add_lookup_gradients
from lessons_lib.models import LanguageModel
from lessons_lib.models.vocabulary import CompactTokenEmbedding, TokenEmbedding
from lessons_lib.support.devices import device_of
from lessons_lib.training.history import Step
from lessons_lib.training.losses import live_losses, live_mask, live_weights
from lessons_lib.training.options import Precision


def make_optimizer(
    model: nn.Module, learning_rate: float, weight_decay: float, precision: Precision = "float32"
) -> torch.optim.AdamW:
    """AdamW that decays matrices but not biases and norms; fused into one pass over all weights.

    With ``precision="bf16"`` on a CPU it also keeps the bfloat16 copies that steps compute with.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    if precision == "bf16" and device_of(model).type == "cpu":
        return Bfloat16AdamW(groups, _multiplying(model), lr=learning_rate)
    return torch.optim.AdamW(groups, lr=learning_rate, fused=True)


def optimizer_step(
    model: LanguageModel,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Batch],
    max_gradient_norm: float | None = 1.0,
    precision: Precision = "float32",
) -> Step:
    """Take one step on the (weighted) mean loss over all live targets of the batches.

    If the loss or the gradient's norm is not finite, the weights stay as they are. With
    ``precision="bf16"`` a ``Bfloat16AdamW`` lends the model its copies for a single batch; the
    gradients of several are added up in float32.

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
    has_copies = isinstance(optimizer, Bfloat16AdamW)
    with add_lookup_gradients(_embeddings(model)):
        for batch, mask in pairs:
            with _computing(precision, device, optimizer if len(pairs) == 1 else None):
                losses, weights, right = live_losses(model, batch.to(device), mask.to(device))
            share = (losses * weights).sum() / weight  # losses and weights (n,)
            share.backward()
            total, correct = total + share.detach(), correct + right.sum()
            count += len(right)
    if has_copies:
        norm = optimizer.gradient_norm()
    else:
        norm = nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
    loss, correct, gradient_norm = torch.stack([total, correct.to(total), norm.to(total)]).tolist()
    step = Step(loss, correct / count, gradient_norm, *_sizes(batches))
    if not step.is_finite:
        return step
    # As torch.nn.utils.clip_grad_norm_ does it, except that nothing is multiplied by 1.
    limit = math.inf if max_gradient_norm is None else max_gradient_norm
    scale = min(1.0, limit / (gradient_norm + 1e-6))
    if has_copies:
        optimizer.step(scale)
    else:
        if scale < 1:
            nn.utils.clip_grads_with_norm_(model.parameters(), limit, norm)
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


def _computing(
    precision: Precision, device: torch.device, optimizer: torch.optim.Optimizer | None
) -> contextlib.AbstractContextManager:
    """The precision of the forward pass; the optimizer's copies, if it is given and has some."""
    if precision == "float32":
        return contextlib.nullcontext()
    if isinstance(optimizer, Bfloat16AdamW):
        return optimizer.working_copies()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def _multiplying(model: nn.Module) -> list[nn.Linear | nn.Embedding]:
    """Modules whose float32 weight something is multiplied by: linear layers, heads, and embeddings
    that share a head's. A weight that is a turned view of another is left out."""
    modules = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Embedding)]
    weights = {m.weight for m in modules if isinstance(m, nn.Linear | TokenEmbedding)}
    return [
        m
        for m in modules
        if m.weight in weights and m.weight.dtype == torch.float32 and m.weight.is_contiguous()
    ]


def _embeddings(model: nn.Module) -> list[nn.Embedding]:
    """Embeddings that have a row for each id."""
    embeddings = [m for m in model.modules() if isinstance(m, nn.Embedding)]
    return [m for m in embeddings if not isinstance(m, CompactTokenEmbedding)]
