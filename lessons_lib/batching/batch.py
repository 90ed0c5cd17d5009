"""What loaders yield and models take: one batch. Taught in lessons 04 to 06.

A row may hold several texts. ``segments`` then tell which token belongs to which; ``visible`` and
``repeats`` say what follows from them. A target is *live* where it counts in the loss: it is not
the ignore index, and its weight is not 0.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lessons_lib.data import IGNORE_INDEX


class Batch(NamedTuple):
    """What every loader yields and every model of the course takes.

    ``inputs`` and ``targets`` are int64 of shape (batch, length): after reading
    ``inputs[:, : t + 1]`` the model must predict ``targets[:, t]``. The others are None where they
    are not needed: ``weights`` (float32, what each target counts), ``positions`` (int64, where a
    row does not simply count from 0) and ``segments`` (int64, which entry of a row of several a
    token belongs to, from 1; 0 is padding, -1 a start that all entries of the row share).
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
        """How many inputs of each row have a target or stand before one, (batch,)."""
        targets = self.targets != IGNORE_INDEX  # (batch, length)
        columns = torch.arange(1, targets.shape[1] + 1, device=targets.device)  # (length,)
        return (targets * columns).amax(dim=1)

    def to(self, device: str | torch.device) -> "Batch":
        """The same batch with its tensors on ``device``."""
        return Batch(*(None if part is None else part.to(device) for part in self))


def as_batch(item: object) -> Batch:
    """What a loader yielded as a ``Batch``: it is one, or a pair of inputs and targets.

    The book's ``custom_collate_fn`` makes such pairs.

    Raises:
        TypeError: it is neither; says what to do.
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
    """Raise a ValueError where a text is longer than a model reads; ``read`` tokens came before.

    A row of several texts may be longer than the context: its positions count in each text.
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
    """The mask that ``TextLayout`` makes needless: which token may look at which.

    (batch, length) to (batch, length, length) of bool: a token looks at itself and at earlier
    tokens of its own segment and of the shared start. Within padding, padding.
    """
    length = segments.shape[1]
    reader, read = segments[:, :, None], segments[:, None, :]
    earlier = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    return earlier & ((reader == read) | ((read == SHARED) & (reader != PADDING)))


def repeats(segments: Tensor) -> Tensor:
    """In how many texts each token stands, (batch, length) of int64: 0 for padding.

    Texts of a row are numbered from 1 without a gap.
    """
    texts = segments.amax(dim=1, keepdim=True)  # (batch, 1)
    return torch.where(segments == SHARED, texts, (segments > PADDING).long())
