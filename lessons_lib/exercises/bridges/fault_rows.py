"""Rows with and without faults, on which name-the-fault is checked. Lesson 14.

A check shows the smallest case that a function gets wrong. So what is told by one fault stands in
short rows, and rows with several faults are longer.
"""

from random import Random

STOP, IGNORE = 2, -100


def make_row(
    prompt: list[int], response: list[int], padding: int = 0, left: bool = False
) -> tuple[list[int], list[int], list[int], int, int]:
    """A row without a fault, as the arguments of the exercise; the response has its stop token."""
    ids, labels = prompt + response, [IGNORE] * len(prompt) + response
    seen = [1] * len(ids)
    filled, ignored, unseen = [STOP] * padding, [IGNORE] * padding, [0] * padding
    if left:
        return filled + ids, ignored + labels, unseen + seen, len(prompt), STOP
    return ids + filled, labels + ignored, seen + unseen, len(prompt), STOP


def spoil(row: tuple, changes: dict[int, int]) -> tuple:
    """The row with other labels in some columns."""
    ids, labels, *rest = row
    return ids, [changes.get(t, label) for t, label in enumerate(labels)], *rest


def shift(row: tuple) -> tuple:
    """The row with labels that were shifted already, as this course's targets are."""
    ids, labels, *rest = row
    return ids, [*labels[1:], IGNORE], *rest


def cases() -> list[tuple]:
    return [*right_rows(), *rows_with_one_fault(), *rows_with_several()]


def right_rows() -> list[tuple]:
    prompt, response = [11, 12, 13], [21, 22, 23, STOP]
    return [
        make_row([11, 12], [21, STOP]),
        make_row([11, 12], [21, STOP], 2, left=True),
        make_row(prompt, response),
        make_row(prompt, response, 3),
        make_row(prompt, response, 2, left=True),
        make_row([11, STOP, 13], response),  # the end of an earlier turn
        make_row(prompt, [21, STOP, 23, 24, STOP]),  # a response that quotes the stop token
        spoil(make_row(prompt, response), {0: 11}),  # nobody asks for column 0
        spoil(make_row([*prompt, 14], response, 2, left=True), {0: STOP}),
    ]


def rows_with_one_fault() -> list[tuple]:
    prompt, response = [11, 12, 13], [21, 22, 23, STOP]
    plain = make_row(prompt, response)
    right, left = make_row(prompt, response, 3), make_row(prompt, response, 2, left=True)
    quoting, unended = make_row(prompt, [21, STOP, 23, 24, STOP]), [21, 22, 23, 24]
    return [
        spoil(plain, {2: 13}),  # the header's end counts
        spoil(plain, {3: IGNORE}),
        spoil(plain, {6: IGNORE}),
        spoil(plain, {4: 77}),
        spoil(plain, {4: 77, 5: 78}),
        spoil(quoting, {4: IGNORE}),
        spoil(quoting, {7: IGNORE}),
        make_row(prompt, unended),  # cut
        make_row(prompt, unended, 2),
        make_row(prompt, unended, 2, left=True),
        make_row([*range(11, 18)], [], 2),  # nothing of the response is left
        spoil(right, {6: IGNORE}),
        spoil(right, {7: STOP}),  # padding counts
        spoil(right, {8: 77}),
        spoil(left, {1: STOP}),
        spoil(left, {4: 13}),
        spoil(left, {5: IGNORE, 6: IGNORE}),
    ]


def rows_with_several() -> list[tuple]:
    """Longer rows, and those of which one column has two faults."""
    prompt, response = list(range(11, 17)), [*range(21, 27), STOP]
    plain = make_row(prompt, response)
    right, left = make_row(prompt, response, 3), make_row(prompt, response, 2, left=True)
    return [
        spoil(make_row([11, 12, 13], [21, 22, 23, STOP]), {2: 77}),  # two faults in a column
        spoil(make_row([11, 12, 13], [21, 22, 23, 24]), {6: IGNORE}),  # likewise
        spoil(plain, {1: 12, 2: 13, 8: 77, 9: 78, 12: IGNORE}),
        spoil(make_row(prompt, response[:-1], 1, left=True), {1: 11, 2: 12}),
        spoil(right, {1: 12, 2: 13, 12: IGNORE, 14: STOP}),
        spoil(right, {1: 77, 7: IGNORE, 8: IGNORE, 14: STOP, 15: STOP}),
        shift(plain),
        shift(left),
    ]


def draw(source: Random) -> tuple:
    """A row with padding on either side or none, cut at times, and some labels spoiled."""
    ids = source.sample(range(10, 1000), source.randint(2, 30))
    if source.random() < 0.3:
        ids[source.randrange(len(ids) - 1)] = STOP  # never the last, where a text may be cut
    border = source.randint(1, len(ids) - 1)
    response = ids[border:] + ([] if source.random() < 0.2 else [STOP])
    row = make_row(ids[:border], response, source.choice((0, 3, 9)), source.random() < 0.5)
    if source.random() < 0.15:
        return shift(row)
    spoiled = source.sample(range(len(row[0])), source.choice((0, 1, 1, 2)))
    to = (IGNORE, *(row[0][t] for t in spoiled), 5)
    return spoil(row, {t: source.choice(to) for t in spoiled})
