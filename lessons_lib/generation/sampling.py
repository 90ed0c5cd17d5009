"""Choosing the next token from logits: the likeliest, or one drawn at random. Taught in lesson 09.

Knows nothing of models or text. Draws use random generators of their own, so PyTorch's global
random state is left alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen.

    ``temperature`` 0 takes the likeliest token, always (greedy). Above 0 a token is drawn from the
    softmax of logits / temperature; ``top_k`` then leaves the k likeliest tokens alone in the draw,
    and ``top_p`` the fewest likeliest ones that together reach that probability. With both, top-p
    looks at what top-k left.

    Raises:
        ValueError: a temperature below 0, ``top_k`` below 1, or ``top_p`` not in (0, 1].

    Source of top-p: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration".
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self):
        if not 0 <= self.temperature < math.inf:
            raise ValueError(f"temperature is 0 (greedy) or a number above, not {self.temperature}")
        if self.top_k is not None and (self.top_k != int(self.top_k) or self.top_k < 1):
            raise ValueError(f"top_k is a whole number of 1 or more, not {self.top_k}")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is a probability above 0 and up to 1, not {self.top_p}")

    @property
    def greedy(self) -> bool:
        """Whether nothing is left to chance."""
        return self.temperature == 0


def token_probabilities(logits: Tensor, sampling: Sampling) -> Tensor:
    """The probabilities that tokens are drawn with, (…, vocabulary), float64 on the CPU.

    Among equally likely tokens, top-k and top-p keep those with lower token ids.
    """
    logits = logits.cpu().double()  # the same draws on every device, some of which lack float64
    if sampling.greedy:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
    # The softmax does not mind the subtraction, and no small temperature can overflow after it.
    logits = (logits - logits.amax(-1, keepdim=True)) / sampling.temperature
    probabilities = logits.softmax(-1)
    if sampling.top_k is None and sampling.top_p in (None, 1):
        return probabilities
    ranked, tokens = probabilities.sort(dim=-1, descending=True, stable=True)  # (…, vocabulary)
    if sampling.top_k is not None:
        ranked[..., int(sampling.top_k) :] = 0
        ranked = ranked / ranked.sum(-1, keepdim=True)
    if sampling.top_p not in (None, 1):
        likelier = ranked.cumsum(-1).roll(1, dims=-1)  # what the likelier tokens have together
        likelier[..., 0] = 0
        ranked = ranked.masked_fill(likelier >= sampling.top_p, 0)
        ranked = ranked / ranked.sum(-1, keepdim=True)
    return torch.zeros_like(ranked).scatter(-1, tokens, ranked)


def choose_tokens(
    logits: Tensor, sampling: Sampling, generators: Sequence[torch.Generator]
) -> list[int]:
    """A token for each row of logits (rows, vocabulary); row i draws from ``generators[i]``.

    A greedy choice draws nothing.

    Raises:
        ValueError: a logit is NaN or infinite, as in a model whose training diverged.
    """
    # A single -∞ is in order, it forbids a token; the largest must be a number.
    if not logits.amax(-1).isfinite().all():
        raise ValueError(
            "the model's logits are not finite numbers, so no token can be chosen; "
            "its training probably diverged: try a smaller learning rate"
        )
    if sampling.greedy:
        return logits.argmax(-1).tolist()
    cumulative = token_probabilities(logits, sampling).cumsum(-1)  # (rows, vocabulary)
    draws = [torch.rand(1, generator=each, dtype=torch.float64) for each in generators]
    # A number between 0 and the total falls into some token's part of it: (rows, 1). Each row has
    # its own number, so it does not matter which other rows there are.
    points = torch.stack(draws) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, points, right=True)[:, 0].tolist()


def row_generators(seed: int | None, rows: int) -> list[torch.Generator]:
    """A random generator for each row. Row i's depends on the seed and on i, and on nothing else.

    ``seed=None`` gives other ones at every call.
    """
    source = torch.Generator()
    if seed is None:
        source.seed()
    else:
        source.manual_seed(seed)
    # A seed is drawn for each row: with seed + i, row 1 of seed 0 would equal row 0 of seed 1.
    seeds = [int(torch.randint(2**63 - 1, (), generator=source)) for _ in range(rows)]
    return [torch.Generator().manual_seed(each) for each in seeds]
