"""Phi-3's prompt format trained beside Alpaca's: ``python -m benchmarks.formats``.

The base model by lesson 09's recipe, asked 300 held-out entries, and SmolLM2 by that lesson's last
one, asked the 110 test entries; each once in either format, on the bundled entries, in a process of
its own. Compared are the tokens of an epoch, seconds of training, and the exact answers in pairs.
Prints a table, then JSON in the last line.
"""

import argparse
import dataclasses
import json

import torch

from benchmarks.paired import Run, each_alone, exact_difference, in_numbers, train_and_ask
from lessons_lib.data import load_entries, split_entries
from lessons_lib.data.world import choosing_entries
from lessons_lib.experiments import formats_table, save_figures
from lessons_lib.models import load_model
from lessons_lib.support.devices import has_fast_bf16
from lessons_lib.training import RECIPES

FORMATS = ("alpaca", "phi3")
RECIPE_OF = {"base": "lesson-09", "smollm2": "lesson-09-real"}


def measure(
    model: str, prompt_format: str, steps: int | None, test_entries: int | None, threads: int
) -> Run:
    """Train a model in a format, and ask it in that format."""
    torch.set_num_threads(threads)
    recipe = dataclasses.replace(
        RECIPES[RECIPE_OF[model]], entries="bundled", prompt_format=prompt_format, max_steps=steps
    )
    if model == "smollm2" and has_fast_bf16(torch.device("cpu")):
        recipe = dataclasses.replace(recipe, precision="bf16")
    torch.manual_seed(recipe.seed)
    splits = split_entries(load_entries(recipe.entries))
    if model == "base":
        splits = splits._replace(test=choosing_entries())
    return train_and_ask(
        load_model(model), recipe, splits._replace(test=splits.test[:test_entries])
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=RECIPE_OF, default=[*RECIPE_OF])
    parser.add_argument("--steps", type=int, help="stop after this many")
    parser.add_argument("--test-entries", type=int, help="ask only this many")
    parser.add_argument(
        "--save", metavar="MACHINE", help="save it for lesson 14, as measured on MACHINE"
    )
    options = parser.parse_args(arguments)
    rows = []
    for model in options.models:
        chosen = options.steps, options.test_entries, torch.get_num_threads()
        runs = each_alone(measure, [(model, name, *chosen) for name in FORMATS])
        rows.append(
            {
                "model": model,
                "test_entries": len(runs[0].scores.entries),
                "runs": {name: run.figures for name, run in zip(FORMATS, runs, strict=True)},
                "exact_difference": in_numbers(exact_difference(*runs)),
            }
        )
    figures = {"threads": torch.get_num_threads(), "models": rows}
    print(formats_table(figures))
    if options.save:
        save_figures("formats", figures, options.save)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
