"""Losses over live targets: of a batch, of a loader, of the responses alone. Taught in lesson 09.

A target is live if it is not the ignore index and its weight is not 0. Lessons import these
functions from ``lessons_lib.training``.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from torch import Tensor
from torch.utils.data import DataLoader

from lessons_lib.batching import Batch, BatchError, InstructionDataset
from lessons_lib.batching.batch import as_batch, repeats
from lessons_lib.batching.loaders import InstructionLoader, response_batches
from lessons_lib.data import IGNORE_INDEX, Entry, PromptFormat, Tokenizer, tokenizer_of
from lessons_lib.models import LanguageModel
from lessons_lib.models.protocol import evaluation_mode, hidden_where, token_losses, traits_of
from lessons_lib.support.devices import device_of


class LiveLosses(NamedTuple):
    """How a model does on the n live targets of a batch, row by row."""

    losses: Tensor  # (n,) float32, in nats; gradients can flow back
    weights: Tensor  # (n,) float32; 1 where the batch has no weights
    correct: Tensor  # (n,) bool: the target was the likeliest token


class Evaluation(NamedTuple):
    """What a pass over a loader measured: nats per live target, and the share predicted right."""

    loss: float
    accuracy: float


def live_mask(batch: Batch) -> Tensor:
    """True where a target counts, (batch, length).

    Raises:
        BatchError: no target of the batch counts, so its mean loss would be 0 / 0 = NaN.
    """
    if batch.targets is None:
        raise BatchError("this batch has no targets to compute a loss from")
    live = batch.live
    if not live.any():
        raise BatchError(
            f"no target of this batch counts: all {live.numel()} are {IGNORE_INDEX} or have "
            "weight 0, so nothing can be learned from it; were the responses cut off?"
        )
    return live


def live_weights(batch: Batch, live: Tensor) -> Tensor:
    """How much each live target counts, (n,) float32; one that k texts share appears k times.

    ``live`` is the batch's ``live_mask``.
    """
    weights = live.float() if batch.weights is None else batch.weights  # (batch, length)
    return _for_each_text(batch, live, weights[live])


def _for_each_text(batch: Batch, live: Tensor, values: Tensor) -> Tensor:
    """Values of live targets (n,), each repeated once for every text that its token belongs to."""
    if batch.segments is None:
        return values
    return values.repeat_interleave(repeats(batch.segments)[live])


def live_losses(model: LanguageModel, batch: Batch, live: Tensor | None = None) -> LiveLosses:
    """The loss of each live target of a batch.

    The head, most of a small model's work, is computed only where a target counts, and so is what
    the last block of a ``GPT`` does with each position by itself. ``live`` is the
    batch's ``live_mask``, for callers that already have it.

    Raises:
        BatchError: the batch has no live target. ValueError: it has rows of several texts, which
            the model cannot keep apart.
    """
    live = live_mask(batch) if live is None else live  # (batch, length)
    if batch.segments is not None and not traits_of(model).reads_segments:
        raise ValueError(
            "this model cannot keep the entries of a packed row apart; use batching='shuffled' or "
            "'bucketed', and no share_prefix"
        )
    hidden = hidden_where(model, batch, live)  # (n, width)
    losses, correct = token_losses(model, hidden, batch.targets[live])
    losses, correct = (_for_each_text(batch, live, values) for values in (losses, correct))
    return LiveLosses(losses, live_weights(batch, live), correct)


def batch_loss(model: LanguageModel, batch: Batch) -> Tensor:
    """Mean cross-entropy over the batch's live targets, in nats; 0-dimensional.

    Raises:
        BatchError: the batch has no live target.
    """
    losses, weights, _ = live_losses(model, as_batch(batch))
    return (losses * weights).sum() / weights.sum()


def evaluate_loss(model: LanguageModel, loader: Iterable[Batch]) -> float:
    """Mean cross-entropy over all live targets of a loader, in nats.

    Every target counts the same, whatever batch it is in. The model is left in the mode in which it
    came.

    Raises:
        BatchError: a batch has no live target, or there is no batch.
    """
    return evaluate(model, loader).loss


def evaluate(model: LanguageModel, loader: Iterable[Batch]) -> Evaluation:
    """Loss and next-token accuracy over all live targets of a loader; as ``evaluate_loss``."""
    total = weight = 0.0
    correct = count = 0
    device = device_of(model)
    with evaluation_mode(model):
        for batch in map(as_batch, loader):
            losses, weights, right = live_losses(model, batch.to(device))
            total += (losses * weights).sum().item()
            weight += weights.sum().item()
            correct += int(right.sum())
            count += len(right)
    if not count:
        raise BatchError("there is no batch to compute a loss from")
    return Evaluation(total / weight, correct / count)


def response_loss(
    model: LanguageModel,
    data: Sequence[Entry] | InstructionDataset | InstructionLoader,
    batch_size: int = 16,
    *,
    tokenizer: Tokenizer | None = None,
    prompt_format: str | PromptFormat = "alpaca",
) -> float:
    """Mean loss over the responses' tokens and end of text alone, in nats per token.

    This is the one loss that compares runs with different masks. ``data`` are entries, an
    ``InstructionDataset``, or a loader made with ``create_loader``. A loader's own mask does not
    matter; its cutting is kept. Other texts are cut at the model's context. Entries are read with
    ``tokenizer``, or with the model's own. Those whose response is cut off entirely do not count.

    Raises:
        BatchError: no entry is left. ValueError: a loader that does not know its examples.
    """
    if isinstance(data, DataLoader) and not isinstance(data, InstructionLoader):
        raise ValueError("this loader does not say where prompts end; use create_loader")
    if not isinstance(data, InstructionDataset | InstructionLoader):
        tokenizer = tokenizer or tokenizer_of(model)
        data = InstructionDataset(data, tokenizer, prompt_format=prompt_format)
    return evaluate_loss(model, response_batches(data, batch_size, model.context_length))
