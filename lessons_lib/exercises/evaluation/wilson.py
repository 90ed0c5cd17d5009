"""Exercise: an interval around a share that does not pretend to be certain. Lesson 10."""

import math
from collections.abc import Iterable
from random import Random
from typing import Any

from lessons_lib.evaluation import Share
from lessons_lib.exercises import Exercise, WrongAnswer

Z = 1.96


def my_wilson_interval(count: int, total: int) -> tuple[float, float]:
    """Lower and upper bound, from 0 to 1, of the interval of 95 % around count of total."""
    raise NotImplementedError


def answer(count: int, total: int) -> tuple[float, float]:
    z, p = 1.96, count / total
    scale = 1 + z * z / total
    centre = (p + z * z / (2 * total)) / scale
    half = z / scale * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return centre - half, centre + half


def course_own(count: int, total: int) -> tuple[float, float]:
    """The bounds of ``Share.interval``."""
    found = Share(count, total).interval()
    return found.low, found.high


def two_standard_errors(count: int, total: int) -> tuple[float, float]:
    p = count / total
    half = Z * math.sqrt(p * (1 - p) / total)
    return p - half, p + half


def cut_at_the_ends(count: int, total: int) -> tuple[float, float]:
    low, high = two_standard_errors(count, total)
    return max(0.0, low), min(1.0, high)


def z_not_squared(count: int, total: int) -> tuple[float, float]:
    p, scale = count / total, 1 + Z / total
    centre = (p + Z / (2 * total)) / scale
    half = Z / scale * math.sqrt(p * (1 - p) / total + Z / (4 * total * total))
    return centre - half, centre + half


def centre_not_moved(count: int, total: int) -> tuple[float, float]:
    low, high = answer(count, total)
    p, half = count / total, (high - low) / 2
    return p - half, p + half


def undivided(count: int, total: int) -> tuple[float, float]:
    low, high = answer(count, total)
    scale = 1 + Z * Z / total
    return low * scale, high * scale


def half_width_undivided(count: int, total: int) -> tuple[float, float]:
    low, high = answer(count, total)
    centre, half = (low + high) / 2, (high - low) / 2 * (1 + Z * Z / total)
    return centre - half, centre + half


def centre_undivided(count: int, total: int) -> tuple[float, float]:
    low, high = answer(count, total)
    centre, half = (low + high) / 2 * (1 + Z * Z / total), (high - low) / 2
    return centre - half, centre + half


def multiplied_by_the_total(count: int, total: int) -> tuple[float, float]:
    p, scale = count / total, 1 + Z * Z / total
    centre = (p + Z**2 / 2 * total) / scale
    half = Z / scale * math.sqrt(p * (1 - p) / total + Z**2 / (4 * total**2))
    return centre - half, centre + half


def multiplied_under_the_root(count: int, total: int) -> tuple[float, float]:
    p, scale = count / total, 1 + Z * Z / total
    centre = (p + Z**2 / (2 * total)) / scale
    half = Z / scale * math.sqrt(p * (1 - p) / total + Z**2 / 4 * total**2)
    return centre - half, centre + half


def multiplied_in_both(count: int, total: int) -> tuple[float, float]:
    p, scale = count / total, 1 + Z * Z / total
    centre = (p + Z**2 / 2 * total) / scale
    half = Z / scale * math.sqrt(p * (1 - p) / total + Z**2 / 4 * total**2)
    return centre - half, centre + half


def total_not_squared(count: int, total: int) -> tuple[float, float]:
    p, scale = count / total, 1 + Z * Z / total
    centre = (p + Z * Z / (2 * total)) / scale
    half = Z / scale * math.sqrt(p * (1 - p) / total + Z * Z / (4 * total))
    return centre - half, centre + half


def total_less_one(count: int, total: int) -> tuple[float, float]:
    p, n = count / total, total - 1
    scale = 1 + Z * Z / n
    centre = (p + Z * Z / (2 * n)) / scale
    half = Z / scale * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return centre - half, centre + half


def four_left_out(count: int, total: int) -> tuple[float, float]:
    p, scale = count / total, 1 + Z * Z / total
    centre = (p + Z * Z / (2 * total)) / scale
    half = Z / scale * math.sqrt(p * (1 - p) / total + Z * Z / (total * total))
    return centre - half, centre + half


def in_percent(count: int, total: int) -> tuple[float, float]:
    low, high = answer(count, total)
    return 100 * low, 100 * high


def middle_and_half(count: int, total: int) -> tuple[float, float]:
    low, high = answer(count, total)
    return (low + high) / 2, (high - low) / 2


def rounded(result: Any, arguments: tuple) -> Any:
    """Two bounds to four digits, for which 1.96 is exact enough; anything else as it is."""
    if not isinstance(result, Iterable) or isinstance(result, str):
        return result
    return tuple(round(float(each), 4) + 0.0 for each in result)


def cases() -> list[tuple]:
    return [(3, 3), (0, 5), (2, 8), (11, 20), (97, 110)]


def draw(source: Random) -> tuple:
    """Any count of up to 500, but for those few where a more exact z changes the fourth digit."""
    while True:
        total = source.randint(1, 500)
        count = source.randint(0, total)
        ours, exact = (rounded(each(count, total), ()) for each in (answer, course_own))
        if ours == exact:
            return count, total


WILSON = Exercise(
    name="wilson-interval",
    title="An interval around a share",
    lesson="10",
    minutes=12,
    difficulty=2,
    statement="""
The formula above gives 3 of 3 an interval from 100 % to 100 %, as if three answers had settled the
matter. So Wilson (1927) asked the other way round: for which true shares would what we
saw be no surprise? His interval holds just these. With z = 1.96, p = count/total and n = total,

**centre** = (p + z²/(2n)) / (1 + z²/n)  and  **half width** = z / (1 + z²/n) · √(p(1 − p)/n +
z²/(4n²)).

Write `my_wilson_interval`, which returns (centre − half width, centre + half width), as shares from
0 to 1. On paper first: where does it begin for 3 of 3? Four digits are compared.
""",
    attempt=my_wilson_interval,
    answer=answer,
    hints=(
        "For 3 of 3, p(1 − p) is 0. What is left under the root? And which way does the centre "
        "move from 100 %?",
        "Compute `scale = 1 + z**2 / total` first: centre and half width are both divided by it. "
        "`math.sqrt` takes the root, after `import math`.",
        "For 3 of 3: z² is 3.84, the scale 2.28, the centre (1 + 0.64) / 2.28 = 0.72, the half "
        "width 1.96 / 2.28 · √(3.84/36) = 0.28. So the interval is 0.44 to 1.00.",
    ),
    wrong_answers=(
        WrongAnswer(
            two_standard_errors,
            "the interval is the share plus and minus 1.96 standard errors",
            "That is the textbook's formula, Wald's. Near 0 and 1 it is far too sure of itself, "
            "and it can reach beyond them.",
        ),
        WrongAnswer(
            cut_at_the_ends,
            "Wald's interval is cut off at 0 and 1",
            "Cutting hides the fault and leaves it there: 3 of 3 still gives 100 % to 100 %.",
        ),
        WrongAnswer(
            z_not_squared,
            "z is not squared",
            "All three corrections have z², which is 3.84: the scale, the centre, and the term "
            "under the root. Only the z before the root stands alone.",
        ),
        WrongAnswer(
            centre_not_moved,
            "the half width is laid around the share itself",
            "Wilson's centre lies nearer to one half than the share does. Around the share the "
            "interval for 3 of 3 would reach beyond 100 %.",
        ),
        WrongAnswer(
            undivided,
            "centre and half width are not divided by 1 + z²/n",
            "Both are divided by it. For 3 of 3 the upper bound must come out as 1.",
        ),
        WrongAnswer(
            half_width_undivided,
            "the half width is not divided by 1 + z²/n",
            "Its factor is z / (1 + z²/n), and not z alone. The centre is right.",
        ),
        WrongAnswer(
            centre_undivided,
            "the centre is not divided by 1 + z²/n",
            "The whole of p + z²/(2n) is divided by it: mind the brackets. The half width is "
            "right.",
        ),
        WrongAnswer(
            multiplied_by_the_total,
            "z² is halved and then multiplied by n in the centre",
            "`z**2 / 2 * n` is read from left to right, as (z²/2) · n. The divisor 2n needs "
            "brackets: `z**2 / (2 * n)`.",
        ),
        WrongAnswer(
            multiplied_under_the_root,
            "z²/4 is multiplied by n² under the root",
            "`z**2 / 4 * n**2` is read from left to right. The divisor 4n² needs brackets: "
            "`z**2 / (4 * n**2)`.",
        ),
        WrongAnswer(
            multiplied_in_both,
            "both divisors, 2n and 4n², lack their brackets",
            "`z**2 / 2 * n` is read from left to right, as (z²/2) · n. Write `z**2 / (2 * n)` and "
            "`z**2 / (4 * n**2)`.",
        ),
        WrongAnswer(
            total_not_squared,
            "n is not squared under the root",
            "The second term there is z²/(4n²), which is (z/(2n))²; the first has n as it is.",
        ),
        WrongAnswer(
            total_less_one,
            "n is the total minus one",
            "The n − 1 belongs to the variance of measurements. The spread of a share follows from "
            "the share itself, so n stays the number of answers.",
        ),
        WrongAnswer(
            four_left_out,
            "the 4 is left out under the root",
            "It is (z/(2n))², and squaring the 2 makes it a 4.",
        ),
        WrongAnswer(
            in_percent,
            "the bounds are given in percent",
            "Shares here run from 0 to 1; percent signs are for printing, as in `f'{low:.0%}'`.",
        ),
        WrongAnswer(
            middle_and_half,
            "centre and half width are returned",
            "They are nearly there: subtract the one from the other, and add them.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=("lower bound", "upper bound"),
    library=course_own,
    library_name="`Share.interval` in `lessons_lib.evaluation`",
    observed=rounded,
)
