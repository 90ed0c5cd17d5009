"""``write_up`` keeps a learner's text and shows the rubric; ``grade`` compares two graders.

The text comes first, the rubric after it, so that nobody writes to the rubric. Then the reader
grades two samples, sees where the course graded otherwise, and only then grades their own text.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lessons_lib.exercises.open_ended.rubric import OpenExercise, rubric_table
from lessons_lib.exercises.records import PROGRESS, change_record, read_record
from lessons_lib.exercises.registry import Exercises, Note

WRITINGS = "writings.json"
LEAST_CHARACTERS = 60  # less than a sentence cannot be graded
NOT_WRITTEN = (
    "○ Not written yet: put your text, between triple quotes, in the place of the three dots, "
    "then run the cell again. The rubric and two sample answers appear once you have written."
)


OPEN_EXERCISES = Exercises(OpenExercise)


def find_open(name: str) -> OpenExercise:
    """The exercise of this name.

    Raises:
        ValueError: there is none; the message names all.
    """
    if name not in OPEN_EXERCISES:
        raise ValueError(
            f"no exercise {name!r} that is graded by a rubric; there are: "
            f"{', '.join(OPEN_EXERCISES)}"
        )
    return OPEN_EXERCISES[name]


def write_up(name: str, text: Any = ...) -> Note:
    """Keep a text in the learner's folder, then show the rubric and the two samples.

    A later text replaces an earlier one; the first that was kept stays beside it.

    Raises:
        ValueError: there is no such exercise.
    """
    exercise = find_open(name)
    if text is ...:
        return Note(NOT_WRITTEN)
    if not isinstance(text, str) or len(text.strip()) < LEAST_CHARACTERS:
        return Note(
            f"That is too little to grade: write a text of {LEAST_CHARACTERS} characters or more."
        )

    def note(record: dict[str, dict[str, Any]]) -> None:
        known = record.setdefault(name, {})
        known.setdefault("first", text.strip())
        known["text"] = text.strip()

    said = change_record(WRITINGS, note) or _progress(name, "written")
    samples = "\n\n".join(
        f"**Sample {letter}**\n\n> {_quoted(sample.text)}"
        for letter, sample in zip("AB", exercise.samples, strict=True)
    )
    ask = (
        f'Grade the two samples first, then your own: `grade("{name}", a=[…], b=[…], mine=[…])`, '
        "one level for each line of the table."
    )
    kept = said or "Your text is kept."
    return Note("\n\n".join([kept, rubric_table(exercise), samples, ask]))


def grade(name: str, a: Any = ..., b: Any = ..., mine: Any = ...) -> Note:
    """Compare the reader's levels of the samples with the course's, and note those of their own.

    Each is a list with one level for each criterion, in the rubric's order.

    Raises:
        ValueError: there is no such exercise.
    """
    exercise = find_open(name)
    if a is ... or b is ...:
        return Note("○ Not graded yet: the levels go in the place of the three dots.")
    given = {"a": a, "b": b} | ({} if mine is ... else {"mine": mine})
    for letter, levels in given.items():
        fault = exercise.fault(levels)
        if fault:
            return Note(f"{letter}: {fault}.")
    if mine is not ... and "text" not in read_record(WRITINGS).get(name, {}):
        return Note(f'There is no text of yours yet: `write_up("{name}", …)` keeps one.')

    def note(record: dict[str, dict[str, Any]]) -> None:
        record.setdefault(name, {})["levels"] = {key: list(each) for key, each in given.items()}

    said = change_record(WRITINGS, note)
    if mine is not ...:
        said = said or _progress(name, "graded")
    parts = [_table(exercise, given), *_compared(exercise, a, b), said]
    return Note("\n\n".join(filter(None, parts)))


def _progress(name: str, done: str) -> str:
    """Note for ``progress()`` what was done; returns a sentence if that failed."""

    def note(record: dict[str, dict[str, Any]]) -> None:
        record.setdefault(name, {})[done] = True

    return change_record(PROGRESS, note)


def _table(exercise: OpenExercise, given: Mapping[str, Sequence[int]]) -> str:
    """Each criterion, the levels that the reader and the course gave, and what the best one is."""
    rows = ["| | A: you | A: the course | B: you | B: the course | your own |", "|---" * 6 + "|"]
    first, second = (sample.levels for sample in exercise.samples)
    own = given.get("mine", ["–"] * len(exercise.criteria))
    for criterion, *levels in zip(
        exercise.criteria, given["a"], first, given["b"], second, own, strict=True
    ):
        rows.append(f"| {criterion.name} | " + " | ".join(map(str, levels)) + " |")
    totals = [given["a"], first, given["b"], second]
    sums = [str(sum(each)) for each in totals] + [str(sum(own)) if "mine" in given else "–"]
    most = sum(criterion.best for criterion in exercise.criteria)
    return "\n".join([*rows, f"| **of {most}** | " + " | ".join(sums) + " |"])


def _compared(exercise: OpenExercise, a: Sequence[int], b: Sequence[int]) -> list[str]:
    """How often the two graders agree, which is the stricter, and the course's reasons."""
    ours = [level for sample in exercise.samples for level in sample.levels]
    pairs = list(zip([*a, *b], ours, strict=True))
    same = sum(one == other for one, other in pairs)
    leaning = sum(one - other for one, other in pairs)
    lean = "as strict as" if leaning == 0 else "milder than" if leaning > 0 else "stricter than"
    summary = f"You and the course give the same level in all {len(pairs)} cases."
    if same < len(pairs):
        summary = (
            f"You and the course give the same level in {same} of {len(pairs)} cases; in sum you "
            f"are {lean} it. A rubric on which two careful readers differ is no fault of either: "
            "ask which sentence of the sample each of you was looking at."
        )
    reasons = [
        f"**Why the course grades {letter} so.** {' '.join(sample.why.split())}"
        for letter, sample in zip("AB", exercise.samples, strict=True)
    ]
    return [summary, *reasons]


def _quoted(text: str) -> str:
    """A sample as a quotation in Markdown; its paragraphs are one line each."""
    paragraphs = [" ".join(each.split()) for each in text.strip().split("\n\n")]
    return "\n>\n> ".join(paragraphs)
