"""Our collate functions against the book's: ``python -m benchmarks.collate``.

All 1,100 entries in batches of 8, tokenized beforehand. Book and rival take turns in one process,
and which goes first changes from round to round. A ratio is the book's time over ours in the same
round: above 1, ours is faster. The last line is JSON.
"""

import argparse
import gc
import importlib
import json
import statistics
import time
from collections.abc import Callable, Sequence

import torch

from benchmarks.entries import source_and_entries
from lessons_lib.batching import InstructionCollator, InstructionDataset, custom_collate_fn

BATCH_SIZE = 8
INSTALL = "python -m pip install --no-deps --ignore-requires-python llms-from-scratch"

Batches = Sequence[Sequence]


def book_collate_fn() -> Callable:
    """The book's function; if its package is missing, the program ends and says what to do."""
    try:
        return importlib.import_module("llms_from_scratch.ch07").custom_collate_fn
    except ImportError as error:
        raise SystemExit(
            f"This race needs the book's own code, which cannot be imported ({error}). "
            f"Install it with: {INSTALL}"
        ) from None


def in_batches(items: Sequence) -> Batches:
    """Items in lists of BATCH_SIZE, in their order."""
    return [items[start : start + BATCH_SIZE] for start in range(0, len(items), BATCH_SIZE)]


def seconds(collate: Callable, batches: Batches) -> float:
    """How long one pass over all batches takes."""
    started = time.perf_counter()
    for batch in batches:
        collate(batch)
    return time.perf_counter() - started


def race(
    book: tuple[Callable, Batches], rival: tuple[Callable, Batches], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds per round for both, which run one after the other and take turns at going first."""
    times: tuple[list[float], list[float]] = ([], [])
    runners = [(times[0], book), (times[1], rival)]
    for _ in range(rounds):
        for kept, (collate, batches) in runners:
            kept.append(seconds(collate, batches))
        runners.reverse()
    return times


def check_equal(book: Callable, batches: Batches) -> None:
    """Refuse to race two functions that do not do the same."""
    for rows in batches:
        for ours, theirs in zip(custom_collate_fn(rows), book(rows), strict=True):
            if not torch.equal(ours, theirs):
                raise SystemExit("The two functions disagree on these entries: there is no race.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the race and print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description="Our collate functions against the book's.")
    parser.add_argument("--rounds", type=int, default=40, help="how often each pair runs (40)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    book = book_collate_fn()
    source, entries = source_and_entries()
    dataset = InstructionDataset(entries, as_examples=True)
    examples = in_batches(list(dataset))
    rows = [[example.token_ids for example in batch] for batch in examples]
    check_equal(book, rows)
    rivals = {
        "vs_llms_from_scratch": ("custom_collate_fn", custom_collate_fn, rows),
        "collator_none_vs_llms_from_scratch": (
            "InstructionCollator, mask none",
            InstructionCollator(),
            examples,
        ),
        "collator_prompt_vs_llms_from_scratch": (
            "InstructionCollator, mask prompt",
            InstructionCollator(instruction_mask="prompt"),
            examples,
        ),
    }
    print(
        f"{len(dataset):,} {source} entries in {len(rows)} batches of {BATCH_SIZE}; "
        f"{options.rounds} rounds; medians\n"
    )
    print(f"{'':34}{'ours':>10}{'the book':>12}{'ratio':>9}")
    result = {}
    gc.disable()  # no collection in the middle of somebody's turn
    for key, (name, collate, batches) in rivals.items():
        race((book, rows), (collate, batches), rounds=1)  # to warm up
        theirs, ours = race((book, rows), (collate, batches), options.rounds)
        ratios = [one / other for one, other in zip(theirs, ours, strict=True)]
        result[key] = round(statistics.median(ratios), 3)
        our_ms, their_ms = (1000 * statistics.median(times) for times in (ours, theirs))
        print(f"{name:34}{our_ms:7.1f} ms{their_ms:9.1f} ms{result[key]:8.2f}×")
    gc.enable()
    print("\nA ratio above 1 means that ours is faster.")
    print(json.dumps({**result, "entries": len(dataset), "source": source}))


if __name__ == "__main__":
    main()
