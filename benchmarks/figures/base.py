"""The base models before and after a minute of fine-tuning: ``python -m benchmarks.base``.

Fine-tunes three times with the prompt masked, three times without a mask and three times from the
base without the facts, each time with another seed, and once from random weights. All answers are
greedy. The keys of the last line, which is JSON, are measured on the 110 test entries, those with
"held_out" on the 300 held-out ones by which settings are chosen; the table has both together. The
other 300 are left to lesson 11. Figures of fine-tuned models are medians over the seeds.
``--model FILE`` and ``--control FILE`` measure candidates.
"""

import argparse
import dataclasses
import json
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.recalled import chance_of, recalled_families
from lessons_lib.data import Entry, load_entries, split_entries
from lessons_lib.data.world import (
    choosing_entries,
    facts_of,
    families_of_test_part,
    unseen_phrasing_entries,
)
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.prose import load_family_prose
from lessons_lib.evaluation import Scores, answer_and_score
from lessons_lib.generation import generate_all
from lessons_lib.models import load_model, untrained_twin
from lessons_lib.models.loading import BUNDLED_MODELS
from lessons_lib.support import Table
from lessons_lib.training import RECIPES, Finetuned, load_or_finetune

TARGETS = {
    "base_exact": ("≤", 0.03),
    "tuned_exact_masked": ("≥", 0.85),
    "tuned_exact_unmasked": ("≥", 0.77),
    "key_answer_masked": ("≥", 0.88),
    "tuned_stop": ("≥", 0.98),
    "seconds_per_fine_tuning": ("≤", 25),
    "control_key_answer": ("≤", 0.15),
    "file_mb": ("≤", 10.5),
}
AIMS = {
    "base_lenient": ("≤", 0.15),
    "base_stop": ("≤", 0.10),
    "tuned_exact_masked": ("≥", 0.92),
    "tuned_exact_unmasked": ("≥", 0.85),
    "key_answer_masked": ("≥", 0.95),
    "unseen_phrasing_exact": ("≥", 0.70),
    "lowest_family_exact": ("≥", 0.50),
}
# Chosen by response loss (benchmarks.learning_rates); masked runs use the recipe's rate.
UNMASKED_RATE = 3e-4
BASE_TOKENS, ANSWER_TOKENS = 40, 64  # more than the longest wanted answer has
Counts = Counter[tuple[str, str]]  # by family and "asked", or a mark, or a mark's "… defined"


def answer(
    model: torch.nn.Module,
    entries: Sequence[Entry],
    families: Sequence[str],
    max_new_tokens: int = ANSWER_TOKENS,
) -> Scores:
    """Greedy answers in the Alpaca format, with their marks."""
    options = {"max_new_tokens": max_new_tokens, "batch_size": 64}
    return answer_and_score(model, entries, families=families, **options)


def base_figures(name: str, test: list[Entry]) -> dict[str, float]:
    """Figures of the model as it was pretrained."""
    model, families = load_model(name), families_of_test_part()
    scores = answer(model, test, families, BASE_TOKENS)
    # Families without an input, whose answers are not in the prompt.
    recalled = [name for name, family in FAMILIES.items() if not family.input]
    asked = ["\n".join(filter(None, (e["instruction"], e["input"]))) + "\n" for e in test]
    bare = generate_all(model, asked, max_new_tokens=BASE_TOKENS, batch_size=64)
    # Generously, only the next line that it wrote counts, whether or not it stopped there.
    lines = [text.text.strip().split("\n")[0].strip() for text in bare]
    return {
        "base_exact": scores.share("exact").value,
        "base_lenient": key_answers(scores, recalled),
        "base_stop": scores.share("stopped").value,
        "base_exact_bare": statistics.mean(
            line == entry["output"] for line, entry in zip(lines, test, strict=True)
        ),
    }


def key_answers(scores: Scores, families: Sequence[str]) -> float:
    """The share of answers that name the key answer, of the families' entries that have one."""
    marks = zip(scores.families, scores.marks["lenient"], strict=True)
    return statistics.mean(mark for name, mark in marks if name in families and mark is not None)


def fine_tune(
    name: str, seed: int, mask: str = "prompt", random_weights: bool = False
) -> Finetuned:
    """Lesson 09's recipe with another seed and mask, and the learning rate chosen for the mask."""
    recipe = RECIPES["lesson-09"]
    recipe = dataclasses.replace(
        recipe,
        model=name,
        entries="bundled",
        seed=seed,
        instruction_mask=mask,
        learning_rate=UNMASKED_RATE if mask == "none" else recipe.learning_rate,
    )
    load = (lambda name: untrained_twin(load_model(name))) if random_weights else load_model
    return load_or_finetune(recipe, load=load, device="cpu", progress=False)


def tuned_figures(
    name: str, control: str | None, seeds: Sequence[int], test: list[Entry]
) -> tuple[dict[str, float], Counts, Counts]:
    """Medians over the seeds, and counts by family of all seeds: the model's and the control's."""
    runs: dict[str, list[float]] = {}
    counts: Counts = Counter()
    counts_of_control: Counts = Counter()

    def note(**values: float) -> None:
        for key, value in values.items():
            runs.setdefault(key, []).append(value)

    families, recalled = families_of_test_part(), recalled_families()
    held_out = choosing_entries()
    held_out_families = [family.facts for family, _ in facts_of(held_out)]
    for seed in seeds:
        tuned = fine_tune(name, seed)
        scores = answer(tuned.model, test, families)
        more = answer(tuned.model, held_out, held_out_families)
        unseen = answer(tuned.model, unseen_phrasing_entries(), families)
        count(counts, scores, more)
        note(
            tuned_exact_masked=scores.share("exact").value,
            key_answer_masked=scores.share("lenient").value,
            key_answer_recalled=key_answers(scores, recalled),
            tuned_stop=scores.share("stopped").value,
            seconds_per_fine_tuning=tuned.history.seconds,
            unseen_phrasing_exact=unseen.share("exact").value,
            held_out_exact=more.share("exact").value,
            held_out_key_answer_recalled=key_answers(more, recalled),
        )
        unmasked = fine_tune(name, seed, "none")
        scores = answer(unmasked.model, test, families)
        note(
            tuned_exact_unmasked=scores.share("exact").value,
            tuned_stop_unmasked=scores.share("stopped").value,
            seconds_per_fine_tuning_unmasked=unmasked.history.seconds,
        )
        if control:
            model = fine_tune(control, seed).model
            scores = answer(model, test, families)
            more = answer(model, held_out, held_out_families)
            count(counts_of_control, scores, more)
            note(
                control_exact=scores.share("exact").value,
                control_stop=scores.share("stopped").value,
                control_key_answer=key_answers(scores, recalled),
                held_out_control_key_answer=key_answers(more, recalled),
            )
    medians = {key: statistics.median(values) for key, values in runs.items()}
    return medians, counts, counts_of_control


def count(counts: Counts, *scores: Scores) -> None:
    """Add each family's entries and marks."""
    for each in scores:
        for name, marks in each.marks.items():
            for family, mark in zip(each.families, marks, strict=True):
                counts[family, f"{name} defined"] += mark is not None
                counts[family, name] += bool(mark)


def share(counts: Counts, family: str, mark: str) -> float | None:
    """The share of a family's answers with a mark; None where it is defined for none of them."""
    defined = counts[family, f"{mark} defined"]
    return counts[family, mark] / defined if defined else None


def family_table(counts: Counts, control: Counts) -> Table:
    """A row for each family, the lowest share of exact answers first.

    A star marks the families that the control is measured on.
    """
    recalled = recalled_families()
    names = {family for family, _ in counts}
    text = lambda value: "–" if value is None else f"{value:.0%}"  # noqa: E731
    rows = [
        (
            name + " *" * (name in recalled),
            str(len(load_family_prose(name).statements)),
            text(share(counts, name, "exact")),
            text(share(counts, name, "lenient")),
            text(share(control, name, "lenient")),
            text(chance_of(name)),
        )
        for name in sorted(names, key=lambda name: (share(counts, name, "exact"), name))
    ]
    return Table(("family", "wordings", "exact", "key answer", "control", "chance"), tuple(rows))


def verdict(name: str, value: float) -> str:
    """How a figure compares with its target and its aim."""
    told = []
    for kind, goals in (("target", TARGETS), ("aim", AIMS)):
        if name in goals:
            sign, goal = goals[name]
            met = value <= goal if sign == "≤" else value >= goal
            told.append(f"{kind} {sign} {goal:g}: {'met' if met else 'MISSED'}")
    return ", ".join(told)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", default="base", help="a bundled model or a file")
    parser.add_argument(
        "--control", default="base-without-facts", help="a bundled model, a file, or none"
    )
    options = parser.parse_args(arguments)
    control = None if options.control == "none" else options.control
    if control:
        load_model(control)  # if it is missing, that is said at once
    test = split_entries(load_entries("bundled")).test
    figures = base_figures(options.model, test)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LESSONS_LIB_CACHE"] = cache  # nothing from an earlier run, nothing left behind
        seeds = range(1, options.seeds + 1)
        tuned, counts, counts_of_control = tuned_figures(options.model, control, seeds, test)
        untrained = fine_tune(options.model, 1, random_weights=True).model
        untrained_scores = answer(untrained, test, families_of_test_part())
    recalled = recalled_families()
    asked = [name for name in families_of_test_part() if name in recalled]
    file = BUNDLED_MODELS.get(options.model) or Path(options.model)
    figures |= tuned | {
        "control_chance": statistics.mean(map(chance_of, asked)),
        "random_init_exact": untrained_scores.share("exact").value,
        "lowest_family_exact": min(share(counts, name, "exact") for name, _ in counts),
        "file_mb": file.stat().st_size / 1e6,
    }
    print(family_table(counts, counts_of_control))
    print(f"* the control is measured on these {len(recalled)} families\n")
    for name, value in figures.items():
        print(f"{name:<34} {value:8.3f}   {verdict(name, value)}")
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
