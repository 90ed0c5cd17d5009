"""Which scorer can be trusted: ``python -m benchmarks.judges``.

Every scorer on the 60 labelled answers: AUC and Spearman with intervals of 95 %, how many answers
it could score, and seconds per 100 answers without the time to load a model. A table for people,
then JSON in the last line. The judge on a server joins in where ``LESSONS_LIB_JUDGE_MODEL`` names
one. Without SmolLM2's package its figures are null.
"""

import argparse
import json

from lessons_lib.judging_judges import Verdicts, available_scorers, judge_the_judges

TARGET = 0.8  # for the best scorer
# Name in the JSON → name of the scorer.
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


def figures_of(verdicts: Verdicts) -> dict[str, float | None]:
    """The numbers by name; "semantic_auc" is that of MiniLM, or of the base model without it."""
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
    print("\nMean place of each kind of answer, 0 lowest to 1 highest:\n")
    print(verdicts.by_kind())
    figures = figures_of(verdicts)
    met = "met" if figures["best_auc"] >= TARGET else "MISSED"
    print(f"\nbest AUC {figures['best_auc']:.2f}; target ≥ {TARGET}: {met}")
    print(json.dumps({"answers": len(verdicts.labelled), **figures}))


if __name__ == "__main__":
    main()
