"""The labelled answers keep their rules, checked against the tables of facts; judges of judges."""

import random
from collections import Counter

import pytest

from lessons_lib.data import load_entries, split_entries
from lessons_lib.data.world import load_facts
from lessons_lib.data.world.bundled import all_entries, facts_of
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.evaluation import ROUGE_L, STATISTICAL
from lessons_lib.evaluation.comparison import FILLER
from lessons_lib.evaluation.judges import judge_the_judges, length_bias, same_twice
from lessons_lib.evaluation.judges.labelled_answers import (
    _PLANS,
    GRADES,
    KINDS,
    asked_columns,
    find_fact,
    labelled_answers,
    questions_of,
)
from lessons_lib.evaluation.key_answers import find_words
from lessons_lib.evaluation.scorers import EXACT, RuleScorer

LABELLED = labelled_answers()
COUNTS = {
    "right": 12,
    "reworded": 18,
    "wrong fact": 18,
    "wrong family": 4,
    "empty": 4,
    "echo": 4,
}


def of_kind(kind):
    return [each for each in LABELLED if each.kind == kind]


def test_there_are_as_many_of_each_kind_as_the_docstring_says():
    assert Counter(each.kind for each in LABELLED) == COUNTS
    # The judgements, a larger set, have one kind more.
    assert set(GRADES) == set(KINDS) == {*COUNTS, "other question"}
    text = " ".join(labelled_answers.__doc__.split())
    for kind, count in COUNTS.items():
        assert f'{count} "{kind}"' in text
    assert "(in 6 of them the reworded sentence)" in text
    assert sum(plan.reworded for plan in _PLANS) == 6


def test_each_of_thirty_families_has_one_test_entry_with_a_good_and_a_bad_answer():
    test = split_entries(load_entries("bundled")).test
    assert all(each.entry in test for each in LABELLED)
    assert [each.good for each in LABELLED] == [True, False] * 30
    assert questions_of(LABELLED) == [index // 2 for index in range(60)]
    assert len({each.family for each in LABELLED}) == 30
    for good, bad in zip(LABELLED[::2], LABELLED[1::2], strict=True):
        assert good.entry == bad.entry and good.family == bad.family


def test_right_answers_are_the_wanted_text_and_reworded_ones_are_not():
    assert all(each.answer == each.entry["output"] for each in of_kind("right"))
    reworded = of_kind("reworded")
    assert {each.family for each in reworded} == {
        name for name, family in FAMILIES.items() if family.reworded
    }
    assert all(each.answer != each.entry["output"] for each in reworded)
    overlap = ROUGE_L.score([each.entry for each in reworded], [each.answer for each in reworded])
    assert max(overlap) < 0.65 and sum(overlap) / len(overlap) < 0.35


def test_most_reworded_answers_hold_a_value_of_their_fact():
    reworded = of_kind("reworded")
    facts = [fact for _, fact in facts_of([each.entry for each in reworded])]
    held = [
        any(value in each.answer for value in fact.values())
        for each, fact in zip(reworded, facts, strict=True)
    ]
    by_hand = {"arithmetic", "definitions", "idioms", "jobs", "sentiments", "tools"}
    wanted = {each.family for each, holds in zip(reworded, held, strict=True) if not holds}
    assert wanted <= by_hand | {"animal_sounds"}


def test_each_wrong_fact_is_wrong_by_the_tables():
    for each in of_kind("wrong fact"):
        ((family, fact),) = facts_of([each.entry])
        (plan,) = [plan for plan in _PLANS if plan.family == each.family]
        other = find_fact(each.family, plan.other)
        asked = asked_columns(family, fact)
        told = [column for column in fact if column not in asked]
        assert asked and told
        # Whatever the tables know about what was asked, the other fact's answer is none of it.
        question = next(iter(fact.values()))
        known = [row for row in load_facts(each.family) if next(iter(row.values())) == question]
        for row in known:
            same = all(row[column] == fact[column] for column in asked)
            assert not same or any(row[column] != other[column] for column in told)
        wanted = {word for column in told for word in find_words(fact[column])}
        assert not wanted <= set(find_words(each.answer)), each.answer
        assert each.answer != each.entry["output"]


def test_each_wrong_fact_is_worded_as_a_right_answer_would_be():
    for each in of_kind("wrong fact"):
        (plan,) = [plan for plan in _PLANS if plan.family == each.family]
        template = FAMILIES[each.family].reworded if plan.reworded else FAMILIES[each.family].output
        start = template.split("{")[0]
        assert each.answer.startswith(start)


def test_answers_of_a_wrong_family_are_true_answers_to_another_question():
    for each in of_kind("wrong family"):
        (plan,) = [plan for plan in _PLANS if plan.family == each.family]
        assert plan.other != each.family
        assert each.answer in {entry["output"] for entry in all_entries(plan.other)}
        ((_, fact),) = facts_of([each.entry])
        assert next(iter(fact.values())) in each.answer


def test_empty_answers_are_empty_and_echoes_repeat_the_question():
    assert all(each.answer == "" for each in of_kind("empty"))
    for each in of_kind("echo"):
        asked = each.entry["instruction"], each.entry["input"]
        assert each.answer == "\n".join(filter(None, asked))


def test_a_value_that_no_fact_or_several_have_names_none():
    with pytest.raises(ValueError):
        find_fact("capitals", "Atlantis")
    with pytest.raises(ValueError):
        find_fact("continents", "Africa")


# ---------------------------------------------------------------- judging


def test_no_rule_is_perfect_and_rouge_forgives_wrong_facts():
    verdicts = judge_the_judges(STATISTICAL)
    best = verdicts.verdicts[0]
    assert best.name == "lenient" and 0.75 < best.auc.value < 0.95
    rouge = verdicts["ROUGE-L"].auc
    assert rouge.low < rouge.value < rouge.high and rouge.value < 0.7
    head, rows = verdicts.by_kind().head, {row[0]: row for row in verdicts.by_kind().rows}
    mean = dict(zip(head[1:], map(float, rows["ROUGE-L"][1:]), strict=True))
    assert mean["wrong fact"] > mean["reworded"] + 0.1


def test_a_perfect_a_reversed_and_a_silent_judge_are_seen_through():
    def judge(name, value):
        values = [value(each) for each in LABELLED]
        return RuleScorer(name, lambda entries, answers: values)

    verdicts = judge_the_judges(
        [
            judge("silent", lambda each: None),
            judge("reversed", lambda each: -each.grade),
            judge("perfect", lambda each: each.grade),
        ],
        LABELLED,
    )
    assert [verdict.name for verdict in verdicts.verdicts] == ["perfect", "silent", "reversed"]
    assert verdicts["perfect"].auc[:3] == (1, 1, 1)
    assert verdicts["perfect"].spearman.value == pytest.approx(1)
    assert verdicts["silent"].auc == (0.5, 0.5, 0.5, 0)
    assert verdicts["silent"].spearman.value is None
    assert verdicts["reversed"].auc.value == 0
    assert "0 of 60" in str(verdicts) and "<table" in verdicts._repr_html_()
    (silent,) = [row for row in verdicts.table().rows if row[0] == "silent"]
    assert silent[1:5] == ("–", "–", "–", "0 of 60"), "no score, so no pairs and no AUC"
    with pytest.raises(KeyError, match="no verdict on 'nobody'; there are perfect, silent"):
        verdicts["nobody"]
    with pytest.raises(ValueError, match="no labelled answers"):
        judge_the_judges([EXACT], [])


def judged(name, value, labelled):
    values = [value(each) for each in labelled]
    return RuleScorer(name, lambda entries, answers: values)


def test_pairs_compare_the_answers_to_one_question_alone():
    # Every second question is easy: all its scores are high, and the order within is always right.
    easy = {index: index % 4 < 2 for index in range(60)}
    order = {id(each): 10 * easy[i] + each.good for i, each in enumerate(LABELLED)}
    scorer = judged("uneven", lambda each: order[id(each)], LABELLED)
    found = judge_the_judges([scorer], LABELLED)["uneven"]
    assert found.paired.value == 1 and found.auc.value == 0.75
    assert 0.85 < found.paired.low < 1 == found.paired.high, "thirty questions: Wilson's interval"
    tied = judge_the_judges([judged("tied", lambda each: 1, LABELLED)], LABELLED)["tied"]
    assert tied.paired == (0.5, None, None, 30)
    # Right on half of the questions, and undecided on the others.
    half = judged("half", lambda each: each.good if each.kind != "right" else 0, LABELLED)
    paired = judge_the_judges([half], LABELLED)["half"].paired
    assert paired.value == 0.5 + 18 / 60 and paired.low < paired.value < paired.high


def test_pairs_by_kind_tell_a_reworded_wrong_fact_from_one_in_the_wanted_words():
    form = judged("form", lambda each: each.described in ("right", "wrong fact"), LABELLED)
    verdicts = judge_the_judges([form, judged("silent", lambda each: None, LABELLED)], LABELLED)
    assert verdicts.paired("reworded", "wrong fact")["form"][::3] == (0, 5)
    assert verdicts.paired("reworded", "wrong fact")["silent"] == (0.5, None, None, 0)
    rows = {row[0]: row[1:] for row in verdicts.pairs("form").rows}
    assert rows["reworded v. wrong fact"][0] == "5" and rows["right v. wrong fact"][0] == "7"
    assert rows["reworded v. reworded wrong fact"] == ("6", "0.50")
    assert sum(int(row[0]) for row in rows.values()) == 30
    assert verdicts.pairs().head == ("good v. bad", "pairs", "form", "silent")
    with pytest.raises(KeyError, match="no verdict on 'nobody'"):
        verdicts.pairs("nobody")


def test_some_of_the_answers_are_judged_without_asking_again():
    asked = []

    def rule(entries, answers):
        asked.append(len(answers))
        return [float(len(answer)) for answer in answers]

    verdicts = judge_the_judges([RuleScorer("long", rule)], LABELLED)
    few = verdicts.only(lambda each: each.family in ("capitals", "plurals"))
    again = judge_the_judges([RuleScorer("long", rule)], few.labelled)
    assert few["long"].scores == again["long"].scores and few["long"].auc == again["long"].auc
    assert len(few.labelled) == 4 and asked == [60, 4]
    assert few["long"].seconds == pytest.approx(verdicts["long"].seconds / 15)


def test_one_kind_against_another():
    def judge(name, value):
        values = [value(each) for each in LABELLED]
        return RuleScorer(name, lambda entries, answers: values[: len(answers)])

    grade, silent = judge("grade", lambda each: each.grade), judge("silent", lambda each: None)
    likes_form = judge("form", lambda each: each.kind in ("right", "wrong fact"))
    verdicts = judge_the_judges([grade, silent, likes_form, ROUGE_L], LABELLED)
    found = verdicts.between(good="reworded", bad="wrong fact")
    assert list(found) == [verdict.name for verdict in verdicts.verdicts]
    assert found["grade"] == (1, 1, 1, 36) and found["form"].value == 0
    assert found["silent"].value == 0.5 and str(found["silent"]) == "–"
    # By hand: every pair of a right answer, whose score is 1, and a wrong fact is in order.
    assert verdicts.between("right", "wrong fact")["ROUGE-L"].value == 1
    assert verdicts.between("right", "wrong fact")["form"].value == 0.5
    few = verdicts.between("right", "empty")["grade"]
    assert few == (1, None, None, 16), "four empty answers are too few for an interval"
    assert judge_the_judges([grade], LABELLED[:2]).between("right", "echo")["grade"].value is None
    with pytest.raises(ValueError, match="no kind 'wrong'; there are right, reworded"):
        verdicts.between("right", "wrong")


def test_a_judge_that_likes_long_answers_is_caught():
    likes_length = RuleScorer("long", lambda entries, answers: [len(a) for a in answers])
    answers = [each.answer for each in LABELLED]
    entries = [each.entry for each in LABELLED]
    assert length_bias(likes_length, entries, answers).difference.value == pytest.approx(
        len(FILLER)
    )
    assert length_bias(EXACT, entries, answers).difference.value == pytest.approx(-12 / 60)
    silent = RuleScorer("silent", lambda entries, answers: [None] * len(answers))
    assert length_bias(silent, entries, answers) is None


def test_the_same_grades_twice_agree_fully():
    assert same_twice([1, 2, 3, 4], [10, 20, 30, 40]).value == pytest.approx(1)


def test_two_gradings_are_compared_by_questions_where_groups_are_given():
    # Four answers to each of ten questions; what a question gets, all its answers get.
    draw = random.Random(5)
    first = [grade for grade in draw.choices(range(100), k=10) for _ in range(4)]
    second = [grade for grade in draw.choices(range(100), k=10) for _ in range(4)]
    groups = [index // 4 for index in range(40)]
    alone, grouped = same_twice(first, second), same_twice(first, second, groups)
    assert grouped.value == alone.value
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)
    with pytest.raises(ValueError, match="40 answers and 3 groups"):
        same_twice(first, second, groups[:3])


def test_two_gradings_are_compared_where_both_have_a_grade():
    assert same_twice([1, 2, 3, 4, None, 6], [1, 2, 3, None, 5, 6]).count == 4
