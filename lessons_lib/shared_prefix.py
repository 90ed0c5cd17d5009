"""The start that all texts of a batch share, computed once. Taught in lesson 09.

Every Alpaca prompt opens with the same words. In a causal model their vectors depend on nothing
that follows, so they are the same in each row: one flat row holds them once, then what is left of
each text, without padding. Loss and gradients are those of the padded batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lessons_lib.batching import Batch, InstructionCollator
from lessons_lib.dataset import Example
from lessons_lib.segments import SHARED
from lessons_lib.tokenizer import IGNORE_INDEX


def share_prefix(batch: Batch) -> Batch:
    """A padded batch (batch, length) as one flat row (1, total) that holds the shared start once.

    A column is shared where all rows have the same input, target and weight up to there. What
    follows a row's last target takes no part in the loss and is left out; so is a row without one.
    ``segments`` tell the texts apart, ``positions`` say where a token stood in its text.

    Raises:
        ValueError: the batch has no targets, or rows of several texts already.
    """
    if batch.targets is None or batch.segments is not None:
        raise ValueError("only a padded batch with targets, one text a row, can share its prefix")
    live = batch.targets != IGNORE_INDEX  # (batch, length)
    columns = torch.arange(live.shape[1], device=live.device)  # (length,)
    lengths = ((columns + 1) * live).amax(dim=1)  # (batch,), up to the last target
    kept = lengths > 0
    batch = Batch(*(None if part is None else part[kept] for part in batch))
    lengths = lengths[kept]
    shared = _shared_columns(batch, lengths)
    inside = columns < lengths[:, None]  # (batch, length)
    inside[1:, :shared] = False  # the first row's copy stands for all
    numbers = torch.arange(1, len(lengths) + 1, device=live.device)[:, None]  # (batch, 1)
    segments = torch.where(columns < shared, SHARED, numbers)  # (batch, length)
    if batch.positions is None:
        batch = batch._replace(positions=columns.expand_as(inside))
    flat = (None if part is None else part[inside][None] for part in batch)  # (1, total)
    return Batch(*flat)._replace(segments=segments[inside][None])


def _shared_columns(batch: Batch, lengths: Tensor) -> int:
    """How many first columns are the same in all rows; each row keeps a token of its own."""
    if len(lengths) < 2:
        return 0
    parts = [part for part in batch if part is not None]
    same = torch.stack([(part == part[0]).all(dim=0) for part in parts]).all(dim=0)  # (length,)
    return min(int(same.cumprod(0).sum()), int(lengths.amin()) - 1)


@dataclass(frozen=True)
class PrefixSharingCollator:
    """Examples to one flat row: the padded ``Batch`` of ``collator``, through ``share_prefix``."""

    collator: InstructionCollator

    def __call__(self, examples: Sequence[Example]) -> Batch:
        return share_prefix(self.collator(examples))
