"""What each cell of a batch is, in words: used by pictures, summaries and the lessons' tables.

An input is instruction, response, end of text or padding. A target is one of the first three, or
it is ignored, because it is padding or because it belongs to a masked instruction.
"""

from dataclasses import dataclass

import torch

from lessons_lib.batching.collator import BatchSteps
from lessons_lib.data import IGNORE_INDEX

INSTRUCTION = "instruction"
RESPONSE = "response"
END = "end of text"
PADDING = "padding"
IGNORED_PADDING = "ignored padding"
IGNORED_INSTRUCTION = "ignored instruction"


def padded_kinds(steps: BatchSteps) -> list[list[str]]:
    """The kind of every token of the padded rows, (batch, length + 1) as nested lists.

    With ``instruction_mask="keep-header"`` the response header counts as response, as it does in
    the loss; otherwise it belongs to the instruction.
    """
    keeps_header = steps.collator.instruction_mask == "keep-header"
    rows = []
    for example in steps.examples:
        prompt = example.header_start if keeps_header else example.prompt_length
        length = len(example.token_ids)
        kinds = [INSTRUCTION] * prompt + [RESPONSE] * (length - prompt) + [END]
        width = steps.padded.shape[1]
        rows.append((kinds + [PADDING] * width)[:width])
        limit = steps.collator.allowed_max_length
        if limit is not None and length > limit:  # cut: what follows in a wider batch is padding
            rows[-1][limit + 1 :] = [PADDING] * (width - limit - 1)
    return rows


def target_kinds(steps: BatchSteps, targets: torch.Tensor | None = None) -> list[list[str]]:
    """The kind of every target, (batch, length) as nested lists; by default of the final ones."""
    targets = steps.targets if targets is None else targets
    ignored = {PADDING: IGNORED_PADDING, END: IGNORED_PADDING}
    rows = []
    for kinds, row in zip(padded_kinds(steps), targets.tolist(), strict=True):
        rows.append(
            [
                ignored.get(kind, IGNORED_INSTRUCTION) if target == IGNORE_INDEX else kind
                for kind, target in zip(kinds[1:], row, strict=True)
            ]
        )
    return rows


@dataclass(frozen=True)
class TargetCounts:
    """How many targets of a batch count in the loss, and why the others do not."""

    total: int
    live: int
    ignored_padding: int
    ignored_instruction: int
    padding_that_counts: int  # 0 from substep 2.5 on

    @property
    def share(self) -> float:
        """Live targets as a share of all, 0 … 1."""
        return self.live / self.total

    def __str__(self) -> str:
        text = (
            f"{self.live} of {self.total} targets count ({self.share:.1%}); ignored: "
            f"{self.ignored_padding} padding, {self.ignored_instruction} instruction"
        )
        if self.padding_that_counts:
            text += f"; {self.padding_that_counts} of those that count are padding"
        return text


def count_targets(steps: BatchSteps, targets: torch.Tensor | None = None) -> TargetCounts:
    """Count the targets of a batch by kind; by default the final ones."""
    kinds = [kind for row in target_kinds(steps, targets) for kind in row]
    padding, instruction = kinds.count(IGNORED_PADDING), kinds.count(IGNORED_INSTRUCTION)
    return TargetCounts(
        total=len(kinds),
        live=len(kinds) - padding - instruction,
        ignored_padding=padding,
        ignored_instruction=instruction,
        padding_that_counts=kinds.count(PADDING),
    )
