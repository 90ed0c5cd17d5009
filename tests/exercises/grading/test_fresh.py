"""Inputs drawn afresh: right solutions pass on them, wrong ones do not, and a seed repeats them."""

import pytest

from lessons_lib.exercises import EXERCISES, Exercise, Verdict
from lessons_lib.exercises.comparing import same_values
from lessons_lib.exercises.grading.fresh import assert_right, fresh_cases, with_fresh_cases
from tools.exercises.count import right_variants

# Nothing is given to the first; the other two are judged by an audit and by a reader, which a
# text put together at random would deceive.
CANNOT = {"merge-pairs", "plant-leak", "fooling-answer"}
DRAWN = [name for name in EXERCISES if name not in CANNOT]
VARIANTS = right_variants()


def test_nearly_all_exercises_can_draw():
    assert {name for name, each in EXERCISES.items() if each.draw is None} == CANNOT


@pytest.mark.parametrize("name", DRAWN)
def test_right_solutions_pass_on_drawn_inputs(name):
    """So a drawn input asks for nothing that the statement does not say."""
    exercise = with_fresh_cases(EXERCISES[name], seed=1)
    own = [exercise.library] if exercise.library else []
    for right in (exercise.answer, *own, *VARIANTS[name]):
        result = exercise.check(right)
        assert result.passed, (right.__name__, str(result))


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_inputs_refuse_what_knows_the_lessons_inputs_alone(name):
    exercise = EXERCISES[name]
    known = exercise.cases()

    def recites(*arguments):
        if any(same_values(arguments, each) for each in known):
            return exercise.answer(*arguments)
        return exercise.wrong_answers[0].function(*arguments)

    fresh = with_fresh_cases(exercise, seed=1)
    assert fresh.check(recites).verdict == Verdict.KNOWN_MISTAKE


def test_a_seed_repeats_its_inputs_and_another_draws_others():
    exercise: Exercise = EXERCISES["mask-prompt"]
    assert same_values(fresh_cases(exercise, 1), fresh_cases(exercise, 1))
    assert not same_values(fresh_cases(exercise, 1), fresh_cases(exercise, 2))


def test_another_graders_test_is_one_call():
    exercise = EXERCISES["mask-prompt"]
    assert_right("mask-prompt", exercise.answer, seed=3)
    assert_right("merge-pairs", EXERCISES["merge-pairs"].answer, seed=3)
    with pytest.raises(AssertionError, match="the first p targets are masked"):
        assert_right("mask-prompt", exercise.wrong_answers[0].function, seed=3)


def test_an_exercise_that_cannot_draw_is_named():
    assert fresh_cases(EXERCISES["merge-pairs"], 1) == []
    with pytest.raises(ValueError, match="merge-pairs"):
        with_fresh_cases(EXERCISES["merge-pairs"], 1)
