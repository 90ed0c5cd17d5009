"""Generating text: the likeliest token, again and again, until end of text. Taught in lesson 09.

Knows a model only by ``hidden``, ``head`` and ``context_length``.
"""

from collections.abc import Sequence

import torch
from torch import nn

from lessons_lib.batching import Batch, tokenize
from lessons_lib.prompts import PromptFormat, get_prompt_format
from lessons_lib.reading import Entry
from lessons_lib.tokenizer import END_OF_TEXT, Tokenizer, get_tokenizer


@torch.no_grad()
def generate_tokens(
    model: nn.Module,
    token_ids: Sequence[int],
    max_new_tokens: int = 64,
    end_of_text_id: int = END_OF_TEXT,
) -> list[int]:
    """The likeliest next token, appended until end of text, the limit or the context's end.

    Only the new token ids are returned, end of text not among them. The model is left in the mode
    in which it came.

    Raises:
        ValueError: there are no token ids to go on from, or they fill the model's context.
    """
    if not token_ids:
        raise ValueError("the prompt is empty: there is nothing to go on from")
    room = model.context_length - len(token_ids)
    if room < 1:
        raise ValueError(
            f"the prompt has {len(token_ids)} tokens; this model reads {model.context_length} "
            "at most, so there is no room for an answer"
        )
    training = model.training
    model.eval()
    device = next(model.parameters()).device
    new: list[int] = []
    try:
        for _ in range(min(max_new_tokens, room)):
            inputs = torch.tensor([[*token_ids, *new]], device=device)  # (1, length)
            hidden = model.hidden(Batch(inputs))[0, -1]  # (width,): what the last position knows
            token = int(model.head(hidden).argmax())
            if token == end_of_text_id:
                break
            new.append(token)
    finally:
        model.train(training)
    return new


def generate(
    model: nn.Module,
    prompts: Sequence[str],
    *,
    tokenizer: Tokenizer | None = None,
    max_new_tokens: int = 64,
    end_of_text_id: int = END_OF_TEXT,
) -> list[str]:
    """How the model continues each prompt; the prompts themselves are not repeated.

    Raises:
        ValueError: a prompt is empty or fills the model's context.
        TypeError: one text was given instead of a list of texts.
    """
    if isinstance(prompts, str):
        raise TypeError("prompts is a list of texts; put the one prompt into [ ]")
    tokenizer = tokenizer or get_tokenizer()
    return [
        tokenizer.decode(
            generate_tokens(model, tokenize(prompt, tokenizer), max_new_tokens, end_of_text_id)
        )
        for prompt in prompts
    ]


def respond(
    model: nn.Module,
    entry: Entry,
    prompt_format: str | PromptFormat = "alpaca",
    **options,
) -> str:
    """The model's answer to an entry's instruction and input; its output is not looked at.

    ``options`` are those of ``generate``.
    """
    prompt_format = get_prompt_format(prompt_format)
    answer = generate(model, [prompt_format.prompt(entry)], **options)[0]
    return answer.removesuffix(prompt_format.response_end).strip()
