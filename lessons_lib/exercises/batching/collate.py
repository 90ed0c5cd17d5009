"""Exercise: put padding, shift and masks together into a collate function. Lesson 06."""

import functools
import os
from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from lessons_lib.batching import (
    BatchSteps,
    Example,
    InstructionCollator,
    InstructionDataset,
    mask_instructions,
    mask_padding,
    pad,
    shift_targets,
)
from lessons_lib.data import Entry, load_entries
from lessons_lib.exercises import Exercise, FullRun, Shown, WrongAnswer

END, IGNORE = 50256, -100
BATCH_SIZE = 8


def my_collate(examples: list[Example]) -> tuple[Tensor, Tensor]:
    """Inputs and targets, both (batch, length); only the response and its end of text count.

    Each example has .token_ids, without end of text, and .prompt_length, response header included.
    """
    raise NotImplementedError


def answer(examples: list[Example]) -> tuple[Tensor, Tensor]:
    rows = [example.token_ids for example in examples]
    width = max(len(row) for row in rows) + 1
    padded = torch.tensor([row + [50256] * (width - len(row)) for row in rows])
    inputs = padded[:, :-1]  # (batch, length)
    targets = padded[:, 1:].clone()  # (batch, length)
    for target, example in zip(targets, examples, strict=True):
        target[len(example.token_ids) :] = -100
        target[: example.prompt_length - 1] = -100
    return inputs, targets


def library(examples: list[Example]) -> tuple[Tensor, Tensor]:
    batch = InstructionCollator(instruction_mask="prompt")(examples)
    return batch.inputs, batch.targets


def minus_100_in_the_inputs(examples: list[Example]) -> tuple[Tensor, Tensor]:
    padded = pad([example.token_ids for example in examples])
    inputs, targets = padded[:, :-1], padded[:, 1:]  # views of the same cells
    for target, example in zip(targets, examples, strict=True):
        target[len(example.token_ids) :] = IGNORE
        target[: example.prompt_length - 1] = IGNORE
    return inputs, targets


def by_value(examples: list[Example]) -> tuple[Tensor, Tensor]:
    inputs, targets = shift_targets(pad([example.token_ids for example in examples]))
    for row in targets:
        row[torch.nonzero(row == END).flatten()[1:]] = IGNORE
    return inputs, mask_instructions(targets, [example.prompt_length for example in examples])


def every_end_masked(examples: list[Example]) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(examples)
    return inputs, targets.masked_fill(targets == END, IGNORE)


def own_end_masked(examples: list[Example]) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(examples)
    for target, example in zip(targets, examples, strict=True):
        target[len(example.token_ids) - 1 :] = IGNORE
    return inputs, targets


def padding_left(examples: list[Example]) -> tuple[Tensor, Tensor]:
    inputs, targets = prompt_masked(examples)
    for target, example in zip(targets, examples, strict=True):
        target[len(example.token_ids) + 1 :] = IGNORE
    return inputs, targets


def without_end_of_text(examples: list[Example]) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(examples)
    width = inputs.shape[1] - 1
    return inputs[:, :width], targets[:, :width]


def border_too_late(examples: list[Example]) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(examples)
    return inputs, mask_instructions(targets, [each.prompt_length + 1 for each in examples])


def header_left_in(examples: list[Example]) -> tuple[Tensor, Tensor]:
    inputs, targets = padding_masked(examples)
    return inputs, mask_instructions(targets, [example.header_start for example in examples])


def padding_masked(examples: list[Example]) -> tuple[Tensor, Tensor]:
    rows = [example.token_ids for example in examples]
    inputs, targets = shift_targets(pad(rows))
    return inputs, mask_padding(targets, [len(row) for row in rows])


def prompt_masked(examples: list[Example]) -> tuple[Tensor, Tensor]:
    inputs, targets = shift_targets(pad([example.token_ids for example in examples]))
    return inputs, mask_instructions(targets, [example.prompt_length for example in examples])


def padding_on_the_left(examples: list[Example]) -> tuple[Tensor, Tensor]:
    right = answer(examples)
    widths = [len(example.token_ids) - right[0].shape[1] for example in examples]
    inputs, targets = (
        torch.stack([row.roll(-width) for row, width in zip(part, widths, strict=True)])
        for part in right
    )
    return inputs, targets


def shifted_twice(examples: list[Example]) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(examples)
    return inputs[:, :-1], targets[:, 1:]


def toy(token_ids: list[int], prompt_length: int, header_start: int) -> Example:
    return Example(token_ids, prompt_length, header_start, index=0)


def cases() -> list[tuple]:
    return [
        ([toy([1, 2, 3, 4, 5], 3, 2)],),
        ([toy([1, 2, 3, 4, 5], 3, 1), toy([6, 7, 8], 2, 1)],),
        ([toy([1, 2, 3], 2, 1), toy([4, 5, 6, END, 7, 8], 3, 2), toy([9, 1, 2, 3], 3, 1)],),
        ([toy([5, END, 6, 7], 3, 1), toy([1, 2, 3, 4, 5, 6], 4, 2)],),
    ]


def draw(source: Random) -> tuple:
    """Up to six examples with a question, a header and a response each."""
    examples = []
    for _ in range(source.randint(1, 6)):
        token_ids = source.choices([*range(20), END], k=source.randint(3, 12))
        prompt_length = source.randint(2, len(token_ids) - 1)
        examples.append(toy(token_ids, prompt_length, source.randint(1, prompt_length - 1)))
    return (examples,)


def some_entries() -> list[Entry]:
    entries = load_entries()
    return [entries[50], entries[3], entries[4]]


def examples_of(steps: BatchSteps) -> tuple:
    return (steps.examples,)


@functools.cache
def examples_in(source: str) -> list[Example]:
    """All entries of a set as examples; those are made once in a kernel."""
    return list(InstructionDataset(load_entries(source), as_examples=True))


def sources() -> dict[str, str]:
    """The sets of the full run, by what they are called in a sentence."""
    real = os.environ.get("LESSONS_LIB_REAL_ENTRIES")
    return {"bundled": "bundled"} | ({"book's": real} if real else {})


def all_batches() -> Iterator[tuple[str, tuple]]:
    for name, source in sources().items():
        examples = examples_in(source)
        for start in range(0, len(examples), BATCH_SIZE):
            batch = examples[start : start + BATCH_SIZE]
            yield f"the {name} entries {start} to {start + len(batch) - 1}", (batch,)


def all_sets() -> str:
    counts = {name: len(examples_in(source)) for name, source in sources().items()}
    return " and ".join(f"the {count:,} {name} entries" for name, count in counts.items())


COLLATE = Exercise(
    name="collate",
    title="Your own collate function",
    lesson="06",
    minutes=20,
    difficulty=3,
    statement="""
Everything that stands between token ids and training is in your hands now. Put it together:
`my_collate` is given the examples of a batch and returns inputs and targets. Each row gets its
end of text and is padded on the right with 50256; the targets are shifted; padding and prompt are
masked with −100, so that the response and its end of text count and nothing else does.

You may call what you wrote before, or what `lessons_lib.batching` has. The check runs yours
beside the library's on all entries of the course; then `keep(my_collate)` saves it, and later
lessons load it with `my_or_library("collate")`.
""",
    attempt=my_collate,
    answer=answer,
    hints=(
        "Five steps, in this order: end of text, padding, the cut into inputs and targets, −100 on "
        "padding, −100 on the prompt. Which of them touch the inputs?",
        "`padded[:, :-1]` and `padded[:, 1:]` are two views of the same cells: what is written "
        "into one appears in the other. Clone the targets before you mask them.",
        "Pad, then `inputs, targets = padded[:, :-1], padded[:, 1:].clone()`; then for each row "
        "`target[len(token_ids):] = -100` and `target[: prompt_length - 1] = -100`.",
    ),
    wrong_answers=(
        WrongAnswer(
            minus_100_in_the_inputs,
            "inputs and targets share their memory",
            "`padded[:, :-1]` and `padded[:, 1:]` show the same cells, so each −100 appears in the "
            "inputs as well, and no model can look up token −100. Clone the targets first.",
        ),
        WrongAnswer(
            by_value,
            "padding is found by its value, all 50256 but the first",
            "One of the rows holds a 50256 in its text: that one was kept and the true end lost. "
            "Use the rows' lengths.",
        ),
        WrongAnswer(
            every_end_masked,
            "every 50256 is masked, the true end of text with the padding",
            "A model trained on this never learns to stop.",
        ),
        WrongAnswer(
            own_end_masked,
            "the mask on padding begins one column too early",
            "Each row loses its end of text. A row of n tokens keeps n targets.",
        ),
        WrongAnswer(
            padding_left,
            "the mask on padding begins one column too late",
            "One cell of padding still counts, and teaches the model to go on after its end.",
        ),
        WrongAnswer(
            without_end_of_text,
            "the longest row gets no end of text",
            "The padded rows need one column more than the longest row has tokens.",
        ),
        WrongAnswer(
            border_too_late,
            "the prompt's mask is one column too long",
            "It takes the first token of each response: a prompt of p tokens has p − 1 targets.",
        ),
        WrongAnswer(
            header_left_in,
            "the mask ends where the response header begins",
            "The header still counts. That is the setting “keep-header”; here only the response "
            "should count, so use prompt_length.",
        ),
        WrongAnswer(
            padding_masked,
            "padding is masked and the prompt is not",
            "Every token of the prompt still counts.",
        ),
        WrongAnswer(
            prompt_masked,
            "the prompt is masked and the padding is not",
            "After its end of text each short row would teach padding after padding.",
        ),
        WrongAnswer(
            padding_on_the_left,
            "the padding is put on the left",
            "There every real token sees it, and all positions move.",
        ),
        WrongAnswer(
            shifted_twice,
            "the targets are shifted twice",
            "Shift once, when inputs and targets are cut; masks move nothing.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\nfrom lessons_lib.batching import Example\n",
    parts=("inputs", "targets"),
    library=library,
    library_name='`InstructionCollator(instruction_mask="prompt")` in `lessons_lib.batching`',
    shown=Shown(some_entries, arguments=examples_of, batch=tuple, instruction_mask="prompt"),
    full_run=FullRun(all_batches, all_sets),
)
