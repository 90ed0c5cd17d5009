"""A fine-tuning of seconds with an exhibit's fault in it, and how the model answers afterwards."""

import functools
import random
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from lessons_lib.batching import BoundaryWarning, Example, InstructionDataset
from lessons_lib.data import Entry, load_entries, split_entries
from lessons_lib.evaluation import Scores, score_responses
from lessons_lib.exercises.museum.exhibits import BATCH, EXHIBITS, Exhibit, right
from lessons_lib.generation import generate_responses
from lessons_lib.models import GPT, load_model
from lessons_lib.support import is_quick
from lessons_lib.training import response_loss

ENTRIES, LEARNING_RATE, SEED = 480, 4e-4, 123
QUICK_ENTRIES, QUICK_ANSWERS = 32, 6


@dataclass(frozen=True)
class Run:
    """One run: the loss of each step, and what the model does with the validation part."""

    losses: tuple[float, ...]  # nats a target, as the run itself computed them
    response_loss: float  # nats a target over the validation part, computed without the fault
    scores: Scores


def run_exhibit(number: int) -> Run:
    """The run of an exhibit, made once and then remembered: 30 steps of 16 entries.

    Raises:
        ValueError: there is no such exhibit.
    """
    return _run(exhibit(number))


def run_beside(number: int) -> Run:
    """The run without the fault, with the same entries in the same order and the same format."""
    return _run(right(exhibit(number).prompt_format))


def exhibit(number: int) -> Exhibit:
    """The exhibit of this number.

    Raises:
        ValueError: there is none.
    """
    if number not in EXHIBITS:
        raise ValueError(f"the exhibits have the numbers 1 to {len(EXHIBITS)}, not {number!r}")
    return EXHIBITS[number]


def training_examples(prompt_format: str) -> list[Example]:
    """The entries of a run after substeps 2.1 and 2.2; the same bundled ones for every reader."""
    entries = split_entries(load_entries("bundled")).train[
        : QUICK_ENTRIES if is_quick() else ENTRIES
    ]
    with warnings.catch_warnings():
        # In Stanford's format a token may join header and response: what exhibit 7 is about.
        warnings.simplefilter("ignore", BoundaryWarning)
        return InstructionDataset(entries, prompt_format=prompt_format, as_examples=True).examples


@functools.cache
def _run(shown: Exhibit) -> Run:
    model = load_model("base")
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    losses = []
    for step in steps_of(training_examples(shown.prompt_format), shown.batch_size):
        loss = shown.loss(model, [shown.make(examples) for examples in step])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return Run(tuple(losses), *_measured(model, shown.prompt_format))


def steps_of(examples: Sequence[Example], batch_size: int) -> list[list[list[Example]]]:
    """The examples of each step, by batch: texts of like length together, steps in seeded order."""
    ordered = sorted(examples, key=lambda each: len(each.token_ids))
    steps = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    random.Random(SEED).shuffle(steps)
    return [
        [step[start : start + batch_size] for start in range(0, len(step), batch_size)]
        for step in steps
    ]


def _measured(model: GPT, prompt_format: str) -> tuple[float, Scores]:
    entries: list[Entry] = split_entries(load_entries("bundled")).validation
    entries = entries[:QUICK_ANSWERS] if is_quick() else entries
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BoundaryWarning)
        loss = response_loss(model, entries, prompt_format=prompt_format)
    given = generate_responses(model, entries, max_new_tokens=40, prompt_format=prompt_format)
    texts, stops = [each.text for each in given], [each.stopped for each in given]
    return loss, score_responses(entries, texts, stops)
