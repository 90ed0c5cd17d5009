"""The benchmark of judges: its last line holds every figure, also where a judge is missing."""

import json

import pytest

from benchmarks import judges
from lessons_lib.evaluation import ROUGE_L
from lessons_lib.evaluation.judges import judge_the_judges
from lessons_lib.evaluation.judges.labelled_answers import labelled_answers
from lessons_lib.evaluation.scorers import LENIENT, RuleScorer

LABELLED = labelled_answers()


def made(name, value):
    values = [value(each) for each in LABELLED]
    return RuleScorer(name, lambda entries, answers: values)


def test_the_last_line_names_pairs_of_kinds(monkeypatch, capsys):
    scorers = [
        LENIENT,
        ROUGE_L,
        made("likelihood", lambda each: each.kind != "reworded"),
        made("prompted judge", lambda each: None),
    ]
    monkeypatch.setattr(judges, "available_scorers", lambda prompted, device: scorers)
    monkeypatch.setattr(judges, "judge_the_judges", lambda found: judge_the_judges(found, LABELLED))
    judges.main([])
    printed = capsys.readouterr().out
    figures = json.loads(printed.splitlines()[-1])
    assert figures["answers"] == 60 and figures["best_auc"] == figures["lenient_auc"] > 0.8
    assert figures["prompted_auc"] == 0.5 and figures["semantic_auc"] is None
    assert figures["likelihood_right_v_wrong_fact_auc"] == 0.5
    assert figures["likelihood_reworded_v_wrong_fact_auc"] == 0
    assert figures["prompted_right_v_wrong_fact_auc"] is None, "it gave no score"
    assert figures["expected_digit_reworded_v_wrong_fact_auc"] is None, "it is missing"
    assert "reworded v. wrong fact" in printed and "best AUC 0.84, lenient" in printed
    assert "best that uses a model: prompted judge –" in printed


def test_without_a_score_there_is_no_row_with_a_number():
    verdicts = judge_the_judges([made("prompted judge", lambda each: None)], LABELLED)
    (row,) = judges.pairs_table(verdicts).rows
    assert row == ("prompted judge", *["–"] * len(judges.PAIRS))
    assert set(judges.pair_figures(verdicts).values()) == {None}
    assert judges.figures_of(verdicts)["best_auc"] == pytest.approx(0.5)
