"""Exercise: how far would a difference move with other questions? The bootstrap. Lesson 10."""

import math
import random
from collections.abc import Sequence
from random import Random
from statistics import fmean

from lessons_lib.exercises import Exercise, WrongAnswer


def paired_bootstrap(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    """Bounds of the 95 % interval of the mean of second minus first; draws are lists of indices."""
    raise NotImplementedError


def answer(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    means = sorted(fmean(second[i] - first[i] for i in draw) for draw in draws)
    cut = int(0.025 * len(means))
    return means[cut], means[len(means) - 1 - cut]


def sorted_means(values: Sequence[float], draws: Sequence[Sequence[int]]) -> list[float]:
    return sorted(fmean(values[i] for i in draw) for draw in draws)


def middle(values: Sequence[float], tail: float = 0.025) -> tuple[float, float]:
    cut = int(tail * len(values))
    return values[cut], values[len(values) - 1 - cut]


def drawn_apart(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    others = [*draws[1:], draws[0]]
    means = [
        fmean(second[i] for i in other) - fmean(first[i] for i in one)
        for one, other in zip(draws, others, strict=True)
    ]
    return middle(sorted(means))


def two_intervals_subtracted(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    one, other = middle(sorted_means(first, draws)), middle(sorted_means(second, draws))
    return other[0] - one[0], other[1] - one[1]


def first_less_second(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    return answer(second, first, draws)


def quotient(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    found = [fmean(second[i] for i in d) / fmean(first[i] for i in d) for d in draws]
    return middle(sorted(found))


def five_percent_each_side(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    differences = [b - a for a, b in zip(first, second, strict=True)]
    return middle(sorted_means(differences, draws), 0.05)


def two_standard_deviations(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    means = sorted_means([b - a for a, b in zip(first, second, strict=True)], draws)
    centre = fmean(means)
    spread = math.sqrt(fmean((each - centre) ** 2 for each in means))
    return centre - 1.96 * spread, centre + 1.96 * spread


def not_sorted(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    return middle([fmean(second[i] - first[i] for i in draw) for draw in draws])


def one_too_high(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    means = sorted_means([b - a for a, b in zip(first, second, strict=True)], draws)
    cut = int(0.025 * len(means))
    return means[cut], means[len(means) - cut]


def nothing_left_out(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    means = sorted_means([b - a for a, b in zip(first, second, strict=True)], draws)
    return means[0], means[-1]


def positions_for_indices(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    means = [fmean(second[i] - first[i] for i in range(len(draw))) for draw in draws]
    return middle(sorted(means))


def sums(
    first: Sequence[float], second: Sequence[float], draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    return middle(sorted(sum(second[i] - first[i] for i in draw) for draw in draws))


def draws_of(entries: int, count: int) -> list[list[int]]:
    """As many indices as there are entries, drawn with replacement, so many times."""
    choose = random.Random(123).choices
    return [choose(range(entries), k=entries) for _ in range(count)]


def cases() -> list[tuple]:
    scores = [0.2, 0.9, 0.5, 0.7], [0.6, 1.0, 0.4, 0.9]
    marks = [1, 0, 1, 1, 0, 1, 1, 1, 0, 1], [1, 1, 0, 1, 0, 0, 1, 0, 0, 1]
    return [
        (*scores, draws_of(4, 40)),
        (*marks, draws_of(10, 120)),
        ([0.25, 0.75, 1.0], [0.75, 0.5, 1.0], draws_of(3, 80)),
    ]


def draw(source: Random) -> tuple:
    """Two models' scores of up to twelve answers, and up to 200 draws of them."""
    count = source.randint(2, 12)
    first, second = ([round(source.random(), 2) for _ in range(count)] for _ in range(2))
    draws = [source.choices(range(count), k=count) for _ in range(source.randint(20, 200))]
    return first, second, draws


PAIRED_BOOTSTRAP = Exercise(
    name="paired-bootstrap",
    title="Draw the questions again",
    lesson="10",
    minutes=15,
    difficulty=2,
    statement="""
ROUGE-L is no matter of right or wrong, so no coin can be tossed for it. But the question stays:
with other entries, how far would the difference of two models have moved? We have no others. The
**bootstrap** makes do with those it has: it draws as many entries as there are, *with replacement*,
so that some come twice and some not at all, takes the mean of that draw, and does so again and
again. The middle 95 % of these means are the interval.

Write `paired_bootstrap`. An entry that is drawn brings *both* models' scores along. The draws are
given as lists of indices, so that your result can be compared: for each, the mean of
`second[i] - first[i]`. Sort these means, leave out `int(0.025 * len(draws))` of them at either end,
and return the lowest and the highest of those that remain.
""",
    attempt=paired_bootstrap,
    answer=answer,
    hints=(
        "One draw gives one number. What are `second[i] - first[i]` for the draw [2, 2, 0], and "
        "what is their mean?",
        "`means = sorted(…)` with one mean for each draw. With 40 draws, one is left out at either "
        "end; what are the indices of the lowest and the highest that remain?",
        "`sum(second[i] - first[i] for i in draw) / len(draw)` is a draw's mean; with `cut = "
        "int(0.025 * len(means))` the bounds are `means[cut]` and `means[len(means) - 1 - cut]`.",
    ),
    wrong_answers=(
        WrongAnswer(
            drawn_apart,
            "the two models are given different draws",
            "Then one may meet the easy entries and the other the hard ones, and the interval "
            "holds that luck as well. Both take the same indices.",
        ),
        WrongAnswer(
            two_intervals_subtracted,
            "each model gets an interval, and their bounds are subtracted",
            "The draw in which one model does badly is mostly bad for the other, too. Subtract "
            "within each draw, and sort afterwards.",
        ),
        WrongAnswer(
            first_less_second,
            "the second is subtracted from the first",
            "Here a difference above 0 says that the second model scored higher. Both conventions "
            "exist; mixing them up turns a result around.",
        ),
        WrongAnswer(
            quotient,
            "the means are divided by each other",
            "A ratio has no change at 1, a difference at 0, and a ratio is not defined for a model "
            "that scores 0. The difference is asked for.",
        ),
        WrongAnswer(
            five_percent_each_side,
            "5 % are left out on either side",
            "That leaves 90 %. For 95 %, half of the other 5 % goes on either side: 0.025.",
        ),
        WrongAnswer(
            two_standard_deviations,
            "the bounds are the mean plus and minus 1.96 standard deviations",
            "That supposes a bell shape. The draws show the shape that there is, so take the "
            "bounds from them.",
        ),
        WrongAnswer(
            not_sorted,
            "the means are not sorted",
            "The draws come in no order, so the second of them is not the second lowest.",
        ),
        WrongAnswer(
            one_too_high,
            "the upper bound is one place too high",
            "Indices begin at 0, so the last of n has the index n − 1. As it is, fewer are left "
            "out above than below.",
        ),
        WrongAnswer(
            nothing_left_out,
            "the lowest and the highest of all means are returned",
            "These two grow apart with every further draw. The middle 95 % are asked for: leave "
            "some out at either end.",
        ),
        WrongAnswer(
            positions_for_indices,
            "the positions in a draw are used, and not what was drawn",
            "`range(len(draw))` is 0, 1, 2, … for every draw, so all means are equal. Loop over "
            "the draw itself: `for i in draw`.",
        ),
        WrongAnswer(
            sums,
            "the differences are added up and not averaged",
            "A sum grows with the number of entries; the mean is what a score is compared with.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=("lower bound", "upper bound"),
    imports="from collections.abc import Sequence\n\n",
    library_name="`bootstrap_interval` in `lessons_lib.evaluation.intervals`, which draws itself",
)
