"""The training loop: loss over live targets, AdamW, a history to plot. Taught in lesson 09.

A target is live where it is not the ignore index. Losses and gradients are divided by the live
targets of the batch, or by the sum of their weights. Knows models only by ``hidden`` and ``head``.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from lessons_lib.batching import Batch
from lessons_lib.substeps import BatchError
from lessons_lib.tokenizer import IGNORE_INDEX


@dataclass
class History:
    """What a run recorded. Losses are nats a live target; steps count optimizer steps from 1."""

    train_loss: list[float] = field(default_factory=list)  # one a step, of that step's batch
    validation_steps: list[int] = field(default_factory=list)  # 0 is before the first step
    validation_loss: list[float] = field(default_factory=list)
    epoch_ends: list[int] = field(default_factory=list)
    live_targets: int = 0
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        return len(self.train_loss)


def summed_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """The batch's weighted sum of losses, and the sum of its weights (both 0-dimensional).

    The head, most of a small model's work, is computed only where a target counts.

    Raises:
        BatchError: the batch has no target that counts. Averaged, its loss would be 0 / 0 = NaN.
    """
    if batch.targets is None:
        raise BatchError("this batch has no targets to compute a loss from")
    live = batch.targets != IGNORE_INDEX  # (batch, length)
    if batch.weights is not None:
        live &= batch.weights > 0
    if not live.any():
        raise BatchError(
            f"no target of this batch counts: all {live.numel()} are {IGNORE_INDEX} or have "
            "weight 0, so nothing can be learned from it; were the responses cut off?"
        )
    logits = model.head(model.hidden(batch)[live])  # (live, width) → (live, vocabulary)
    targets = batch.targets[live]  # (live,)
    if batch.weights is None:
        return F.cross_entropy(logits.float(), targets, reduction="sum"), live.sum()
    weights = batch.weights[live]  # (live,)
    losses = F.cross_entropy(logits.float(), targets, reduction="none")  # (live,)
    return (losses * weights).sum(), weights.sum()


def batch_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy over the batch's live targets, in nats; 0-dimensional.

    Raises:
        BatchError: the batch has no live target.
    """
    total, weight = summed_loss(model, batch)
    return total / weight


@torch.no_grad()
def evaluate_loss(model: nn.Module, loader: Iterable[Batch], max_batches: int | None = None):
    """Mean cross-entropy over all live targets of a loader, in nats, as a float.

    Every target counts the same, whatever batch it stands in. The model is left in the mode in
    which it came. ``max_batches`` looks at the first ones only.

    Raises:
        BatchError: a batch has no live target, or there is no batch.
    """
    training = model.training
    model.eval()
    total = weight = 0.0
    try:
        for index, batch in enumerate(loader):
            if index == max_batches:
                break
            batch_total, batch_weight = summed_loss(model, batch.to(_device(model)))
            total += batch_total.item()
            weight += batch_weight.item()
    finally:
        model.train(training)
    if not weight:
        raise BatchError("there is no batch to compute a loss from")
    return total / weight


def train(
    model: nn.Module,
    loader: Iterable[Batch],
    validation_loader: Iterable[Batch] | None = None,
    *,
    epochs: int = 1,
    learning_rate: float = 5e-5,
    weight_decay: float = 0.1,
    max_gradient_norm: float | None = 1.0,
    evaluate_every: int = 50,
    max_steps: int | None = None,
    seed: int = 123,
    progress: bool = True,
) -> History:
    """Train the model in place with AdamW and return what happened.

    The validation loss is measured before the first step, every ``evaluate_every`` steps and at
    the end. ``seed`` sets PyTorch's random state, which dropout uses; the order of the batches is
    the loader's own matter. Weight decay is applied to matrices only, as GPT-2's training did.

    Raises:
        BatchError: a batch has no live target. ValueError: no epoch, or packed batches, which the
            model cannot keep apart.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be 1 or more, not {epochs}")
    torch.manual_seed(seed)
    optimizer = make_optimizer(model, learning_rate, weight_decay)
    history, started = History(), time.perf_counter()
    device = _device(model)
    model.train()

    def validate() -> None:
        if validation_loader is not None:
            history.validation_steps.append(history.steps)
            history.validation_loss.append(evaluate_loss(model, validation_loader))

    validate()
    total_steps = epochs * len(loader)
    if max_steps is not None:
        total_steps = min(total_steps, max_steps)
    with tqdm(total=total_steps, desc="training", unit="step", disable=not progress) as bar:
        for _ in range(epochs):
            if history.steps == total_steps:
                break
            for batch in loader:
                if history.steps == total_steps:
                    break
                loss = batch_loss(model, batch.to(device))
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                if max_gradient_norm is not None:
                    nn.utils.clip_grad_norm_(model.parameters(), max_gradient_norm)
                optimizer.step()
                history.train_loss.append(loss.item())
                history.live_targets += int((batch.targets != IGNORE_INDEX).sum())
                bar.update()
                bar.set_postfix(loss=f"{history.train_loss[-1]:.3f}")
                if history.steps % evaluate_every == 0 and history.steps < total_steps:
                    validate()
            history.epoch_ends.append(history.steps)
    validate()
    history.seconds = time.perf_counter() - started
    return history


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


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
