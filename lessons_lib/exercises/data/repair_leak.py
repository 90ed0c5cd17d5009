"""Exercise: take out of the training part what the audit found there, and nothing else."""

from random import Random

from lessons_lib.data import Entry, Splits
from lessons_lib.data.audit import Location
from lessons_lib.exercises import Exercise, WrongAnswer

Pairs = list[tuple[Location, Location]]


def repaired(splits: Splits, pairs: list[tuple]) -> Splits:
    """The splits without the training entries of these pairs; the other parts stay as they are.

    A pair is two places, the earlier first, and a place has ``part`` and ``index``.
    """
    raise NotImplementedError


def answer(splits: Splits, pairs: list[tuple]) -> Splits:
    known = {first.index for first, _ in pairs if first.part == "train"}
    kept = [entry for index, entry in enumerate(splits.train) if index not in known]
    return splits._replace(train=kept)


def shifting(splits: Splits, pairs: Pairs) -> Splits:
    train = list(splits.train)
    for index in sorted({first.index for first, _ in pairs if first.part == "train"}):
        if index < len(train):
            del train[index]
    return splits._replace(train=train)


def whatever_the_part(splits: Splits, pairs: Pairs) -> Splits:
    known = {first.index for first, _ in pairs}
    kept = [entry for index, entry in enumerate(splits.train) if index not in known]
    return splits._replace(train=kept)


def from_the_other_part(splits: Splits, pairs: Pairs) -> Splits:
    parts = {
        name: [
            entry
            for index, entry in enumerate(part)
            if (name, index) not in [tuple(second) for _, second in pairs]
        ]
        for name, part in splits._asdict().items()
    }
    return Splits(**parts)


def from_both_parts(splits: Splits, pairs: Pairs) -> Splits:
    return answer(from_the_other_part(splits, pairs), pairs)


def by_the_second_index(splits: Splits, pairs: Pairs) -> Splits:
    known = {second.index for first, second in pairs if first.part == "train"}
    kept = [entry for index, entry in enumerate(splits.train) if index not in known]
    return splits._replace(train=kept)


def the_first_pair_alone(splits: Splits, pairs: Pairs) -> Splits:
    return answer(splits, pairs[:1])


def with_the_test_alone(splits: Splits, pairs: Pairs) -> Splits:
    return answer(splits, [pair for pair in pairs if pair[1].part == "test"])


def only_the_found(splits: Splits, pairs: Pairs) -> Splits:
    known = {first.index for first, _ in pairs if first.part == "train"}
    return splits._replace(train=[splits.train[index] for index in sorted(known)])


def _entries(names: str) -> list[Entry]:
    return [{"instruction": name, "input": "", "output": name.upper()} for name in names]


def cases() -> list[tuple]:
    place = Location
    splits = Splits(_entries("abcdef"), _entries("stu"), _entries("xy"))
    return [
        (splits, [(place("train", 1), place("test", 0))]),
        (
            splits,
            [(place("train", 1), place("test", 0)), (place("train", 2), place("validation", 1))],
        ),
        (
            splits,
            [
                (place("train", 3), place("test", 2)),
                (place("train", 3), place("validation", 1)),
                (place("train", 5), place("test", 0)),
                (place("test", 2), place("validation", 1)),
            ],
        ),
        (splits, []),
    ]


def draw(source: Random) -> tuple:
    """Parts of random sizes, and pairs of places in two of them, the earlier part first."""
    sizes = {name: source.randint(3, 12) for name in ("train", "test", "validation")}
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
    names = iter(letters)
    splits = Splits(*[_entries([next(names) for _ in range(size)]) for size in sizes.values()])

    def place(part: str) -> Location:
        return Location(part, source.randrange(sizes[part]))

    borders = (("train", "test"), ("train", "validation"), ("test", "validation"))
    pairs = {tuple(map(place, source.choice(borders))) for _ in range(source.randint(0, 8))}
    return splits, sorted(pairs, key=str)


REPAIR_LEAK = Exercise(
    name="repair-leak",
    title="Repair it",
    lesson="01",
    minutes=8,
    difficulty=2,
    statement="""
Write `repaired`. `pairs` is `list(audit.near_leaks)`: each pair names two places, such as
`train 41` and `test 7`, the earlier part first. Take the training entries of the pairs out of the
training part. Test and validation stay as they are, and so does everything else: they are the
measure, and a measure is not changed after looking.

A training entry can occur in several pairs. A pair of test and validation has none; leave it.
""",
    attempt=repaired,
    answer=answer,
    hints=(
        "Delete entry 1 from a list, then entry 2. Which of the original entries are gone?",
        "Collect first, take out later: a set of the indices that must go, then a list of all "
        "entries whose index is not in it. `enumerate` gives both.",
        '`known = {first.index for first, second in pairs if first.part == "train"}`, and '
        "`splits._replace(train=[…])` with the entries whose index is not in `known`.",
    ),
    wrong_answers=(
        WrongAnswer(
            shifting,
            "entries are deleted one after another, the smallest index first",
            "With each that goes, all behind it move up, and the next index names another entry. "
            "Collect the indices, then keep what is not among them.",
        ),
        WrongAnswer(
            whatever_the_part,
            "the first place's index is used without a look at its part",
            "In a pair of test and validation, that index belongs to the test. Ask for "
            '`first.part == "train"`.',
        ),
        WrongAnswer(
            from_the_other_part,
            "the entries of test and validation are taken out",
            "The leak is closed, but the test has lost questions, and no score can be compared "
            "with an earlier one. Training has enough entries to give one away.",
        ),
        WrongAnswer(
            from_both_parts,
            "both entries of a pair are taken out",
            "One is enough to close a leak. Keep the one that measures.",
        ),
        WrongAnswer(
            by_the_second_index,
            "the index of the pair's second place is used in the training part",
            "The second place is in the test or in validation; its index means nothing here.",
        ),
        WrongAnswer(
            the_first_pair_alone,
            "only the first pair is repaired",
            "Each pair names an entry that must go.",
        ),
        WrongAnswer(
            with_the_test_alone,
            "only pairs of training and test are repaired",
            "What leaks into validation misleads you whenever you choose by it, such as the moment "
            "to stop training.",
        ),
        WrongAnswer(
            only_the_found,
            "the entries found are kept and the others taken out",
            "The other way round: keep an entry if its index is *not* among them.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=("training", "test", "validation"),
    imports="from lessons_lib.data import Splits\n",
)
