"""Losses over live targets: of a batch, of a loader, of the responses alone. Taught in lesson 09.

A target is live where it is not the ignore index and its weight is not 0. Models are known by
``hidden`` and ``head`` alone, and by ``token_losses`` where they have it. Lessons import these
functions from ``lessons_lib.training``.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lessons_lib.batching import Batch, BatchError, Example, InstructionCollator, InstructionDataset
from lessons_lib.batching.batch import repeats
from lessons_lib.batching.packing import PrefixSharingCollator
from lessons_lib.data import IGNORE_INDEX, PromptFormat, Tokenizer, row_end_ids, tokenizer_of
from lessons_lib.support.devices import device_of


class LiveLosses(NamedTuple):
    """What a model makes of a batch's live targets, n of them, row by row."""

    losses: Tensor  # (n,) float32, nats, with their gradients
    weights: Tensor  # (n,) float32; 1 where the batch has no weights
    correct: Tensor  # (n,) bool: the target was the likeliest token


class Evaluation(NamedTuple):
    """What a pass over a loader measured: nats a live target, and the share of right ones."""

    loss: float
    accuracy: float


def target_losses(model: nn.Module, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """From vectors (n, width) and their targets (n,): each loss in nats, (n,) float32, and
    whether the target was the likeliest token, (n,) bool.

    A model that has a ``token_losses`` of its own is asked for both.
    """
    if hasattr(model, "token_losses"):
        return model.token_losses(hidden, targets)
    logits = model.head(hidden).float()  # (n, vocabulary)
    losses = F.cross_entropy(logits, targets, reduction="none")  # (n,)
    return losses, logits.argmax(dim=-1) == targets


def live_mask(batch: Batch) -> Tensor:
    """True where a target counts, (batch, length).

    Raises:
        BatchError: the batch has no target that counts. Averaged, its loss would be 0 / 0 = NaN.
    """
    if batch.targets is None:
        raise BatchError("this batch has no targets to compute a loss from")
    live = batch.targets != IGNORE_INDEX
    if batch.weights is not None:
        live &= batch.weights > 0
    if not live.any():
        raise BatchError(
            f"no target of this batch counts: all {live.numel()} are {IGNORE_INDEX} or have "
            "weight 0, so nothing can be learned from it; were the responses cut off?"
        )
    return live


def live_weights(batch: Batch, live: Tensor) -> Tensor:
    """What each live target counts, (n,) float32; one that k texts share stands there k times.

    ``live`` is the batch's ``live_mask``.
    """
    weights = live.float() if batch.weights is None else batch.weights  # (batch, length)
    return _for_each_text(batch, live, weights[live])


def _for_each_text(batch: Batch, live: Tensor, values: Tensor) -> Tensor:
    """Values of live targets (n,), each as often as there are texts that its token stands in."""
    if batch.segments is None:
        return values
    return values.repeat_interleave(repeats(batch.segments)[live])


def live_losses(model: nn.Module, batch: Batch) -> LiveLosses:
    """The loss of each live target of a batch.

    The head, most of a small model's work, is computed only where a target counts.

    Raises:
        BatchError: the batch has no live target. ValueError: it has rows of several texts, which
            the model cannot keep apart.
    """
    live = live_mask(batch)  # (batch, length)
    if batch.segments is not None and not getattr(model, "reads_segments", False):
        raise ValueError(
            "this model cannot keep the entries of a packed row apart; use batching='shuffled' or "
            "'bucketed', and no share_prefix"
        )
    hidden = model.hidden(batch)[live]  # (batch, length, width) → (n, width)
    losses, correct = target_losses(model, hidden, batch.targets[live])
    losses, correct = (_for_each_text(batch, live, values) for values in (losses, correct))
    return LiveLosses(losses, live_weights(batch, live), correct)


def summed_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """The batch's weighted sum of losses, and the sum of its weights (both 0-dimensional).

    Raises:
        BatchError: the batch has no live target.
    """
    losses, weights, _ = live_losses(model, batch)
    return (losses * weights).sum(), weights.sum()


def batch_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy over the batch's live targets, in nats; 0-dimensional.

    Raises:
        BatchError: the batch has no live target.
    """
    total, weight = summed_loss(model, batch)
    return total / weight


def evaluate_loss(
    model: nn.Module, loader: Iterable[Batch], max_batches: int | None = None
) -> float:
    """Mean cross-entropy over all live targets of a loader, in nats.

    Every target counts the same, whatever batch it stands in. The model is left in the mode in
    which it came. ``max_batches`` looks at the first ones only.

    Raises:
        BatchError: a batch has no live target, or there is no batch.
    """
    return evaluate(model, loader, max_batches).loss


@torch.no_grad()
def evaluate(
    model: nn.Module, loader: Iterable[Batch], max_batches: int | None = None
) -> Evaluation:
    """Loss and next-token accuracy over all live targets of a loader; as ``evaluate_loss``."""
    training, device = model.training, device_of(model)
    model.eval()
    total = weight = 0.0
    correct = count = 0
    try:
        for index, batch in enumerate(loader):
            if index == max_batches:
                break
            losses, weights, right = live_losses(model, batch.to(device))
            total += (losses * weights).sum().item()
            weight += weights.sum().item()
            correct += int(right.sum())
            count += len(right)
    finally:
        model.train(training)
    if not count:
        raise BatchError("there is no batch to compute a loss from")
    return Evaluation(total / weight, correct / count)


def response_loss(
    model: nn.Module,
    data: Any,
    batch_size: int = 16,
    *,
    tokenizer: Tokenizer | None = None,
    prompt_format: str | PromptFormat = "alpaca",
) -> float:
    """Mean loss of the responses' tokens and end of text alone, in nats a token.

    This is the one measure that compares runs of different masks. ``data`` are entries, an
    ``InstructionDataset``, or a loader made with ``create_loader``, whose own mask does not
    matter and whose cutting is kept. Otherwise texts are cut at the model's context; entries are
    read with ``tokenizer``, or with the model's own. Entries of whose response nothing is left do
    not count.

    Raises:
        BatchError: no entry is left. ValueError: a loader that does not know its examples.
    """
    if not hasattr(data, "collate_fn") and not isinstance(data, InstructionDataset):
        tokenizer = tokenizer or tokenizer_of(model)
        data = InstructionDataset(data, tokenizer, prompt_format=prompt_format)
    limit = getattr(model, "context_length", None)
    batches = response_batches(data, batch_size, limit)
    if batches is None:
        raise ValueError("this loader does not say where prompts end; use create_loader")
    return evaluate_loss(model, batches)


def response_batches(
    data: Any, batch_size: int = 16, allowed_max_length: int | None = None
) -> list[Batch] | None:
    """The batches that ``response_loss`` evaluates, similar lengths together; None where the
    loader or data set does not say where prompts end."""
    collate = getattr(data, "collate_fn", None)
    collator = getattr(collate, "collator", collate)  # those of several texts a row have one inside
    examples = _examples(data)
    if examples is None:
        return None
    options: dict[str, Any] = {"allowed_max_length": allowed_max_length}
    options |= row_end_ids(getattr(data, "tokenizer", None))
    if isinstance(collator, InstructionCollator):
        names = ("allowed_max_length", "pad_token_id", "end_of_text_id")
        options = {name: getattr(collator, name) for name in names}
    collator = InstructionCollator("prompt", **options)
    kept = [example for example in examples if not collator.loses_response(example)]
    kept.sort(key=lambda example: len(example.token_ids))
    make = PrefixSharingCollator(collator) if type(collate) is PrefixSharingCollator else collator
    return [make(kept[start : start + batch_size]) for start in range(0, len(kept), batch_size)]


def _examples(data: Any) -> list[Example] | None:
    """The examples of a loader or data set; None where it holds something else."""
    data = getattr(data, "dataset", data)
    if isinstance(data, InstructionDataset):
        return list(data.examples)
    if not isinstance(data, list):
        return None
    items = [item for row in data for item in (row if type(row) is list else [row])]  # packed rows
    return items if items and all(isinstance(item, Example) for item in items) else None
