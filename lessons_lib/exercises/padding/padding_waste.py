"""Exercise: the share of a batch's cells that hold padding, from the rows' lengths alone."""

from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer


def my_waste(lengths: list[int]) -> float:
    """The share of cells that are padding, from 0 to 1; ``lengths`` are tokens without end."""
    raise NotImplementedError


def answer(lengths: list[int]) -> float:
    width = max(lengths) + 1  # the longest row and its end of text
    cells = len(lengths) * width
    filled = sum(lengths) + len(lengths)  # each row has an end of text of its own
    return (cells - filled) / cells


def ends_counted_as_padding(lengths: list[int]) -> float:
    cells = len(lengths) * (max(lengths) + 1)
    return 1 - sum(lengths) / cells


def without_any_end(lengths: list[int]) -> float:
    return 1 - sum(lengths) / (len(lengths) * max(lengths))


def the_filled_share(lengths: list[int]) -> float:
    return 1 - answer(lengths)


def per_token(lengths: list[int]) -> float:
    width = max(lengths) + 1
    filled = sum(lengths) + len(lengths)
    return (len(lengths) * width - filled) / filled


def in_per_cent(lengths: list[int]) -> float:
    return 100 * answer(lengths)


def in_cells(lengths: list[int]) -> int:
    return len(lengths) * max(lengths) - sum(lengths)


def of_the_worst_row(lengths: list[int]) -> float:
    return (max(lengths) - min(lengths)) / (max(lengths) + 1)


def cases() -> list[tuple]:
    return [([9, 4, 2],), ([7],), ([3, 3],), ([1, 3],), ([19, 19, 19, 1],)]


def draw(source: Random) -> tuple:
    """The lengths of up to twelve rows."""
    return ([source.randint(1, 80) for _ in range(source.randint(1, 12))],)


PADDING_WASTE = Exercise(
    name="padding-waste",
    title="How much of a batch is padding?",
    lesson="04",
    minutes=6,
    difficulty=1,
    statement="""
Now as a function. Write `my_waste`: from the lengths of a batch's rows in tokens, the share of its
cells that hold padding. Each row has an end of text besides its tokens, which is not padding, and
the batch is as wide as its longest row with its end.
""",
    attempt=my_waste,
    answer=answer,
    hints=(
        "Draw the rectangle for `[1, 3]`. How many columns has it, how many cells, and which of "
        "them are padding?",
        "Three numbers: the width, from the longest row; all cells; and the cells that are filled, "
        "ends of text included.",
        "`width = max(lengths) + 1`, `cells = len(lengths) * width`, and filled are "
        "`sum(lengths) + len(lengths)`. What is left, divided by `cells`, is the waste.",
    ),
    wrong_answers=(
        WrongAnswer(
            ends_counted_as_padding,
            "the rows' ends of text count as padding",
            "They have the same id, but each is something to learn: here the text stops.",
        ),
        WrongAnswer(
            without_any_end,
            "the ends of text are forgotten",
            "Each row has one, so the rectangle is one column wider, and that column is filled or "
            "padded like any other.",
        ),
        WrongAnswer(
            the_filled_share,
            "the share of the filled cells is returned",
            "Waste is the other part: 1 minus this.",
        ),
        WrongAnswer(
            per_token,
            "the padding is divided by the filled cells",
            "A share is a part of the whole, and the whole is all cells of the rectangle. "
            "This number can be more than 1.",
        ),
        WrongAnswer(
            in_per_cent,
            "the share is given in per cent",
            "Return a number from 0 to 1; how it is printed is another matter.",
        ),
        WrongAnswer(
            in_cells,
            "cells are counted and not divided",
            "Divide by all cells, so that batches of different size can be compared.",
        ),
        WrongAnswer(
            of_the_worst_row,
            "only the shortest row is looked at",
            "Each row has padding of its own. Add up all of it.",
        ),
    ),
    cases=cases,
    draw=draw,
    library_name="`padding_waste` in `lessons_lib.batching`, which looks at batches",
)
