"""Ranks, AUC, Spearman's rho, rank averages and their bootstrap, against numbers found by hand."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.evaluation import Estimate
from lessons_lib.evaluation.intervals import bootstrap
from lessons_lib.evaluation.ranks import auc, kappa, pair_wins, rank_average, ranks, spearman

VALUES = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)


def test_equal_values_share_the_mean_of_their_places():
    assert ranks([5.0, 1.0, 5.0, 9.0]) == [2.5, 1.0, 2.5, 4.0]
    assert ranks([]) == []


@given(VALUES)
def test_ranks_add_up_to_those_without_ties(values):
    assert sum(ranks(values)) == len(values) * (len(values) + 1) / 2


def test_auc_counts_the_pairs_that_are_in_order():
    # good 3 and 1, bad 2 and 0: 3 > 2, 3 > 0, 1 > 0, but 1 < 2
    assert auc([3, 2, 1, 0], [True, False, True, False]) == 3 / 4
    assert auc([1, 1], [True, False]) == 1 / 2
    assert auc([0, 1], [True, False]) == 0
    assert auc([1, 2], [True, True]) is None


def test_a_pair_with_a_missing_score_is_a_coin_toss():
    assert auc([None, None], [True, False]) == 1 / 2
    # good 5 and none, bad 1: one pair in order, one unknown
    assert auc([5, None, 1], [True, True, False]) == (1 + 1 / 2) / 2


def test_a_pair_is_won_against_the_answers_to_the_same_question_alone():
    # Question a is won, b is lost, c is tied, d has a score missing; e has no bad answer.
    scores = [2, 1, 8, 9, 5, 5, None, 3, 7]
    good = [True, False] * 4 + [True]
    assert pair_wins(scores, good, list("aabbccdde")) == [1, 0, 0.5, 0.5]
    # One good answer and two bad ones, of which it beats one.
    assert pair_wins([3, 2, 1], [False, True, False], ["q"] * 3) == [0.5]
    with pytest.raises(ValueError, match="3 scores and 2"):
        pair_wins([1, 2, 3], [True, False, True], ["q", "q"])


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 3).map(float), st.booleans()), min_size=1, max_size=12
    )
)
def test_auc_is_what_counting_every_pair_finds(labelled):
    scores, good = [score for score, _ in labelled], [label for _, label in labelled]
    points = [
        0.5 if None in (one, other) or one == other else float(one > other)
        for one, label in labelled
        for other, other_label in labelled
        if label and not other_label
    ]
    expected = sum(points) / len(points) if points else None
    assert auc(scores, good) == (None if expected is None else pytest.approx(expected))


def test_spearman_by_hand():
    # Ranks 1 2 3 4 5 and 2 1 4 3 5: 1 - 6 · 4 / (5 · 24) = 0.8
    assert spearman([1, 2, 3, 4, 5], [20, 10, 40, 30, 50]) == pytest.approx(0.8)
    assert spearman([1, 2, 3], [9, 4, 1]) == pytest.approx(-1)
    # With ties: ranks 1.5 1.5 3 and 1 2 3: 1.5 / √(1.5 · 2)
    assert spearman([0, 0, 1], [1, 2, 3]) == pytest.approx(1.5 / 3**0.5)


def test_spearman_needs_three_places_and_a_difference():
    assert spearman([1, 2], [1, 2]) is None
    assert spearman([1, None, 2, 3], [1, 2, None, 3]) is None
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1, None, 2, 3], [1, 9, 2, 3]) == pytest.approx(1)


def test_the_rank_average_is_not_drowned_by_a_wide_scale():
    assert rank_average([[0.1, 0.2, 0.3], [900, 500, 100]]) == [0.5, 0.5, 0.5]
    assert rank_average([[1, 2, 3], [1, 1, 5]]) == [0.125, 0.375, 1.0]
    assert rank_average([[1, 2, None], [3, 4, None]]) == [0.0, 1.0, None]


def test_a_score_alone_is_neither_low_nor_high():
    assert rank_average([[7.0]]) == [0.5] == rank_average([[1, 1]])[:1]
    assert rank_average([[None, None, 1.0], [1, 2, 3]]) == [0.0, 0.5, 0.75]


def test_a_few_groups_have_no_interval():
    scores, good = [1, 0] * 4, [True, False] * 4
    found = bootstrap(auc, scores, good, groups=[0, 0, 1, 1, 2, 2, 3, 3])
    assert str(found) == "1.00" and found.low is None
    assert bootstrap(auc, scores, good).low == 1


@pytest.mark.parametrize("function", [auc, spearman])
def test_faulty_scores_are_named(function):
    with pytest.raises(ValueError, match="2 scores and 1"):
        function([1, 2], [True])
    with pytest.raises(ValueError, match="score 1 is no number"):
        function([1, float("nan")], [True, False])
    with pytest.raises(ValueError, match="no scores to combine"):
        rank_average([])


def test_the_bootstrap_is_the_same_each_time_and_holds_the_value():
    draw = random.Random(5)
    good = [place % 2 == 0 for place in range(60)]
    scores = [draw.random() + 0.5 * label for label in good]
    found = bootstrap(auc, scores, good)
    assert found == bootstrap(auc, scores, good)
    assert found.low < found.value < found.high and found.count == 60
    assert 0.15 < found.high - found.low < 0.35


def test_kappa_is_agreement_beyond_chance():
    # Alike on 3 of 4; by chance on 3/4 · 2/4 + 1/4 · 2/4 = 1/2 of them.
    assert kappa([True, True, True, False], [True, True, False, False]) == (3 / 4 - 1 / 2) / (1 / 2)
    assert kappa("abcab", "abcab") == 1
    assert kappa("aabb", "bbaa") == -1
    assert kappa("aabb", "abab") == 0
    assert kappa("aab", "aaa") == 0, "one label throughout agrees as often as chance does"
    assert kappa("aaa", "aaa") is None
    for pair in (("ab", "a"), ((), ())):
        with pytest.raises(ValueError, match="one each"):
            kappa(*pair)


def test_groups_are_drawn_whole():
    # In each group the good answer wins against its own bad one; the groups lie apart.
    scores, good = [1, 0, 11, 10, 21, 20], [True, False] * 3
    sizes = []

    def seen(drawn, labels):
        sizes.append(sum(labels))
        return auc(drawn, labels)

    bootstrap(seen, scores, good, groups=[0, 0, 1, 1, 2, 2])
    assert set(sizes) == {3}, "a good and a bad answer of each group that was drawn"


def test_what_is_not_defined_has_no_interval():
    assert bootstrap(auc, [1, None], [True, True]) == Estimate(None, None, None, 1)
    assert str(Estimate(None, None, None, 0)) == "–"
    assert str(Estimate(0.5, None, None, 3)) == "0.50"
    assert str(Estimate(0.5, 0.5, 0.5, 0)) == "–", "nothing was scored"
    assert str(Estimate(0.5, 0.25, 0.75, 9)) == "0.50 (0.25 to 0.75)"
