"""SmolLM2 before and after one epoch of fine-tuning: ``python -m benchmarks.real``.

Uses the book's 1,100 entries if ``LESSONS_LIB_REAL_ENTRIES`` names their file, else the bundled
ones: 935 to train on, 110 to answer greedily, 55 to validate. Prints a table for people with 95 %
intervals, then JSON in the last line.
"""

import argparse
import dataclasses
import json
import os
import tempfile

from benchmarks.entries import ENTRIES_VARIABLE
from lessons_lib.experiments import before_and_after, save_figures
from lessons_lib.support.devices import describe_device, pick_device
from lessons_lib.training import RECIPES, Recipe

TARGETS = {"gain": (">=", 0.10), "minutes": ("<=", 8.0)}


def recipe_for(options: argparse.Namespace) -> Recipe:
    """The lesson's recipe with the changes of the command line."""
    entries = options.entries or os.environ.get(ENTRIES_VARIABLE) or "bundled"
    changes = {"entries": entries, "learning_rate": options.learning_rate, "seed": options.seed}
    if options.steps:
        changes |= {"max_steps": options.steps, "evaluate_every": options.steps}
    return dataclasses.replace(RECIPES["lesson-09-real"], **changes)


def verdict(name: str, value: float) -> str:
    """How a figure compares with its target; empty if it has none."""
    if name not in TARGETS:
        return ""
    sign, goal = TARGETS[name]
    met = value >= goal if sign == ">=" else value <= goal
    return f"target {sign} {goal:g}: {'met' if met else 'MISSED'}"


def build_parser() -> argparse.ArgumentParser:
    recipe = RECIPES["lesson-09-real"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", help='"bundled" or a file; default: the book\'s, if named')
    parser.add_argument("--precision", choices=("auto", "float32", "bf16"), default="auto")
    parser.add_argument("--learning-rate", type=float, default=recipe.learning_rate)
    parser.add_argument("--seed", type=int, default=recipe.seed)
    parser.add_argument("--steps", type=int, help="stop after this many of the 117")
    parser.add_argument("--test-entries", type=int, help="ask only this many of the 110")
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--save",
        metavar="MACHINE",
        help="save the figures for the lesson, as measured on MACHINE",
    )
    return parser


def main(arguments: list[str] | None = None) -> None:
    options = build_parser().parse_args(arguments)
    recipe, device = recipe_for(options), pick_device(options.device)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LESSONS_LIB_CACHE"] = cache  # nothing from an earlier run, nothing left behind
        result = before_and_after(
            recipe, precision=options.precision, test_entries=options.test_entries, device=device
        )
    entries = "bundled" if recipe.entries == "bundled" else "book"
    print(f"\n{entries} entries, {result.tuned.recipe.precision}, on {describe_device(device)}\n")
    print(f"{result}\n")
    figures = result.figures()
    for name, value in figures.items():
        print(f"{name:<22} {value:8.3f}   {verdict(name, value)}".rstrip())
    rounded = {name: round(value, 4) for name, value in figures.items()}
    steps = {"entries": entries, "steps": result.tuned.history.steps}
    if options.save:
        precision = {"precision": result.tuned.recipe.precision}
        save_figures(f"real-{entries}", steps | precision | rounded, options.save)
    print(json.dumps(steps | rounded))


if __name__ == "__main__":
    main()
