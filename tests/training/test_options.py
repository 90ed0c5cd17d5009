"""The learning rate at given steps."""

import math

import pytest

from lessons_lib.training.options import check_schedule, count_warmup_steps, learning_rate_at


def rates(total=10, **options):
    return [learning_rate_at(step, total, 2.0, **options) for step in range(1, total + 1)]


def test_constant():
    assert rates() == [2.0] * 10


def test_warm_up_rises_in_equal_parts_to_the_learning_rate():
    assert rates(warmup_steps=4) == [0.5, 1.0, 1.5] + [2.0] * 7


def test_cosine_after_warm_up():
    cosine = rates(schedule="cosine", warmup_steps=2, final_share=0.25)
    assert cosine[:2] == [1.0, 2.0]
    assert cosine[5] == pytest.approx(0.5 + 1.5 / 2), "half way, step 6 of 2 … 10"
    assert cosine[3] == pytest.approx(0.5 + 1.5 * (1 + math.cos(math.pi / 4)) / 2)
    assert cosine[-1] == pytest.approx(0.5), "the last step has the final share"
    assert cosine[1:] == sorted(cosine[1:], reverse=True)


def test_cosine_to_nothing():
    assert rates(schedule="cosine", final_share=0.0)[-1] == pytest.approx(0)


def test_a_warm_up_longer_than_the_run_only_rises():
    assert rates(total=3, schedule="cosine", warmup_steps=6) == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert rates(total=2, schedule="cosine", warmup_steps=2) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("given", "steps"), [(0, 0), (7, 7), (0.0, 0), (0.1, 20), (0.001, 0), (1.0, 200)]
)
def test_warm_up_is_a_number_or_a_share_of_steps(given, steps):
    assert count_warmup_steps(given, 200) == steps


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("linear", 0, 0.1), "'constant' or 'cosine', not 'linear'"),
        (("cosine", -1, 0.1), "not -1"),
        (("cosine", 1.01, 0.1), "not 1.01"),
        (("cosine", 0, -0.1), "final_share is from 0 to 1, not -0.1"),
        (("cosine", 0, 1.1), "not 1.1"),
    ],
)
def test_what_cannot_be_followed_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        check_schedule(*options)
    check_schedule("cosine", 1, 1.0)
