"""From entries to batches: the data set does substeps 2.1 and 2.2, the collator 2.3 to 2.5.

Taught in lessons 03 to 06. Data set and collator both call the functions of ``substeps``;
``collate_steps`` keeps what each of them made of one batch.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from lessons_lib.batching.batch import Batch
from lessons_lib.batching.dataset import Example, make_example
from lessons_lib.batching.substeps import (
    BatchError,
    mask_instructions,
    mask_padding,
    pad,
    prompt_targets,
    shift_targets,
)
from lessons_lib.data import END_OF_TEXT, IGNORE_INDEX, Entry, PromptFormat, Tokenizer, row_end_ids

InstructionMask = Literal["none", "keep-header", "prompt"]
INSTRUCTION_MASKS = ("none", "keep-header", "prompt")


@dataclass(frozen=True)
class BatchSteps:
    """What each substep made of one batch. ``batch`` is the result."""

    examples: list[Example]  # 2.1 and 2.2: .text and .token_ids of each
    padded: Tensor  # 2.3: (batch, length + 1)
    inputs: Tensor  # 2.4: (batch, length)
    shifted: Tensor  # 2.4: (batch, length), the targets before any masking
    padding_masked: Tensor  # 2.5: (batch, length)
    targets: Tensor  # (batch, length), after the instruction mask
    weights: Tensor | None  # (batch, length); None without a prompt-loss weight
    collator: "InstructionCollator"  # whose options made it
    entries: list[Entry] | None = None  # None where the collator was given only examples

    @property
    def texts(self) -> list[str]:
        """What 2.1 made: each row's text."""
        return [example.text for example in self.examples]

    @property
    def token_ids(self) -> list[list[int]]:
        """What 2.2 made: each row's token ids, nothing added or cut."""
        return [example.token_ids for example in self.examples]

    @property
    def prompt_lengths(self) -> list[int]:
        """The number of tokens in each row's prompt, response header included."""
        return [example.prompt_length for example in self.examples]

    @property
    def batch(self) -> Batch:
        return Batch(self.inputs, self.targets, self.weights)


@dataclass(frozen=True)
class InstructionCollator:
    """Turns examples into a ``Batch``; hand it to a ``DataLoader`` as ``collate_fn``.

    ``instruction_mask`` says what is learned: "none" (every token of the text), "prompt" (only the
    response and end of text) or "keep-header" (these and the response header, as in the book's
    exercise).
    ``prompt_loss_weight`` instead gives each of the prompt's targets this weight; 0 is the same as
    "prompt", 1 the same as "none".
    ``allowed_max_length``: longer rows are cut to this many inputs. ``pad_to``: a fixed length
    instead of the longest row's.

    Raises:
        ValueError: options that contradict each other, or a value that does not exist.
        BatchError (when called): nothing of a response is left after cutting, or plain lists of
            token ids were given where the prompt's length is needed.
    """

    instruction_mask: InstructionMask = "none"
    prompt_loss_weight: float | None = None
    allowed_max_length: int | None = None
    pad_to: int | None = None
    pad_token_id: int = END_OF_TEXT
    end_of_text_id: int = END_OF_TEXT

    def __post_init__(self):
        if self.instruction_mask not in INSTRUCTION_MASKS:
            known = ", ".join(map(repr, INSTRUCTION_MASKS))
            raise ValueError(f"instruction_mask is one of {known}, not {self.instruction_mask!r}")
        if self.prompt_loss_weight is None:
            return
        if self.instruction_mask != "none":
            raise ValueError(
                "prompt_loss_weight goes with instruction_mask='none' alone: "
                f"{self.instruction_mask!r} already decides what the prompt counts"
            )
        if not 0 <= self.prompt_loss_weight <= 1:
            raise ValueError(f"prompt_loss_weight is from 0 to 1, not {self.prompt_loss_weight}")

    def __call__(self, examples: Sequence[Example | list[int]]) -> Batch:
        return self.steps(examples).batch

    def steps(self, examples: Sequence[Example | list[int]]) -> BatchSteps:
        """Run substeps 2.3 to 2.5 and the instruction mask, and keep each result."""
        rows = [self._as_example(example) for example in examples]
        self._refuse_lost_responses(rows)
        padded = pad(
            [row.token_ids for row in rows],
            self.pad_token_id,
            self.end_of_text_id,
            self.allowed_max_length,
            self.pad_to,
        )
        inputs, shifted = shift_targets(padded)
        limit = self.allowed_max_length  # where pad_to is larger, a cut row is padded from here on
        lengths = [len(row.token_ids[:limit]) for row in rows]
        unpadded = mask_padding(shifted, lengths)
        targets, weights = unpadded, None
        if self.mask != "none":
            targets = mask_instructions(unpadded, [self.masked_length(row) for row in rows])
        elif self.prompt_loss_weight not in (None, 1):
            prompts = prompt_targets(unpadded, [row.prompt_length for row in rows])
            weights = (unpadded != IGNORE_INDEX).float()
            weights[prompts] *= self.prompt_loss_weight
        return BatchSteps(rows, padded, inputs, shifted, unpadded, targets, weights, self)

    @property
    def mask(self) -> InstructionMask:
        """The mask in effect; a prompt-loss weight of 0 masks the prompt."""
        return "prompt" if self.prompt_loss_weight == 0 else self.instruction_mask

    def masked_length(self, example: Example) -> int:
        """How many of an example's first tokens the mask removes from the targets."""
        lengths = {"none": 0, "keep-header": example.header_start, "prompt": example.prompt_length}
        return lengths[self.mask]

    def loses_response(self, example: Example) -> bool:
        """Whether cutting at ``allowed_max_length`` leaves no token of the response."""
        limit = self.allowed_max_length
        return limit is not None and example.prompt_length > limit

    def _as_example(self, example: Example | list[int]) -> Example:
        if isinstance(example, Example):
            return example
        if self.mask != "none" or self.prompt_loss_weight is not None:
            raise BatchError(
                "plain lists of token ids do not say where the prompt ends; "
                "make the data set with InstructionDataset(…, as_examples=True)"
            )
        return Example(list(example), 0, 0, -1)

    def _refuse_lost_responses(self, rows: list[Example]) -> None:
        for row in filter(self.loses_response, rows):
            raise BatchError(
                f"entry {row.index}: its prompt has {row.prompt_length} tokens, so nothing of the "
                f"response is left at allowed_max_length={self.allowed_max_length}; leave the "
                "entry out (create_loader does) or allow more"
            )


def custom_collate_fn(
    batch: Sequence[list[int]],
    pad_token_id: int = END_OF_TEXT,
    ignore_index: int = IGNORE_INDEX,
    allowed_max_length: int | None = None,
    device: str | torch.device = "cpu",
) -> tuple[Tensor, Tensor]:
    """Turn rows of token ids into (inputs, targets), both int64 of shape (batch, length).

    It differs from the book's function of this name in one point: padding is found by each row's
    length, not by its value, so an end-of-text id inside a row stays a target and does not end it.

    Source: Raschka, "Build a Large Language Model (From Scratch)", listing 7.5.
    """
    padded = pad(batch, pad_token_id, pad_token_id, allowed_max_length)
    inputs, targets = shift_targets(padded)
    targets = mask_padding(targets, [len(row) for row in batch], ignore_index)
    return inputs.to(device), targets.to(device)


def collate_steps(
    entries: Sequence[Entry],
    tokenizer: Tokenizer | None = None,
    prompt_format: str | PromptFormat = "alpaca",
    **options,
) -> BatchSteps:
    """Run all substeps on one batch of entries and keep each result.

    ``options`` are those of ``InstructionCollator``; rows end with the tokenizer's end of text.

    Raises:
        BatchError, ValueError: as ``InstructionCollator``.
    """
    entries = list(entries)
    examples = [make_example(e, tokenizer, prompt_format, i) for i, e in enumerate(entries)]
    steps = make_collator(tokenizer, options).steps(examples)
    return dataclasses.replace(steps, entries=entries)


def make_collator(tokenizer: Tokenizer | None, options: Mapping[str, Any]) -> InstructionCollator:
    """The collator with these options, whose rows end with the tokenizer's end of text.

    Raises:
        ValueError: as ``InstructionCollator``, or an ``ignore_index`` other than -100.
    """
    options = dict(options)
    if options.pop("ignore_index", IGNORE_INDEX) != IGNORE_INDEX:
        raise ValueError(
            f"ignore_index is no option here: losses, counts and pictures recognise a target that "
            f"does not count by {IGNORE_INDEX}, as PyTorch's cross-entropy does. Leave it out; "
            "custom_collate_fn takes another value, for a loss of your own"
        )
    return InstructionCollator(**(row_end_ids(tokenizer) | options))
