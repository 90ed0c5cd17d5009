"""Which scorer can be trusted: ``python -m benchmarks.judges``.

Every scorer on the 60 labelled answers: AUC and Spearman with intervals of 95 %, how many answers
it could score, and seconds per 100 answers without the time to load a model. A table for people,
then JSON in the last line. The judge on a server joins in where ``LESSONS_LIB_JUDGE_MODEL`` names
one. Without SmolLM2's package its figures are null.
"""

import argparse
import json
import os

from lessons_lib.checkpoints import load_model
from lessons_lib.devices import pick_device
from lessons_lib.embeddings import SemanticScorer, find_minilm, load_embedder
from lessons_lib.files import CheckpointError
from lessons_lib.judges import DigitJudge, LikelihoodScorer, LocalJudge
from lessons_lib.judging_judges import Verdicts, judge_the_judges
from lessons_lib.scorers import LENIENT, STATISTICAL, RankAverage, Scorer
from lessons_lib.server_judge import MODEL_VARIABLE, ServerJudge

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


def make_scorers(device: str = "auto", with_prompted: bool = True) -> list[Scorer]:
    """All scorers that this machine can run."""
    base = SemanticScorer(load_embedder("base"))
    semantic = [base, SemanticScorer(load_embedder("minilm"))] if find_minilm() else [base]
    scorers: list[Scorer] = [*STATISTICAL, *semantic]
    try:
        model = load_model("smollm2").to(pick_device(device))
    except CheckpointError as error:
        print(f"{error}\n")
        return scorers
    likelihood = LikelihoodScorer(model)
    scorers += [likelihood, LikelihoodScorer(model, gain=True)]
    scorers.append(RankAverage((LENIENT, likelihood)))
    if with_prompted:
        scorers += [DigitJudge(model), LocalJudge(model)]
    if os.environ.get(MODEL_VARIABLE):
        scorers.append(ServerJudge())
    return scorers


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
    verdicts = judge_the_judges(make_scorers(options.device, not options.no_prompted))
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
