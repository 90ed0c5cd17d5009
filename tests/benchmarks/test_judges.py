"""The benchmark of judges: its last line holds every figure, also where a judge is missing."""

import json

import pytest

from benchmarks import judges
from lessons_lib.evaluation import ROUGE_L
from lessons_lib.evaluation.judges import judge_the_judges
from lessons_lib.evaluation.judges.judgements import judgement_pairs
from lessons_lib.evaluation.judges.labelled_answers import labelled_answers
from lessons_lib.evaluation.scorers import LENIENT, RuleScorer

LABELLED = labelled_answers()
PAIRS = judgement_pairs("test")[:80]
KNOWN = {(str(each.entry), each.answer): each for each in (*PAIRS, *LABELLED)}


def made(name, value):
    def score(entries, answers):
        return [
            value(KNOWN[str(entry), text]) for entry, text in zip(entries, answers, strict=True)
        ]

    return RuleScorer(name, score)


def test_the_last_line_names_pairs_of_kinds(monkeypatch, capsys):
    scorers = [
        LENIENT,
        ROUGE_L,
        made("likelihood", lambda each: each.kind != "reworded"),
        made("prompted judge", lambda each: None),
        made("trained judge", lambda each: each.good),
    ]
    monkeypatch.setattr(judges, "available_scorers", lambda prompted, device, trained: scorers)
    monkeypatch.setattr(
        judges,
        "judge_the_judges",
        lambda found, labelled=LABELLED: judge_the_judges(found, labelled),
    )
    monkeypatch.setattr(judges, "judgement_pairs", lambda part: PAIRS)
    judges.main([])
    printed = capsys.readouterr().out
    figures = json.loads(printed.splitlines()[-1])
    assert figures["answers"] == 60 and figures["lenient_auc"] > 0.8
    assert figures["best_auc"] == figures["trained_judge_labelled_auc"] == 1
    assert figures["test_pairs"] == 40 and figures["trained_judge_auc"] == 1
    assert figures["trained_judge_auc_low"] == figures["trained_judge_auc_high"] == 1
    assert 0.9 < figures["trained_judge_pairs_low"] < figures["trained_judge_pairs"] == 1
    assert figures["rouge_l_test_auc"] < figures["trained_judge_auc"]
    assert figures["semantic_test_pairs"] is None, "it is missing"
    assert figures["prompted_auc"] == 0.5 and figures["semantic_auc"] is None
    assert figures["likelihood_right_v_wrong_fact_auc"] == 0.5
    assert figures["likelihood_reworded_v_wrong_fact_auc"] == 0
    assert figures["prompted_right_v_wrong_fact_auc"] is None, "it gave no score"
    assert figures["expected_digit_reworded_v_wrong_fact_auc"] is None, "it is missing"
    assert "reworded v. reworded wrong fact" in printed and "best AUC 1.00, trained" in printed
    assert "best that uses a model: prompted judge –" in printed
    assert "trained judge, test pairs: AUC 1.00 (1.00 to 1.00); target ≥ 0.9: met" in printed


def test_without_a_trained_judge_its_figures_are_null():
    figures = judges.judgement_figures(judge_the_judges([LENIENT], PAIRS))
    trained = {value for name, value in figures.items() if name.startswith("trained_judge")}
    assert trained == {None} and figures["lenient_test_auc"] > 0.8


def test_without_a_score_there_is_no_row_with_a_number():
    verdicts = judge_the_judges([made("prompted judge", lambda each: None)], LABELLED)
    (row,) = judges.pairs_table(verdicts).rows
    assert row == ("prompted judge", *["–"] * len(judges.PAIRS))
    assert set(judges.pair_figures(verdicts).values()) == {None}
    assert judges.figures_of(verdicts)["best_auc"] == pytest.approx(0.5)
