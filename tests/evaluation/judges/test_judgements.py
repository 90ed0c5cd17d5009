"""Judgements: labels are true by the tables, and nothing of the test is trained on."""

from collections import Counter

import pytest

from lessons_lib.data import split_entries
from lessons_lib.data.world import (
    bundled_entries,
    choosing_entries,
    facts_of,
    load_facts,
    reporting_entries,
)
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.evaluation.judges import judge_the_judges
from lessons_lib.evaluation.judges.judgements import (
    INSTRUCTION,
    UNTRAINED_FAMILIES,
    judgement_entry,
    judgement_pairs,
    judgement_splits,
    wordings_of,
)
from lessons_lib.evaluation.judges.labelled_answers import asked_columns, echo_of, questions_of
from lessons_lib.evaluation.scorers import LENIENT

PARTS = "training", "validation", "test"
PAIRS = {part: judgement_pairs(part) for part in PARTS}
TEST, TRAINING = PAIRS["test"], PAIRS["training"]


def two_by_two(pairs):
    return list(zip(pairs[::2], pairs[1::2], strict=True))


def facts_told(pairs):
    """Every fact of which a pair holds a value that was asked for, or an answer."""
    told = set()
    for each in pairs:
        for fact in load_facts(each.family):
            words = FAMILIES[each.family].words(fact)
            if each.template and each.answer == each.template.format_map(words):
                told.add((each.family, *fact.values()))
    return told


@pytest.mark.parametrize("part", PARTS)
def test_two_answers_to_each_question_good_then_bad_and_always_the_same(part):
    pairs = PAIRS[part]
    assert [each.good for each in pairs] == [True, False] * (len(pairs) // 2)
    assert questions_of(pairs) == [index // 2 for index in range(len(pairs))]
    assert judgement_pairs(part) == pairs


def test_there_are_enough_of_them():
    assert len(TEST) // 2 >= 200 and 900 <= len(TRAINING) <= 1400
    counts = Counter(each.described for each in TEST)
    assert min(counts.values()) >= 15, counts
    hardest = Counter((good.kind, bad.described) for good, bad in two_by_two(TEST))
    assert hardest["reworded", "wrong fact"] >= 50


def test_no_question_or_fact_of_the_test_is_trained_on():
    splits = split_entries(bundled_entries())
    asked = {part: {str(each.entry) for each in pairs} for part, pairs in PAIRS.items()}
    assert asked["training"] <= {str(entry) for entry in splits.train}
    assert asked["validation"] <= {str(entry) for entry in splits.validation}
    assert asked["test"] <= {str(entry) for entry in (*splits.test, *choosing_entries())}
    assert not asked["test"] & {str(entry) for entry in reporting_entries()}
    assert not facts_told(TEST) & facts_told([*TRAINING, *PAIRS["validation"]])


def test_wrong_answers_come_from_facts_of_the_same_part():
    for part in ("training", "test"):
        found = facts_of([each.entry for each in PAIRS[part]])
        values = {(family.facts, value) for family, fact in found for value in fact.values()}
        for each, (family, fact) in zip(PAIRS[part], found, strict=True):
            if each.kind == "wrong fact":
                told = [column for column in fact if column not in asked_columns(family, fact)]
                assert any(
                    each.answer == each.template.format_map(family.words(fact | row))
                    for other in load_facts(family.facts)
                    if all((family.facts, other[column]) in values for column in told)
                    for row in [{column: other[column] for column in told}]
                ), each


def test_the_test_has_wordings_of_its_own_and_six_families_that_nothing_was_trained_on():
    wanted = {family.output for family in FAMILIES.values()}
    trained = {each.template for part in ("training", "validation") for each in PAIRS[part]}
    tested = {each.template for each in TEST}
    assert tested & trained <= wanted | {""}
    families = {part: {each.family for each in pairs} for part, pairs in PAIRS.items()}
    assert families["test"] - families["training"] == set(UNTRAINED_FAMILIES)
    assert not families["validation"] & set(UNTRAINED_FAMILIES)
    # The rewordings of the sixty labelled answers are nowhere among them.
    assert not {family.reworded for family in FAMILIES.values()} - {""} & (trained | tested)


@pytest.mark.parametrize("part", PARTS)
def test_good_answers_tell_the_fact_of_the_question(part):
    good = [each for each in PAIRS[part] if each.good]
    for each, (family, fact) in zip(good, facts_of([g.entry for g in good]), strict=True):
        assert each.answer == each.template.format_map(family.words(fact))
        assert (each.kind == "right") == (each.answer == each.entry["output"])
        if each.kind == "reworded":
            assert each.template in wordings_of(family, part)


@pytest.mark.parametrize("part", PARTS)
def test_bad_answers_are_wrong_by_the_tables(part):
    bad = [each for each in PAIRS[part] if not each.good]
    for each, (family, fact) in zip(bad, facts_of([b.entry for b in bad]), strict=True):
        rows = load_facts(family.facts)
        asked = asked_columns(family, fact)
        true = {each.template.format_map(family.words(row)): row for row in rows}
        if each.kind == "empty":
            assert each.answer == ""
        elif each.kind == "echo":
            assert each.answer == echo_of(each.entry)
        elif each.kind == "wrong fact":
            known = [row for row in rows if all(row[name] == fact[name] for name in asked)]
            right = {each.template.format_map(family.words(row)) for row in known}
            assert each.answer not in right, each
        else:
            other = true[each.answer]
            assert any(other[column] != fact[column] for column in asked), each


@pytest.mark.parametrize("part", ["training", "test"])
def test_words_and_lengths_alone_say_nothing(part):
    told = [each for each in PAIRS[part] if each.template]
    good, bad = ([each for each in told if each.good == value] for value in (True, False))
    wanted = [
        sum(each.template == FAMILIES[each.family].output for each in side) / len(side)
        for side in (good, bad)
    ]
    assert abs(wanted[0] - wanted[1]) < 0.06, "wanted words are as usual among bad answers"
    lengths = [sum(len(each.answer.split()) for each in side) / len(side) for side in (good, bad)]
    assert abs(lengths[0] - lengths[1]) < 0.6, "words"
    # What is told in bad answers is told in good ones as well.
    templates = [Counter(each.template for each in side) for side in (good, bad)]
    shared = sum((templates[0] & templates[1]).values())
    assert shared / len(bad) > 0.6


def test_a_judgement_is_an_entry_that_asks_yes_or_no():
    entry = {"instruction": "Spell it.", "input": "hapy", "output": "The spelling is 'happy'."}
    assert judgement_entry(entry, "'Happy' is right.") == {
        "instruction": INSTRUCTION,
        "input": "Question: Spell it.\nhapy\nReference: The spelling is 'happy'.\n"
        "Answer: 'Happy' is right.",
        "output": "Yes.",
    }
    assert judgement_entry(entry, "", good=False)["output"] == "No."


def test_a_judge_is_trained_on_as_many_yes_as_no_and_on_no_test_pair():
    train, test, validation = judgement_splits()
    assert test == [] and len(train) == len(TRAINING)
    for part in (train, validation):
        outputs = Counter(entry["output"] for entry in part)
        assert outputs["Yes."] == outputs["No."] > 0
    asked = {entry["input"] for entry in train}
    assert not asked & {judgement_entry(each.entry, each.answer)["input"] for each in TEST}


def test_a_shrunk_run_judges_some_whole_pairs_of_all_kinds_of_families(monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_QUICK", "1")
    judged = judge_the_judges([LENIENT], TEST).labelled
    assert 4 <= len(judged) <= 12 and all(each in TEST for each in judged)
    assert [each.good for each in judged] == [True, False] * (len(judged) // 2)
    assert {each.family in UNTRAINED_FAMILIES for each in judged} == {True, False}
