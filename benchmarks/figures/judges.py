"""Which scorer can be trusted: ``python -m benchmarks.judges``.

For every scorer, on the 60 labelled answers: how often a question's good answer is above its bad
one, AUC and Spearman with 95 % intervals, how many answers it could score, and seconds per 100
answers without the time to load a model; then the same by kinds. Then all that on the test pairs of
the judgements, where the trained judge is tested; it is fine-tuned first, for minutes on a CPU,
unless it is in the cache. Prints tables for people, then JSON in the last line. A judge on a server
joins in if ``LESSONS_LIB_JUDGE_MODEL`` names one. Without SmolLM2's package its figures are null.
"""

import argparse
import json

from lessons_lib.evaluation import STATISTICAL
from lessons_lib.evaluation.intervals import Estimate
from lessons_lib.evaluation.judges import LocalJudge, available_scorers, judge_the_judges
from lessons_lib.evaluation.judges.judgements import UNTRAINED_FAMILIES, judgement_pairs
from lessons_lib.evaluation.judges.labelled_answers import Kind
from lessons_lib.evaluation.judges.verdicts import Verdict, Verdicts
from lessons_lib.support import Table

TARGET = 0.8  # for the best scorer on the labelled answers
TRAINED_TARGET = 0.9  # for the trained judge's AUC on the test pairs
TRAINED = "trained judge"
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
    "trained_judge_labelled_auc": TRAINED,
}
# Scorers of which the JSON has the figures on the test pairs, too: from a part of the name.
ON_PAIRS = {
    "rouge_l": "ROUGE-L",
    "chrf": "chrF",
    "lenient": "lenient",
    "semantic": "semantic (minilm)",
    "likelihood": "likelihood",
    "expected_digit": "prompted judge, expected digit",
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
    """The verdicts on scorers that use a model, by AUC; "combined" also uses a rule."""
    rules = {rule.name for rule in STATISTICAL}
    found = [verdict for verdict in verdicts.verdicts if verdict.name not in rules]
    return sorted(found, key=lambda verdict: -(verdict.auc.value or 0))


def figures_of(verdicts: Verdicts) -> dict[str, float | None]:
    """The figures by name; "semantic_auc" is MiniLM's or, without it, the base model's."""
    found = {verdict.name: verdict.auc.value for verdict in verdicts.verdicts}
    figures = {key: found.get(name) for key, name in FIGURES.items()}
    figures["semantic_auc"] = found.get("semantic (minilm)", found.get("semantic (mean states)"))
    figures["best_auc"] = max(value for value in found.values() if value is not None)
    return {name: _rounded(value) for name, value in figures.items()}


def judgement_figures(verdicts: Verdicts) -> dict[str, float | int | None]:
    """The figures on the test pairs, by name; None for a scorer that is missing."""
    by_name = {verdict.name: verdict for verdict in verdicts.verdicts}
    figures: dict[str, float | int | None] = {"test_pairs": len(verdicts.labelled) // 2}
    for key, name in ON_PAIRS.items():
        found = by_name.get(name)
        figures[f"{key}_test_pairs"] = _rounded(found.paired.value if found else None)
        figures[f"{key}_test_auc"] = _rounded(found.auc.value if found else None)
    untrained = {each.name: each.auc for each in only_untrained(verdicts).verdicts}
    missing = Estimate(None, None, None, 0)
    trained = by_name.get(TRAINED)
    for key, estimate in (
        ("trained_judge_pairs", trained.paired if trained else missing),
        ("trained_judge_untrained_families_auc", untrained.get(TRAINED, missing)),
        ("trained_judge_auc", trained.auc if trained else missing),
    ):
        figures[key] = _rounded(estimate.value)
        figures[f"{key}_low"], figures[f"{key}_high"] = map(_rounded, estimate[1:3])
    return figures


def only_untrained(verdicts: Verdicts) -> Verdicts:
    """The verdicts by families of which the trained judge read nothing."""
    return verdicts.only(lambda each: each.family in UNTRAINED_FAMILIES)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--no-prompted", action="store_true", help="leave out the slowest judges")
    parser.add_argument("--no-trained", action="store_true", help="train no judge")
    options = parser.parse_args(arguments)
    scorers = available_scorers(
        not options.no_prompted, options.device, trained=not options.no_trained
    )
    verdicts = judge_the_judges(scorers)
    print(f"{len(verdicts.labelled)} labelled answers; intervals of 95 %, by questions\n")
    print(verdicts)
    print("\nGood above bad, by kinds, each pair to one question:\n")
    print(verdicts.pairs())
    print("\nMean rank of each kind of answer, 0 lowest to 1 highest:\n")
    print(verdicts.by_kind())
    print("\nAUC of one kind against another; without an interval where one has under five:\n")
    print(pairs_table(verdicts))
    # No reply of the prompted judge is a number, and it takes the longest of all.
    patient = [scorer for scorer in scorers if not isinstance(scorer, LocalJudge)]
    tested = judge_the_judges(patient, judgement_pairs("test"))
    print(f"\n{len(tested.labelled) // 2} test pairs, none trained on:\n")
    print(tested)
    print(f"\n{tested.pairs()}")
    print("\nOf these, families that no judgement trains on:\n")
    print(only_untrained(tested))
    figures, judged = figures_of(verdicts), judgement_figures(tested)
    met = "met" if figures["best_auc"] >= TARGET else "MISSED"
    best = max(verdicts.verdicts, key=lambda verdict: verdict.auc.value or 0)
    print(f"\nbest AUC {figures['best_auc']:.2f}, {best.name}; target ≥ {TARGET}: {met}")
    for verdict in with_model(verdicts)[:2]:
        print(f"best that uses a model: {verdict.name} {verdict.auc}")
    if judged["trained_judge_auc"] is not None:
        met = "met" if judged["trained_judge_auc"] >= TRAINED_TARGET else "MISSED"
        print(f"{TRAINED}, test pairs: AUC {tested[TRAINED].auc}; target ≥ {TRAINED_TARGET}: {met}")
    answers = {"answers": len(verdicts.labelled)}
    print(json.dumps(answers | figures | pair_figures(verdicts) | judged))


if __name__ == "__main__":
    main()
