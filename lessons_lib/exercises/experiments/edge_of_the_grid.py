"""Exercise: which choices lie at the edge of what was tried, and in which direction. Lesson 11."""

from collections.abc import Mapping, Sequence
from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.experiments.masking.settings import search_further


def at_the_edge(tried: dict[str, list[float]], chosen: dict[str, float]) -> dict[str, str]:
    """In which direction each search should go on, "lower" or "higher", by the option's name.

    ``tried`` holds the values of each option, in any order; ``chosen`` the one that was best.
    """
    raise NotImplementedError


def answer(tried: dict[str, list[float]], chosen: dict[str, float]) -> dict[str, str]:
    found = {}
    for name, value in chosen.items():
        low, high = min(tried[name]), max(tried[name])
        if low < high and value in (low, high):
            found[name] = "lower" if value == low else "higher"
    return found


def upper_alone(tried: Mapping[str, Sequence], chosen: Mapping[str, float]) -> dict[str, str]:
    return {name: side for name, side in answer(tried, chosen).items() if side == "higher"}


def lower_alone(tried: Mapping[str, Sequence], chosen: Mapping[str, float]) -> dict[str, str]:
    return {name: side for name, side in answer(tried, chosen).items() if side == "lower"}


def by_place(tried: Mapping[str, Sequence], chosen: Mapping[str, float]) -> dict[str, str]:
    found = {}
    for name, values in tried.items():
        if len(values) > 1 and chosen[name] in (values[0], values[-1]):
            found[name] = "lower" if chosen[name] == values[0] else "higher"
    return found


def one_value_searched(
    tried: Mapping[str, Sequence], chosen: Mapping[str, float]
) -> dict[str, str]:
    fixed = {name: "higher" for name, values in tried.items() if len(values) == 1}
    return {**answer(tried, chosen), **fixed}


def lowest_asked_first(
    tried: Mapping[str, Sequence], chosen: Mapping[str, float]
) -> dict[str, str]:
    fixed = {name: "lower" for name, values in tried.items() if len(values) == 1}
    return {**answer(tried, chosen), **fixed}


def two_have_no_edge(tried: Mapping[str, Sequence], chosen: Mapping[str, float]) -> dict[str, str]:
    return {name: side for name, side in answer(tried, chosen).items() if len(set(tried[name])) > 2}


def sides_swapped(tried: Mapping[str, Sequence], chosen: Mapping[str, float]) -> dict[str, str]:
    other = {"lower": "higher", "higher": "lower"}
    return {name: other[side] for name, side in answer(tried, chosen).items()}


def as_texts(tried: Mapping[str, Sequence], chosen: Mapping[str, float]) -> dict[str, str]:
    texts = {name: sorted(map(str, values)) for name, values in tried.items()}
    return answer(texts, {name: str(value) for name, value in chosen.items()})


def first_alone(tried: Mapping[str, Sequence], chosen: Mapping[str, float]) -> dict[str, str]:
    for name, side in answer(tried, chosen).items():
        return {name: side}
    return {}


def cases() -> list[tuple]:
    rates = "learning rate"
    return [
        ({rates: [0.0001, 0.0002, 0.0003, 0.0006]}, {rates: 0.0006}),
        ({rates: [0.0003, 0.0001, 0.0006, 0.0002]}, {rates: 0.0001}),
        ({rates: [0.0003, 0.0001, 0.0006, 0.0002]}, {rates: 0.0002}),
        ({"epochs": [3], rates: [0.00005, 0.0001]}, {"epochs": 3, rates: 0.00005}),
        (
            {"epochs": [1, 2, 5, 10], rates: [0.0001, 0.0003, 0.001]},
            {"epochs": 10, rates: 0.0001},
        ),
        ({"epochs": [1, 2, 3, 5], rates: [0.0001, 0.0003, 0.0006]}, {"epochs": 2, rates: 0.0003}),
    ]


def draw(source: Random) -> tuple:
    """Up to four options with up to five values each, in any order, and one of these chosen."""
    names = ("epochs", "learning rate", "batch size", "warm-up")[: source.randint(1, 4)]
    tried = {name: source.sample(range(1, 50), source.randint(1, 5)) for name in names}
    return tried, {name: source.choice(values) for name, values in tried.items()}


EDGE_OF_THE_GRID = Exercise(
    name="edge-of-the-grid",
    title="Is the best at the edge of what was tried?",
    lesson="11",
    minutes=8,
    difficulty=1,
    statement="""
A search finds the best of what it tried. If that is the largest value on offer, a still larger one
may be better, and nobody has looked. Write `at_the_edge`: for each option whose chosen value is
the lowest or the highest of several that were tried, it says in which direction to go on.

Four learning rates were tried, 0.0003, 0.0001, 0.0006 and 0.0002, in this order, and 0.0001 is
best: `{"learning rate": "lower"}`. With 0.0002 there would be nothing to widen: `{}`. An option
that had one value only was not searched at all (three epochs for everybody, say), and has no edge.
And if there were two? Decide before you write.
""",
    attempt=at_the_edge,
    answer=answer,
    hints=(
        "Where a value stands in the list says nothing. What makes it the edge?",
        "For each option compare the chosen value with `min` and `max` of what was tried. If these "
        "two are the same, nothing was searched.",
        "For each name: `low, high = min(tried[name]), max(tried[name])`. If `low < high`, a value "
        'equal to `low` gives "lower", one equal to `high` gives "higher", and any other nothing.',
    ),
    wrong_answers=(
        WrongAnswer(
            upper_alone,
            "only the upper edge is looked at",
            "The best may also be the lowest value on offer, and then something still lower may be "
            "better.",
        ),
        WrongAnswer(
            lower_alone,
            "only the lower edge is looked at",
            "The best may also be the highest value on offer.",
        ),
        WrongAnswer(
            by_place,
            "the first and the last of the list are taken for the edges",
            "Values were added as somebody thought of them, so the list need not be sorted. Ask "
            "for the smallest and the largest.",
        ),
        WrongAnswer(
            one_value_searched,
            "an option with a single value is said to lie at its edge",
            "It was fixed, for all modes alike, and not chosen from anything. That is worth saying "
            "in a report, but it is not a search that ended too early.",
        ),
        WrongAnswer(
            lowest_asked_first,
            "an option that had one value only is to be widened downwards",
            "One value is its own lowest and its own highest. It was not searched; leave it out.",
        ),
        WrongAnswer(
            two_have_no_edge,
            "an option with two values is said to have no edge",
            "On the contrary, it has nothing else: whichever is better, nobody has seen the loss "
            "rise again on its other side.",
        ),
        WrongAnswer(
            sides_swapped,
            "the two directions are swapped",
            'If the lowest value is best, go on to still "lower" ones.',
        ),
        WrongAnswer(
            as_texts,
            "values are compared as texts",
            "As a text 10 comes before 2, and 5e-05 after 0.0001. Read from a file, values are "
            "texts; make numbers of them first.",
        ),
        WrongAnswer(
            first_alone,
            "the search for edges stops at the first that is found",
            "Several options can lie at an edge at once. Is a `return` inside the loop?",
        ),
    ),
    cases=cases,
    draw=draw,
    library=search_further,
    library_name="`search_further` in `lessons_lib/experiments/masking/settings.py`",
)
