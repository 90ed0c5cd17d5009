"""Names what each cell of a batch holds, for pictures, summaries and the lessons' tables.

An input is part of the prompt, part of the response, end of text or padding. A target is one of
these as well, or it is ignored, because padding or the prompt is masked.
"""

from dataclasses import dataclass
from enum import StrEnum

import torch

from lessons_lib.batching.collator import BatchSteps
from lessons_lib.data import IGNORE_INDEX


class Kind(StrEnum):
    """The kinds of cell. The prompt is everything before the response, its header included."""

    PROMPT = "prompt"
    RESPONSE = "response"
    END = "end of text"
    PADDING = "padding"
    IGNORED_PADDING = "ignored padding"
    IGNORED_PROMPT = "ignored prompt"

    @property
    def ignored(self) -> bool:
        """Whether a target of this kind is left out of the loss."""
        return self in (Kind.IGNORED_PADDING, Kind.IGNORED_PROMPT)


def padded_kinds(steps: BatchSteps) -> list[list[Kind]]:
    """The kind of every token of the padded rows, (batch, length + 1) as nested lists."""
    rows, width = [], steps.padded.shape[1]
    limit = steps.collator.allowed_max_length
    for example in steps.examples:
        prompt, length = example.prompt_length, len(example.token_ids)
        kinds = [Kind.PROMPT] * prompt + [Kind.RESPONSE] * (length - prompt) + [Kind.END]
        if limit is not None:
            kinds = kinds[: limit + 1]  # cut; in a wider batch, padding follows
        rows.append(kinds + [Kind.PADDING] * (width - len(kinds)))
    return rows


def target_kinds(steps: BatchSteps, targets: torch.Tensor | None = None) -> list[list[Kind]]:
    """The kind of every target, (batch, length) as nested lists; by default of the final ones."""
    targets = steps.targets if targets is None else targets
    ignored = {Kind.PADDING: Kind.IGNORED_PADDING, Kind.END: Kind.IGNORED_PADDING}
    rows = []
    for kinds, row in zip(padded_kinds(steps), targets.tolist(), strict=True):
        rows.append(
            [
                ignored.get(kind, Kind.IGNORED_PROMPT) if target == IGNORE_INDEX else kind
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
    ignored_prompt: int
    padding_that_counts: int  # 0 from substep 2.5 on

    @property
    def share(self) -> float:
        """Live targets as a share of all targets, 0 … 1."""
        return self.live / self.total

    def __str__(self) -> str:
        text = (
            f"{self.live} of {self.total} targets count ({self.share:.1%}); ignored: "
            f"{self.ignored_padding} padding, {self.ignored_prompt} prompt"
        )
        if self.padding_that_counts:
            text += f"; {self.padding_that_counts} of those that count are padding"
        return text


def count_targets(steps: BatchSteps, targets: torch.Tensor | None = None) -> TargetCounts:
    """Count the targets of a batch by kind; by default, the final targets."""
    kinds = [kind for row in target_kinds(steps, targets) for kind in row]
    padding, prompt = kinds.count(Kind.IGNORED_PADDING), kinds.count(Kind.IGNORED_PROMPT)
    return TargetCounts(
        total=len(kinds),
        live=len(kinds) - padding - prompt,
        ignored_padding=padding,
        ignored_prompt=prompt,
        padding_that_counts=kinds.count(Kind.PADDING),
    )
