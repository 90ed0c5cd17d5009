"""From entries to batches: the five substeps, masks, collators and loaders. Lessons 04 to 07.

Data set, collator and ``.steps`` of the inspector all call the same five functions, so what a
lesson shows is what a model trains on.
"""

from lessons_lib.batching.batch import Batch
from lessons_lib.batching.cells import count_targets
from lessons_lib.batching.collator import (
    INSTRUCTION_MASKS,
    BatchSteps,
    InstructionCollator,
    InstructionMask,
    collate_steps,
    custom_collate_fn,
)
from lessons_lib.batching.dataset import BoundaryWarning, Example, InstructionDataset, make_example
from lessons_lib.batching.loaders import create_loader, padding_waste
from lessons_lib.batching.packing import share_prefix
from lessons_lib.batching.substeps import (
    BatchError,
    apply_template,
    mask_instructions,
    mask_padding,
    pad,
    shift_targets,
    tokenize,
)

__all__ = [
    "apply_template",
    "tokenize",
    "pad",
    "shift_targets",
    "mask_padding",
    "mask_instructions",
    "InstructionDataset",
    "InstructionCollator",
    "Batch",
    "BatchSteps",
    "BatchError",
    "BoundaryWarning",
    "collate_steps",
    "custom_collate_fn",
    "create_loader",
    "Example",
    "make_example",
    "share_prefix",
    "padding_waste",
    "count_targets",
    "INSTRUCTION_MASKS",
    "InstructionMask",
]
