"""A batch: what loaders yield and models take. Taught in lessons 04 to 06.

A row may hold several texts. ``segments`` then say which text each token belongs to; ``visible``
and ``repeats`` work out what follows from that. A target is *live* if it counts in the loss: it is
not the ignore index, and its weight is not 0.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lessons_lib.data import IGNORE_INDEX


class Batch(NamedTuple):
    """What every loader yields and every model of the course takes.

    ``inputs`` and ``targets`` are int64 of shape (batch, length): after reading
    ``inputs[:, : t + 1]`` the model must predict ``targets[:, t]``. The other fields are None where
    they are not needed: ``weights`` (float32, how much each target counts), ``positions`` (int64,
    where a row does not simply count from 0) and ``segments`` (int64, in rows of several texts:
    the text that each token belongs to, from 1; 0 is padding, -1 a start that all texts share).
    """

    inputs: Tensor
    targets: Tensor | None = None
    weights: Tensor | None = None
    positions: Tensor | None = None
    segments: Tensor | None = None

    @property
    def live(self) -> Tensor:
        """True where a target counts in the loss, (batch, length)."""
        live = self.targets != IGNORE_INDEX
        return live if self.weights is None else live & (self.weights > 0)

    @property
    def lengths(self) -> Tensor:
        """The number of inputs in each row, up to its last target; (batch,)."""
        targets = self.targets != IGNORE_INDEX  # (batch, length)
        columns = torch.arange(1, targets.shape[1] + 1, device=targets.device)  # (length,)
        return (targets * columns).amax(dim=1)

    def to(self, device: str | torch.device) -> "Batch":
        """The same batch with its tensors on ``device``."""
        return Batch(*(None if part is None else part.to(device) for part in self))


def as_batch(item: object) -> Batch:
    """The item of a loader as a ``Batch``; it is one already, or a pair of inputs and targets.

    The book's ``custom_collate_fn`` makes such pairs.

    Raises:
        TypeError: it is neither; the message says what to do.
    """
    if isinstance(item, Batch):
        return item
    if isinstance(item, tuple | list) and len(item) == 2:
        if all(isinstance(part, Tensor) for part in item):
            return Batch(*item)
    raise TypeError(
        f"a loader yields batches, or pairs of inputs and targets; this one yields "
        f"{type(item).__name__}. create_loader(entries) makes one from a list of entries"
    )


def refuse_beyond_context(batch: Batch, context_length: int, read: int = 0) -> None:
    """Refuse a batch with a text longer than the model's context; ``read`` tokens came before it.

    A row of several texts may be longer than the context: its positions start again in each text.

    Raises:
        ValueError: a text is too long.
    """
    total = read + batch.inputs.shape[1]
    if batch.positions is not None:
        total = int(batch.positions.amax()) + 1
    if total > context_length:
        raise ValueError(
            f"the text has {total} tokens, but this model reads {context_length} at most"
        )


PADDING = 0  # the segment of padding; texts count from 1
SHARED = -1  # the segment of a start that all texts of a row have in common


def visible(segments: Tensor) -> Tensor:
    """Which token may look at which: the attention mask that ``TextLayout`` makes unnecessary.

    (batch, length) to (batch, length, length) of bool: a token looks at itself and at earlier
    tokens of its own segment and of the shared start. Padding looks at padding alone.
    """
    length = segments.shape[1]
    reader, read = segments[:, :, None], segments[:, None, :]
    earlier = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    return earlier & ((reader == read) | ((read == SHARED) & (reader != PADDING)))


def repeats(segments: Tensor) -> Tensor:
    """How many texts each token belongs to, (batch, length) of int64; 0 for padding.

    The texts of a row are numbered from 1 without gaps.
    """
    texts = segments.amax(dim=1, keepdim=True)  # (batch, 1)
    return torch.where(segments == SHARED, texts, (segments > PADDING).long())
