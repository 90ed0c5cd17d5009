"""From token ids to more token ids: the loop below text. Taught in lesson 09.

Knows a model as a ``LanguageModel``, and uses a key-value cache where the model ``caches``.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lessons_lib.batching import Batch
from lessons_lib.generation.sampling import choose_tokens, row_generators
from lessons_lib.models import KeyValueCache, LanguageModel
from lessons_lib.models.protocol import traits_of
from lessons_lib.support.devices import device_of
from lessons_lib.support.reply_options import ReplyOptions

OnToken = Callable[[int, int], None]  # (index of the prompt, token id)
WORTH_SHARING = 8  # tokens; for fewer, another pass through the model costs more than it saves
READ_AT_ONCE = 16  # prompts: those of similar length, so that little padding is read
ROOM = 256  # new tokens for which the cache has room at once; it grows where answers are longer


@dataclass
class GrowingRow:
    """The token ids of one prompt, and of what is written after it."""

    index: int  # of the prompt
    token_ids: list[int]  # the prompt's, then the new ones
    prompt_length: int
    limit: int  # how many token ids it may have, the prompt's included
    generator: torch.Generator
    stopped: bool = False  # by itself

    @property
    def new(self) -> list[int]:
        return self.token_ids[self.prompt_length :]

    @property
    def finished(self) -> bool:
        return self.stopped or len(self.token_ids) >= self.limit


def next_logits(
    model: LanguageModel, rows: Sequence[Sequence[int]], kv_cache: KeyValueCache | None = None
) -> Tensor:
    """Logits of the token after each row of token ids, (rows, vocabulary), float32.

    Only what the cache does not hold yet is read; afterwards it holds the rows whole. Tokens that
    are never to be generated have logit -∞.
    """
    read = [0] * len(rows) if kv_cache is None else kv_cache.lengths
    unread = [row[start:] for row, start in zip(rows, read, strict=True)]
    hidden = _read(model, unread, kv_cache)  # (rows, longest, width)
    last = [len(row) - 1 for row in unread]
    logits = model.head(hidden[list(range(len(rows))), last]).float()  # (rows, vocabulary)
    never = traits_of(model).never_generate
    return logits if never is None else logits.masked_fill(never.to(logits.device), -torch.inf)


def start_rows(
    model: LanguageModel,
    prompts: Sequence[Sequence[int]],
    options: ReplyOptions,
    skip_too_long: bool = False,
) -> list[GrowingRow]:
    """A row for each prompt's token ids, which stay as they are.

    ``skip_too_long``: a prompt that fills the model's context has no row; the others have the rows
    that they would have beside it.

    Raises:
        ValueError: a prompt is empty, or some fill the model's context; names them all.
    """
    if not all(prompts):
        raise ValueError("the prompt is empty: there is nothing to go on from")
    fits = [len(prompt) < model.context_length for prompt in prompts]
    if not all(fits) and not skip_too_long:
        raise ValueError(_too_long(prompts, model.context_length))
    return [
        GrowingRow(
            index=index,
            token_ids=list(prompt),
            prompt_length=len(prompt),
            limit=min(len(prompt) + options.max_new_tokens, model.context_length),
            generator=generator,
        )
        for index, (prompt, generator) in enumerate(
            zip(prompts, row_generators(options.seed, len(prompts)), strict=True)
        )
        if fits[index]
    ]


def _too_long(prompts: Sequence[Sequence[int]], limit: int) -> str:
    """That these prompts leave no room for an answer: each by its index, if there are several."""
    no_room = f"this model reads {limit} at most, so there is no room for an answer"
    if len(prompts) == 1:
        return f"the prompt has {len(prompts[0])} tokens; {no_room}"
    counts = [
        f"prompt {index} has {len(prompt)} tokens"
        for index, prompt in enumerate(prompts)
        if len(prompt) >= limit
    ]
    return f'{", ".join(counts)}; {no_room}: leave them out, or pass on_too_long="skip"'


def continue_rows(*arguments, **options) -> None:
    """Append to all rows at once until each is finished; takes what ``step_rows`` takes."""
    for _ in step_rows(*arguments, **options):
        pass


@torch.no_grad()
def step_rows(
    model: LanguageModel,
    rows: Sequence[GrowingRow],
    options: ReplyOptions,
    end_of_text_id: int,
    use_cache: bool = True,
    ends: Callable[[list[int]], bool] = lambda token_ids: False,
    on_token: OnToken | None = None,
) -> Iterator[None]:
    """Append a token to each row at every step; a row that is finished leaves.

    A row stops at end of text, which is not appended, or where ``ends`` says so of its new tokens.
    Whoever iterates may look at the rows between steps, and close the iterator to end early.
    """
    training = model.training  # put back at the end; the decorator sees to gradients at each step
    model.eval()
    live = [row for row in rows if not row.finished]
    kv_cache = None
    try:
        if live and use_cache and traits_of(model).caches:
            room = max(min(row.limit, row.prompt_length + ROOM) for row in live)
            kv_cache = _begin_kv_cache(model, [row.token_ids for row in live], room)
        while live:
            logits = next_logits(model, [row.token_ids for row in live], kv_cache)
            chosen = choose_tokens(logits, options, [row.generator for row in live])
            for row, token_id in zip(live, chosen, strict=True):
                row.stopped = token_id == end_of_text_id
                if row.stopped:
                    continue
                row.token_ids.append(token_id)
                row.stopped = ends(row.new)
                if on_token is not None:
                    on_token(row.index, token_id)
            if any(row.finished for row in live):
                kept = _closed_up([not row.finished for row in live])
                live = [live[index] for index in kept]
                if kv_cache is not None:
                    kv_cache.keep(kept)
            yield
    finally:
        model.train(training)


def _begin_kv_cache(model: LanguageModel, rows: list[list[int]], room: int) -> KeyValueCache:
    """A cache that holds each row but its last token, from which the next one is predicted.

    The start that all rows share is read once for all of them. Where they share none, the cache is
    empty, and the rows are read whole.
    """
    shared = min(len(os.path.commonprefix(rows)), min(map(len, rows)) - 1)
    if len(rows) == 1 or shared < WORTH_SHARING:
        return KeyValueCache(len(rows), room)
    kv_cache = KeyValueCache(1, room)
    _read(model, [rows[0][:shared]], kv_cache)
    kv_cache.keep([0] * len(rows))
    for first in range(0, len(rows), READ_AT_ONCE):
        unread = [row[shared:-1] for row in rows[first : first + READ_AT_ONCE]]
        if any(unread):
            with kv_cache.window(first, first + len(unread), max(map(len, rows))) as part:
                _read(model, unread, part)
    return kv_cache


def _read(
    model: LanguageModel, unread: Sequence[Sequence[int]], kv_cache: KeyValueCache | None
) -> Tensor:
    """Vectors of these tokens, (rows, longest, width), read after those that the cache holds."""
    longest = max(map(len, unread))
    # Padding comes last, where no token looks at it. Any id that the model knows would do.
    known = next(row for row in unread if row)[-1:]
    padded = [[*row, *known * (longest - len(row))] for row in unread]
    batch = Batch(torch.tensor(padded)).to(device_of(model))  # (rows, longest)
    if kv_cache is None:
        return model.hidden(batch)
    ends = [start + len(row) for start, row in zip(kv_cache.lengths, unread, strict=True)]
    hidden = model.hidden(batch, cache=kv_cache)
    kv_cache.trim(ends)
    return hidden


def _closed_up(stays: list[bool]) -> list[int]:
    """The indices that stay; the last fill the gaps before them, so that few rows are moved."""
    indices = [index for index, stay in enumerate(stays) if stay]
    behind = [index for index in indices if index >= len(indices)]
    return [index if stays[index] else behind.pop() for index in range(len(indices))]
