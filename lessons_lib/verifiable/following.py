"""What checkers serve for: asking a model, scoring whether it follows, and filtering data.

Source: Zhou et al., "Instruction-Following Evaluation for Large Language Models", 2023, whose 25
kinds of demand are checked by programs in the same way.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lessons_lib.data import Entry
from lessons_lib.evaluation import Share
from lessons_lib.support import Table
from lessons_lib.verifiable.checkers import CHECKERS, Checker


def deal(
    entries: Sequence[Entry], checkers: Sequence[Checker] = CHECKERS
) -> dict[Checker, list[Entry]]:
    """Each entry with one checker's demand behind its instruction, the checkers taking turns.

    No entry is asked twice, so that the answers are independent, as intervals suppose.
    """
    dealt: dict[Checker, list[Entry]] = {checker: [] for checker in checkers}
    for index, entry in enumerate(entries):
        checker = checkers[index % len(checkers)]
        dealt[checker].append(checker.asked_of(entry))
    return dealt


def follow_rate(answers: Mapping[Checker, Sequence[str]]) -> Share:
    """How many of all answers pass the checker under which they stand; it has an ``interval()``.

    Wilson's interval supposes independent answers. Where one question was asked with several
    demands, as ``deal`` never does, it is rather too narrow.
    """
    marks = [checker.passes(text) for checker, texts in answers.items() for text in texts]
    return Share(sum(marks), len(marks))


def follow_table(answers: Mapping[Checker, Sequence[str]]) -> Table:
    """A row with the share and its interval for each checker, and one for all answers."""
    rows = [
        (each.name, each.suffix, str(follow_rate({each: texts}))) for each, texts in answers.items()
    ]
    rows.append(("all", "", str(follow_rate(answers))))
    return Table(("checker", "demand", "followed"), tuple(rows))


def follows(entry: Entry, answer: str, checkers: Sequence[Checker] = CHECKERS) -> bool | None:
    """Whether an answer meets every demand in the entry's instruction; None where there is none.

    A demand is found by a checker's suffix, to the letter. As a check of ``score_responses`` this
    marks a model's answers.
    """
    demands = [checker for checker in checkers if checker.suffix in entry["instruction"]]
    return all(checker.passes(answer) for checker in demands) if demands else None


class Sifted(NamedTuple):
    """Entries by what checkers say of their outputs, each list in the old order."""

    followed: list[Entry]
    failed: list[Entry]
    unchecked: list[Entry]  # their instructions make no demand that is known


def sift_by_checkers(entries: Sequence[Entry], checkers: Sequence[Checker] = CHECKERS) -> Sifted:
    """Part generated entries by whether the output does what the instruction's suffixes demand."""
    sifted = Sifted([], [], [])
    lists = {True: sifted.followed, False: sifted.failed, None: sifted.unchecked}
    for entry in entries:
        lists[follows(entry, entry["output"], checkers)].append(entry)
    return sifted
