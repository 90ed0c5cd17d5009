"""What the inspector's controls mean in terms of ``InstructionCollator``."""

from collections.abc import Sequence
from typing import Any

from lessons_lib.batching import InstructionCollator
from lessons_lib.dataset import Example

SUBSTEPS = ("2.1", "2.2", "2.3", "2.4", "2.5")
PADDINGS = ("dynamic", "static", "fixed")
VIEWS = ("text", "ids", "both", "blocks")


def length_limit(options) -> int | None:
    """How many inputs a row may have: the maximum length, or the fixed length if that is less."""
    limits = [options.max_length, options.fixed_length if options.padding == "fixed" else None]
    return min((limit for limit in limits if limit is not None), default=None)


def collator_options(options, examples: Sequence[Example]) -> dict[str, Any]:
    """The arguments of ``InstructionCollator`` that some options on show stand for.

    "static" pads to the longest of all ``examples`` that a loader would keep; "fixed" pads to
    ``fixed_length`` and cuts there. A prompt-loss weight counts where there is no mask.
    """
    limit = length_limit(options)
    pad_to = options.fixed_length if options.padding == "fixed" else None
    if options.padding == "static":
        collator = InstructionCollator(allowed_max_length=limit)
        kept = [len(e.token_ids) for e in examples if not collator.loses_response(e)]
        pad_to = max((min(length, limit or length) for length in kept), default=None)
    unmasked = options.instruction_mask == "none"
    return {
        "instruction_mask": options.instruction_mask,
        "prompt_loss_weight": options.prompt_loss_weight if unmasked else None,
        "allowed_max_length": limit,
        "pad_to": pad_to,
    }
