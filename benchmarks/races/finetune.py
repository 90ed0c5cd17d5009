"""Lesson 09's run against the book's loop: ``python -m benchmarks.finetune``.

The bundled base model is trained on the bundled training entries, with loss on the responses alone.
Our side follows the lesson's recipe. The other side is what a reader of the book would do with a
model of these sizes: the book's data set, collate function, model with all 50,257 tokens, AdamW and
loop. Before anything is timed, both must have the same loss on one batch. Then they take turns of
29 steps; collating is timed, and there is no validation. The last line is JSON.
"""

import argparse
import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence

import torch

from benchmarks import peers
from lessons_lib.batching import Batch, InstructionCollator, InstructionDataset, create_loader
from lessons_lib.data import load_entries, split_entries
from lessons_lib.levers.memory import keep_freed_memory
from lessons_lib.models import load_model
from lessons_lib.training import RECIPES, Recipe, batch_loss, make_optimizer
from lessons_lib.training.finetuning import add_entry_tokens
from lessons_lib.training.optimizer import optimizer_step

TARGETS = {"vs_llms_from_scratch": 3.0}
TOLERANCE = 1e-5  # as a share of the first loss
TURN = 29  # steps, a quarter of an epoch
OURS, SHARING, BOOK = "ours, lesson 09's recipe", "ours, prompt's start once", "llms-from-scratch"


def our_steps(recipe: Recipe, splits, share_prefix: bool) -> Iterator[float]:
    """Train a base model by the recipe, one step for each loss that is asked for."""
    model = load_model(recipe.model).train()
    add_entry_tokens(model, recipe, splits)
    loader = create_loader(
        splits.train,
        recipe.batch_size,
        batching=recipe.batching,
        drop_last=recipe.drop_last,
        seed=recipe.seed,
        instruction_mask=recipe.instruction_mask,
        share_prefix=share_prefix,
    )
    optimizer = make_optimizer(model, recipe.learning_rate, recipe.weight_decay)
    for batch in endless(loader):
        yield optimizer_step(model, optimizer, [batch], recipe.max_gradient_norm).loss


def endless(loader) -> Iterator[Batch]:
    """Batches of epoch after epoch."""
    return itertools.chain.from_iterable(itertools.repeat(loader))


def book_steps(book: peers.Book, size: int, count: int) -> Iterator[float]:
    """The book's loop in its random order, incomplete batches left out, epoch after epoch."""
    generator = torch.Generator().manual_seed(123)
    while True:
        order = torch.randperm(count, generator=generator).tolist()
        for start in range(0, count - size + 1, size):
            yield book.step(order[start : start + size])


def check_losses(model, book: peers.Book, entries, indices: Sequence[int]) -> float:
    """The loss that both have on one batch; a race of different objectives would mean nothing."""
    examples = InstructionDataset([entries[i] for i in indices]).examples
    with torch.no_grad():
        mine = batch_loss(model, InstructionCollator("prompt")(examples)).item()
        theirs = book.loss(indices).item()
    if abs(mine - theirs) > TOLERANCE * abs(mine):
        raise SystemExit(f"The first losses differ, so there is no race: {mine} and {theirs}")
    return mine


def take_turns(
    runs: dict[str, Iterator[float]], steps: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Seconds that each run needs for ``steps``, a few at a time, after one step of warm-up."""
    spent = dict.fromkeys(runs, 0.0)
    for each in runs.values():
        next(each)  # to warm up: memory, the optimizer's state
    names = list(runs)
    for done in range(0, steps, TURN):
        for name in names:
            # A run of ours keeps its memory from its first step to its last; see ``train``.
            with keep_freed_memory() if name != BOOK else contextlib.nullcontext():
                started = clock()
                for _ in range(min(TURN, steps - done)):
                    next(runs[name])
                spent[name] += clock() - started
        names.reverse()
    return spent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both and print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description="Lesson 09's run against the book's loop.")
    parser.add_argument("--steps", type=int, help="fewer steps than the recipe's whole run")
    options = parser.parse_args(arguments)
    recipe = RECIPES["lesson-09"]
    splits = split_entries(load_entries("bundled"))
    steps = options.steps or recipe.epochs * (len(splits.train) // recipe.batch_size)
    if steps < 1:
        parser.error("--steps must be 1 or more")
    model = load_model(recipe.model)
    add_entry_tokens(model, recipe, splits)
    book = peers.Book(model, splits.train, lr=recipe.learning_rate)
    loss = check_losses(model, book, splits.train, range(recipe.batch_size))
    print(
        f"{len(splits.train)} bundled entries, {steps} steps of {recipe.batch_size}, "
        f"{torch.get_num_threads()} threads. First loss of both: {loss:.5f}\n",
        flush=True,
    )
    spent = take_turns(
        {
            BOOK: book_steps(book, recipe.batch_size, len(splits.train)),
            OURS: our_steps(recipe, splits, recipe.share_prefix),
            SHARING: our_steps(recipe, splits, True),
        },
        steps,
    )
    print(f"{'':30}{'seconds':>9}{'ms/step':>11}{'ratio':>9}")
    for name, each in spent.items():
        print(f"{name:30}{each:9.1f}{1000 * each / steps:11.1f}{spent[BOOK] / each:8.2f}×")
    result = {
        "vs_llms_from_scratch": round(spent[BOOK] / spent[OURS], 3),
        "sharing_vs_llms_from_scratch": round(spent[BOOK] / spent[SHARING], 3),
    }
    for name, target in TARGETS.items():
        print(f"{name}: {result[name]} (target ≥ {target})")
    print(json.dumps({**result, "steps": steps}))


if __name__ == "__main__":
    main()
