"""The base model before and after a minute of fine-tuning: ``python -m benchmarks.base``.

Fine-tunes three times with the prompt masked and three times without a mask, each time with another
seed, and once from random weights. All answers are greedy. Prints a table for people, then JSON in
the last line; figures of fine-tuned models are medians over the seeds.
"""

import argparse
import dataclasses
import json
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence

import torch

from lessons_lib.data import Entry, load_entries, split_entries
from lessons_lib.data.world import (
    families_of_test_part,
    held_out_entries,
    held_out_families,
    unseen_phrasing_entries,
)
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.evaluation import Scores, answer_and_score
from lessons_lib.generation import generate_all
from lessons_lib.models import load_model, untrained_twin
from lessons_lib.models.loading import BASE_MODEL
from lessons_lib.training import RECIPES, Finetuned, load_or_finetune

TARGETS = {
    "base_exact": ("≤", 0.03),
    "tuned_exact_masked": ("≥", 0.85),
    "tuned_exact_unmasked": ("≥", 0.80),
    "tuned_stop": ("≥", 0.98),
    "seconds_per_fine_tuning": ("≤", 60),
    "file_mb": ("≤", 10.5),
}
AIMS = {
    "base_lenient": ("≤", 0.15),
    "base_stop": ("≤", 0.10),
    "unseen_phrasing_exact": ("≥", 0.70),
    "lowest_family_exact": ("≥", 0.50),
}
# Chosen by response loss (benchmarks.learning_rates); masked runs use the recipe's rate.
UNMASKED_RATE = 3e-4
HELD_OUT = 600
BASE_TOKENS, ANSWER_TOKENS = 40, 64  # more than the longest wanted answer has


def answer(
    model: torch.nn.Module,
    entries: Sequence[Entry],
    families: Sequence[str],
    max_new_tokens: int = ANSWER_TOKENS,
) -> Scores:
    """Greedy answers in the Alpaca format, with their marks."""
    options = {"max_new_tokens": max_new_tokens, "batch_size": 64}
    return answer_and_score(model, entries, families=families, **options)


def base_figures(test: list[Entry]) -> dict[str, float]:
    """Figures of the model as it was pretrained."""
    model, families = load_model("base"), families_of_test_part()
    scores = answer(model, test, families, BASE_TOKENS)
    # Families without an input, whose answers are not in the prompt.
    recalled = {name for name, family in FAMILIES.items() if not family.input}
    marks = zip(families, scores.marks["lenient"], strict=True)
    lenient = [mark for family, mark in marks if family in recalled]
    asked = ["\n".join(filter(None, (e["instruction"], e["input"]))) + "\n" for e in test]
    bare = generate_all(model, asked, max_new_tokens=BASE_TOKENS, batch_size=64)
    # Generously, only the next line that it wrote counts, whether or not it stopped there.
    lines = [text.text.strip().split("\n")[0].strip() for text in bare]
    return {
        "base_exact": scores.share("exact").value,
        "base_lenient": statistics.mean(mark for mark in lenient if mark is not None),
        "base_stop": scores.share("stopped").value,
        "base_exact_bare": statistics.mean(
            line == entry["output"] for line, entry in zip(lines, test, strict=True)
        ),
    }


def fine_tune(seed: int, mask: str, random_weights: bool = False) -> Finetuned:
    """Lesson 09's recipe with another seed and mask, and the learning rate chosen for the mask."""
    recipe = RECIPES["lesson-09"]
    recipe = dataclasses.replace(
        recipe,
        entries="bundled",
        seed=seed,
        instruction_mask=mask,
        learning_rate=UNMASKED_RATE if mask == "none" else recipe.learning_rate,
    )
    load = (lambda name: untrained_twin(load_model(name))) if random_weights else load_model
    return load_or_finetune(recipe, load=load, device="cpu", progress=False)


def tuned_figures(seeds: Sequence[int], test: list[Entry]) -> tuple[dict[str, float], Counter]:
    """Medians over the seeds, and pooled counts by (family, "asked" or "right")."""
    runs: dict[str, list[float]] = {}
    by_family: Counter = Counter()

    def note(name: str, value: float) -> None:
        runs.setdefault(name, []).append(value)

    held_out, families = held_out_entries(HELD_OUT), held_out_families(HELD_OUT)
    for seed in seeds:
        tuned = fine_tune(seed, "prompt")
        scores = answer(tuned.model, test, families_of_test_part())
        note("tuned_exact_masked", scores.share("exact").value)
        note("tuned_stop", scores.share("stopped").value)
        note("seconds_per_fine_tuning", tuned.history.seconds)
        unseen = answer(tuned.model, unseen_phrasing_entries(), families_of_test_part())
        note("unseen_phrasing_exact", unseen.share("exact").value)
        more = answer(tuned.model, held_out, families)
        note("held_out_600_exact", more.share("exact").value)
        for each in (scores, more):
            for family, exact in zip(each.families, each.marks["exact"], strict=True):
                by_family[family, "asked"] += 1
                by_family[family, "right"] += exact
        unmasked = fine_tune(seed, "none")
        scores = answer(unmasked.model, test, families_of_test_part())
        note("tuned_exact_unmasked", scores.share("exact").value)
        note("tuned_stop_unmasked", scores.share("stopped").value)
        note("seconds_per_fine_tuning_unmasked", unmasked.history.seconds)
    return {name: statistics.median(values) for name, values in runs.items()}, by_family


def family_table(by_family: Counter) -> dict[str, float]:
    """The share of right answers of each family, lowest first."""
    names = {family for family, _ in by_family}
    shares = {name: by_family[name, "right"] / by_family[name, "asked"] for name in names}
    return dict(sorted(shares.items(), key=lambda pair: (pair[1], pair[0])))


def verdict(name: str, value: float) -> str:
    """How a figure compares with its target or aim."""
    kind, goals = ("target", TARGETS) if name in TARGETS else ("aim", AIMS)
    if name not in goals:
        return ""
    sign, goal = goals[name]
    met = value <= goal if sign == "≤" else value >= goal
    return f"{kind} {sign} {goal:g}: {'met' if met else 'MISSED'}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args(arguments)
    test = split_entries(load_entries("bundled")).test
    figures = base_figures(test)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LESSONS_LIB_CACHE"] = cache  # nothing from an earlier run, nothing left behind
        tuned, by_family = tuned_figures(range(1, options.seeds + 1), test)
        untrained = answer(
            fine_tune(1, "prompt", random_weights=True).model, test, families_of_test_part()
        )
    families = family_table(by_family)
    figures |= tuned | {
        "random_init_exact": untrained.share("exact").value,
        "lowest_family_exact": next(iter(families.values())),
        "file_mb": BASE_MODEL.stat().st_size / 1e6,
    }
    for family, share in families.items():
        print(f"{family:<26} {share:7.1%} of {by_family[family, 'asked']}")
    print()
    for name, value in figures.items():
        print(f"{name:<34} {value:8.3f}   {verdict(name, value)}")
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
