"""The key-value cache: what attention computed for earlier tokens, kept. Taught in lesson 09.

In a causal model a token's keys and values depend on the tokens before it alone. So they never
change when the text grows, and each new token needs only its own to be computed.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

GROWTH = 64  # slots added at a time, at least: growing copies everything, so it should be rare


class KeyValueCache:
    """Keys and values of the tokens that a batch of rows has read, for every layer.

    Row i has read ``lengths[i]`` tokens; they lie in its slots 0 … lengths[i] - 1. New tokens go
    into the slots from there on, so rows of unequal lengths each grow at their own end::

        cache = KeyValueCache(rows=2)
        model.hidden(Batch(padded_prompts), cache)  # rows of 3 and 5 tokens: (2, 5)
        cache.trim([3, 5])  # forget the padding
        model.hidden(Batch(next_tokens), cache)  # (2, 1), into slot 3 and slot 5

    ``room`` is how many slots each row is going to need, if that is known: they are set aside at
    once. Made for generation: it keeps no gradients.
    """

    def __init__(self, rows: int, room: int = 0):
        self.lengths, self.room = [0] * rows, room
        self.layers: list[LayerCache] = []
        self.mask: Tensor | None = None  # (rows, 1, new, slots), True where a new token may look
        self.positions = torch.zeros(rows, 0, dtype=torch.long)  # (rows, new): the new tokens'

    @property
    def longest(self) -> int:
        """How many tokens the longest row has read."""
        return max(self.lengths, default=0)

    def begin(self, inputs: Tensor) -> Tensor:
        """Make ready for new tokens (rows, new); their positions (rows, new) in their own rows.

        Raises:
            ValueError: the tokens come in another number of rows than the cache has.
        """
        rows, new = inputs.shape
        if rows != len(self.lengths):
            raise ValueError(f"{rows} rows of new tokens for a cache of {len(self.lengths)} rows")
        read = torch.tensor(self.lengths, device=inputs.device)  # (rows,)
        self.positions = read[:, None] + torch.arange(new, device=inputs.device)  # (rows, new)
        self.mask = None  # all rows start at slot 0: plain causal attention does
        if self.longest:
            slots = torch.arange(self.longest + new, device=inputs.device)  # (slots,)
            # A token looks at its own slot and those before; a row's padding lies behind them.
            self.mask = (slots <= self.positions[:, :, None])[:, None]  # (rows, 1, new, slots)
        return self.positions

    def layer(self, index: int) -> "LayerCache":
        """The part that belongs to one layer; it is made when first asked for."""
        while len(self.layers) <= index:
            self.layers.append(LayerCache(self))
        return self.layers[index]

    def finish(self) -> None:
        """Count the new tokens as read; called when every layer has stored them."""
        new = self.positions.shape[1]
        self.lengths = [length + new for length in self.lengths]

    def trim(self, lengths: Iterable[int]) -> None:
        """Keep this many tokens of each row; what lies beyond, such as padding, is overwritten.

        Raises:
            ValueError: not one length a row, or a length that a row does not have.
        """
        lengths = list(lengths)
        fits = [0 <= new <= old for new, old in zip(lengths, self.lengths, strict=False)]
        if len(lengths) != len(self.lengths) or not all(fits):
            raise ValueError(f"rows of {self.lengths} tokens cannot be trimmed to {lengths}")
        self.lengths = lengths

    def keep(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; the others leave the batch.

        A row may come several times: each is then a row of its own. Where every row that changes
        its place comes from behind the kept ones, only such rows are copied.
        """
        self.lengths = [self.lengths[row] for row in rows]
        for layer in self.layers:
            layer.keep(rows, self.longest)

    @contextlib.contextmanager
    def window(self, first: int, last: int, slots: int) -> Iterator["KeyValueCache"]:
        """A cache of the rows from ``first`` up to ``last`` alone, in the same memory.

        It takes up to ``slots`` tokens a row. When it closes, this cache holds what it has read.

        Raises:
            ValueError: nothing was read yet, so that no layer is known.
        """
        if not self.layers:
            raise ValueError("a window opens on a cache that holds at least one token of each row")
        part = KeyValueCache(last - first, self.room)
        part.lengths = self.lengths[first:last]
        for layer in self.layers:
            layer.make_room(slots)
            part.layers.append(
                LayerCache(part, layer.keys[first:last], layer.values[first:last], layer.cleared)
            )
        yield part
        self.lengths[first:last] = part.lengths


class LayerCache:
    """One layer's keys and values: two tensors (rows, slots, heads, width / heads).

    Their first ``cleared`` slots hold numbers, the others whatever was in memory.
    """

    def __init__(
        self,
        whole: KeyValueCache,
        keys: Tensor | None = None,
        values: Tensor | None = None,
        cleared: int = 0,
    ):
        self.whole, self.keys, self.values, self.cleared = whole, keys, values, cleared

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Store new keys and values; all there are, and the mask that goes with them.

        New ones come, and all go, as (rows, heads, new or slots, width / heads).
        """
        positions = self.whole.positions  # (rows, new): also the slots, as both count from 0
        rows = torch.arange(len(positions), device=positions.device)[:, None]  # (rows, 1)
        slots = self.whole.longest + positions.shape[1]
        if self.keys is None:
            count, heads, _, head_width = keys.shape
            self.keys = self.values = keys.new_empty(count, 0, heads, head_width)
        self.make_room(slots)
        # (rows, heads, new, width / heads) → (rows, new, heads, width / heads)
        self.keys[rows, positions] = keys.transpose(1, 2)
        self.values[rows, positions] = values.transpose(1, 2)
        # (rows, slots, heads, width / heads) → (rows, heads, slots, width / heads)
        every_key, every_value = (
            part[:, :slots].transpose(1, 2) for part in (self.keys, self.values)
        )
        return every_key, every_value, self.whole.mask

    def make_room(self, slots: int) -> None:
        """See to it that there are this many slots, with numbers in them."""
        if slots > self.keys.shape[1]:
            grown = max(slots, self.whole.room, self.keys.shape[1] * 3 // 2, GROWTH)
            self.keys, self.values = (
                _with_room(part[:, : self.cleared], grown) for part in (self.keys, self.values)
            )
        if slots > self.cleared:
            # A masked slot is multiplied by 0, and 0 · NaN would be NaN.
            self.keys[:, self.cleared : slots] = 0
            self.values[:, self.cleared : slots] = 0
            self.cleared = slots

    def keep(self, rows: Sequence[int], slots: int) -> None:
        """Keep these rows, and of them the first slots."""
        if self.keys is None:
            return
        moved = [(place, row) for place, row in enumerate(rows) if place != row]
        if all(row >= len(rows) for _, row in moved):  # nothing that is overwritten is needed
            places, sources = ([pair[i] for pair in moved] for i in (0, 1))
            for part in (self.keys, self.values):
                part[places, :slots] = part[sources, :slots]
            self.keys, self.values = self.keys[: len(rows)], self.values[: len(rows)]
        else:
            self.keys, self.values = (
                _with_room(part[list(rows), :slots], self.whole.room)
                for part in (self.keys, self.values)
            )
            self.cleared = slots


def _with_room(part: Tensor, room: int) -> Tensor:
    """These slots, in new memory if there is to be room for more."""
    rows, slots, heads, head_width = part.shape
    if slots >= room:
        return part
    new = part.new_empty(rows, room, heads, head_width)
    new[:, :slots] = part
    return new
