"""Our training step with and without each of its levers, as ``benchmarks.race`` times it."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks import peers
from lessons_lib.batching import Batch, InstructionCollator, InstructionDataset, share_prefix
from lessons_lib.batching.packing import PackingCollator
from lessons_lib.data import Entry
from lessons_lib.levers import attention
from lessons_lib.models import GPT, LanguageModel
from lessons_lib.training import batch_loss, make_optimizer, optimizer
from lessons_lib.training.losses import live_mask
from lessons_lib.training.optimizer import input_tokens, optimizer_step


class Levers(NamedTuple):
    """What makes our step fast, each on or off."""

    head_skip: bool = False
    fused: bool = False
    kept_memory: bool = False
    buckets: bool = False
    share_prefix: bool = False
    last_block: bool = False
    single_rows: bool = False
    packed: bool = False
    bf16: bool = False
    products: bool = False
    copies: bool = False


STEADY = Levers(True, True, True)
BUCKETS = STEADY._replace(buckets=True)
SHARED = BUCKETS._replace(share_prefix=True)
BEST = SHARED._replace(last_block=True, single_rows=True)
HALF = BEST._replace(bf16=True)
OURS = {
    "ours, plain": Levers(),
    "+ head where a target counts": Levers(True),
    "+ fused AdamW": Levers(True, True),
    "+ freed memory kept": STEADY,
    "+ buckets": BUCKETS,
    "+ prompt's start once": SHARED,
    "+ last block where a target counts": SHARED._replace(last_block=True),
    "+ look-ups add to single rows": BEST,
    "packed instead of buckets, start": BEST._replace(
        buckets=False, share_prefix=False, packed=True
    ),
    "+ bfloat16, by autocast": HALF,
    "+ attention by products": HALF._replace(products=True),
    "+ working copies": HALF._replace(products=True, copies=True),
}


class Ours:
    """Our training step with some of the levers; the race lets all of these share one model."""

    def __init__(self, model: GPT, entries: Sequence[Entry], levers: Levers):
        self.model, self.levers = model.train(), levers
        self.examples = InstructionDataset(entries).examples
        self.collate = InstructionCollator("prompt")
        self.precision = "bf16" if levers.bf16 else "float32"
        self.optimizer = make_optimizer(
            model,
            peers.LEARNING_RATE,
            peers.WEIGHT_DECAY,
            self.precision if levers.copies else "float32",
        )
        if not levers.fused:
            groups = [
                {key: group[key] for key in ("params", "lr", "weight_decay")}
                for group in self.optimizer.param_groups
            ]
            self.optimizer = torch.optim.AdamW(groups)

    def batch(self, indices: Sequence[int]) -> Batch:
        examples = [self.examples[i] for i in indices]
        if self.levers.packed:
            length = sum(len(example.token_ids) + 1 for example in examples)
            inner = InstructionCollator("prompt", allowed_max_length=length - 1)
            return PackingCollator(inner, length)([examples])
        batch = self.collate(examples)
        return share_prefix(batch) if self.levers.share_prefix else batch

    def loss(self, indices: Sequence[int]) -> Tensor:
        if self.levers.head_skip:
            with self.without_some():
                return batch_loss(self.model, self.batch(indices))
        batch = self.batch(indices)
        logits = self.model(batch.inputs)  # (batch, length, vocabulary)
        return F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())

    def step(self, indices: Sequence[int]) -> float:
        if self.levers.head_skip:
            batches = [self.batch(indices)]
            with self.without_some():
                return optimizer_step(
                    self.model, self.optimizer, batches, precision=self.precision
                ).loss
        self.optimizer.zero_grad()
        loss = self.loss(indices)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()

    @contextlib.contextmanager
    def without_some(self) -> Iterator[None]:
        """While this holds, those levers are off that the library has no switch for."""
        with contextlib.ExitStack() as off:
            if not self.levers.last_block:
                off.enter_context(patch.object(GPT, "hidden_where", LanguageModel.hidden_where))
            if not self.levers.single_rows:
                off.enter_context(patch.object(optimizer, "_embeddings", lambda model: []))
            if not self.levers.products:
                off.enter_context(patch.object(attention, "SHORT", 0))
            yield

    def flops(self, indices: Sequence[int]) -> float:
        """Multiplications and additions of a step in matrix products, forward and backward."""
        batch, config = self.batch(indices), self.model.config
        tokens = batch.inputs.numel() if batch.segments is not None else input_tokens(batch)
        live = int(live_mask(batch).sum())
        # A block's matrices have 3 · width² weights before attention and 9 · width² after it.
        blocks = config.layers * tokens * 12 * config.width**2
        if self.levers.last_block:
            blocks -= (tokens - live) * 9 * config.width**2
        lengths = [len(self.examples[i].token_ids) for i in indices]
        # On average a token looks at half of its text, once for its scores and once for the mix.
        attending = config.layers * sum(2 * length**2 / 2 * config.width for length in lengths)
        head = live * config.vocabulary_size * config.width
        # 2 for multiply and add; 3 because a backward pass costs as much as two forward passes.
        return 3 * 2 * (blocks + attending + head)
