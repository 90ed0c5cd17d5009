"""Exercise: are two models right equally often? McNemar's test, exactly. Lesson 10."""

import math
from collections.abc import Sequence
from random import Random

from lessons_lib.evaluation.comparison import paired_difference
from lessons_lib.exercises import Exercise, WrongAnswer


def my_mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """The two-sided p-value: first[i] and second[i] say whether each model got entry i right."""
    raise NotImplementedError


def answer(first: Sequence[bool], second: Sequence[bool]) -> float:
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    tosses = only_first + only_second
    tail = sum(math.comb(tosses, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**tosses)


def course_own(first: Sequence[bool], second: Sequence[bool]) -> float:
    """The p-value that ``compare`` shows."""
    return paired_difference(first, second).p_value


def split(first: Sequence[bool], second: Sequence[bool]) -> tuple[int, int]:
    """How often only the first model is right, and how often only the second."""
    pairs = list(zip(first, second, strict=True))
    return pairs.count((True, False)), pairs.count((False, True))


def one_direction(first: Sequence[bool], second: Sequence[bool]) -> float:
    fewer, tosses = min(split(first, second)), sum(split(first, second))
    return sum(math.comb(tosses, k) for k in range(fewer + 1)) / 2**tosses


def uncapped(first: Sequence[bool], second: Sequence[bool]) -> float:
    return 2 * one_direction(first, second)


def all_entries_tossed(first: Sequence[bool], second: Sequence[bool]) -> float:
    fewer, tosses = min(split(first, second)), len(first)
    return min(1.0, 2 * sum(math.comb(tosses, k) for k in range(fewer + 1)) / 2**tosses)


def this_split_alone(first: Sequence[bool], second: Sequence[bool]) -> float:
    fewer, tosses = min(split(first, second)), sum(split(first, second))
    return min(1.0, 2 * math.comb(tosses, fewer) / 2**tosses)


def more_uneven_alone(first: Sequence[bool], second: Sequence[bool]) -> float:
    fewer, tosses = min(split(first, second)), sum(split(first, second))
    return min(1.0, 2 * sum(math.comb(tosses, k) for k in range(fewer)) / 2**tosses)


def by_chi_square(first: Sequence[bool], second: Sequence[bool]) -> float:
    one, other = split(first, second)
    return math.erfc(math.sqrt((one - other) ** 2 / max(one + other, 1) / 2))


def by_corrected_chi_square(first: Sequence[bool], second: Sequence[bool]) -> float:
    one, other = split(first, second)
    gap = max(abs(one - other) - 1, 0)
    return math.erfc(math.sqrt(gap**2 / max(one + other, 1) / 2))


def zero_without_tosses(first: Sequence[bool], second: Sequence[bool]) -> float:
    return answer(first, second) if sum(split(first, second)) else 0.0


def rights_alone_compared(first: Sequence[bool], second: Sequence[bool]) -> float:
    fewer, tosses = min(sum(first), sum(second)), sum(first) + sum(second)
    return min(1.0, 2 * sum(math.comb(tosses, k) for k in range(fewer + 1)) / 2**tosses)


def marks(both: int, only_first: int, only_second: int, neither: int) -> tuple:
    """Two lists of marks with so many entries of each sort."""
    sorts = ((True, True), (True, False), (False, True), (False, False))
    pairs = [
        pair
        for pair, count in zip(sorts, (both, only_first, only_second, neither), strict=True)
        for _ in range(count)
    ]
    return [a for a, _ in pairs], [b for _, b in pairs]


def cases() -> list[tuple]:
    counts = ((2, 0, 3, 1), (1, 1, 1, 1), (3, 5, 1, 0), (3, 0, 0, 1), (4, 2, 9, 2))
    return [marks(*each) for each in counts]


def draw(source: Random) -> tuple:
    """Two models' marks of up to 40 answers."""
    count, leaning = source.randint(1, 40), source.choice((0.2, 0.5, 0.9))
    first = [source.random() < 0.6 for _ in range(count)]
    return first, [each if source.random() < 0.5 else source.random() < leaning for each in first]


MCNEMAR = Exercise(
    name="mcnemar",
    title="Could it be a coin?",
    lesson="10",
    minutes=15,
    difficulty=3,
    statement="""
Two models answered the same entries. On those that both got right, or both wrong, they are even;
what is left are the entries that just one of them got right. If both models were equally good, each
of these would be the toss of a fair coin. So count: how often is only the first right, how often
only the second? And how likely is a split *at least as uneven* when coins are tossed, whichever
side wins? That probability is the p-value of McNemar's test.

Write `my_mcnemar`, from two lists of True and False. Of n tosses, exactly k show heads with
probability C(n, k) / 2ⁿ; `math.comb(n, k)` is
C(n, k). Add up the smaller side's tail, double it
for the other direction, and mind the ends: a probability is never above 1, and where the models
never differ there is no evidence at all, so p is 1.

On paper first: only the second is right on three entries, only the first on none. In how many of
the eight ways to toss three coins do all three agree?
""",
    attempt=my_mcnemar,
    answer=answer,
    hints=(
        "Of all entries, which ones tell the two models apart? For [True, True, False] and [True, "
        "False, False] it is a single one.",
        "With `fewer` heads in `tosses`, the splits at least as uneven on that side have 0, 1, … "
        "`fewer` heads: one `sum` over `range(fewer + 1)`.",
        "`tail = sum(math.comb(tosses, k) for k in range(fewer + 1))`, and p is "
        "`min(1.0, 2 * tail / 2**tosses)`. For 0 against 3 that is 2 · 1 / 8 = 0.25.",
    ),
    wrong_answers=(
        WrongAnswer(
            one_direction,
            "one direction alone is counted",
            "Before looking, nobody knew which model would win; had the coins fallen as unevenly "
            "the other way, you would have been as impressed. Double the tail.",
        ),
        WrongAnswer(
            uncapped,
            "the doubled tail is allowed to exceed 1",
            "Where the split is even, both tails hold the middle, and it is counted twice. No "
            "probability is above 1.",
        ),
        WrongAnswer(
            all_entries_tossed,
            "every entry is taken for a toss",
            "Entries on which the models agree say nothing about which one is better; counted in, "
            "they make any difference look like proof.",
        ),
        WrongAnswer(
            this_split_alone,
            "only the very split that was seen is counted",
            "Any single split of many tosses is improbable. Count those that are still more "
            "uneven, too.",
        ),
        WrongAnswer(
            more_uneven_alone,
            "the split that was seen is left out",
            "*At least* as uneven includes it: `range(fewer + 1)`.",
        ),
        WrongAnswer(
            by_chi_square,
            "the chi-square approximation is used",
            "It is McNemar's own of 1947, made for large counts and pencils. With a handful of "
            "tosses it is too sure; the binomial distribution is exact.",
        ),
        WrongAnswer(
            by_corrected_chi_square,
            "the chi-square approximation is used, with the correction for continuity",
            "The correction brings it closer, and it stays an approximation. With so few tosses "
            "the exact sum costs nothing.",
        ),
        WrongAnswer(
            zero_without_tosses,
            "p is 0 where the models never differ",
            "No toss is no evidence. A p of 0 would say that they surely differ.",
        ),
        WrongAnswer(
            rights_alone_compared,
            "the two totals of right answers are compared",
            "That forgets which entries they belong to. The pairs are what makes this test sharp: "
            "hard entries are hard for both.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from collections.abc import Sequence\n\n",
    library=course_own,
    library_name="`mcnemar` in `lessons_lib.evaluation.comparison`, which is given the two counts",
)
