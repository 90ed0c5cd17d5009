"""The instruction data set: substeps 2.1 and 2.2 for every entry, done once. Taught in lesson 03.

It also finds where each prompt ends, which the instruction mask needs later.
"""

import os
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from torch.utils.data import Dataset

from lessons_lib.batching.substeps import apply_template
from lessons_lib.data import (
    Entry,
    PromptFormat,
    Tokenizer,
    as_entries,
    get_prompt_format,
    text_ids,
)


class BoundaryWarning(UserWarning):
    """One token contains both the end of the prompt and the start of the response."""


class Example(NamedTuple):
    """An entry after substep 2.2, with what masking needs to know about it."""

    token_ids: list[int]  # the whole text, without end of text
    prompt_length: int  # tokens before the response, response header included
    header_start: int  # tokens before the response header
    index: int  # of the entry in its data set
    text: str = ""  # what 2.1 made; empty where only token ids were given


def make_example(
    entry: Entry,
    tokenizer: Tokenizer | None = None,
    prompt_format: str | PromptFormat = "alpaca",
    index: int = 0,
) -> Example:
    """Run substeps 2.1 and 2.2 on one entry, and find where its prompt ends in tokens.

    The prompt ends where its own tokens and the whole text's begin to differ, usually after the
    prompt's last token. A token that straddles the boundary counts as response, with a
    ``BoundaryWarning``. Tokens with which the tokenizer begins a text belong to the prompt.
    """
    prompt_format = get_prompt_format(prompt_format)
    text = apply_template(entry, prompt_format)
    token_ids = text_ids(text, tokenizer)
    prompt_ids = text_ids(prompt_format.prompt(entry), tokenizer)
    question_ids = text_ids(prompt_format.question(entry), tokenizer)
    prompt_length = common_prefix_length(prompt_ids, token_ids)
    if prompt_length < len(prompt_ids):
        warnings.warn(
            f"entry {index}: a token joins the end of the prompt and the start of the response; "
            f"it counts as response ({prompt_format.name} format)",
            BoundaryWarning,
            stacklevel=2,
        )
    header_start = min(common_prefix_length(question_ids, token_ids), prompt_length)
    return Example(token_ids, prompt_length, header_start, index, text)


def common_prefix_length(first: list[int], second: list[int]) -> int:
    """How many tokens two rows have in common at their start."""
    return len(os.path.commonprefix([first, second]))


class InstructionDataset(Dataset):
    """Entries after substeps 2.1 and 2.2, which are done once.

    An item is a list of token ids or, with ``as_examples=True``, an ``Example``, which also knows
    where the prompt ends. The default tokenizer is GPT-2's.

    Source: Raschka, "Build a Large Language Model (From Scratch)", listing 7.4.
    """

    def __init__(
        self,
        data: Sequence[Entry],
        tokenizer: Tokenizer | None = None,
        *,
        prompt_format: str | PromptFormat = "alpaca",
        as_examples: bool = False,
    ):
        self.data = data
        self.tokenizer = tokenizer
        self.as_examples = as_examples
        self.examples = [
            make_example(entry, tokenizer, prompt_format, index)
            for index, entry in enumerate(as_entries(data))
        ]

    def __getitem__(self, index: int) -> list[int] | Example:
        example = self.examples[index]
        return example if self.as_examples else example.token_ids

    def __len__(self) -> int:
        return len(self.examples)
