"""Writing against the big libraries: ``python -m benchmarks.generate``.

Each model of GPT-2's sizes, with the same random weights, writes the 32 likeliest tokens after each
of 110 prompts; end of text does not stop it. Our code and transformers' ``generate`` (padded on the
left, with its key-value cache) write in batches of the same size. The book's ``generate`` takes one
prompt at a time and reads everything again for each token, so it gets only 12 of the prompts, and
times are compared per prompt. All must write the same tokens, except where the two largest logits
are closer than 1e-4: there rounding may decide, and such places are counted. The last line is JSON.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import nn

from benchmarks import peers
from benchmarks.entries import source_and_entries
from lessons_lib.batching import InstructionDataset
from lessons_lib.bridges import in_transformers
from lessons_lib.data import END_OF_TEXT, split_entries
from lessons_lib.generation.decoding import continue_rows, start_rows
from lessons_lib.models import GPT, GPTConfig
from lessons_lib.support.reply_options import ReplyOptions

TARGETS = {"vs_llms_from_scratch": 10.0, "vs_transformers_batched": 1.5}
FOR_THE_BOOK = 12  # prompts
CLOSE = 1e-4  # the difference below which rounding may swap two logits
NEVER = -1  # given as the end of text, so that nothing ends an answer

Rows = list[list[int]]  # token ids of each prompt, or of what was written after it


def ours(model: GPT, prompts: Rows, new: int, size: int) -> Rows:
    """As ``generate_all`` does it: the longest prompts first, in batches of ``size``."""
    options = ReplyOptions(max_new_tokens=new)
    rows = start_rows(model, prompts, options)
    by_length = sorted(rows, key=lambda row: -row.prompt_length)
    for first in range(0, len(rows), size):
        continue_rows(model, by_length[first : first + size], options, NEVER)
    return [row.new for row in rows]


def transformers_batched(model: nn.Module, prompts: Rows, new: int, size: int) -> Rows:
    """transformers' ``generate``, in batches of the same size, sorted like ours."""
    written: dict[int, list[int]] = {}
    by_length = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
    model.generation_config.eos_token_id = None
    for first in range(0, len(prompts), size):
        batch = by_length[first : first + size]
        longest = max(len(prompts[i]) for i in batch)
        padding = [longest - len(prompts[i]) for i in batch]
        rows = [[END_OF_TEXT] * n + prompts[i] for n, i in zip(padding, batch, strict=True)]
        output = model.generate(
            torch.tensor(rows),
            attention_mask=torch.tensor([[0] * n + [1] * (longest - n) for n in padding]),
            max_new_tokens=new,
            do_sample=False,
            pad_token_id=END_OF_TEXT,
        )
        written |= zip(batch, output[:, longest:].tolist(), strict=True)
    return [written[i] for i in range(len(prompts))]


def book(model: nn.Module, prompts: Rows, new: int, context_length: int) -> Rows:
    """The book's ``generate``: one prompt at a time, without a cache."""
    write = peers.needed("llms_from_scratch.ch05").generate
    return [
        write(model, torch.tensor([prompt]), new, context_length)[0, len(prompt) :].tolist()
        for prompt in prompts
    ]


@torch.no_grad()
def count_close_calls(model: GPT, prompts: Rows, one: Rows, other: Rows) -> int:
    """How many prompts were continued differently because two logits were nearly equal.

    Raises:
        SystemExit: two continuations differ, and nearly equal logits do not explain it.
    """
    calls = 0
    for prompt, first, second in zip(prompts, one, other, strict=True):
        if first == second:
            continue
        place = next(
            i for i, pair in enumerate(zip(first, second, strict=True)) if len({*pair}) > 1
        )
        largest = model(torch.tensor([prompt + first[:place]]))[0, -1].topk(2).values
        if largest[0] - largest[1] >= CLOSE:
            raise SystemExit(
                f"The continuations part at token {place}, where the largest logits are "
                f"{largest.tolist()}: there is no race."
            )
        calls += 1
    return calls


def seconds(write: Callable[[], Rows]) -> tuple[float, Rows]:
    """How long it took, and what was written."""
    started = time.perf_counter()
    written = write()
    return time.perf_counter() - started, written


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the race and print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description="Writing against the big libraries.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each writes (3)")
    parser.add_argument("--prompts", type=int, default=110, help="how many prompts (110)")
    parser.add_argument("--new", type=int, default=32, help="tokens to write for each (32)")
    parser.add_argument("--batch-size", type=int, default=110, help="prompts at once (110)")
    parser.add_argument("--width", type=int, default=768, help="width of the model (768)")
    parser.add_argument("--layers", type=int, default=12, help="layers of the model (12)")
    options = parser.parse_args(arguments)
    if min(options.rounds, options.prompts, options.new, options.batch_size) < 1:
        parser.error("--rounds, --prompts, --new and --batch-size must be 1 or more")
    source, entries = source_and_entries()
    examples = InstructionDataset(split_entries(entries).test[: options.prompts]).examples
    prompts = [example.token_ids[: example.prompt_length] for example in examples]
    few = prompts[:: max(1, len(prompts) // FOR_THE_BOOK)][:FOR_THE_BOOK]
    torch.manual_seed(123)
    heads = options.width // 64 or 1
    model = GPT(GPTConfig(width=options.width, layers=options.layers, heads=heads)).eval()
    theirs, books = in_transformers(model).eval(), peers.to_book(model).eval()
    new, size = options.new, options.batch_size
    writers = {
        "ours": lambda: ours(model, prompts, new, size),
        "transformers, batched": lambda: transformers_batched(theirs, prompts, new, size),
        "llms-from-scratch": lambda: book(books, few, new, model.context_length),
    }
    print(
        f"{len(prompts)} {source} prompts (the book's: {len(few)}), {new} tokens each, "
        f"{options.layers} layers of {options.width}, batches of {size}, "
        f"{torch.get_num_threads()} threads, {options.rounds} rounds\n",
        flush=True,
    )
    times: dict[str, list[float]] = {name: [] for name in writers}
    written: dict[str, Rows] = {}
    ours(model, prompts[:2], 2, 2)  # to warm up
    transformers_batched(theirs, prompts[:2], 2, 2)
    for index in range(options.rounds):
        for name in list(writers)[:: 1 if index % 2 == 0 else -1]:
            took, written[name] = seconds(writers[name])
            times[name].append(took / len(written[name]))
    print(f"{'milliseconds per prompt':26}{'median':>9}{'min':>9}{'max':>9}{'ratio':>9}")
    ratios = {}
    for name, each in times.items():
        pairs = zip(each, times["ours"], strict=True)
        ratios[name] = round(statistics.median(a / b for a, b in pairs), 3)
        row = "".join(f"{1000 * f(each):9.1f}" for f in (statistics.median, min, max))
        print(f"{name:26}{row}{ratios[name]:8.2f}×")
    of_few = [written["ours"][prompts.index(prompt)] for prompt in few]
    calls = count_close_calls(model, prompts, written["ours"], written["transformers, batched"])
    calls_of_few = count_close_calls(model, few, of_few, written["llms-from-scratch"])
    print(
        f"\nDifferent from ours where two logits are closer than {CLOSE:g}: transformers "
        f"{calls} of {len(prompts)}, the book {calls_of_few} of {len(few)}; all else is equal."
    )
    result = {
        "vs_llms_from_scratch": ratios["llms-from-scratch"],
        "vs_transformers_batched": ratios["transformers, batched"],
    }
    for name, target in TARGETS.items():
        print(f"{name}: {result[name]} (target ≥ {target})")
    print(json.dumps({**result, "close_calls": calls + calls_of_few, "source": source}))


if __name__ == "__main__":
    main()
