"""Exercise: which of many differences stay clear once their number is reckoned with. Lesson 11."""

import itertools
from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer

Pair = tuple[str, str]


def still_clear(
    p_values: dict[tuple[str, str], float], alpha: float = 0.05
) -> list[tuple[str, str]]:
    """The pairs whose difference is clear in spite of so many comparisons, in the order given.

    By Bonferroni's correction; ``p_values`` holds every comparison that was made.
    """
    raise NotImplementedError


def answer(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    bound = alpha / len(p_values)
    return [pair for pair, p in p_values.items() if p <= bound]


def undivided(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    return [pair for pair, p in p_values.items() if p <= alpha]


def divided_by_modes(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    modes = {mode for pair in p_values for mode in pair}
    return [pair for pair, p in p_values.items() if p <= alpha / len(modes)]


def the_wrong_way(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    return [pair for pair, p in p_values.items() if p / len(p_values) <= alpha]


def of_those_that_look_clear(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    clear = undivided(p_values, alpha)
    return [pair for pair in clear if p_values[pair] <= alpha / len(clear)]


def smallest_opens_the_gate(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    gate = min(p_values.values()) * len(p_values) <= alpha
    return undivided(p_values, alpha) if gate else []


def halved_again(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    return answer(p_values, alpha / 2)


def always_six(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    return [pair for pair, p in p_values.items() if p <= alpha / 6]


def below_the_bound(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    return [pair for pair, p in p_values.items() if p < alpha / len(p_values)]


def sidak(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    bound = 1 - (1 - alpha) ** (1 / len(p_values))
    return [pair for pair, p in p_values.items() if p <= bound + 1e-12]


def smallest_first(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    return sorted(answer(p_values, alpha), key=p_values.get)


def holm(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    clear = set()
    for place, pair in enumerate(sorted(p_values, key=p_values.get)):
        if p_values[pair] > alpha / (len(p_values) - place):
            break
        clear.add(pair)
    return [pair for pair in p_values if pair in clear]


def benjamini_hochberg(p_values: dict[Pair, float], alpha: float = 0.05) -> list[Pair]:
    ranked = enumerate(sorted(p_values.values()), start=1)
    below = [p for rank, p in ranked if p <= alpha * rank / len(p_values)]
    return [pair for pair, p in p_values.items() if below and p <= max(below)]


def cases() -> list[tuple]:
    none, header, prompt, weight = "none", "keep-header", "prompt", "weight 0.1"
    pairs = [
        *((none, header), (none, prompt), (none, weight)),
        *((header, prompt), (header, weight), (prompt, weight)),
    ]
    three = [pairs[0], pairs[1], pairs[3]]

    def case(some: list[Pair], *values: float) -> dict[Pair, float]:
        return dict(zip(some, values, strict=True))

    return [
        (case(pairs[:1], 0.05), 0.05),
        (case(three, 0.25, 0.26, 0.9), 0.75),
        (case(three, 0.020, 0.010, 0.30), 0.05),
        (case(three, 0.2, 0.04, 0.3), 0.05),
        (case(three, 0.045, 0.9, 0.001), 0.05),
        (case(pairs, 0.006, 0.0084, 0.0001, 0.030, 0.20, 0.60), 0.05),
    ]


def draw(source: Random) -> tuple:
    """The p-values of up to ten pairs, many of them near the bound."""
    alpha = source.choice((0.01, 0.05, 0.1, 0.5))
    pairs = list(itertools.combinations("abcde", 2))
    pairs = source.sample(pairs, source.randint(1, len(pairs)))
    bound = alpha / len(pairs)
    return {pair: bound * source.uniform(0.1, 3) for pair in pairs}, alpha


BONFERRONI = Exercise(
    name="bonferroni",
    title="Six comparisons, one promise",
    lesson="11",
    minutes=10,
    difficulty=2,
    statement="""
Suppose that you have compared every pair of modes, and each comparison has a p-value (lesson 10). A
p-value of 0.05 or less and an interval of 95 % that leaves out 0 say nearly the same: where there
is no difference, chance alone brings that about in one comparison of twenty. Two modes make one
pair, three make three, four make six; look at six, and it happens to *some* pair a good deal more
often than that.

Bonferroni's correction divides what is allowed by the number of comparisons: a difference is still
clear if its p-value is **at most** `alpha` divided by that number. Write `still_clear`, which lists
those pairs in the order in which they were given.

On paper: six comparisons, and `alpha` is 0.05. Which p-value is just small enough? And how many
per cent must an interval hold that does the same?
""",
    attempt=still_clear,
    answer=answer,
    hints=(
        "What was counted: the modes, the pairs that look clear, or all pairs that were looked at? "
        "The last; it is each look that gives chance an opportunity.",
        "The bound is the same for all pairs: `alpha` divided by `len(p_values)`. Keep the pairs "
        "whose p-value is not above it. For six it is 0.0083, and the interval holds 99.2 %.",
        "`[pair for pair, p in p_values.items() if p <= alpha / len(p_values)]`.",
    ),
    wrong_answers=(
        WrongAnswer(
            undivided,
            "each p-value is compared with alpha itself",
            "That promises one false alarm in twenty for each pair. For all of them together the "
            "promise is divided among them.",
        ),
        WrongAnswer(
            divided_by_modes,
            "alpha is divided by the number of modes",
            "It is comparisons that can go wrong, and four modes make six of them.",
        ),
        WrongAnswer(
            the_wrong_way,
            "the p-values are divided by the number of comparisons, or alpha multiplied by it",
            "This makes it easier to look clear the more one compares; it must become harder. "
            "Divide alpha, or multiply the p-values.",
        ),
        WrongAnswer(
            of_those_that_look_clear,
            "only the comparisons that look clear are counted",
            "The others were looked at, too, and each might have looked clear by chance. Count all "
            "that you made, above all those that you will not report.",
        ),
        WrongAnswer(
            smallest_opens_the_gate,
            "the smallest p-value is corrected, and then lets the others pass as they are",
            "That one pair differs says nothing about the next. Each p-value meets the same bound.",
        ),
        WrongAnswer(
            halved_again,
            "alpha is halved for two sides and then divided",
            "These p-values count both directions already, so nothing is left to halve.",
        ),
        WrongAnswer(
            always_six,
            "alpha is divided by six, however many comparisons there are",
            "Six is the number of pairs of four modes. Count those that were made.",
        ),
        WrongAnswer(
            below_the_bound,
            "a p-value that is just the bound is left out",
            "The promise holds for a p-value of *at most* alpha divided by their number: `<=`.",
        ),
        WrongAnswer(
            sidak,
            "the bound is 1 − (1 − alpha)^(1/n)",
            "That is Šidák's correction, a little less strict, and right where the comparisons are "
            "independent. Pairs that share a mode are not; Bonferroni's needs no such assumption.",
        ),
        WrongAnswer(
            smallest_first,
            "the pairs are sorted by their p-values",
            "They are the right ones. But whoever reads the list beside a table wants them in the "
            "order that was given.",
        ),
        WrongAnswer(
            holm,
            "the bound is relaxed step by step, from the smallest p-value on: Holm's procedure",
            "It keeps the same promise and finds at least as much, so prefer it for p-values. It "
            "gives no one width for all intervals, though, and the lesson needs one. Here every "
            "pair meets the same bound.",
        ),
        WrongAnswer(
            benjamini_hochberg,
            "the bound rises with the rank of the p-value: Benjamini and Hochberg's procedure",
            "It promises something else, that on average few of those called clear are false. "
            "Bonferroni's promise is that most probably none is: one bound for all.",
        ),
    ),
    cases=cases,
    draw=draw,
)
