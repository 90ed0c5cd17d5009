"""Exercise: the most similar instructions, in order, of equal ones the earlier first. Lesson 13."""

from collections.abc import Sequence
from random import Random

import numpy as np

from lessons_lib.exercises import Exercise, WrongAnswer

Nearest = list[tuple[str, float]]


def my_nearest(
    instructions: Sequence[str], similarities: Sequence[float], count: int
) -> list[tuple[str, float]]:
    """The count most similar instructions, each with its similarity, the highest first.

    similarities[i] is that of instructions[i]. Of equal ones, the one that stands earlier is first.
    """
    raise NotImplementedError


def answer(
    instructions: Sequence[str], similarities: Sequence[float], count: int
) -> list[tuple[str, float]]:
    pairs = list(zip(instructions, similarities, strict=True))
    pairs.sort(key=lambda pair: pair[1], reverse=True)  # a stable sort: ties stay in order
    return pairs[:count]


def pairs_of(instructions: Sequence[str], similarities: Sequence[float]) -> Nearest:
    return list(zip(instructions, similarities, strict=True))


def lowest_first(instructions: Sequence[str], similarities: Sequence[float], count: int) -> Nearest:
    pairs = pairs_of(instructions, similarities)
    return sorted(pairs, key=lambda pair: pair[1])[:count]


def best_last(instructions: Sequence[str], similarities: Sequence[float], count: int) -> Nearest:
    return answer(instructions, similarities, count)[::-1]


def ties_turned_round(
    instructions: Sequence[str], similarities: Sequence[float], count: int
) -> Nearest:
    places = np.argsort(similarities, kind="stable")[-count:][::-1]
    return [(instructions[place], similarities[place]) for place in places]


def ties_by_the_alphabet(
    instructions: Sequence[str], similarities: Sequence[float], count: int
) -> Nearest:
    pairs = pairs_of(instructions, similarities)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:count]


def ties_by_the_alphabet_backwards(
    instructions: Sequence[str], similarities: Sequence[float], count: int
) -> Nearest:
    found = zip(similarities, instructions, strict=True)
    return [(text, similarity) for similarity, text in sorted(found, reverse=True)][:count]


def equal_texts_once(
    instructions: Sequence[str], similarities: Sequence[float], count: int
) -> Nearest:
    of_text = dict(zip(instructions, similarities, strict=True))
    return sorted(of_text.items(), key=lambda pair: -pair[1])[:count]


def first_ones_sorted(
    instructions: Sequence[str], similarities: Sequence[float], count: int
) -> Nearest:
    return answer(instructions[:count], similarities[:count], count)


def in_the_old_order(
    instructions: Sequence[str], similarities: Sequence[float], count: int
) -> Nearest:
    best = sorted(range(len(similarities)), key=lambda place: -similarities[place])[:count]
    return [(instructions[place], similarities[place]) for place in sorted(best)]


def places_returned(
    instructions: Sequence[str], similarities: Sequence[float], count: int
) -> list[tuple[int, float]]:
    best = sorted(range(len(similarities)), key=lambda place: -similarities[place])[:count]
    return [(place, similarities[place]) for place in best]


def cases() -> list[tuple]:
    return [
        (["Name a sea.", "Name a lake.", "Add 3 and 4."], [0.2, 0.5, 0.1], 2),
        (["Name a sea.", "Add 3 and 4.", "Name a lake."], [0.5, 0.1, 0.5], 3),  # a tie
        (["Sing.", "Add 3 and 4.", "Name a lake.", "Draw."], [0.3, 0.5, 0.5, 0.3], 3),  # at the end
        (["Name a sea.", "Add 3 and 4.", "Name a sea."], [0.5, 0.1, 0.5], 2),  # one text twice
        (["Name a sea.", "Name a lake."], [0.1, 0.5], 10),  # fewer than are wanted
        ([], [], 10),
        (
            [f"Name sea {number}." for number in range(12)],
            [number % 4 / 4 for number in range(12)],
            10,
        ),
    ]


def draw(source: Random) -> tuple:
    """Up to 20 instructions with many ties."""
    count = source.randint(0, 20)
    similarities = [source.randrange(5) / 4 for _ in range(count)]
    names = [f"Name sea {source.randrange(30)}." for _ in range(count)]
    return names, similarities, source.randint(1, 12)


NEAREST = Exercise(
    name="nearest",
    title="What is it like?",
    lesson="13",
    minutes=8,
    difficulty=2,
    statement="""
A new instruction has been compared with all earlier ones, and for each of these there is a
similarity, its ROUGE-L F. Beside every task that it kept, Alpaca wrote down the ten most similar
instructions, so that a person can see what the number means.

Write `my_nearest`: pairs of instruction and similarity, at most `count` of them, the most similar
first. Ties are common among short texts. Of equally similar instructions, the one that stands
earlier in the list comes first, also where a tie stands across the end, so that the same run always
gives the same file. A text that stands there twice is two instructions.
""",
    attempt=my_nearest,
    answer=answer,
    hints=(
        "Bring each instruction and its similarity together, then sort. By what, and in which "
        "direction? What does Python's sort do with items that are equal by the key?",
        "`sorted` is stable: items with equal keys stay in the order in which they were, with "
        "`reverse=True`, too. Turning a sorted list round with `[::-1]` turns the ties round as "
        "well.",
        "`pairs = zip(instructions, similarities)`, then "
        "`sorted(pairs, key=lambda pair: pair[1], reverse=True)[:count]`: the key is the "
        "similarity alone, so that the text decides nothing.",
    ),
    wrong_answers=(
        WrongAnswer(
            lowest_first,
            "the least similar come first",
            "Sorting begins with the lowest. `reverse=True`, or a key with a minus.",
        ),
        WrongAnswer(
            best_last,
            "the right ones are there, the most similar last",
            "The first of the list is the one that people look at.",
        ),
        WrongAnswer(
            ties_turned_round,
            "ties are turned round",
            "Sorted upwards, an earlier one comes first among equals; `[::-1]` makes it the last, "
            "and at the end of the list it may be lost. `argsort()[-10:][::-1]` does just this. "
            "Sort by the negative similarity.",
        ),
        WrongAnswer(
            ties_by_the_alphabet,
            "ties are put in the order of the alphabet",
            "The text takes part in the key. Leave it out: sorting is stable, and equals keep "
            "their places.",
        ),
        WrongAnswer(
            ties_by_the_alphabet_backwards,
            "ties are put in the reverse order of the alphabet",
            "Sorting pairs compares the second part where the first is equal. Give a key: the "
            "similarity alone.",
        ),
        WrongAnswer(
            equal_texts_once,
            "a text that stands there twice is counted once",
            "A dictionary has each key once. Keep pairs in a list.",
        ),
        WrongAnswer(
            first_ones_sorted,
            "the first of the list are taken, and then sorted",
            "The most similar one may stand at the end. Sort all, then cut.",
        ),
        WrongAnswer(
            in_the_old_order,
            "the right ones are there, in the order of the list",
            "The most similar comes first; only among equals does the place decide.",
        ),
        WrongAnswer(
            places_returned,
            "places are returned in place of texts",
            "They are right, but who reads the file wants to see the instruction: "
            "`instructions[place]`.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from collections.abc import Sequence\n\n",
    library_name="`InstructionPool` in `lessons_lib.self_instruct.dedupe`, which compares as well",
)
