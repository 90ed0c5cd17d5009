"""Following: questions dealt out, answers scored with intervals, generated entries parted."""

import pytest

from lessons_lib.evaluation import Share, score_responses
from lessons_lib.verifiable import (
    CHECKERS,
    deal,
    follow_rate,
    follow_table,
    follows,
    sift_by_checkers,
)

THREE_WORDS, CAPITALS = CHECKERS[:2]
ANSWERS = {THREE_WORDS: ["The Baltic Sea", "It is Oslo.", "I do not know"], CAPITALS: ["OSLO"]}


def entry(instruction, output="Oslo"):
    return {"instruction": instruction, "input": "", "output": output}


def test_each_question_is_asked_once_and_the_checkers_take_turns():
    questions = [entry(f"Question {number}?") for number in range(23)]
    dealt = deal(questions)
    assert list(dealt) == list(CHECKERS)
    assert [len(each) for each in dealt.values()] == [3, 3, 3, *[2] * 7]
    asked = [each["instruction"] for each in dealt[CAPITALS]]
    assert asked == [f"Question {n}? Use capital letters only." for n in (1, 11, 21)]


def test_the_rate_counts_all_answers_and_has_an_interval():
    rate = follow_rate(ANSWERS)
    assert rate == Share(3, 4)
    assert rate.interval().low < 0.75 < rate.interval().high


def test_nobody_asked_is_no_share():
    assert follow_rate({}).value is None


def test_the_table_has_a_row_for_each_checker():
    rows = follow_table(ANSWERS).rows
    assert [row[0] for row in rows] == ["three words", "capitals", "all"]
    assert [row[2].split(" ")[0] for row in rows] == ["2/3", "1/1", "3/4"]
    assert rows[0][1] == "Answer in three words."


@pytest.mark.parametrize(
    ("instruction", "answer", "expected"),
    [
        ("Name a sea.", "anything", None),
        ("Name a sea. Answer in three words.", "The Baltic Sea", True),
        ("Name a sea. Answer in three words.", "The Baltic", False),
        ("Answer in three words. Use capital letters only. Name a sea.", "THE BALTIC SEA", True),
        ("Answer in three words. Use capital letters only. Name a sea.", "The Baltic Sea", False),
        ("Answer in three words. Use capital letters only. Name a sea.", "BALTIC", False),
    ],
)
def test_every_demand_must_be_met(instruction, answer, expected):
    assert follows(entry(instruction), answer) is expected


def test_it_is_a_check_for_scores():
    entries = [
        each for asked in deal([entry("Name a sea.")] * 4, CHECKERS[:2]).values() for each in asked
    ]
    scores = score_responses(entries, ["A b c", "a b", "A", "a"], checks={"follows": follows})
    assert scores.share("follows") == Share(2, 4)


def test_entries_are_parted_by_their_outputs():
    good = entry("Name a sea. Answer in three words.", "The Baltic Sea")
    bad = entry("Name a sea. Answer in three words.", "The Baltic Sea, I think")
    other = entry("Name a sea.")
    assert sift_by_checkers([bad, other, good]) == ([good], [bad], [other])
    assert sift_by_checkers([bad], checkers=[CAPITALS]).unchecked == [bad]
