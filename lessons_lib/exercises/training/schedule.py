"""Exercise: a learning rate that rises, then falls. Lesson 09."""

import math
from random import Random
from typing import Any

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.training import TrainOptions


def learning_rates(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    """The learning rate of each step, the first to the last; total_steps numbers.

    Over the first warmup_share of the steps (rounded) it rises in equal parts and reaches highest
    at the last of them; then it falls along half a cosine to a tenth, reached at the last step.
    """
    raise NotImplementedError


def answer(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    warmup = round(warmup_share * total_steps)
    rates = [highest * step / warmup for step in range(1, warmup + 1)]
    left = total_steps - warmup
    for step in range(1, left + 1):
        high = (1 + math.cos(math.pi * step / left)) / 2  # from nearly 1 to 0
        rates.append(highest * (0.1 + 0.9 * high))
    return rates


def library(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    options = TrainOptions(
        learning_rate=highest, schedule="cosine", warmup_steps=float(warmup_share)
    )
    return [options.rate_at(step, total_steps) for step in range(1, total_steps + 1)]


def fallen(share: float, highest: float, least: float = 0.1) -> float:
    """The rate where this share of the fall is done, 0 … 1."""
    return highest * (least + (1 - least) * (1 + math.cos(math.pi * share)) / 2)


def starts_at_zero(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    warmup = round(warmup_share * total_steps)
    left = total_steps - warmup
    rising = [highest * step / warmup for step in range(warmup)]
    return rising + [fallen(step / left, highest) for step in range(left)]


def one_short_of_the_highest(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    warmup = round(warmup_share * total_steps)
    rising = [highest * step / (warmup + 1) for step in range(1, warmup + 1)]
    return rising + answer(total_steps, highest, warmup_share)[warmup:]


def share_as_steps(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    rates = []
    for step in range(1, total_steps + 1):
        if step <= warmup_share:
            rates.append(highest * step / warmup_share)
        else:
            share = (step - warmup_share) / (total_steps - warmup_share)
            rates.append(fallen(share, highest))
    return rates


def never_falls(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    warmup = round(warmup_share * total_steps)
    return answer(total_steps, highest, warmup_share)[:warmup] + [highest] * (total_steps - warmup)


def down_to_nothing(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    warmup = round(warmup_share * total_steps)
    left = total_steps - warmup
    falling = [fallen(step / left, highest, least=0.0) for step in range(1, left + 1)]
    return answer(total_steps, highest, warmup_share)[:warmup] + falling


def straight_down(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    warmup = round(warmup_share * total_steps)
    left = total_steps - warmup
    falling = [highest * (1 - 0.9 * step / left) for step in range(1, left + 1)]
    return answer(total_steps, highest, warmup_share)[:warmup] + falling


def fall_counted_from_the_start(
    total_steps: int, highest: float, warmup_share: float
) -> list[float]:
    warmup = round(warmup_share * total_steps)
    falling = [fallen(step / total_steps, highest) for step in range(warmup + 1, total_steps + 1)]
    return answer(total_steps, highest, warmup_share)[:warmup] + falling


def falls_a_step_late(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    warmup = round(warmup_share * total_steps)
    left = total_steps - warmup
    falling = [fallen(step / left, highest) for step in range(left)]
    return answer(total_steps, highest, warmup_share)[:warmup] + falling


def whole_cosine(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    warmup = round(warmup_share * total_steps)
    left = total_steps - warmup
    falling = [fallen(2 * step / left, highest) for step in range(1, left + 1)]
    return answer(total_steps, highest, warmup_share)[:warmup] + falling


def share_cut_off(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    return answer(total_steps, highest, int(warmup_share * total_steps) / total_steps)


def share_rounded_up(total_steps: int, highest: float, warmup_share: float) -> list[float]:
    return answer(total_steps, highest, math.ceil(warmup_share * total_steps) / total_steps)


def observed(result: Any, arguments: tuple) -> Any:
    """The rates, without the digits that only rounding makes."""
    if not isinstance(result, list | tuple):
        return result
    return [float(f"{float(rate):.5g}") for rate in result]


def cases() -> list[tuple]:
    return [(6, 1.0, 0.5), (4, 2.0, 0.0), (11, 0.01, 0.25), (5, 1.0, 0.2), (10, 1.0, 0.13)]


def draw(source: Random) -> tuple:
    """Up to 40 steps, of which some or none are warm-up."""
    total = source.randint(2, 40)
    warmup = source.randint(0, total - 1)
    share = max(0.0, (warmup + source.choice((-0.3, 0.0, 0.3))) / total)
    return total, source.choice((1.0, 2.0, 0.01)), share


WARMUP_SCHEDULE = Exercise(
    name="warmup-schedule",
    title="A rate that rises, then falls",
    lesson="09",
    minutes=10,
    difficulty=2,
    statement="""
At the first step AdamW has seen one batch and knows nothing of how much its gradients vary; a full
step would trust it too much. At the last steps the model is near its goal, and large steps would
only shake it. So the rate is a curve: up, then down.

Write `learning_rates`, which returns the whole curve, one rate a step. Of four steps with a
`warmup_share` of 0.5, two are warm-up, at half the highest rate and at all of it; the other two
fall, and the last has a tenth. What goes wrong if the first rate of all is 0?
""",
    attempt=learning_rates,
    answer=answer,
    hints=(
        "Count the steps from 1. Which step is the last of the warm-up, and how many are left "
        "after it? A share is no number of steps.",
        "Half a cosine: `(1 + math.cos(math.pi * done)) / 2` goes from 1 to 0 while `done`, the "
        "share of the *remaining* steps that is over, goes from 0 to 1.",
        "`warmup = round(warmup_share * total_steps)`. Up to it `highest * step / warmup`; after "
        "it `done = (step - warmup) / (total_steps - warmup)` and "
        "`highest * (0.1 + 0.9 * (1 + math.cos(math.pi * done)) / 2)`.",
    ),
    wrong_answers=(
        WrongAnswer(
            starts_at_zero,
            "the steps are counted from 0",
            "The first step then has the rate 0: its batch is read, its gradients are computed, "
            "and nothing is learned. And a tenth is never reached. Count from 1.",
        ),
        WrongAnswer(
            one_short_of_the_highest,
            "the warm-up ends below the highest rate",
            "Its last step should have all of it: divide by the number of warm-up steps, and not "
            "by one more.",
        ),
        WrongAnswer(
            share_as_steps,
            "the share is taken for a number of steps",
            "0.25 steps are none, so nothing rises. Libraries have a setting for each of the two, "
            "and mixing them up is common. Multiply by the number of all steps and round.",
        ),
        WrongAnswer(
            never_falls,
            "the rate stays at its highest after the warm-up",
            "That is the schedule *constant*. Here the rest falls along half a cosine.",
        ),
        WrongAnswer(
            down_to_nothing,
            "the rate falls to 0",
            "Then the last batch teaches nothing. Here a tenth is left: 0.1 and nine tenths of "
            "the half cosine.",
        ),
        WrongAnswer(
            straight_down,
            "the rate falls in a straight line",
            "That is a schedule, too (*linear*). Half a cosine falls slowly at first, fast in the "
            "middle, and slowly at the end.",
        ),
        WrongAnswer(
            fall_counted_from_the_start,
            "the fall is counted from the first step of all",
            "After the warm-up the rate then jumps down at once. What is done of the fall starts "
            "at 0 where the warm-up ends.",
        ),
        WrongAnswer(
            falls_a_step_late,
            "the fall begins one step late",
            "The highest rate comes twice, and the last step does not reach a tenth. The first "
            "step after the warm-up has begun to fall.",
        ),
        WrongAnswer(
            share_cut_off,
            "the number of warm-up steps is cut off, not rounded",
            "A quarter of 11 steps is 2.75, so three are warm-up: `round`, where `int` makes two.",
        ),
        WrongAnswer(
            share_rounded_up,
            "the number of warm-up steps is always rounded up",
            "13 % of ten steps is 1.3, so one is warm-up: `round`.",
        ),
        WrongAnswer(
            whole_cosine,
            "a whole cosine is taken instead of half a one",
            "Half way it turns and rises again. From 1 to 0 takes `math.pi`, not twice as much.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import math\n\n",
    library=library,
    library_name="`TrainOptions.rate_at` in `lessons_lib.training`",
    observed=observed,
)
