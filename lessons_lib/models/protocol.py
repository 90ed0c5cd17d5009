"""What the course asks of a model: vectors for inputs, logits for vectors. Taught in lesson 08.

Losses, generation and the chat know a model by what ``LanguageModel`` names. A module of your own
that has ``hidden``, ``head`` and ``context_length`` will do; derived from ``LanguageModel`` it can
also say that it caches, reads rows of several texts, or has a tokenizer of its own.
"""

import contextlib
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lessons_lib.batching import Batch
from lessons_lib.data import Tokenizer
from lessons_lib.models.kv_cache import KeyValueCache


class LanguageModel(nn.Module):
    """A causal language model. Give it ``hidden``, ``head`` and ``context_length``.

    Padding stands to the right of a text, so a model that looks back only never reads it.
    """

    context_length: int  # how many tokens it can read at most
    tokenizer: Tokenizer | None = None  # its own; None is GPT-2's
    reads_segments = False  # whether it keeps apart the texts of one row
    caches = False  # whether ``hidden`` takes a key-value cache
    never_generate: Tensor | None = None  # (vocabulary,) of bool: tokens never to be generated

    def hidden(self, batch: Batch, cache: KeyValueCache | None = None) -> Tensor:
        """A vector for each input token, (batch, length, width), from that token and those before.

        With a cache, the inputs are what comes after the tokens that it holds, and join them.
        """
        raise NotImplementedError(f"{type(self).__name__} has no hidden(batch)")

    def head(self, hidden: Tensor) -> Tensor:
        """Logits over the vocabulary: (…, width) to (…, vocabulary)."""
        raise NotImplementedError(f"{type(self).__name__} has no head(hidden)")

    def hidden_where(self, batch: Batch, wanted: Tensor) -> Tensor:
        """The vectors of ``hidden`` where ``wanted`` (batch, length) is True: (n, width)."""
        return self.hidden(batch)[wanted]

    def token_losses(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy of each target in nats, and whether it was the likeliest token.

        (n, width) and token ids (n,) to float32 (n,) and bool (n,).
        """
        logits = self.head(hidden).float()  # (n, vocabulary)
        losses = F.cross_entropy(logits, targets, reduction="none")  # (n,)
        return losses, logits.argmax(dim=-1) == targets

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits for token ids: (batch, length) to (batch, length, vocabulary)."""
        return self.head(self.hidden(Batch(inputs)))


def check_model(model: object) -> None:
    """Refuse what has neither ``hidden`` nor ``head``.

    Raises:
        TypeError: it is no model; says what to do.
    """
    if not all(callable(getattr(model, name, None)) for name in ("hidden", "head")):
        raise TypeError(
            f"a model with hidden(batch) and head(hidden) is wanted, not {type(model).__name__}: "
            "take one from load_model, or derive yours from lessons_lib.models.LanguageModel"
        )


def traits_of(model: nn.Module) -> LanguageModel | type[LanguageModel]:
    """Where to look up what a model can: a module that is no ``LanguageModel`` has the defaults."""
    return model if isinstance(model, LanguageModel) else LanguageModel


def hidden_where(model: nn.Module, batch: Batch, wanted: Tensor) -> Tensor:
    """``LanguageModel.hidden_where`` of any model."""
    if isinstance(model, LanguageModel):
        return model.hidden_where(batch, wanted)
    return LanguageModel.hidden_where(model, batch, wanted)


def token_losses(model: nn.Module, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """``LanguageModel.token_losses`` of any model."""
    if isinstance(model, LanguageModel):
        return model.token_losses(hidden, targets)
    return LanguageModel.token_losses(model, hidden, targets)


@contextlib.contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """No dropout and no gradients while this holds; the model's mode is put back afterwards."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
