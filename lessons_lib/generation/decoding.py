"""From token ids to more token ids: the loop below text. Taught in lesson 09.

Knows a model only by ``hidden``, ``head`` and ``context_length``. Two things are used where a model
has them: a key-value cache (``hidden(batch, cache)``), and ``never_generate``, a bool tensor
(vocabulary,) that marks tokens which are never to be chosen.
"""

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lessons_lib.batching import Batch
from lessons_lib.generation.sampling import Sampling, choose_tokens, row_generators
from lessons_lib.models import KeyValueCache
from lessons_lib.support import is_quick
from lessons_lib.support.quick_run import QUICK_TOKENS

OnToken = Callable[[int, int], None]  # (index of the prompt, token id)
WORTH_SHARING = 8  # tokens; for fewer, another pass through the model costs more than it saves


@dataclass
class Row:
    """One prompt that is being continued."""

    index: int  # which prompt it is
    tokens: list[int]  # the prompt's, then the new ones
    prompt_length: int
    limit: int  # how many tokens it may have, prompt included
    generator: torch.Generator
    stopped: bool = False

    @property
    def new(self) -> list[int]:
        return self.tokens[self.prompt_length :]


def next_logits(
    model: nn.Module, rows: Sequence[Sequence[int]], cache: KeyValueCache | None = None
) -> Tensor:
    """Logits of the token after each row of token ids, (rows, vocabulary), float32.

    What the cache holds of the rows is not read again; afterwards it holds all of them. Tokens
    that are never to be generated have logit -∞.
    """
    read = [0] * len(rows) if cache is None else cache.lengths
    unread = [row[start:] for row, start in zip(rows, read, strict=True)]
    lengths = [len(row) for row in unread]
    longest = max(lengths)
    # Padding comes last, where no token looks at it. Any id would do; a row's own is surely known.
    padded = [[*row, *row[-1:] * (longest - len(row))] for row in unread]
    batch = Batch(torch.tensor(padded)).to(_device(model))  # (rows, longest)
    if cache is None:
        hidden = model.hidden(batch)  # (rows, longest, width)
    else:
        hidden = model.hidden(batch, cache=cache)
        cache.trim(map(len, rows))
    last = [length - 1 for length in lengths]
    logits = model.head(hidden[list(range(len(rows))), last]).float()  # (rows, vocabulary)
    never = getattr(model, "never_generate", None)
    return logits if never is None else logits.masked_fill(never.to(logits.device), -torch.inf)


def start_rows(
    model: nn.Module, prompts: list[list[int]], max_new_tokens: int, seed: int | None
) -> list[Row]:
    """A row for each prompt's token ids; all are checked before the first token is generated."""
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, not {max_new_tokens}")
    if is_quick():
        max_new_tokens = min(max_new_tokens, QUICK_TOKENS)
    for prompt in prompts:
        if not prompt:
            raise ValueError("the prompt is empty: there is nothing to go on from")
        if len(prompt) >= model.context_length:
            raise ValueError(
                f"the prompt has {len(prompt)} tokens; this model reads {model.context_length} "
                "at most, so there is no room for an answer"
            )
    return [
        Row(
            index=index,
            tokens=list(prompt),
            prompt_length=len(prompt),
            limit=min(len(prompt) + max_new_tokens, model.context_length),
            generator=generator,
        )
        for index, (prompt, generator) in enumerate(
            zip(prompts, row_generators(seed, len(prompts)), strict=True)
        )
    ]


def continue_rows(*arguments, **options) -> None:
    """Append to all rows at once until each has stopped or is full; see ``step_rows``."""
    for _ in step_rows(*arguments, **options):
        pass


@torch.no_grad()
def step_rows(
    model: nn.Module,
    rows: list[Row],
    sampling: Sampling,
    end_of_text_id: int,
    use_cache: bool,
    ends: Callable[[list[int]], bool] = lambda token_ids: False,
    on_token: OnToken | None = None,
) -> Iterator[None]:
    """Append a token to each row at every step; a row that has stopped or is full leaves.

    Whoever iterates may look at the rows between steps, and close the iterator to end early.
    """
    training = model.training
    model.eval()
    live = [row for row in rows if len(row.tokens) < row.limit]
    cache = None
    try:
        if live and use_cache and _can_cache(model):
            cache = _begin_cache(model, [row.tokens for row in live])
        while live:
            logits = next_logits(model, [row.tokens for row in live], cache)
            tokens = choose_tokens(logits, sampling, [row.generator for row in live])
            for row, token in zip(live, tokens, strict=True):
                row.stopped = token == end_of_text_id
                if row.stopped:
                    continue
                row.tokens.append(token)
                row.stopped = ends(row.new)
                if on_token is not None:
                    on_token(row.index, token)
            stay = _closed_up([not row.stopped and len(row.tokens) < row.limit for row in live])
            if len(stay) < len(live):
                live = [live[place] for place in stay]
                if cache is not None:
                    cache.keep(stay)
            yield
    finally:
        model.train(training)


def _begin_cache(model: nn.Module, rows: list[list[int]]) -> KeyValueCache:
    """A cache for these rows that holds the start they all share, read once for all of them."""
    # Each row keeps a token to read, from which its next one is predicted.
    shared = min(len(os.path.commonprefix(rows)), min(map(len, rows)) - 1)
    if len(rows) == 1 or shared < WORTH_SHARING:
        return KeyValueCache(len(rows))
    cache = KeyValueCache(1)
    model.hidden(Batch(torch.tensor([rows[0][:shared]])).to(_device(model)), cache=cache)
    cache.keep([0] * len(rows))
    return cache


def _closed_up(stays: list[bool]) -> list[int]:
    """The places that stay; each gap is filled from the end, so that little need be moved."""
    places = [place for place, stay in enumerate(stays) if stay]
    behind = [place for place in places if place >= len(places)]
    return [place if stays[place] else behind.pop() for place in range(len(places))]


def _can_cache(model: nn.Module) -> bool:
    return "cache" in inspect.signature(model.hidden).parameters


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
