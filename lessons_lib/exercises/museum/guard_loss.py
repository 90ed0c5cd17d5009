"""Exercise: a test that says whether an entry's loss depends on its company. The museum."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from lessons_lib.exercises import Exercise, WrongAnswer


def guard_loss(
    mean_loss: Callable[[list], float], count: Callable[[Any], int], examples: list
) -> bool:
    """Whether the loss of all examples is what their losses one by one say it must be.

    mean_loss(some_examples) is the loss of a step with these examples, in nats a target; count(one)
    is the number of targets that count in one. Both are code under test: call them, trust neither.
    """
    raise NotImplementedError


def answer(mean_loss: Callable[[list], float], count: Callable[[Any], int], examples: list) -> bool:
    total = sum(count(one) for one in examples)
    wanted = sum(count(one) * mean_loss([one]) for one in examples) / total
    return abs(mean_loss(examples) - wanted) <= 0.0001 * abs(wanted)


def mean_of_the_single(mean_loss, count, examples):
    wanted = sum(mean_loss([one]) for one in examples) / len(examples)
    return abs(mean_loss(examples) - wanted) <= 1e-4 * abs(wanted)


def sum_of_the_single(mean_loss, count, examples):
    wanted = sum(count(one) * mean_loss([one]) for one in examples)
    return abs(mean_loss(examples) - wanted) <= 1e-4 * abs(wanted)


def to_the_last_digit(mean_loss, count, examples):
    total = sum(count(one) for one in examples)
    return mean_loss(examples) == sum(count(one) * mean_loss([one]) for one in examples) / total


def too_high_alone(mean_loss, count, examples):
    total = sum(count(one) for one in examples)
    wanted = sum(count(one) * mean_loss([one]) for one in examples) / total
    return mean_loss(examples) - wanted <= 1e-4 * abs(wanted)


def any_number_will_do(mean_loss, count, examples):
    return mean_loss(examples) > 0


def first_two_alone(mean_loss, count, examples):
    return answer(mean_loss, count, examples[:2])


def in_halves(mean_loss, count, examples):
    middle = len(examples) // 2
    halves = (mean_loss(examples[:middle]) + mean_loss(examples[middle:])) / 2
    return abs(mean_loss(examples) - halves) <= 1e-4 * abs(halves)


def too_tolerant(mean_loss, count, examples):
    total = sum(count(one) for one in examples)
    wanted = sum(count(one) * mean_loss([one]) for one in examples) / total
    return abs(mean_loss(examples) - wanted) <= 0.01 * abs(wanted)


@dataclass(frozen=True)
class Losses:
    """A loss under test whose examples are (number of targets, loss of each); a fault to choose."""

    fault: str = ""

    def __call__(self, examples: list[tuple[int, float]]) -> float:
        if not isinstance(examples, list):
            raise TypeError("mean_loss takes a list of examples, [one] for a single one")
        if self.fault == "mean of means":
            return sum(loss for _, loss in examples) / len(examples)
        total = sum(count for count, _ in examples)
        mean = sum(count * loss for count, loss in examples) / total
        if self.fault == "company" and len(examples) > 1:
            return 0.97 * mean
        if self.fault == "slight" and len(examples) > 1:
            return 1.003 * mean
        if self.fault == "third" and len(examples) > 2:
            return mean + 0.02
        return mean * (1 + 1e-6 * len(examples))  # float32, added up in another order


def targets_of(example: tuple[int, float]) -> int:
    return example[0]


def cases() -> list[tuple]:
    mixed = [(3, 2.0), (9, 0.5), (2, 1.0), (6, 4.0)]
    halves = [(2, 1.0), (6, 3.0), (5, 2.0), (3, 0.5)]  # eight targets each
    alike = [(4, 1.0), (4, 3.0), (4, 2.0), (4, 0.5)]
    return [
        (Losses(fault), targets_of, examples)
        for examples in (mixed, alike, halves)
        for fault in ("", "mean of means", "company", "third", "slight")
    ]


def draw(source: Random) -> tuple:
    """Three to eight examples, and a loss that is right or has one of the faults."""
    fault = source.choice(("", "", "mean of means", "company", "third", "slight"))
    counts = [source.randint(1, 12) for _ in range(source.randint(3, 8))]
    return Losses(fault), targets_of, [(count, source.uniform(0.5, 5.0)) for count in counts]


GUARD_LOSS = Exercise(
    name="guard-loss",
    title="Alone or in company, the same loss",
    lesson="museum",
    minutes=10,
    difficulty=2,
    statement="""
Two of the nine faults leave every batch as it should be. What they break is a promise: that an
entry's loss is its own affair, whatever else is in the step. So test the promise. `guard_loss` gets
a function that computes a step's mean loss, one that counts an example's live targets, and some
examples. Compute the loss of each example alone, work out from these what all of them together must
give, and say whether that is what comes out.

Two sums of the same float32 numbers in another order differ in the last digits: let one part in ten
thousand pass.
""",
    attempt=guard_loss,
    answer=answer,
    hints=(
        "One example has 2 targets and a mean loss of 1, another 8 and 0.5. What is the mean over "
        "all ten targets?",
        "`count(one) * mean_loss([one])` is the sum of one example's losses. Add these sums, and "
        "divide by the number of all targets.",
        "`wanted = sum(count(one) * mean_loss([one]) for one in examples) / total`, then "
        "`abs(mean_loss(examples) - wanted) <= 0.0001 * abs(wanted)`.",
    ),
    wrong_answers=(
        WrongAnswer(
            mean_of_the_single,
            "the examples' means are averaged, long and short alike",
            "That is the mean of means itself: this test passes the fault and refuses the right "
            "loss. Weigh each example by the number of its targets.",
        ),
        WrongAnswer(
            sum_of_the_single,
            "the sum over all targets is compared with a mean",
            "Divide by the number of all live targets.",
        ),
        WrongAnswer(
            to_the_last_digit,
            "the two numbers must be equal to the last digit",
            "Then a right loss fails as soon as its sums are taken in another order. Let a small "
            "relative difference pass.",
        ),
        WrongAnswer(
            too_high_alone,
            "a loss that is too low passes",
            "Entries that see each other have a lower loss, and that is a fault as well. Compare "
            "the size of the difference, `abs(…)`.",
        ),
        WrongAnswer(
            any_number_will_do,
            "any loss above 0 passes",
            "All faults of the museum have a loss above 0. That is why nobody saw them.",
        ),
        WrongAnswer(
            first_two_alone,
            "only the first two examples are used",
            "A row may go wrong from its third entry on. Use all that you are given.",
        ),
        WrongAnswer(
            in_halves,
            "two halves are computed and averaged",
            "Two halves seldom have the same number of targets, and inside a half the company is "
            "the same as before. Compute each example alone.",
        ),
        WrongAnswer(
            too_tolerant,
            "a difference of one part in a hundred passes",
            "The faults of this kind are small. One part in ten thousand is room enough for "
            "rounding.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from collections.abc import Callable\nfrom typing import Any\n\n",
)
