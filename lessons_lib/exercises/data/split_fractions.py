"""Exercise: cut a list of entries into three parts, with nothing lost and nothing twice."""

from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer


def my_split(entries: list[dict], train: float, test: float) -> tuple[list, list, list]:
    """Training, test and validation part; together they hold each entry exactly once."""
    raise NotImplementedError


def answer(entries: list[dict], train: float, test: float) -> tuple[list, list, list]:
    train_end = int(len(entries) * train)
    test_end = train_end + int(len(entries) * test)
    return entries[:train_end], entries[train_end:test_end], entries[test_end:]


def validation_rounded_down(entries: list, train: float, test: float) -> tuple:
    first, second, _ = answer(entries, train, test)
    end = len(first) + len(second)
    return first, second, entries[end : end + int(len(entries) * (1 - train - test))]


def validation_counted_from_the_end(entries: list, train: float, test: float) -> tuple:
    first, second, rest = answer(entries, train, test)
    return first, second, entries[-len(rest) :]


def test_from_the_start(entries: list, train: float, test: float) -> tuple:
    first, _, rest = answer(entries, train, test)
    return first, entries[: int(len(entries) * test)], rest


def test_ends_at_its_own_count(entries: list, train: float, test: float) -> tuple:
    train_end, test_end = int(len(entries) * train), int(len(entries) * test)
    return entries[:train_end], entries[train_end:test_end], entries[test_end:]


def test_and_validation_swapped(entries: list, train: float, test: float) -> tuple:
    first, second, rest = answer(entries, train, test)
    return first, rest, second


def one_lost_at_the_border(entries: list, train: float, test: float) -> tuple:
    first, second, rest = answer(entries, train, test)
    return first, second[1:], rest


def validation_holds_the_test(entries: list, train: float, test: float) -> tuple:
    first, second, rest = answer(entries, train, test)
    return first, second, second + rest


def the_rest_by_value(entries: list, train: float, test: float) -> tuple:
    first, second, _ = answer(entries, train, test)
    return first, second, [entry for entry in entries if entry not in first + second]


def rounded(entries: list, train: float, test: float) -> tuple:
    train_end = round(len(entries) * train)
    test_end = train_end + round(len(entries) * test)
    return entries[:train_end], entries[train_end:test_end], entries[test_end:]


def cases() -> list[tuple]:
    return [
        (list("abcd"), 0.5, 0.25),
        (list("abcd"), 0.5, 0.5),
        (list("abcdefg"), 0.5, 0.25),
        (list("ababccad"), 0.5, 0.25),
        (list("abcdefghijklmnopqrst"), 0.85, 0.10),
        (list("abcdefghij"), 0.25, 0.5),
    ]


def draw(source: Random) -> tuple:
    """Up to 60 entries, some of them alike, and two fractions."""
    entries = source.choices("abcdefghij", k=source.randint(0, 60))
    train = source.choice((0.25, 0.5, 0.6, 0.7, 0.8, 0.85))
    return entries, train, source.choice((0.05, 0.1, 0.15))


SPLIT_FRACTIONS = Exercise(
    name="split-fractions",
    title="Three parts, nothing lost and nothing twice",
    lesson="01",
    minutes=8,
    difficulty=1,
    statement="""
The list is cut in its order. Write `my_split`: the training part takes the first
`int(len(entries) * train)` entries, the test part the next `int(len(entries) * test)`, and
validation whatever is left. Return the three parts in this order.

The check tries other fractions and small lists, where rounding matters: an entry that falls between
two parts is lost without a word, and one that stands in two is a leak.
""",
    attempt=my_split,
    answer=answer,
    hints=(
        "Where does each part begin and end? Four borders, of which the first is 0 and the last is "
        "the list's length.",
        "Compute two indices: where training ends, and where the test ends. The second is the "
        "first plus the number of test entries.",
        "`entries[:train_end]`, `entries[train_end:test_end]`, `entries[test_end:]`: each index "
        "ends one slice and begins the next, so nothing can fall between.",
    ),
    wrong_answers=(
        WrongAnswer(
            validation_rounded_down,
            "the size of the validation part is computed from its own fraction",
            "Three sizes, each rounded down, need not add up to the whole, and the last entries "
            "are lost. Validation takes what is left, however many that is.",
        ),
        WrongAnswer(
            validation_counted_from_the_end,
            "the validation part is `entries[-count:]`",
            "That is right until the count is 0: `entries[-0:]` is the whole list.",
        ),
        WrongAnswer(
            test_from_the_start,
            "the test part is cut from the list's beginning",
            "Its entries are trained on, too, so the test would measure memory. Begin where "
            "training ends.",
        ),
        WrongAnswer(
            test_ends_at_its_own_count,
            "the test's count is used as the index at which it ends",
            "The test begins at `train_end`, so it ends at `train_end` plus its count.",
        ),
        WrongAnswer(
            test_and_validation_swapped,
            "test and validation change places",
            "The second part is the test, and validation comes last.",
        ),
        WrongAnswer(
            one_lost_at_the_border,
            "the test begins one entry too late",
            "A slice leaves out its end, so the next one begins at the very same index.",
        ),
        WrongAnswer(
            validation_holds_the_test,
            "the validation part begins where training ends",
            "The test entries stand in it as well, and choosing by validation is then choosing by "
            "the test.",
        ),
        WrongAnswer(
            the_rest_by_value,
            "validation is every entry that equals none in the other parts",
            "An entry that occurs twice disappears. Cut by place, not by value.",
        ),
        WrongAnswer(
            rounded,
            "the counts are rounded to the nearest",
            "The parts are whole, but others who cut the same file got other ones: the course "
            "rounds down, with `int`.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=("training", "test", "validation"),
    library_name="`split_entries` in `lessons_lib.data`, which can also mix the entries first",
)
