"""The five substeps from entries to batches, one pure function each. Taught in lessons 03 to 06.

2.1 ``apply_template``, 2.2 ``tokenize``, 2.3 ``pad``, 2.4 ``shift_targets``, 2.5 ``mask_padding``,
and the optional ``mask_instructions``. The data set, the collator and ``collate_steps`` all call
these functions; lessons import them from ``lessons_lib.batching``.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lessons_lib.data import (
    END_OF_TEXT,
    IGNORE_INDEX,
    Entry,
    PromptFormat,
    Tokenizer,
    get_prompt_format,
    plain_ids,
)


class BatchError(ValueError):
    """A batch cannot be made, or nothing could be learned from it; the message says why."""


def apply_template(entry: Entry, prompt_format: str | PromptFormat = "alpaca") -> str:
    """Substep 2.1: write the entry as one text, in the given prompt format."""
    return get_prompt_format(prompt_format).text(entry)


def tokenize(text: str, tokenizer: Tokenizer | None = None) -> list[int]:
    """Substep 2.2: turn one text into its token ids, with nothing added.

    The name of a special token is treated as ordinary text, because an entry is somebody's
    writing: "<|endoftext|>" in it becomes seven ordinary tokens, not 50256.
    """
    return plain_ids(text, tokenizer)


def pad(
    rows: Sequence[list[int]],
    pad_token_id: int = END_OF_TEXT,
    end_of_text_id: int = END_OF_TEXT,
    allowed_max_length: int | None = None,
    pad_to: int | None = None,
) -> Tensor:
    """Substep 2.3: end each row with end of text, then pad all rows to one length.

    The result is int64 of shape (batch, length + 1), because inputs and targets are both cut from
    it. ``length`` is the longest row's, or ``pad_to`` if given. A row longer than
    ``allowed_max_length`` is cut to that many inputs; it gets no end of text, because the model
    must not learn to stop where the text was merely cut.

    Raises:
        BatchError: no rows, a length below 1, or a row longer than ``pad_to``.
    """
    if not rows:
        raise BatchError("a batch needs at least one row")
    for name, length in (("allowed_max_length", allowed_max_length), ("pad_to", pad_to)):
        if length is not None and length < 1:
            raise BatchError(f"{name} must be 1 or more, not {length}")
    keep = None if allowed_max_length is None else allowed_max_length + 1
    ended = [[*row, end_of_text_id][:keep] for row in rows]
    longest = max(map(len, ended))
    width = longest if pad_to is None else pad_to + 1
    if longest > width:
        raise BatchError(
            f"the longest row has {longest - 1} tokens, pad_to={pad_to} is shorter; "
            f"set allowed_max_length={pad_to} as well to cut such rows"
        )
    return torch.tensor([row + [pad_token_id] * (width - len(row)) for row in ended])


def shift_targets(padded: Tensor) -> tuple[Tensor, Tensor]:
    """Substep 2.4: cut padded rows (batch, length + 1) into inputs and targets (batch, length).

    ``targets[:, t]`` is ``inputs[:, t + 1]``: the contents move one place to the left.
    """
    return padded[:, :-1], padded[:, 1:].clone()


def mask_padding(
    targets: Tensor, lengths: Sequence[int], ignore_index: int = IGNORE_INDEX
) -> Tensor:
    """Substep 2.5: replace padding by ``ignore_index``; the first end of text stays.

    ``lengths`` are the rows' token counts without end of text. Row i predicts its tokens 1 … n-1
    and then end of text: n live targets. Padding is found by these lengths, not by its value, so
    an end-of-text id inside a text stays a target.
    """
    columns = torch.arange(targets.shape[1])  # (length,)
    beyond = columns >= torch.tensor(lengths)[:, None]  # (batch, length)
    return targets.masked_fill(beyond, ignore_index)


def mask_instructions(
    targets: Tensor, prompt_lengths: Sequence[int], ignore_index: int = IGNORE_INDEX
) -> Tensor:
    """The optional sixth substep: replace targets of the prompt by ``ignore_index``.

    The tokens of a prompt, p in number, are the targets of the first p - 1 positions (nothing
    predicts the first token). The p-th position reads the prompt's last token; its target, the
    first token of the response, stays.
    """
    return targets.masked_fill(prompt_targets(targets, prompt_lengths), ignore_index)


def prompt_targets(targets: Tensor, prompt_lengths: Sequence[int]) -> Tensor:
    """True where a target (batch, length) is a token of the prompt."""
    columns = torch.arange(targets.shape[1])  # (length,)
    return columns < torch.tensor(prompt_lengths)[:, None] - 1  # (batch, length)
