"""Training steps against the big libraries': ``python -m benchmarks.race``.

All have GPT-2's sizes, the same random weights and entries, loss on the responses alone and no
dropout, and run on the CPU. Before anything is timed, all must have the same loss on one batch.
Then they take turns in one process: each trains for as many steps as there are batches of 8 in a
fixed draw of entries, and its time per step is reported. Batches are made in the order of the draw
and padded to their longest row; only "buckets" and what builds on it sort the draw by length first,
as our loader does. (The loader sorts 400 at a time, so a draw of 64 gains a little less.)

TRL runs twice: as its documentation says, and with batches of similar length, which is the setting
that suits it best. (On a CPU its loss computes the head for ignored labels, too; it leaves them out
where it has a Triton kernel.) Each of our rows adds one lever to the row above, except "packed",
which replaces buckets and the shared start. The rows in bfloat16 come last, as it has fewer digits.
The rates of matrix products are measured in the same turns. The last line is JSON; ``null`` stands
for what this machine cannot do.
"""

import argparse
import contextlib
import gc
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from benchmarks.ours import OURS, Levers, Ours

from benchmarks import collate, peers
from benchmarks.entries import source_and_entries
from lessons_lib.batching import InstructionDataset
from lessons_lib.data import Entry
from lessons_lib.experiments import save_figures
from lessons_lib.levers.memory import keep_freed_memory
from lessons_lib.models import GPT, GPTConfig
from lessons_lib.support.devices import has_fast_bf16

BATCH_SIZE = 8
WARM_UP = 3  # steps that are not timed: it takes as many until freed memory fits
TOLERANCE = 1e-5  # as a share of the first loss
TARGETS = {
    "fp32_vs_llms_from_scratch": 2.2,
    "fp32_vs_trl": 2.8,
    "fp32_vs_trl_best": 1.5,
    "bf16_vs_llms_from_scratch": 5.0,
    "gflops_share_of_matmul_peak": 0.6,
    "bf16_share_of_matmul_peak": 0.5,
    "collate_vs_llms_from_scratch": 1.0,
}
FASTEST, HALF = "+ look-ups add to single rows", "+ working copies"
BOOK, TRAINER, TRL = "llms-from-scratch", "transformers' Trainer", "TRL's SFTTrainer"
BEST_TRL = "TRL's, batches of similar length"
AIMS = ("gflops_share_of_matmul_peak", "fp32_vs_trl_best")
PRECISIONS = {FASTEST: torch.float32, HALF: torch.bfloat16}


def matmul_rate(
    width: int, dtype: torch.dtype = torch.float32, tokens: int = 300, seconds: float = 0.5
) -> float:
    """GFLOP/s of a multiplication like those of a step, (tokens, width) by (width, 4 · width)."""
    x, weight = torch.randn(tokens, width, dtype=dtype), torch.randn(4 * width, width, dtype=dtype)
    times = []
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(times) < 5:
        started = time.perf_counter()
        F.linear(x, weight)
        times.append(time.perf_counter() - started)
    return 2 * tokens * width * 4 * width / statistics.median(times) / 1e9


def check_losses(racers: dict, indices: Sequence[int]) -> float:
    """The loss that all have on one batch; a race of different objectives would mean nothing."""
    with torch.no_grad():
        losses = {name: float(racer.loss(indices)) for name, racer in racers.items()}
    first = next(iter(losses.values()))
    wrong = {n: loss for n, loss in losses.items() if abs(loss - first) > TOLERANCE * abs(first)}
    if wrong:
        raise SystemExit(f"The first losses differ, so there is no race: {first} and {wrong}")
    return first


def batches_of(draw: Sequence[int], lengths: Sequence[int], buckets: bool) -> list[list[int]]:
    """The draw in batches of 8; with ``buckets``, sorted by length first."""
    order = sorted(draw, key=lambda i: lengths[i]) if buckets else list(draw)
    return [order[i : i + BATCH_SIZE] for i in range(0, len(order), BATCH_SIZE)]


def turns(names: Sequence[str], rounds: int) -> Iterator[str]:
    """Whose turn it is: everyone's once in each round, forwards and backwards alternately."""
    for index in range(rounds):
        yield from names if index % 2 == 0 else reversed(names)


def run(
    racers: dict,
    batches: dict[str, list[list[int]]],
    rounds: int,
    rate: Callable[[torch.dtype], float],
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds per step of each racer in each round.

    Beside them, for the fastest in each precision, the matrix rates measured just before its turns.
    """
    times: dict[str, list[float]] = {name: [] for name in racers}
    rates: dict[str, list[float]] = {name: [] for name in PRECISIONS}
    for name in turns(list(racers), rounds):
        racer, turn = racers[name], batches[name]
        if name in PRECISIONS:
            rates[name].append(rate(PRECISIONS[name]))
        kept = getattr(getattr(racer, "levers", None), "kept_memory", False)
        with keep_freed_memory() if kept else contextlib.nullcontext():
            for indices in turn[:WARM_UP]:  # for memory, and for what the libraries prepare
                racer.step(indices)
            gc.collect()
            started = time.perf_counter()
            for indices in turn:
                racer.step(indices)
            times[name].append((time.perf_counter() - started) / len(turn))
    return times, rates


def ratio(times: dict[str, list[float]], slow: str, fast: str) -> float | None:
    """How many times as fast as ``slow`` is ``fast``: the median over the rounds."""
    if fast not in times:
        return None
    return round(statistics.median(a / b for a, b in zip(times[slow], times[fast], strict=True)), 3)


def table(times: dict[str, list[float]]) -> str:
    """Each racer's median, least and most seconds, and how many times as fast as the book it is."""
    lines = [f"{'seconds per step of 8 entries':34}{'median':>9}{'min':>9}{'max':>9}{'ratio':>9}"]
    for name, each in times.items():
        lines.append(
            f"{name:34}{statistics.median(each):9.3f}{min(each):9.3f}{max(each):9.3f}"
            f"{ratio(times, BOOK, name):8.2f}×"
        )
    return "\n".join(lines)


def collate_ratio(entries: Sequence[Entry], rounds: int = 5) -> float:
    """How many times as fast our collate function is; see ``benchmarks.collate``."""
    rows = collate.in_batches(list(InstructionDataset(entries)))
    pair = (collate.book_collate_fn(), rows), (collate.custom_collate_fn, rows)
    collate.race(*pair, rounds=1)
    theirs, ours = collate.race(*pair, rounds)
    return round(statistics.median(a / b for a, b in zip(theirs, ours, strict=True)), 3)


def make_racers(model: GPT, entries: Sequence[Entry], bf16: bool) -> dict:
    """All racers by name; ours share the model."""
    trl = peers.with_trl(model, entries)
    racers = {
        BOOK: peers.Book(model, entries),
        TRAINER: peers.with_trainer(model, entries),
        TRL: trl,
        BEST_TRL: trl,
    }
    for name, levers in OURS.items():
        if bf16 or not levers.bf16:
            racers[name] = Ours(model, entries, levers)
            if levers.head_skip and not levers.copies:
                # All that are alike share one optimizer's memory.
                owner = "+ fused AdamW" if levers.fused else "ours, plain"
                racers[name].optimizer = racers[owner].optimizer
    return racers


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the race and print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description="Training steps against the big libraries'.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (3)")
    parser.add_argument("--entries", type=int, default=64, help="size of the draw (64)")
    parser.add_argument("--width", type=int, default=768, help="width of the model (768)")
    parser.add_argument("--layers", type=int, default=12, help="layers of the model (12)")
    parser.add_argument(
        "--save",
        metavar="MACHINE",
        help="save the figures for the lesson, as measured on MACHINE",
    )
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.entries < BATCH_SIZE or options.entries % BATCH_SIZE:
        parser.error("--rounds must be 1 or more, --entries a multiple of 8")
    source, every = source_and_entries()
    entries = random.Random(123).sample(every, options.entries)
    torch.manual_seed(123)
    config = GPTConfig(width=options.width, layers=options.layers, heads=options.width // 64 or 1)
    bf16 = has_fast_bf16(torch.device("cpu"))
    racers = make_racers(GPT(config), entries, bf16)
    lengths = [len(e.token_ids) for e in InstructionDataset(entries).examples]
    levers = {name: OURS.get(name, Levers(buckets=name == BEST_TRL)) for name in racers}
    of_float32 = {name: racer for name, racer in racers.items() if not levers[name].bf16}
    loss = check_losses(of_float32, range(BATCH_SIZE))
    batches = {
        name: batches_of(range(len(entries)), lengths, levers[name].buckets) for name in racers
    }
    print(
        f"{len(entries)} {source} entries, {options.layers} layers of {options.width}, "
        f"{torch.get_num_threads()} threads, {options.rounds} rounds. First loss of all: {loss:.5f}"
        "\n",
        flush=True,
    )
    times, rates = run(racers, batches, options.rounds, lambda of: matmul_rate(options.width, of))
    print(table(times) + "\n")
    work = statistics.mean(map(racers[FASTEST].flops, batches[FASTEST])) / 1e9
    shares: dict[str, float | None] = dict.fromkeys(PRECISIONS)
    for name in PRECISIONS.keys() & times.keys():
        speeds = [work / seconds for seconds in times[name]]
        share = [speed / peak for speed, peak in zip(speeds, rates[name], strict=True)]
        shares[name] = round(statistics.median(share), 3)
        kind = str(PRECISIONS[name]).removeprefix("torch.")
        print(
            f"Our {kind} step needs {work:.0f} GFLOP and runs at {statistics.median(speeds):.0f} "
            f"GFLOP/s; matrices alone run at {statistics.median(rates[name]):.0f}."
        )
    if not bf16:
        print("This processor cannot multiply bfloat16 in hardware: those rows are left out.")
    result = {
        "fp32_vs_llms_from_scratch": ratio(times, BOOK, FASTEST),
        "fp32_vs_transformers": ratio(times, TRAINER, FASTEST),
        "fp32_vs_trl": ratio(times, TRL, FASTEST),
        "fp32_vs_trl_best": ratio(times, BEST_TRL, FASTEST),
        "bf16_vs_llms_from_scratch": ratio(times, BOOK, HALF),
        "gflops_share_of_matmul_peak": shares[FASTEST],
        "bf16_share_of_matmul_peak": shares[HALF],
        "collate_vs_llms_from_scratch": collate_ratio(every),
        "seconds_a_step": {n: round(statistics.median(each), 4) for n, each in times.items()},
        "source": source,
    }
    for name, target in TARGETS.items():
        met = "not measured" if result[name] is None else result[name]
        word = "aim" if name in AIMS else "target"
        print(f"{name}: {met} ({word} ≥ {target})")
    if options.save:
        save_figures("race", {"entries": options.entries, **result}, options.save)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
