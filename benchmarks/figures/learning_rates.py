"""How lesson 09's learning rates were chosen: ``python -m benchmarks.learning_rates``.

For each start, mask and learning rate, it prints the response loss on 300 held-out entries, the one
loss that compares runs with different masks, as a mean over seeds. Neither test entries nor the
held-out ones on which lesson 11 reports are used. Random weights are trained for ten epochs, the
bundled models for the recipe's three. The last line is JSON.
"""

import argparse
import dataclasses
import json
import os
import statistics
import tempfile
from typing import NamedTuple

from lessons_lib.data.world import choosing_entries
from lessons_lib.experiments import save_figures
from lessons_lib.models import load_model, untrained_twin
from lessons_lib.support.processes import Report, run_all
from lessons_lib.training import RECIPES, load_or_finetune, response_loss

RATES = (1e-4, 2e-4, 3e-4, 6e-4)
RANDOM, RANDOM_EPOCHS, RANDOM_RATES = "random weights", 10, (5e-4, 1e-3, 2e-3, 4e-3)
STARTS = {  # masks
    "base": ("prompt", "none"),
    "base-without-facts": ("prompt",),
    RANDOM: ("prompt",),
}


class Run(NamedTuple):
    """One fine-tuning."""

    start: str
    mask: str
    rate: float
    epochs: int
    seed: int


def random_weights(name: str):
    """A model as large as the one of this name."""
    return untrained_twin(load_model(name))


def measure(run: Run, report: Report = lambda share: None) -> float:
    """The response loss on the choosing entries, in nats a token, after the run."""
    recipe = dataclasses.replace(
        RECIPES["lesson-09"],
        model="base" if run.start == RANDOM else run.start,
        entries="bundled",
        instruction_mask=run.mask,
        learning_rate=run.rate,
        epochs=run.epochs,
        seed=run.seed,
    )
    load = random_weights if run.start == RANDOM else load_model
    tuned = load_or_finetune(recipe, load=load, device="cpu", progress=False, say=lambda text: None)
    return response_loss(tuned.model, choosing_entries())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", nargs="+", default=list(STARTS), help="models, or files")
    parser.add_argument("--rates", nargs="+", type=float, help="other rates for all")
    parser.add_argument("--epochs", type=int, default=RECIPES["lesson-09"].epochs)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument(
        "--save", metavar="MACHINE", help="save it for lesson 09, as measured on MACHINE"
    )
    options = parser.parse_args(arguments)
    runs = []
    for start in options.starts:
        usual, epochs = RATES, options.epochs
        if start == RANDOM:
            usual, epochs = RANDOM_RATES, RANDOM_EPOCHS
        for mask in STARTS.get(start, ("prompt", "none")):
            for rate in options.rates or usual:
                runs += [Run(start, mask, rate, epochs, seed + 1) for seed in range(options.seeds)]
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LESSONS_LIB_CACHE"] = cache
        losses = run_all(measure, runs)
    found: dict[str, dict[str, float]] = {}
    for run in dict.fromkeys(run._replace(seed=0) for run in runs):
        each = [
            loss for other, loss in zip(runs, losses, strict=True) if other._replace(seed=0) == run
        ]
        name = f"{run.start}, {run.mask}"
        found.setdefault(name, {})[f"{run.rate:g}"] = round(statistics.mean(each), 4)
        told = ", ".join(f"{loss:.4f}" for loss in each)
        print(f"{name:<28} {run.rate:<8g} {statistics.mean(each):.4f}  ({told})")
    best = {name: float(min(losses, key=losses.get)) for name, losses in found.items()}
    figures = {"response_loss": found, "best": best, "epochs": options.epochs}
    figures["epochs_random_weights"] = RANDOM_EPOCHS
    if options.save:
        save_figures("learning_rates", figures, options.save)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
