"""Exercise: how far two graders agree beyond chance, Cohen's kappa. Lesson 10."""

from collections import Counter
from collections.abc import Sequence
from random import Random

from lessons_lib.evaluation import ranks
from lessons_lib.exercises import Exercise, WrongAnswer


def my_kappa(first: Sequence, second: Sequence) -> float:
    """Cohen's kappa of two graders' labels, first[i] and second[i] of the same answer."""
    raise NotImplementedError


def answer(first: Sequence, second: Sequence) -> float:
    count = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True)) / count
    labels = set(first) | set(second)
    chance = sum(first.count(each) * second.count(each) for each in labels) / count**2
    return (agreed - chance) / (1 - chance)


def shares(labels: Sequence) -> Counter:
    return Counter({each: count / len(labels) for each, count in Counter(labels).items()})


def agreement(first: Sequence, second: Sequence) -> float:
    return sum(a == b for a, b in zip(first, second, strict=True)) / len(first)


def beyond(chance: float, first: Sequence, second: Sequence) -> float:
    return (agreement(first, second) - chance) / (1 - chance)


def chance_of(first: Sequence, second: Sequence) -> float:
    one, other = shares(first), shares(second)
    return sum(one[each] * other[each] for each in one)


def agreement_alone(first: Sequence, second: Sequence) -> float:
    return agreement(first, second)


def chance_of_a_coin(first: Sequence, second: Sequence) -> float:
    return beyond(1 / 2, first, second)


def chance_of_the_first_alone(first: Sequence, second: Sequence) -> float:
    return beyond(chance_of(first, first), first, second)


def chance_of_both_together(first: Sequence, second: Sequence) -> float:
    both = [*first, *second]
    return beyond(chance_of(both, both), first, second)


def commonest_label_guessed(first: Sequence, second: Sequence) -> float:
    return beyond(max(shares(first).values()) * max(shares(second).values()), first, second)


def one_label_alone(first: Sequence, second: Sequence) -> float:
    one, other = shares(first), shares(second)
    return beyond(one[first[0]] * other[first[0]], first, second)


def true_alone(first: Sequence, second: Sequence) -> float:
    count = len(first)
    return beyond(first.count(True) * second.count(True) / count**2, first, second)


def undivided(first: Sequence, second: Sequence) -> float:
    return agreement(first, second) - chance_of(first, second)


def divided_by_the_agreement(first: Sequence, second: Sequence) -> float:
    return undivided(first, second) / agreement(first, second)


def cases() -> list[tuple]:
    return [
        ([True, True, True, False], [True, True, False, False]),
        ([True, False, True, False, True], [False, True, True, False, False]),
        (["wrong"] * 8 + ["right"] * 2, ["wrong"] * 7 + ["right"] * 2 + ["wrong"]),
        ([2, 2, 1, 0, 0, 1], [2, 1, 1, 0, 2, 1]),
        ([True, True, False, True], [True] * 4),
    ]


def draw(source: Random) -> tuple:
    """Two graders' labels of up to 30 answers, of which the first uses at least two."""
    labels = source.choice(([True, False], ["right", "wrong"], [0, 1, 2]))
    count = source.randint(2, 30)
    first = labels[:2] + source.choices(labels, k=count - 2)
    second = [each if source.random() < 0.6 else source.choice(labels) for each in first]
    return first, second


KAPPA = Exercise(
    name="kappa",
    title="Agreement beyond chance",
    lesson="10",
    minutes=12,
    difficulty=2,
    statement="""
Two graders agree on nine answers of ten. That sounds like good work, until one hears that both call
nearly every answer right: two who never look would agree about as often. **Cohen's kappa** takes
chance away. If P is the share of answers on which they agree, and C the share on which they would
agree by chance, kappa is (P − C) / (1 − C): 1 for graders who always agree, 0 for what chance would
give, below 0 for less.

Chance means: each grader hands out each label as often as now, but to answers drawn at random. A
label that the first gives to 3/4 of all answers and the second to 2/4 then meets itself with
probability 3/4 · 2/4; add that up over all labels. Write `my_kappa` for two lists of labels of any
kind; at least one grader uses more than one.

On paper first: True True True False, and True True False False.
""",
    attempt=my_kappa,
    answer=answer,
    hints=(
        "On paper: they agree on 3 of 4. By chance both say True with 3/4 · 2/4; and how often do "
        "both say False?",
        "`set(first) | set(second)` are the labels, and `first.count(label) / len(first)` is how "
        "often one grader gives a label.",
        "`chance = sum(first.count(x) * second.count(x) for x in labels) / len(first) ** 2`, then "
        "`(agreed - chance) / (1 - chance)`. On paper (3/4 − 1/2) / (1/2) = 1/2.",
    ),
    wrong_answers=(
        WrongAnswer(
            agreement_alone,
            "the plain share of agreement is returned",
            "Eight of ten sounds like much, and two graders who call nearly all answers wrong get "
            "there without looking. Take chance away.",
        ),
        WrongAnswer(
            chance_of_a_coin,
            "chance is taken to be one half",
            "It is one half if both labels are equally common, and there are two of them. Graders "
            "who mostly say the same agree more often by chance.",
        ),
        WrongAnswer(
            chance_of_the_first_alone,
            "the first grader's shares are used for both",
            "One may be stricter than the other. Multiply the first's share of a label by the "
            "second's.",
        ),
        WrongAnswer(
            chance_of_both_together,
            "the labels of both are thrown together",
            "That is Scott's pi, an older cousin. Cohen's kappa keeps the two graders' shares "
            "apart.",
        ),
        WrongAnswer(
            commonest_label_guessed,
            "chance is taken from the commonest label alone",
            "Two graders can agree by chance on any label. Add up over all of them.",
        ),
        WrongAnswer(
            one_label_alone,
            "chance counts one label only",
            "Agreeing on “wrong” by chance is agreement, too. Add up over all labels.",
        ),
        WrongAnswer(
            true_alone,
            "chance counts the label True alone",
            "Two graders agree by chance on False, too, and labels can be of any kind: loop over "
            "all that occur.",
        ),
        WrongAnswer(
            undivided,
            "the difference is not divided by 1 − C",
            "Then even graders who always agree do not reach 1: what they could gain over chance "
            "is 1 − C.",
        ),
        WrongAnswer(
            divided_by_the_agreement,
            "the difference is divided by the agreement",
            "The divisor is what could be gained over chance, 1 − C, and not what was reached.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from collections.abc import Sequence\n\n",
    library=ranks.kappa,
    library_name="`kappa` in `lessons_lib.evaluation.ranks`",
)
