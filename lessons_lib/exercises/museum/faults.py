"""Nine ways to make batches or losses that really happened, each one switch on the course's own.

The names say what is wrong: whoever wants to find the faults visits ``notebooks/labs/museum.ipynb``
before reading on. ``exhibits`` gives them their numbers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lessons_lib.batching import Batch, Example, InstructionCollator
from lessons_lib.batching.packing import PackingCollator
from lessons_lib.data import END_OF_TEXT, IGNORE_INDEX, get_tokenizer
from lessons_lib.models import LanguageModel
from lessons_lib.training.losses import live_losses

PROMPT_MASKED = InstructionCollator(instruction_mask="prompt")
SHORTEST_CUT = 44  # inputs; most prompts with an input are longer
MARKER = "### Response:"


def right_batch(examples: Sequence[Example]) -> Batch:
    return PROMPT_MASKED(examples)


def shifted_twice(examples: Sequence[Example]) -> Batch:
    """The collator has shifted the targets, and the model's own loss shifts them again."""
    batch = PROMPT_MASKED(examples)
    again = torch.full_like(batch.targets, IGNORE_INDEX)
    again[:, :-1] = batch.targets[:, 1:]
    return batch._replace(targets=again)


def mask_lost(examples: Sequence[Example]) -> Batch:
    """The option was renamed where it is set, and its old name is read here, with a default."""
    options = {"instruction_mask": "prompt"}
    return InstructionCollator(instruction_mask=options.get("mask", "none"))(examples)


def every_end_masked(examples: Sequence[Example]) -> Batch:
    """Padding has the id of end of text, and is masked by its value."""
    batch = PROMPT_MASKED(examples)
    targets = batch.targets.masked_fill(batch.targets == END_OF_TEXT, IGNORE_INDEX)
    return batch._replace(targets=targets)


def first_token_masked(examples: Sequence[Example]) -> Batch:
    """The mask reaches one target too far: prompt_length tokens are prompt_length - 1 targets."""
    batch = PROMPT_MASKED(examples)
    targets = batch.targets.clone()
    for row, example in enumerate(examples):
        targets[row, : example.prompt_length] = IGNORE_INDEX
    return batch._replace(targets=targets)


def header_counts(examples: Sequence[Example]) -> Batch:
    """The mask ends where the response header begins, so that the header is learned as well."""
    return InstructionCollator(instruction_mask="keep-header")(examples)


def response_cut_off(examples: Sequence[Example]) -> Batch:
    """Texts are cut before prompt and response are told apart; then all rows get one length."""
    batch = PROMPT_MASKED(examples)
    inputs, targets = batch.inputs.clone(), batch.targets.clone()
    inputs[:, SHORTEST_CUT:] = END_OF_TEXT
    targets[:, SHORTEST_CUT:] = IGNORE_INDEX
    return batch._replace(inputs=inputs, targets=targets)


def marker_not_found(examples: Sequence[Example]) -> Batch:
    """Where the response begins is looked for by the ids of ``### Response:``, encoded alone.

    A row in which they do not occur is ignored.
    """
    marker = get_tokenizer().encode(MARKER)
    batch = InstructionCollator()(examples)
    targets = batch.targets.clone()
    for row, example in enumerate(examples):
        ids = example.token_ids
        ends = [
            start + len(marker)
            for start in range(len(ids))
            if ids[start : start + len(marker)] == marker
        ]
        targets[row, : ends[0] - 1 if ends else None] = IGNORE_INDEX
    return batch._replace(targets=targets)


def packed_without_borders(examples: Sequence[Example]) -> Batch:
    """Entries joined to one row; which token belongs to which entry is not handed on."""
    collator = InstructionCollator(instruction_mask="prompt", allowed_max_length=256)
    length = sum(len(example.token_ids) + 1 for example in examples)
    batch = PackingCollator(collator, pack_length=length)([examples])
    return batch._replace(positions=None, segments=None)


def mean_over_targets(model: LanguageModel, batches: Sequence[Batch]) -> Tensor:
    """The loss of one step: all live targets of all its batches in one mean; 0 without any."""
    found = [live_losses(model, batch).losses for batch in batches if batch.live.any()]
    return torch.cat(found).mean() if found else torch.zeros((), requires_grad=True)


def mean_of_means(model: LanguageModel, batches: Sequence[Batch]) -> Tensor:
    """Each batch gets its mean, and the step the mean of those."""
    return torch.stack([mean_over_targets(model, [batch]) for batch in batches]).mean()
