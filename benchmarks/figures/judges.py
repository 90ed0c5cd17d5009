"""Which scorer can be trusted: ``python -m benchmarks.judges``.

For every scorer, on the 60 labelled answers: AUC and Spearman with 95 % intervals, how many answers
it could score, and seconds per 100 answers without the time to load a model; then the AUC of one
kind of answer against another, because that of all good against all bad hides what a scorer sees.
Prints tables for people, then JSON in the last line. A judge on a server joins in if
``LESSONS_LIB_JUDGE_MODEL`` names one. Without SmolLM2's package its figures are null.
"""

import argparse
import json

from lessons_lib.evaluation import STATISTICAL
from lessons_lib.evaluation.judges import available_scorers, judge_the_judges
from lessons_lib.evaluation.judges.labelled_answers import Kind
from lessons_lib.evaluation.judges.verdicts import Verdict, Verdicts
from lessons_lib.support import Table

TARGET = 0.8  # for the best scorer
# From the name in the JSON to the name of the scorer.
FIGURES = {
    "rouge_l_auc": "ROUGE-L",
    "chrf_auc": "chrF",
    "lenient_auc": "lenient",
    "prompted_auc": "prompted judge",
    "expected_digit_auc": "prompted judge, expected digit",
    "likelihood_auc": "likelihood",
    "likelihood_gain_auc": "likelihood gain",
    "combined_auc": "combined",
}

# Pairs of kinds to tell apart: from a part of the name in the JSON to (good, bad).
PAIRS: dict[str, tuple[Kind, Kind]] = {
    "right_v_wrong_fact": ("right", "wrong fact"),
    "reworded_v_wrong_fact": ("reworded", "wrong fact"),
    "right_v_wrong_family": ("right", "wrong family"),
    "right_v_empty": ("right", "empty"),
    "right_v_echo": ("right", "echo"),
}
# The JSON has each of these pairs for each of these scorers.
IN_FIGURES = "right_v_wrong_fact", "reworded_v_wrong_fact"
MODEL_SCORERS = {
    "likelihood": "likelihood",
    "prompted": "prompted judge",
    "expected_digit": "prompted judge, expected digit",
}


def pair_figures(verdicts: Verdicts) -> dict[str, float | None]:
    """The AUC of pairs of kinds, by name; None for a scorer that is missing or gave no score."""
    figures = {}
    for pair in IN_FIGURES:
        found = verdicts.between(*PAIRS[pair])
        for key, name in MODEL_SCORERS.items():
            estimate = found.get(name)
            scored = estimate is not None and estimate.count and estimate.value is not None
            figures[f"{key}_{pair}_auc"] = round(estimate.value, 4) if scored else None
    return figures


def pairs_table(verdicts: Verdicts) -> Table:
    """One row per scorer, one column per pair of kinds."""
    found = [verdicts.between(*pair) for pair in PAIRS.values()]
    rows = [(each.name, *(str(pair[each.name]) for pair in found)) for each in verdicts.verdicts]
    return Table(("scorer", *(f"{good} v. {bad}" for good, bad in PAIRS.values())), tuple(rows))


def with_model(verdicts: Verdicts) -> list[Verdict]:
    """The verdicts on scorers that use a model, best first; "combined" also uses a rule."""
    rules = {rule.name for rule in STATISTICAL}
    return [verdict for verdict in verdicts.verdicts if verdict.name not in rules]


def figures_of(verdicts: Verdicts) -> dict[str, float | None]:
    """The figures by name; "semantic_auc" is MiniLM's or, without it, the base model's."""
    found = {verdict.name: verdict.auc.value for verdict in verdicts.verdicts}
    figures = {key: found.get(name) for key, name in FIGURES.items()}
    figures["semantic_auc"] = found.get("semantic (minilm)", found.get("semantic (mean states)"))
    figures["best_auc"] = max(value for value in found.values() if value is not None)
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--no-prompted", action="store_true", help="leave out the slowest judges")
    options = parser.parse_args(arguments)
    verdicts = judge_the_judges(available_scorers(not options.no_prompted, options.device))
    print(f"{len(verdicts.labelled)} labelled answers; intervals of 95 %, by questions\n")
    print(verdicts)
    print("\nMean rank of each kind of answer, 0 lowest to 1 highest:\n")
    print(verdicts.by_kind())
    print("\nAUC of one kind against another; without an interval where one has under five:\n")
    print(pairs_table(verdicts))
    figures = figures_of(verdicts)
    met = "met" if figures["best_auc"] >= TARGET else "MISSED"
    best = verdicts.verdicts[0].name
    print(f"\nbest AUC {figures['best_auc']:.2f}, {best}; target ≥ {TARGET}: {met}")
    for verdict in with_model(verdicts)[:2]:
        print(f"best that uses a model: {verdict.name} {verdict.auc}")
    print(json.dumps({"answers": len(verdicts.labelled), **figures, **pair_figures(verdicts)}))


if __name__ == "__main__":
    main()
