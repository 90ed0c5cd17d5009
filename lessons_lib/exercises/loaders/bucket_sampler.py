"""Exercise: batches of similar length from a shuffled order. Lesson 07."""

from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer


def bucket_batches(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    """Batches of entries' indices; each window of the order is sorted by length, then cut.

    lengths[i] is the number of tokens of entry i; order holds each index once, shuffled; window
    says how many entries are sorted at a time, a multiple of batch_size.
    """
    raise NotImplementedError


def answer(lengths: list[int], order: list[int], batch_size: int, window: int) -> list[list[int]]:
    batches = []
    for start in range(0, len(order), window):
        bucket = sorted(order[start : start + window], key=lambda index: lengths[index])
        for first in range(0, len(bucket), batch_size):
            batches.append(bucket[first : first + batch_size])
    return batches


def cut(order: list[int], batch_size: int) -> list[list[int]]:
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def whole_set_sorted(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    return answer(lengths, order, batch_size, len(order))


def order_ignored(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    return answer(lengths, sorted(order), batch_size, window)


def nothing_sorted(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    return cut(order, batch_size)


def sorted_by_index(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    windows = cut(order, window)
    return [batch for each in windows for batch in cut(sorted(each), batch_size)]


def sorted_within_batches(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    return answer(lengths, order, batch_size, batch_size)


def longest_first(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    return answer([-length for length in lengths], order, batch_size, window)


def rest_lost(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    return [
        batch for batch in answer(lengths, order, batch_size, window) if len(batch) == batch_size
    ]


def last_window_lost(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    return answer(lengths, order[: len(order) // window * window], batch_size, window)


def lengths_returned(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    return [
        [lengths[index] for index in batch] for batch in answer(lengths, order, batch_size, window)
    ]


def windows_returned(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    return answer(lengths, order, window, window)


def places_for_indices(
    lengths: list[int], order: list[int], batch_size: int, window: int
) -> list[list[int]]:
    places = [lengths[place] for place in order]
    return answer(places, list(range(len(order))), batch_size, window)


def cases() -> list[tuple]:
    return [
        ([30, 10, 20, 40], [2, 0, 3, 1], 2, 4),
        ([30, 10, 20, 40, 15, 25, 35], [4, 3, 6, 0, 5, 1, 2], 2, 4),
        ([9, 8, 7, 6, 5, 4, 3, 2, 1], [8, 0, 5, 2, 7, 4, 1, 6, 3], 2, 4),
        ([5, 3, 8, 1, 7, 2], [3, 0, 4, 1, 5, 2], 1, 3),
    ]


def draw(source: Random) -> tuple:
    """Up to 30 entries, no two of them equally long, in any order."""
    count, batch_size = source.randint(1, 30), source.randint(1, 4)
    lengths = source.sample(range(1, 200), count)
    order = source.sample(range(count), count)
    return lengths, order, batch_size, batch_size * source.randint(1, 4)


BUCKET_SAMPLER = Exercise(
    name="bucket-sampler",
    title="Batches of similar length",
    lesson="07",
    minutes=12,
    difficulty=2,
    statement="""
Sorting all entries by length would waste nearly nothing, and would give the model the same batches
in the same order in every epoch. Bucketing wants both, little waste and much mixture. Write
`bucket_batches`: take the shuffled `order` in windows of `window` entries; sort each window by the
entries' lengths, shortest first; cut it into batches of `batch_size`.

Every index appears once, so the last batch may be smaller. The batches come out window by window;
a sampler would shuffle them afterwards. No two entries here are equally long.
""",
    attempt=bucket_batches,
    answer=answer,
    hints=(
        "With 9 entries, windows of 4 and batches of 2: how many windows are there, how large is "
        "the last, and how many batches come out?",
        "`sorted(indices, key=…)` sorts indices by something else than themselves. One loop goes "
        "over the windows, one inside it over the batches.",
        "`bucket = sorted(order[start : start + window], key=lambda i: lengths[i])` for `start` in "
        "`range(0, len(order), window)`; then cut `bucket` in the same way by `batch_size`.",
    ),
    wrong_answers=(
        WrongAnswer(
            whole_set_sorted,
            "all entries are sorted at once",
            "Then every epoch has the same batches, however the order was shuffled. Sort one "
            "window at a time.",
        ),
        WrongAnswer(
            order_ignored,
            "the shuffled order is not used",
            "Without it all epochs are alike. The windows are cut from `order`.",
        ),
        WrongAnswer(
            nothing_sorted,
            "nothing is sorted",
            "These are plain shuffled batches; each is as wide as its longest entry. Sort within "
            "the window first.",
        ),
        WrongAnswer(
            sorted_by_index,
            "the indices are sorted instead of the lengths",
            "An entry's index says nothing about its length: `key=lambda index: lengths[index]`.",
        ),
        WrongAnswer(
            sorted_within_batches,
            "the batches are cut first and then sorted",
            "The order inside a batch changes nothing about its width. Sort the window, then cut.",
        ),
        WrongAnswer(
            longest_first,
            "the longest come first",
            "It would save as much; here the shortest come first.",
        ),
        WrongAnswer(
            rest_lost,
            "a batch that is not full is left out",
            "Every index must appear once. Leaving the rest out is for the loader to decide.",
        ),
        WrongAnswer(
            last_window_lost,
            "a window that is not full is left out",
            "The entries at the end of the order would never be trained on in this epoch.",
        ),
        WrongAnswer(
            lengths_returned,
            "the lengths are returned in the place of the indices",
            "Whoever makes the batch has to find the entries: return their indices.",
        ),
        WrongAnswer(
            windows_returned,
            "the windows are not cut into batches",
            "A window holds several batches' worth of entries.",
        ),
        WrongAnswer(
            places_for_indices,
            "places in the order are returned instead of the entries' indices",
            "`order[3]` is an entry, 3 is only where it stands. Keep what stands there.",
        ),
    ),
    cases=cases,
    draw=draw,
)
