"""Rows that hold several entries: packed end to end, or sharing a common start. Lesson 07.

``segments`` say which entry a token belongs to, ``positions`` start again with each entry, and no
target points from one entry into the next. Where a batch is one row with a shared start, that start
is computed only once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lessons_lib.batching.batch import SHARED, Batch
from lessons_lib.batching.collator import InstructionCollator
from lessons_lib.batching.dataset import Example
from lessons_lib.data import IGNORE_INDEX


def best_fit_decreasing(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Distribute items over few rows; each row is a list of item indices.

    Items are placed longest first, each into the fullest row that still has room for it, or else
    into a new row.

    Raises:
        ValueError: an item is longer than a row.

    Source: Johnson 1973, "Near-optimal bin packing algorithms".
    """
    if lengths and max(lengths) > capacity:
        raise ValueError(f"an item of {max(lengths)} does not fit into a row of {capacity}")
    rows: list[list[int]] = []
    room: list[int] = []
    for item in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        fitting = [row for row in range(len(rows)) if room[row] >= lengths[item]]
        if fitting:
            best = min(fitting, key=room.__getitem__)
        else:
            best = len(rows)
            rows.append([])
            room.append(capacity)
        rows[best].append(item)
        room[best] -= lengths[item]
    return rows


@dataclass(frozen=True)
class PackingCollator:
    """Packs rows of examples into a ``Batch`` of shape (rows, pack_length).

    Each entry contributes its tokens and its end of text. Nothing is predicted after an end of
    text: its target is the ignore index. Every other target is as in a padded batch.
    """

    collator: InstructionCollator
    pack_length: int

    def length(self, example: Example) -> int:
        """The tokens that an example takes in a row: its own and end of text, or those kept."""
        return min(len(example.token_ids), self.collator.allowed_max_length) + 1

    def __call__(self, rows: Sequence[Sequence[Example]]) -> Batch:
        packed = [self._pack(row) for row in rows]
        return Batch(  # each part (rows, pack_length)
            *(
                None if parts[0] is None else torch.stack(parts)
                for parts in zip(*packed, strict=True)
            )
        )

    def _pack(self, examples: Sequence[Example]) -> Batch:
        """Make one row: each example collated by itself, then joined end to end."""
        parts = [self.collator.steps([example]) for example in examples]
        lengths = [part.padded.shape[1] for part in parts]  # end of text included
        # Nothing is predicted where an end of text is read, so its position does not matter. After
        # a text as long as the context, the right one would be beyond what the model has.
        last = self.collator.allowed_max_length - 1
        weights = None
        if parts[0].weights is not None:
            weights = self._row([self._extend(part.weights[0], 0.0) for part in parts], 0.0)
        return Batch(
            inputs=self._row([part.padded[0] for part in parts], self.collator.pad_token_id),
            targets=self._row(
                [self._extend(part.targets[0], IGNORE_INDEX) for part in parts], IGNORE_INDEX
            ),
            weights=weights,
            positions=self._row([torch.arange(n).clamp(max=last) for n in lengths], 0),
            segments=self._row([torch.full((n,), i + 1) for i, n in enumerate(lengths)], 0),
        )

    @staticmethod
    def _extend(values: Tensor, value: float) -> Tensor:
        """Add the value for the column where end of text is read; (length,) to (length + 1,)."""
        return torch.cat([values, values.new_full((1,), value)])

    def _row(self, parts: list[Tensor], fill: float) -> Tensor:
        """Join the parts end to end and fill up to (pack_length,)."""
        row = torch.cat(parts)
        return torch.cat([row, row.new_full((self.pack_length - len(row),), fill)])


def share_prefix(batch: Batch) -> Batch:
    """A padded batch (batch, length) as one flat row (1, total) that holds the shared start once.

    Columns are shared as long as all rows have the same input, target and weight. What follows a
    row's last target has no part in the loss and is left out, and so is a row without targets.
    ``segments`` tell the texts apart, ``positions`` say where each token stood in its text.

    Raises:
        ValueError: the batch has no targets, or its rows already hold several texts.
    """
    if batch.targets is None or batch.segments is not None:
        raise ValueError("only a padded batch with targets, one text per row, can share its prefix")
    columns = torch.arange(batch.inputs.shape[1], device=batch.inputs.device)  # (length,)
    lengths = batch.lengths  # (batch,), up to the last target
    kept = lengths > 0
    batch = Batch(*(None if part is None else part[kept] for part in batch))
    lengths = lengths[kept]
    shared = _shared_columns(batch, lengths)
    inside = columns < lengths[:, None]  # (batch, length)
    inside[1:, :shared] = False  # the first row's copy serves all rows
    numbers = torch.arange(1, len(lengths) + 1, device=lengths.device)[:, None]  # (batch, 1)
    segments = torch.where(columns < shared, SHARED, numbers)  # (batch, length)
    if batch.positions is None:
        batch = batch._replace(positions=columns.expand_as(inside))
    flat = (None if part is None else part[inside][None] for part in batch)  # (1, total)
    return Batch(*flat)._replace(segments=segments[inside][None])


def _shared_columns(batch: Batch, lengths: Tensor) -> int:
    """How many leading columns all rows share; each row keeps at least one token of its own."""
    if len(lengths) < 2:
        return 0
    parts = [part for part in batch if part is not None]
    same = torch.stack([(part == part[0]).all(dim=0) for part in parts]).all(dim=0)  # (length,)
    return min(int(same.cumprod(0).sum()), int(lengths.amin()) - 1)


@dataclass(frozen=True)
class PrefixSharingCollator:
    """Turns examples into one flat row: ``share_prefix`` of what ``collator`` makes of them."""

    collator: InstructionCollator

    def __call__(self, examples: Sequence[Example]) -> Batch:
        return share_prefix(self.collator(examples))
