"""LoRA against all weights, on SmolLM2: ``python -m benchmarks.lora``.

Both are trained by lesson 09's recipe, one epoch on the bundled training entries, each in a process
of its own: all weights at the recipe's learning rate, and LoRA of rank 16 on all linear layers at
ten times that. Compared are the weights trained, the most memory that the process had, seconds, and
the exact answers to the 110 test entries, in pairs. Prints a table, then JSON in the last line.
"""

import argparse
import dataclasses
import json

import torch

from benchmarks.paired import Run, each_alone, exact_difference, in_numbers, train_and_ask
from lessons_lib.bridges import add_lora
from lessons_lib.data import load_entries, split_entries
from lessons_lib.experiments import lora_table, save_figures
from lessons_lib.models import count_parameters, load_model
from lessons_lib.support.devices import has_fast_bf16
from lessons_lib.training import RECIPES

ALL, LORA = "all weights", "LoRA"
RANK, ALPHA, RATE = 16, 32, 5e-4


def measure(way: str, model: str, steps: int | None, test_entries: int | None, threads: int) -> Run:
    """Train a model in one of the two ways, and have it answer."""
    torch.set_num_threads(threads)
    bf16 = has_fast_bf16(torch.device("cpu"))
    recipe = dataclasses.replace(
        RECIPES["lesson-09-real"],
        entries="bundled",
        precision="bf16" if bf16 else "float32",
        max_steps=steps,
    )
    if way == LORA:
        recipe = dataclasses.replace(recipe, learning_rate=RATE)
    torch.manual_seed(recipe.seed)
    loaded = load_model(model)
    if way == LORA:
        add_lora(loaded, RANK, ALPHA)
    splits = split_entries(load_entries(recipe.entries))
    splits = splits._replace(test=splits.test[:test_entries])
    return train_and_ask(loaded, recipe, splits)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2", help="a name or folder (smollm2)")
    parser.add_argument("--steps", type=int, help="stop after this many of the 117")
    parser.add_argument("--test-entries", type=int, help="ask only this many of the 110")
    parser.add_argument(
        "--save", metavar="MACHINE", help="save it for lesson 14, as measured on MACHINE"
    )
    options = parser.parse_args(arguments)
    chosen = options.model, options.steps, options.test_entries, torch.get_num_threads()
    whole, lora = each_alone(measure, [(way, *chosen) for way in (ALL, LORA)])
    figures = {
        "rank": RANK,
        "alpha": ALPHA,
        "weights": count_parameters(load_model(options.model)),
        "test_entries": len(whole.scores.entries),
        "threads": torch.get_num_threads(),
        "runs": {ALL: whole.figures, LORA: lora.figures},
        "exact_difference": in_numbers(exact_difference(whole, lora)),
    }
    print(lora_table(figures))
    if options.save:
        save_figures("lora", figures, options.save)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
