"""Generating text: how a model continues prompts and answers entries. Taught in lesson 09.

Text becomes token ids here, and new token ids become text; ``decoding`` makes the new ones and says
what it asks of a model, ``sampling`` chooses each of them.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lessons_lib.data import (
    Entry,
    PromptFormat,
    Tokenizer,
    end_of_text_of,
    get_prompt_format,
    text_ids,
    tokenizer_of,
)
from lessons_lib.generation.decoding import OnToken, continue_rows, start_rows
from lessons_lib.generation.text_stream import TextStream, cut_at
from lessons_lib.models import LanguageModel
from lessons_lib.support.reply_options import ReplyOptions


@dataclass(frozen=True)
class Generated:
    """How a model continued one prompt; the prompt itself is not repeated."""

    text: str
    token_ids: list[int]  # the new ones, end of text not among them
    stopped: bool  # by itself: False where the limit or the context's end cut it off


def generate_all(
    model: LanguageModel,
    prompts: Sequence[str | list[int]],
    *,
    tokenizer: Tokenizer | None = None,
    max_new_tokens: int = 64,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
    batch_size: int = 32,
    end_of_text_id: int | None = None,
    use_cache: bool = True,
    on_token: OnToken | None = None,
) -> list[Generated]:
    """How the model continues each prompt, in the prompts' order.

    A prompt is a text, or token ids where special tokens stand in it.
    ``tokenizer``, ``end_of_text_id``: the model's own, if not given.
    ``temperature``, ``top_k``, ``top_p``: see ``ReplyOptions``; 0 takes the likeliest token.
    ``seed``: the same seed gives the same texts, whatever the batch size; None gives new ones.
    ``stop``: texts that end an answer as end of text does; they are cut off from ``text``.
    ``batch_size``: so many prompts are continued at once; a row that ended leaves its batch.
    ``use_cache``: keep keys and values of earlier tokens, where the model can; same texts, faster.
    ``on_token(index, token_id)``: called for each new token of prompt ``index`` as it is chosen.

    The model runs where it is, in evaluation mode, and is left in the mode in which it came. A
    shrunk run (``LESSONS_LIB_QUICK``) writes ten tokens at most.

    Raises:
        ValueError: a prompt is empty or fills the model's context, or an option is out of range.
        TypeError: one text was given instead of a list of texts, or an option is of another kind.
    """
    if isinstance(prompts, str):
        raise TypeError("prompts is a list of texts; put the one prompt into [ ]")
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, not {batch_size}")
    options = ReplyOptions(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        max_new_tokens=max_new_tokens,
        seed=seed,
        stop=stop,
    ).shrunk_if_quick()
    tokenizer = tokenizer or tokenizer_of(model)
    if end_of_text_id is None:
        end_of_text_id = end_of_text_of(tokenizer)
    token_ids = [
        text_ids(prompt, tokenizer) if isinstance(prompt, str) else list(prompt)
        for prompt in prompts
    ]
    rows = start_rows(model, token_ids, options)
    by_length = sorted(rows, key=lambda row: -row.prompt_length)  # little padding in each batch
    ends = TextStream(tokenizer, options.stop).ends
    for first in range(0, len(rows), batch_size):
        batch = by_length[first : first + batch_size]
        continue_rows(model, batch, options, end_of_text_id, use_cache, ends, on_token)
    return [
        Generated(cut_at(tokenizer.decode(row.new), options.stop)[0], row.new, row.stopped)
        for row in rows
    ]


def generate(model: LanguageModel, prompts: Sequence[str | list[int]], **options) -> list[str]:
    """How the model continues each prompt, as texts; options and errors as ``generate_all``."""
    return [generated.text for generated in generate_all(model, prompts, **options)]


# So that help() and the notebook's Shift-Tab list the options by name.
generate.__signature__ = inspect.signature(generate_all).replace(return_annotation=list[str])


def generate_responses(
    model: LanguageModel,
    entries: Sequence[Entry],
    prompt_format: str | PromptFormat = "alpaca",
    **options,
) -> list[Generated]:
    """The model's answers to entries, and whether each stopped by itself.

    An entry's output is not looked at. ``options`` are those of ``generate``. The format's closing
    tag, if there is one, and white space around the answer are taken off the texts.
    """
    prompt_format = get_prompt_format(prompt_format)
    prompts = [prompt_format.prompt(entry) for entry in entries]
    return [
        replace(answer, text=answer.text.removesuffix(prompt_format.response_end).strip())
        for answer in generate_all(model, prompts, **options)
    ]


def respond_all(
    model: LanguageModel,
    entries: Sequence[Entry],
    prompt_format: str | PromptFormat = "alpaca",
    **options,
) -> list[str]:
    """The model's answers to entries, as texts; see ``generate_responses``."""
    return [answer.text for answer in generate_responses(model, entries, prompt_format, **options)]


def respond(
    model: LanguageModel,
    entry: Entry,
    prompt_format: str | PromptFormat = "alpaca",
    **options,
) -> str:
    """The model's answer to one entry, as a text; see ``generate_responses``."""
    return respond_all(model, [entry], prompt_format, **options)[0]
