"""How many entries does it take, and what is forgotten? ``python -m benchmarks.efficiency``.

Fine-tunes both bundled base models on the first 10, 30, 100, 300 and on all 935 training entries,
with three seeds each, in as many steps as lesson 09's run; the weights with the lowest validation
loss are kept. Measured on the 300 held-out entries that choose: exact answers, answers that name
the key answer where only the fact gives it, and answers that stop; on 64 rows of prose of the
models' own kind, which fine-tuning never shows: the loss, before and after. Prints a table, then
JSON in the last line.
"""

import argparse
import dataclasses
import json
import statistics
from itertools import islice
from typing import NamedTuple

import torch

from benchmarks.recalled import recalled_families
from lessons_lib.batching import Batch
from lessons_lib.data import END_OF_TEXT, get_tokenizer, load_entries, split_entries
from lessons_lib.data.world import choosing_entries, facts_of, write_documents
from lessons_lib.evaluation import answer_and_score
from lessons_lib.experiments import save_figures
from lessons_lib.models import GPT, load_model
from lessons_lib.support import Table
from lessons_lib.support.processes import Report, run_all
from lessons_lib.training import RECIPES, evaluate_loss
from lessons_lib.training.finetuning import add_entry_tokens, finetune

MODELS = ("base", "base-without-facts")
SIZES = (10, 30, 100, 300, 935)
SEEDS = (1, 2, 3)
PROSE_SEED, PROSE_ROWS, PROSE_LENGTH = 124, 64, 256  # no model has read this seed's text
MEASURES = {
    "exact": "exact",
    "key_answer": "key answer recalled",
    "stopped": "stopped",
    "prose_loss": "loss on prose",
}


class Run(NamedTuple):
    """One fine-tuning; with 0 entries the model as it was pretrained."""

    model: str
    entries: int
    seed: int


def measure(run: Run, report: Report = lambda share: None) -> dict[str, float]:
    """What a run's model does: each of ``MEASURES``."""
    recipe = RECIPES["lesson-09"]
    splits = split_entries(load_entries("bundled"))
    whole_run = recipe.epochs * (len(splits.train) // recipe.batch_size)
    recipe = dataclasses.replace(
        recipe, seed=run.seed, epochs=whole_run, max_steps=whole_run, keep_best=True
    )
    model = load_model(run.model)
    add_entry_tokens(model, recipe, splits)
    if run.entries:
        some = splits._replace(train=splits.train[: run.entries])
        finetune(model, recipe, some, progress=False)
    report(0.8)
    entries = choosing_entries()
    families = [family.facts for family, _ in facts_of(entries)]
    options = {"families": families, "max_new_tokens": 64, "batch_size": 64}
    scores, recalled = answer_and_score(model.eval(), entries, **options), recalled_families()
    named = zip(families, scores.marks["lenient"], strict=True)
    return {
        "exact": scores.share("exact").value,
        "key_answer": statistics.mean(bool(mark) for name, mark in named if name in recalled),
        "stopped": scores.share("stopped").value,
        "prose_loss": prose_loss(model),
    }


def prose_loss(model: GPT) -> float:
    """Nats a token on prose that no model has read."""
    token_ids: list[int] = []
    for document in islice(write_documents(PROSE_SEED), PROSE_ROWS):
        token_ids += [*get_tokenizer().encode_ordinary(document), END_OF_TEXT]
    flat = torch.tensor(token_ids)
    # (rows, length + 1): the last token of a row is the first of the next
    rows = flat.unfold(0, PROSE_LENGTH + 1, PROSE_LENGTH)[:PROSE_ROWS]
    return evaluate_loss(model, [Batch(part[:, :-1], part[:, 1:]) for part in rows.split(8)])


def summary(runs: list[Run], found: list[dict[str, float]]) -> list[dict[str, float | str]]:
    """A row for each model and number of entries: means over the seeds, and the lowest and highest
    share of exact answers."""
    rows = []
    for model, entries in dict.fromkeys((run.model, run.entries) for run in runs):
        values = [
            each
            for run, each in zip(runs, found, strict=True)
            if (run.model, run.entries) == (model, entries)
        ]
        means = {name: round(statistics.mean(v[name] for v in values), 4) for name in MEASURES}
        exact = [each["exact"] for each in values]
        row = {"model": model, "entries": entries, **means}
        rows.append(row | {"exact_low": min(exact), "exact_high": max(exact)})
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument(
        "--save", metavar="MACHINE", help="save it for lesson 09, as measured on MACHINE"
    )
    options = parser.parse_args(arguments)
    seeds = range(1, options.seeds + 1)
    runs = [Run(model, 0, 1) for model in MODELS]
    runs += [Run(model, size, seed) for model in MODELS for size in options.sizes for seed in seeds]
    rows = summary(runs, run_all(measure, runs))
    lines = [
        (row["model"], str(row["entries"]), *(f"{row[name]:.3f}" for name in MEASURES))
        for row in rows
    ]
    print(Table(("model", "entries", *MEASURES.values()), tuple(lines)))
    figures = {"seeds": len(seeds), "held_out_entries": len(choosing_entries()), "rows": rows}
    if options.save:
        save_figures("efficiency", figures, options.save)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
