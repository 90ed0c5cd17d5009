"""Data loaders: which entries share a batch, and how much padding that costs. Taught in lesson 07.

There are three ways to batch: shuffled, bucketed by length, and packed into rows of one length. An
entry whose response would be cut off entirely is left out here, before batching, and listed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, NamedTuple

import torch
from torch.utils.data import DataLoader, Sampler

from lessons_lib.batching.batch import Batch
from lessons_lib.batching.collator import InstructionCollator, make_collator
from lessons_lib.batching.dataset import Example, InstructionDataset
from lessons_lib.batching.packing import PackingCollator, PrefixSharingCollator, best_fit_decreasing
from lessons_lib.batching.substeps import BatchError
from lessons_lib.data import Entry, PromptFormat, Tokenizer

Batching = Literal["shuffled", "bucketed", "packed"]
BUCKET_WINDOW = 50  # batches; their entries are sorted by length together


class Dropped(NamedTuple):
    """An entry that a loader left out, and why."""

    index: int
    reason: str


def create_loader(
    data: Sequence[Entry] | InstructionDataset,
    batch_size: int = 8,
    *,
    batching: Batching = "shuffled",
    seed: int = 123,
    shuffle: bool = True,
    drop_last: bool = False,
    num_workers: int = 0,
    tokenizer: Tokenizer | None = None,
    prompt_format: str | PromptFormat = "alpaca",
    pack_length: int = 1024,
    share_prefix: bool = False,
    **options,
) -> "InstructionLoader":
    """A data loader over entries that yields a ``Batch`` at a time.

    "shuffled" draws entries in the random order that ``DataLoader(shuffle=True)`` gives after
    ``torch.manual_seed(seed)``. "bucketed" puts entries of similar length together, within windows
    of 50 batches. "packed" fills rows of ``pack_length`` tokens with whole entries; ``batch_size``
    then counts such rows. The order depends on the seed and the epoch alone; each pass over the
    loader is a new epoch. ``shuffle=False`` keeps the entries (or packed rows) in their order.
    ``share_prefix`` makes each batch one flat row that holds its texts' common start once: the same
    loss and gradients, computed faster, for models that can read such rows.
    ``options`` are those of ``InstructionCollator``; rows end with the tokenizer's end of text.
    Batches are made on the CPU.

    Raises:
        ValueError: a batch size below 1, an unknown ``batching``, options that do not go together
            or that the collator refuses, or (``BatchError``) no entry or no batch is left.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, not {batch_size}")
    if batching not in ("shuffled", "bucketed", "packed"):
        raise ValueError(f"batching is 'shuffled', 'bucketed' or 'packed', not {batching!r}")
    if batching == "packed":
        if options.get("pad_to") is not None:
            raise ValueError("pad_to does not go with batching='packed': rows are pack_length long")
        if share_prefix:
            raise ValueError("share_prefix goes with one entry per row, not with batching='packed'")
        # An entry's end of text takes a place in the row, too, so an entry has one input fewer.
        limit, most = options.get("allowed_max_length"), pack_length - 1
        options["allowed_max_length"] = most if limit is None else min(limit, most)
    if isinstance(data, InstructionDataset):
        tokenizer = data.tokenizer
    collator = make_collator(tokenizer, options)
    if not isinstance(data, InstructionDataset):
        data = InstructionDataset(data, tokenizer, prompt_format=prompt_format)
    kept, dropped = _drop_lost_responses(data.examples, collator)
    if batching == "packed":
        packer = PackingCollator(collator, pack_length)
        rows = best_fit_decreasing([packer.length(example) for example in kept], pack_length)
        items, collate = [[kept[i] for i in row] for row in rows], packer
    else:
        items, collate = kept, PrefixSharingCollator(collator) if share_prefix else collator
    lengths = [len(item.token_ids) for item in kept] if batching == "bucketed" else None
    sampler = EpochBatchSampler(
        len(items), batch_size, seed=seed, shuffle=shuffle, drop_last=drop_last, lengths=lengths
    )
    if not len(sampler):
        raise BatchError(
            f"{len(items)} entries are fewer than one batch of {batch_size}, and drop_last leaves "
            f"out an incomplete batch: use {batch_size} entries or more, batch_size={len(items)}, "
            "or drop_last=False"
        )
    loader = InstructionLoader(items, sampler, collate, num_workers)
    loader.examples, loader.collator, loader.dropped = kept, collator, dropped
    loader.options = {
        "batching": batching,
        "batch_size": batch_size,
        "order's seed": seed,
        "shuffle": shuffle,
        "drop_last": drop_last,
        "share_prefix": share_prefix,
        "pack_length": pack_length if batching == "packed" else None,
    }
    return loader


class InstructionLoader(DataLoader):
    """A PyTorch ``DataLoader`` that knows what it loads, and which epoch comes next."""

    examples: list[Example]  # what it loads, in the data's order
    collator: InstructionCollator  # whose options make its batches
    dropped: list[Dropped]  # the entries it left out
    options: dict[str, Any]  # how it was made, by ``create_loader``

    def __init__(self, items, sampler, collate, num_workers):
        # The sampler counts epochs in this process; workers get its indices, not a copy of it.
        # With a generator of its own, a pass does not draw from the random state of dropout.
        super().__init__(
            items,
            batch_sampler=sampler,
            collate_fn=collate,
            num_workers=num_workers,
            generator=torch.Generator(),
        )

    def describe(self) -> dict[str, Any]:
        """Everything that determines its batches: options, and a hash of the entries' token ids."""
        digest = hashlib.sha256()
        for example in self.examples:
            digest.update(repr((example.token_ids, example.prompt_length)).encode())
        entries = f"{len(self.examples)}, hash {digest.hexdigest()[:8]}"
        return self.options | asdict(self.collator) | {"entries": entries}

    @property
    def epoch(self) -> int:
        """The epoch of the next pass, counted from 0."""
        return self.batch_sampler.epoch

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass this epoch (from 0); needed only to repeat or resume an epoch."""
        self.batch_sampler.epoch = epoch


class EpochBatchSampler(Sampler[list[int]]):
    """Yields each batch's indices, in an order that depends on the seed and the epoch alone."""

    def __init__(
        self,
        size: int,
        batch_size: int,
        *,
        seed: int = 123,
        shuffle: bool = True,
        drop_last: bool = False,
        lengths: Sequence[int] | None = None,
    ):
        self.size, self.batch_size, self.seed = size, batch_size, seed
        self.shuffle, self.drop_last, self.lengths = shuffle, drop_last, lengths
        self.epoch = 0

    def __len__(self) -> int:
        whole, rest = divmod(self.size, self.batch_size)
        return whole + bool(rest and not self.drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        generator = _epoch_generator(self.seed, self.epoch)
        self.epoch += 1
        order = list(range(self.size))
        if self.shuffle:
            order = torch.randperm(self.size, generator=generator).tolist()
        if self.lengths is None:
            yield from self._cut(order)
            return
        batches = self._cut(self._sort_within_windows(order))
        if not self.shuffle:
            yield from batches
            return
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield batches[index]

    def _cut(self, order: list[int]) -> list[list[int]]:
        return [order[i * self.batch_size :][: self.batch_size] for i in range(len(self))]

    def _sort_within_windows(self, order: list[int]) -> list[int]:
        """Sort by length, but only within windows, so that batches differ between epochs."""
        span = BUCKET_WINDOW * self.batch_size
        windows = [order[start : start + span] for start in range(0, len(order), span)]
        return [i for window in windows for i in sorted(window, key=lambda i: self.lengths[i])]


def _epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """The random state from which PyTorch's own sampler shuffles epoch number ``epoch``.

    After ``torch.manual_seed(seed)`` each pass over a ``DataLoader(shuffle=True)`` draws two
    numbers: one for its workers, then the seed of the permutation.
    """
    source = torch.Generator().manual_seed(seed)
    draws = torch.empty(2 * epoch + 2, dtype=torch.int64)
    for i in range(len(draws)):
        draws[i].random_(generator=source)
    return torch.Generator().manual_seed(int(draws[-1]))


def _drop_lost_responses(
    examples: list[Example], collator: InstructionCollator
) -> tuple[list[Example], list[Dropped]]:
    """Leave out examples whose response would be cut off entirely."""
    lost = [example for example in examples if collator.loses_response(example)]
    dropped = [
        Dropped(
            example.index,
            f"its prompt alone has {example.prompt_length} tokens; "
            f"{collator.allowed_max_length} are allowed",
        )
        for example in lost
    ]
    gone = {example.index for example in lost}
    kept = [example for example in examples if example.index not in gone]
    if not kept:
        raise BatchError(
            f"none of {len(examples)} entries has room for a response"
            + (f" at allowed_max_length={collator.allowed_max_length}" if lost else "")
        )
    return kept, dropped


def padding_waste(batches: Sequence[Batch] | InstructionLoader) -> float:
    """The share of padding in the padded rows of these batches, 0 … 1.

    A row is counted with its end of text, as substep 2.3 pads it: length + 1 columns. In packed
    rows, whose end-of-text tokens are inputs too, the columns are counted as they are. The share is
    0 where there are no batches.
    """
    cells = padding = 0
    for batch in batches:
        of_batch, of_padding = count_cells(batch)
        cells += of_batch
        padding += of_padding
    return padding / cells if cells else 0.0


def count_cells(batch: Batch) -> tuple[int, int]:
    """A batch's number of cells, and how many of them are padding; see ``padding_waste``."""
    rows, length = batch.inputs.shape
    if batch.segments is not None:
        return rows * length, int((batch.segments == 0).sum())
    return rows * (length + 1), rows * length - int(batch.lengths.sum())


def response_batches(
    data: InstructionLoader | InstructionDataset,
    batch_size: int = 16,
    allowed_max_length: int | None = None,
) -> list[Batch]:
    """Batches in which only the response and its end of text are live, similar lengths together.

    A loader's own mask does not matter; its cutting and its shared prefix are kept. Entries whose
    response is cut off entirely are left out.
    """
    if isinstance(data, InstructionDataset):
        collator = make_collator(data.tokenizer, {"allowed_max_length": allowed_max_length})
    else:
        collator = replace(data.collator, pad_to=None)
    collator = replace(collator, instruction_mask="prompt", prompt_loss_weight=None)
    kept = [example for example in data.examples if not collator.loses_response(example)]
    kept.sort(key=lambda example: len(example.token_ids))
    shares = isinstance(data, InstructionLoader) and isinstance(
        data.collate_fn, PrefixSharingCollator
    )
    collate = PrefixSharingCollator(collator) if shares else collator
    return [collate(kept[start : start + batch_size]) for start in range(0, len(kept), batch_size)]
