"""Exercise: plant nearly a copy of a test entry in the training part, for the audit to find."""

from lessons_lib.data import Entry, Splits, audit_entries
from lessons_lib.exercises import Exercise, WrongAnswer


def planted(splits: Splits) -> Splits:
    """The splits with one training entry more, at the end: nearly a test entry's copy."""
    raise NotImplementedError


def answer(splits: Splits) -> Splits:
    copy = dict(splits.test[0])
    copy["instruction"] += " Thank you!"
    return splits._replace(train=[*splits.train, copy])


def exact_copy(splits: Splits) -> Splits:
    return splits._replace(train=[*splits.train, dict(splits.test[0])])


def in_capitals(splits: Splits) -> Splits:
    copy = splits.test[0] | {"instruction": splits.test[0]["instruction"].upper()}
    return splits._replace(train=[*splits.train, copy])


def too_different(splits: Splits) -> Splits:
    other = {"instruction": "Which month comes after May?", "input": "", "output": "June."}
    return splits._replace(train=[*splits.train, other])


def moved(splits: Splits) -> Splits:
    return answer(splits)._replace(test=splits.test[1:])


def into_the_test(splits: Splits) -> Splits:
    copy = dict(splits.train[0])
    copy["instruction"] += " Thank you!"
    return splits._replace(test=[*splits.test, copy])


def in_place_of_another(splits: Splits) -> Splits:
    return splits._replace(train=answer(splits).train[1:])


def the_test_entry_itself(splits: Splits) -> Splits:
    copy = splits.test[0]
    copy["instruction"] += " Thank you!"
    return splits._replace(train=[*splits.train, copy])


def appended(splits: Splits) -> Splits:
    copy = dict(splits.test[0])
    copy["instruction"] += " Thank you!"
    splits.train.append(copy)
    return splits


def what_the_audit_sees(result: Splits, arguments: tuple) -> tuple:
    """Near pairs of train and test, leaks, how many entries each part has gained, and what the
    result shares with the splits that were given: an entry in two parts, the list of training.
    """
    (before,) = arguments
    after = Splits(*result)
    audit = audit_entries(after)
    near = [
        pair for pair in audit.near_leaks if [place.part for place in pair] == ["train", "test"]
    ]
    gained = [len(new) - len(old) for new, old in zip(after, before, strict=True)]
    shared = any(entry is other for entry in after.train for other in after.test)
    return len(near), len(audit.leaks["test"]), gained, shared, after.train is before.train


def _entry(instruction: str, text: str, output: str) -> Entry:
    return {"instruction": instruction, "input": text, "output": output}


def cases() -> list[tuple]:
    passive = "Rewrite the following sentence in the passive voice."
    roses = ("The gardener watered the roses in the morning.", "The roses were watered.")
    letter = ("The secretary has written a very long letter.", "A very long letter was written.")
    planets = "Name the planet of our solar system that is nearest to the sun, and say why."
    boiling = "At which temperature does water boil at the height of the sea? Answer in a sentence."
    return [
        (
            Splits(
                [_entry(passive, *letter), _entry(planets, "", "It is Mercury.")],
                [_entry(passive, *roses), _entry("Name a colour.", "", "Blue.")],
                [_entry(boiling, "", "It boils at 100 degrees Celsius.")],
            ),
        ),
        (
            Splits(
                [_entry(passive, *roses), _entry(passive, *letter)],
                [_entry(boiling, "", "It boils at 100 degrees."), _entry("Add.", "1, 2", "3")],
                [_entry(planets, "", "It is Mercury.")],
            ),
        ),
    ]


PLANT_LEAK = Exercise(
    name="plant-leak",
    title="Plant a leak that nobody would see",
    lesson="01",
    minutes=8,
    difficulty=2,
    statement="""
To trust an alarm, set it off once. Write `planted`, which returns the splits with **one training
entry more**, at its end: nearly a copy of the first test entry, such as somebody makes who collects
the same exercise from another website. A word more or less will do.

Make it one that a comparison of the tasks would *not* find: the audit should count it as nearly the
same in two parts, and not as a leak. All other entries stay where they are, and so do the splits
that you were given. `splits._replace(train=…)` makes splits with another training part.
""",
    attempt=planted,
    answer=answer,
    hints=(
        "Two entries are the same task when instruction and input agree, whatever their capitals, "
        "spaces and punctuation. What must you touch, then?",
        "Copy first, `dict(splits.test[0])`, or you change the test entry itself. Then add a word "
        "or two to the copy's instruction; more than a tenth of all its characters is too much.",
        '`copy["instruction"] += " Thank you!"`, and '
        "`return splits._replace(train=[*splits.train, copy])`.",
    ),
    wrong_answers=(
        WrongAnswer(
            exact_copy,
            "the copy has the test entry's instruction and input, word for word",
            "The audit calls this a leak, as anyone could who compares the two. Change a word of "
            "the instruction or the input; another output does not make another task.",
        ),
        WrongAnswer(
            in_capitals,
            "only capitals or punctuation differ",
            "The audit looks through that, and still calls it a leak. Change a word.",
        ),
        WrongAnswer(
            too_different,
            "the new entry has too little in common with any test entry",
            "Nine characters in ten must agree, or the audit does not see it; and a model would "
            "not gain much from it in the test either.",
        ),
        WrongAnswer(
            moved,
            "the test entry is taken out of the test as well",
            "Then nothing leaks: it is in one part alone. Copy it.",
        ),
        WrongAnswer(
            into_the_test,
            "a training entry is put into the test part",
            "That leaks as well, but what the test asks should stay as it is. Plant it in "
            "training.",
        ),
        WrongAnswer(
            in_place_of_another,
            "a training entry is lost on the way",
            "The new one comes on top; the others stay.",
        ),
        WrongAnswer(
            the_test_entry_itself,
            "it is no copy but the test entry itself that is changed",
            "Then both parts hold the same entry, and the test asks something else than before. "
            "`dict(splits.test[0])` makes an entry of its own.",
        ),
        WrongAnswer(
            appended,
            "the new entry is appended to the training part that was given",
            "Whoever called the function finds the leak in their own splits afterwards. Make a new "
            "list: `[*splits.train, copy]`.",
        ),
    ),
    cases=cases,
    parts=(
        "pairs of training and test that are nearly the same",
        "leaks that the audit finds",
        "entries gained by [training, test, validation]",
        "an entry is in two parts",
        "the training part is the list that was given",
    ),
    imports="from lessons_lib.data import Splits\n",
    observed=what_the_audit_sees,
)
