"""Choosing the next token from logits: the likeliest, or one drawn at random. Taught in lesson 08.

Knows nothing of models or text. Draws use random generators of their own, so PyTorch's global
random state is left alone.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lessons_lib.support.reply_options import ReplyOptions


def token_probabilities(logits: Tensor, options: ReplyOptions) -> Tensor:
    """The probabilities with which tokens are drawn, (…, vocabulary), float64 on the CPU.

    ``options`` says how: see ``ReplyOptions`` for temperature, top-k and top-p.
    Among equally likely tokens, top-k and top-p keep those with lower token ids.
    """
    logits = logits.cpu().double()  # the same draws on every device, some of which lack float64
    if options.greedy:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
    # The softmax does not mind the subtraction, and no small temperature can overflow after it.
    logits = (logits - logits.amax(-1, keepdim=True)) / options.temperature
    probabilities = logits.softmax(-1)
    if options.top_k is None and options.top_p in (None, 1):
        return probabilities
    ranked, tokens = probabilities.sort(dim=-1, descending=True, stable=True)  # (…, vocabulary)
    if options.top_k is not None:
        ranked[..., options.top_k :] = 0
        ranked = ranked / ranked.sum(-1, keepdim=True)
    if options.top_p not in (None, 1):
        likelier = ranked.cumsum(-1).roll(1, dims=-1)  # the sum over the tokens before it
        likelier[..., 0] = 0
        ranked = ranked.masked_fill(likelier >= options.top_p, 0)
        ranked = ranked / ranked.sum(-1, keepdim=True)
    return torch.zeros_like(ranked).scatter(-1, tokens, ranked)


def choose_tokens(
    logits: Tensor, options: ReplyOptions, generators: Sequence[torch.Generator]
) -> list[int]:
    """A token for each row of logits (rows, vocabulary); row i draws from ``generators[i]``.

    A greedy choice leaves the generators alone.

    Raises:
        ValueError: a logit is NaN or infinite, as in a model whose training diverged.
    """
    # Some logits may be -∞, which forbids a token; the largest must be a number.
    if not logits.amax(-1).isfinite().all():
        raise ValueError(
            "the model's logits are not finite numbers, so no token can be chosen; "
            "its training probably diverged: try a smaller learning rate"
        )
    if options.greedy:
        return logits.argmax(-1).tolist()
    cumulative = token_probabilities(logits, options).cumsum(-1)  # (rows, vocabulary)
    draws = [torch.rand(1, generator=each, dtype=torch.float64) for each in generators]
    # A number between 0 and the total falls into one token's part of it. Each row has its own
    # number, so it does not matter which other rows there are.
    points = torch.stack(draws) * cumulative[:, -1:]  # (rows, 1)
    return torch.searchsorted(cumulative, points, right=True)[:, 0].tolist()


def row_generators(seed: int | None, rows: int) -> list[torch.Generator]:
    """A random generator for each row, which depends on the seed and on the row's index alone.

    ``seed=None`` gives different ones at every call.
    """
    source = torch.Generator()
    if seed is None:
        source.seed()
    else:
        source.manual_seed(seed)
    # A seed is drawn for each row: with seed + i, row 1 of seed 0 would equal row 0 of seed 1.
    seeds = [int(torch.randint(2**63 - 1, (), generator=source)) for _ in range(rows)]
    return [torch.Generator().manual_seed(each) for each in seeds]
