"""How lesson 09's learning rate was chosen: ``python -m benchmarks.learning_rates``.

For each mask and each learning rate, it prints the response loss on 300 held-out entries, the one
loss that compares runs with different masks, as a mean over seeds. Neither test entries nor the
held-out ones on which lesson 11 reports are used. The last line is JSON.
"""

import argparse
import dataclasses
import json
import os
import statistics
import tempfile

from lessons_lib.data.world import choosing_entries
from lessons_lib.training import RECIPES, load_or_finetune, response_loss

RATES = (1e-4, 2e-4, 3e-4, 6e-4)


def response_losses(model: str, mask: str, rate: float, epochs: int, seeds: int) -> list[float]:
    """The response loss on the choosing entries, in nats per token, after each seed's run."""
    losses = []
    for seed in range(1, seeds + 1):
        recipe = dataclasses.replace(
            RECIPES["lesson-09"],
            model=model,
            entries="bundled",
            instruction_mask=mask,
            learning_rate=rate,
            epochs=epochs,
            seed=seed,
        )
        tuned = load_or_finetune(recipe, device="cpu", progress=False, say=lambda text: None)
        losses.append(response_loss(tuned.model, choosing_entries()))
    return losses


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="base", help="a bundled model or a file")
    parser.add_argument("--masks", nargs="+", default=["prompt", "none"])
    parser.add_argument("--rates", nargs="+", type=float, default=RATES)
    parser.add_argument("--epochs", type=int, default=RECIPES["lesson-09"].epochs)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args(arguments)
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LESSONS_LIB_CACHE"] = cache
        for mask in options.masks:
            for rate in options.rates:
                losses = response_losses(options.model, mask, rate, options.epochs, options.seeds)
                found.setdefault(mask, {})[f"{rate:g}"] = round(statistics.mean(losses), 4)
                each = ", ".join(f"{loss:.4f}" for loss in losses)
                print(f"{mask:<12} {rate:<8g} {statistics.mean(losses):.4f}  ({each})", flush=True)
    best = {mask: min(losses, key=losses.get) for mask, losses in found.items()}
    print(json.dumps({"response_loss": found, "best": best, "epochs": options.epochs}))


if __name__ == "__main__":
    main()
