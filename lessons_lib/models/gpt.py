"""GPT-2's architecture, any size. Taught in lesson 08, trained in lesson 09.

This file knows nothing of data or text. Training and generation rely on two methods:
``hidden(batch)`` gives a vector for each position, ``head(hidden)`` gives logits for vectors.
``token_losses`` is a shorter way to a loss than all logits, for models that have one. Only
attention asks which text of a row a token belongs to, so it is given each text in a row of its own
(``TextLayout``), and no mask of length × length is needed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lessons_lib.batching import Batch
from lessons_lib.batching.batch import SHARED, refuse_beyond_context
from lessons_lib.data import VOCABULARY_SIZE
from lessons_lib.levers import attend
from lessons_lib.models.kv_cache import KeyValueCache, LayerCache
from lessons_lib.models.protocol import LanguageModel
from lessons_lib.models.vocabulary import CompactTokenEmbedding, TokenEmbedding


class TextLayout(NamedTuple):
    """Where the texts of some rows stand: their tokens in rows of their own, and back again.

    A text is made of its row's shared start, if there is one, and the tokens of its segment.
    """

    places: Tensor  # (texts, longest): which of the rows' batch · length tokens stands there
    back: Tensor  # (batch, length): which of the texts · longest tokens stands there

    @classmethod
    def of(cls, segments: Tensor) -> "TextLayout":
        """The layout of segments (batch, length).

        Raises:
            ValueError: shared tokens come after others of their row.
        """
        batch, length = segments.shape
        shared = segments == SHARED  # (batch, length)
        if (shared[:, 1:] & ~shared[:, :-1]).any():
            raise ValueError("shared tokens must stand at the start of their row")
        numbers = torch.arange(1, int(segments.amax()) + 1, device=segments.device)  # (most,)
        own = segments[:, None] == numbers[:, None]  # (batch, most, length)
        member = (own | shared[:, None])[own.any(2)]  # (texts, length)
        row = own.any(2).nonzero()[:, :1]  # (texts, 1)
        sizes = member.sum(1, keepdim=True)  # (texts, 1)
        # A text's tokens first, in their order. What is left fills its row to the right, where no
        # token looks: any will do.
        columns = member.int().argsort(dim=1, descending=True, stable=True)
        columns = columns[:, : int(sizes.amax())]  # (texts, longest)
        places = row * length + columns
        inside = torch.arange(places.shape[1], device=segments.device) < sizes  # (texts, longest)
        # Every text has a copy of a shared token; the first one stands for all. Padding gets token
        # 0's vector, which is a number and is looked at by nobody.
        copies = torch.arange(places.numel(), device=segments.device).view_as(places)
        back = torch.zeros(batch * length, dtype=torch.long, device=segments.device)
        back.scatter_reduce_(0, places[inside], copies[inside], "amin", include_self=False)
        return cls(places, back.view(batch, length))

    def apart(self, x: Tensor) -> Tensor:
        """Each text in its own row: (batch, length, n) to (texts, longest, n)."""
        # As a look-up, whose backward adds a shared token's gradients in the same order each time.
        return F.embedding(self.places, x.flatten(0, 1))

    def together(self, x: Tensor) -> Tensor:
        """Each token back in its place: (texts, longest, n) to (batch, length, n)."""
        return F.embedding(self.back, x.flatten(0, 1))


@dataclass(frozen=True)
class GPTConfig:
    """Sizes of a model. The defaults are those of GPT-2 small (124,439,808 parameters).

    Raises:
        ValueError: a size is no whole number of 1 or more, or the heads do not share the width.
    """

    vocabulary_size: int = VOCABULARY_SIZE
    context_length: int = 1024
    width: int = 768
    layers: int = 12
    heads: int = 12
    dropout: float = 0.0

    def __post_init__(self):
        for name in ("vocabulary_size", "context_length", "width", "layers", "heads"):
            size = vars(self)[name]
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise ValueError(f"{name} is a whole number of 1 or more, not {size!r:.40}")
        if not isinstance(self.dropout, int | float) or not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a share from 0 to below 1, not {self.dropout!r:.40}")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} cannot be shared among {self.heads} heads")


class SelfAttention(nn.Module):
    """Every position gathers from the positions before it, in several heads at once.

    ``wanted`` (batch, length) names the positions whose results are needed; all, if not given.
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.heads = config.heads
        self.dropout = config.dropout
        self.query_key_value = nn.Linear(config.width, 3 * config.width)
        self.output = nn.Linear(config.width, config.width)

    def forward(
        self,
        x: Tensor,
        cache: LayerCache | None = None,
        layout: TextLayout | None = None,
        wanted: Tensor | None = None,
    ) -> Tensor:
        x = self.query_key_value(x)  # (batch, length, 3 · width)
        if layout is not None:
            x = layout.apart(x)  # batch and length are now those of texts in rows of their own
        batch, length, width = x.shape[0], x.shape[1], x.shape[2] // 3
        # (batch, length, 3 · width) → three of (batch, heads, length, width / heads)
        query, key, value = (
            part.view(batch, length, self.heads, -1).transpose(1, 2)
            for part in x.split(width, dim=2)
        )
        # Padding lies to the right of every text, so a causal model never reads it: no mask needed,
        # except where a cache holds earlier tokens of rows that are not equally long.
        mask = None
        if cache is not None:
            key, value, mask = cache.extend(key, value)  # (batch, heads, slots, width / heads)
        mixed = attend(query, key, value, mask, self.dropout if self.training else 0.0)
        # (batch, heads, length, width / heads) → (batch, length, width)
        mixed = mixed.transpose(1, 2).reshape(batch, length, width)
        if layout is not None:
            mixed = layout.together(mixed)
        if wanted is not None:
            mixed = mixed[wanted]  # (n, width)
        return F.dropout(self.output(mixed), self.dropout, self.training)


class Block(nn.Module):
    """Attention, then a small network at each position; both add to what came in."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width)
        self.attention = SelfAttention(config)
        self.network_norm = nn.LayerNorm(config.width)
        self.network = nn.Sequential(
            nn.Linear(config.width, 4 * config.width),
            nn.GELU(approximate="tanh"),
            nn.Linear(4 * config.width, config.width),
            nn.Dropout(config.dropout),
        )

    def forward(
        self,
        x: Tensor,
        cache: LayerCache | None = None,
        layout: TextLayout | None = None,
        wanted: Tensor | None = None,
    ) -> Tensor:
        gathered = self.attention(self.attention_norm(x), cache, layout, wanted)
        x = (x if wanted is None else x[wanted]) + gathered  # (batch, length, width) or (n, width)
        return x + self.network(self.network_norm(x))


class GPT(LanguageModel):
    """GPT-2: embeddings, blocks, a final norm, and a head that shares the token embedding.

    With ``known_tokens`` only these token ids have a row of their own; see ``vocabulary``.
    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
    """

    reads_segments = caches = True

    def __init__(self, config: GPTConfig, known_tokens: Iterable[int] | None = None):
        super().__init__()
        self.config = config
        sizes = config.vocabulary_size, config.width
        self.token_embedding = (
            TokenEmbedding(*sizes)
            if known_tokens is None
            else CompactTokenEmbedding(known_tokens, *sizes)
        )
        self.position_embedding = nn.Embedding(config.context_length, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.final_norm = nn.LayerNorm(config.width)
        self.apply(self._initialize)

    def _initialize(self, module: nn.Module) -> None:
        """GPT-2's start: normal weights of deviation 0.02, smaller where a block adds up."""
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        if isinstance(module, Block):
            for result in (module.attention.output, module.network[2]):
                nn.init.normal_(result.weight, std=0.02 / (2 * self.config.layers) ** 0.5)

    @property
    def context_length(self) -> int:
        """How many tokens the model can read at most."""
        return self.config.context_length

    def hidden(self, batch: Batch, cache: KeyValueCache | None = None) -> Tensor:
        """A vector for each input token, (batch, length, width), from that token and those before.

        With ``segments`` a token reads its own text alone; padding's vectors mean nothing then.
        With a cache, the inputs are what comes after the tokens that it holds, and join them.

        Raises:
            ValueError: a text is longer than the context, or the cache has another number of rows,
                or there are segments and a cache.
        """
        if batch.segments is not None and cache is not None:
            raise ValueError("a cache keeps one text a row: rows with segments do not go with it")
        return self._read(batch, cache)

    def hidden_where(self, batch: Batch, wanted: Tensor) -> Tensor:
        """The vectors of ``hidden`` where ``wanted`` (batch, length) is True: (n, width).

        The last block gathers from all positions, and computes the rest for these alone.
        """
        if type(self).hidden is not GPT.hidden:  # a model derived from this one has its own way
            return super().hidden_where(batch, wanted)
        return self._read(batch, None, wanted)

    def _read(
        self, batch: Batch, cache: KeyValueCache | None, wanted: Tensor | None = None
    ) -> Tensor:
        refuse_beyond_context(batch, self.context_length, 0 if cache is None else cache.longest)
        counted = torch.arange(batch.inputs.shape[1], device=batch.inputs.device)  # (length,)
        if cache is not None:
            counted = cache.begin(batch.inputs)  # (batch, length): each row's own
        positions = counted if batch.positions is None else batch.positions
        # (batch, length, width) + (length, width) or (batch, length, width)
        x = self.token_embedding(batch.inputs) + self.position_embedding(positions)
        x = F.dropout(x, self.config.dropout, self.training)
        layout = None if batch.segments is None else TextLayout.of(batch.segments)
        for index, block in enumerate(self.blocks):
            here = wanted if index == self.config.layers - 1 else None
            x = block(x, None if cache is None else cache.layer(index), layout, here)
        if cache is not None:
            cache.finish()
        return self.final_norm(x)  # (batch, length, width) or (n, width)

    def head(self, hidden: Tensor) -> Tensor:
        """Logits over the vocabulary: (…, width) to (…, vocabulary)."""
        return self.token_embedding.logits(hidden)

    def token_losses(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy of each target, and whether it was the likeliest token.

        (n, width) and token ids (n,) to float32 (n,) and bool (n,).
        """
        return self.token_embedding.losses(hidden, targets)

    @property
    def never_generate(self) -> Tensor | None:
        """Which tokens are never to be generated, (vocabulary,) of bool; None where all may be."""
        return self.token_embedding.never_generate

    def add_tokens(self, token_ids: Iterable[int], start: str = "shared") -> int:
        """Give tokens a row of their own where they have none; returns how many were new.

        Nothing happens to a model that has a row for every token. See ``CompactTokenEmbedding``.
        """
        if isinstance(self.token_embedding, CompactTokenEmbedding):
            return self.token_embedding.add_tokens(token_ids, start)
        return 0


def count_parameters(model: nn.Module) -> int:
    """How many numbers the model learns; shared ones count once."""
    return sum(parameter.numel() for parameter in model.parameters())
