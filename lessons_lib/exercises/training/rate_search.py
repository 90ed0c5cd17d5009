"""Exercise: the best of several learning rates. Lesson 09."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

from lessons_lib.exercises import Exercise, WrongAnswer

Measure = Callable[[float], tuple[float, float]]
Tried = list[tuple[float, float]]


def best_rate(
    train_and_measure: Callable[[float], tuple[float, float]], low: float, high: float, tries: int
) -> tuple[float | None, list[tuple[float, float]]]:
    """The best learning rate, and all that were tried: (rate, [(rate, validation loss), ...]).

    tries rates (2 or more) from low to high, both included, each the same factor above the one
    before. train_and_measure(rate) trains a fresh model: (training loss, validation loss). A loss
    that is not finite never wins; if none is finite, the best rate is None.
    """
    raise NotImplementedError


def answer(
    train_and_measure: Callable[[float], tuple[float, float]], low: float, high: float, tries: int
) -> tuple[float | None, list[tuple[float, float]]]:
    factor = (high / low) ** (1 / (tries - 1))
    rates = [low * factor**i for i in range(tries)]
    tried = [(rate, train_and_measure(rate)[1]) for rate in rates]
    finite = [pair for pair in tried if math.isfinite(pair[1])]
    best = min(finite, key=lambda pair: pair[1])[0] if finite else None
    return best, tried


def log_spaced(low: float, high: float, tries: int) -> list[float]:
    """The right rates."""
    return [low * (high / low) ** (i / (tries - 1)) for i in range(tries)]


def losses_at(train_and_measure: Measure, rates: list[float], part: int = 1) -> Tried:
    """Each rate with its training loss (part 0) or its validation loss (part 1)."""
    return [(rate, train_and_measure(rate)[part]) for rate in rates]


def lowest(tried: Tried) -> float | None:
    """The rate of the lowest finite loss."""
    finite = [(loss, rate) for rate, loss in tried if math.isfinite(loss)]
    return min(finite)[1] if finite else None


def equal_steps(train_and_measure: Measure, low: float, high: float, tries: int) -> tuple:
    rates = [low + (high - low) * i / (tries - 1) for i in range(tries)]
    tried = losses_at(train_and_measure, rates)
    return lowest(tried), tried


def high_left_out(train_and_measure: Measure, low: float, high: float, tries: int) -> tuple:
    tried = losses_at(train_and_measure, [low * (high / low) ** (i / tries) for i in range(tries)])
    return lowest(tried), tried


def both_left_out(train_and_measure: Measure, low: float, high: float, tries: int) -> tuple:
    tried = losses_at(train_and_measure, log_spaced(low, high, tries + 2)[1:-1])
    return lowest(tried), tried


def last_one(train_and_measure: Measure, low: float, high: float, tries: int) -> tuple:
    tried = losses_at(train_and_measure, log_spaced(low, high, tries))
    return tried[-1][0], tried


def by_training_loss(train_and_measure: Measure, low: float, high: float, tries: int) -> tuple:
    rates = log_spaced(low, high, tries)
    best = lowest(losses_at(train_and_measure, rates, part=0))
    return best, losses_at(train_and_measure, rates)


def training_losses_all_along(
    train_and_measure: Measure, low: float, high: float, tries: int
) -> tuple:
    tried = losses_at(train_and_measure, log_spaced(low, high, tries), part=0)
    return lowest(tried), tried


def always_ten_times(train_and_measure: Measure, low: float, high: float, tries: int) -> tuple:
    tried = losses_at(train_and_measure, [low * 10**i for i in range(tries)])
    return lowest(tried), tried


def nan_wins(train_and_measure: Measure, low: float, high: float, tries: int) -> tuple:
    tried = losses_at(train_and_measure, log_spaced(low, high, tries))
    return min(tried, key=lambda pair: pair[1])[0], tried


def highest(train_and_measure: Measure, low: float, high: float, tries: int) -> tuple:
    tried = losses_at(train_and_measure, log_spaced(low, high, tries))
    finite = [(loss, rate) for rate, loss in tried if math.isfinite(loss)]
    return max(finite)[1] if finite else None, tried


def stops_at_the_first_rise(
    train_and_measure: Measure, low: float, high: float, tries: int
) -> tuple:
    tried = losses_at(train_and_measure, log_spaced(low, high, tries))
    best = tried[0]
    for pair in tried[1:]:
        if not pair[1] < best[1]:
            break
        best = pair
    return best[0] if math.isfinite(best[1]) else None, tried


def loss_in_its_place(train_and_measure: Measure, low: float, high: float, tries: int) -> tuple:
    tried = losses_at(train_and_measure, log_spaced(low, high, tries))
    return min((loss for _, loss in tried if math.isfinite(loss)), default=None), tried


def valley(rate: float) -> tuple[float, float]:
    """The larger the rate, the lower the training loss; the validation loss is lowest at 0.001."""
    return 0.01 / rate**0.5, 0.5 + (math.log10(rate) + 3) ** 2


def two_valleys(rate: float) -> tuple[float, float]:
    """A little one at 0.01, and a deeper one at 1; at 10 the run breaks, in training as well."""
    losses = {-4: 3.0, -3: 2.5, -2: 2.0, -1: 2.2, 0: 1.0, 1: math.nan}
    loss = losses.get(round(math.log10(rate)), 4.0)
    return 2 * loss, loss


def broken_at_first(rate: float) -> tuple[float, float]:
    """The smallest rate met a batch without a live target; the largest one diverged."""
    if rate < 2e-5:
        return math.nan, math.nan
    if rate > 0.5:
        return 9.0, math.inf
    return 1 + rate, 2 + rate


def always_broken(rate: float) -> tuple[float, float]:
    """No run ends with a number."""
    return math.inf, math.nan


def ever_larger(rate: float) -> tuple[float, float]:
    """Every run ends in infinity."""
    return math.inf, math.inf


def observed(result: Any, arguments: tuple) -> Any:
    """The same without the digits that only rounding makes."""
    if not isinstance(result, list | tuple) or len(result) != 2:
        return result
    best, tried = result
    if isinstance(tried, list | tuple):
        tried = [tuple(map(_short, pair)) for pair in tried if isinstance(pair, list | tuple)]
    return _short(best), tried


def _short(value: Any) -> Any:
    """A number without its last digits; anything else as it is, for the comparison to name."""
    try:
        return float(f"{float(value):.5g}")
    except (TypeError, ValueError):
        return value


def cases() -> list[tuple]:
    return [
        (valley, 1e-4, 1e-2, 3),
        (two_valleys, 1e-4, 10.0, 6),
        (broken_at_first, 1e-5, 1.0, 6),
        (always_broken, 1e-3, 1e-2, 2),
        (ever_larger, 1e-3, 1e-2, 2),
        (valley, 5e-4, 2e-3, 3),
    ]


def draw(source: Random) -> tuple:
    """A valley anywhere, and runs that break below or above some rate that is not tried itself."""
    low, factor, tries = 10.0 ** -source.randint(3, 5), source.choice((2, 3, 10)), 2
    tries += source.randint(0, 5)
    centre = math.log10(low) + math.log10(factor) * source.uniform(0, tries - 1)
    border = low * factor ** (source.randrange(tries) - 0.5)
    breaks_below = source.random() < 0.5

    def measure(rate: float) -> tuple[float, float]:
        if (rate < border) == breaks_below:
            return 0.01 / rate**0.5, math.nan
        return 0.01 / rate**0.5, 0.5 + (math.log10(rate) - centre) ** 2

    return measure, low, low * factor ** (tries - 1), tries


RATE_SEARCH = Exercise(
    name="learning-rate-search",
    title="Find a learning rate",
    lesson="09",
    minutes=15,
    difficulty=2,
    statement="""
No formula tells the learning rate of a model. One tries several, and the honest part is how one
chooses: by held-out entries, with every start given the same chance.

Write `best_rate`. It tries rates from `low` to `high` that lie a constant *factor* apart (between
0.0001 and 0.01 with three tries: 0.0001, 0.001, 0.01), calls `train_and_measure` once for each,
and returns the best rate beside all that were tried. Some runs break: their loss is NaN or
infinite, and no comparison with NaN is true. What does Python's `min` do with a list that *begins*
with NaN?
""",
    attempt=best_rate,
    answer=answer,
    hints=(
        "A rate of 0.0002 is twice 0.0001, and 0.0101 is nearly the same as 0.01: what matters is "
        "the factor. And which of the two losses tells how the model does on new entries?",
        "The factor between neighbours is `(high / low) ** (1 / (tries - 1))`. Collect all pairs "
        "(rate, validation loss) first; then choose among those with `math.isfinite(loss)`.",
        "`tried = [(rate, train_and_measure(rate)[1]) for rate in rates]`, then "
        "`finite = [pair for pair in tried if math.isfinite(pair[1])]`, and "
        "`min(finite, key=lambda pair: pair[1])[0]` if there are any, otherwise None.",
    ),
    wrong_answers=(
        WrongAnswer(
            equal_steps,
            "the rates lie equal steps apart",
            "Between 0.0001 and 0.01 nearly all of them are then of the order of 0.01, and the "
            "small ones are never tried. Multiply instead of adding.",
        ),
        WrongAnswer(
            high_left_out,
            "`high` is never tried",
            "Between n rates there are n − 1 factors, as between n posts there are n − 1 fields.",
        ),
        WrongAnswer(
            both_left_out,
            "`low` and `high` are never tried",
            "Both ends belong to the rates: the first try is `low`, the last is `high`.",
        ),
        WrongAnswer(
            last_one,
            "the last rate wins, whatever its loss",
            "Compare the losses after the loop, or remember the best one as you go.",
        ),
        WrongAnswer(
            by_training_loss,
            "the rate is chosen by the training loss",
            "A run can learn its training entries by heart and do worse on others. The second of "
            "the two losses is of entries that no model was trained on.",
        ),
        WrongAnswer(
            training_losses_all_along,
            "the training loss is kept, and chosen by",
            "It is the first of the two numbers. A run can learn its training entries by heart and "
            "do worse on others; what you want to know is the second.",
        ),
        WrongAnswer(
            always_ten_times,
            "each rate is ten times the one before, whatever `high` is",
            "The factor follows from `low`, `high` and the number of tries: three rates from "
            "0.0005 to 0.002 double twice.",
        ),
        WrongAnswer(
            nan_wins,
            "a broken run can win",
            "Every comparison with NaN is false, so a NaN that stands first in `min` stays there. "
            "Leave out what is not finite before you compare; then nothing may be left.",
        ),
        WrongAnswer(
            highest,
            "the highest loss wins",
            "A loss is better the lower it is: `min`.",
        ),
        WrongAnswer(
            stops_at_the_first_rise,
            "the search ends where the loss first rises, or cannot be compared",
            "A loss may rise and fall again, by chance as well, and the first run may be the one "
            "that broke. All were paid for: compare them all.",
        ),
        WrongAnswer(
            loss_in_its_place,
            "the best loss is returned in the place of its rate",
            "The caller wants to train with the first of the two: return the rate.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=("the best rate", "what was tried"),
    imports="import math\nfrom collections.abc import Callable\n\n",
    observed=observed,
)
