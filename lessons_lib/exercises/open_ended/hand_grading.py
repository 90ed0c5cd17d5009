"""Grade answers by hand: right or wrong, by a click or by a row of letters. Lesson 10.

Each click is kept in the learner's folder, so that grading can be broken off and taken up again.
"""

import functools
import hashlib
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from IPython.display import display

from lessons_lib.data import Entry
from lessons_lib.exercises.records import change_record, read_record
from lessons_lib.exercises.registry import Note
from lessons_lib.pictures import spell_text
from lessons_lib.support import Table

GRADES = "grades.json"
LETTERS = {"right": "r", "wrong": "w", None: "."}  # a record's letters, by what a click says
HEAD = ("", "asked", "wanted", "answer")


@dataclass(frozen=True, repr=False)
class HandGrading(Note):
    """Answers to be graded: a form in a notebook, a table in a terminal."""

    name: str
    answers: Table  # number, question, wanted answer, answer given
    of: str  # which answers these are; letters that were kept for others do not count

    @property
    def marks(self) -> str:
        """What was graded so far, a letter for each answer; see ``LETTERS``."""
        return _marks(read_record(GRADES), self) or "." * len(self.answers.rows)

    def __str__(self) -> str:
        return f"{self.text}\n\n{self.answers}"

    __repr__ = __str__

    def form(self) -> Any:
        """Two buttons below each answer, and a line that counts. Every click is kept at once."""
        import ipywidgets

        said = ipywidgets.HTML(self.counted())
        words, parts = {letter: word for word, letter in LETTERS.items()}, []
        for index, (row, letter) in enumerate(zip(self.answers.rows, self.marks, strict=True)):
            buttons = ipywidgets.ToggleButtons(
                options=("right", "wrong"),
                value=words[letter],
                description=f"Answer {row[0]}",
                tooltips=[f"answer {row[0]} is {word}" for word in ("right", "wrong")],
            )
            buttons.observe(functools.partial(self._choose, index, said), "value")
            parts += [ipywidgets.HTML(_answer_html(row)), buttons]
        return ipywidgets.VBox([*parts, said])

    def counted(self) -> str:
        """How many were graded."""
        graded, count = len(self.answers.rows) - self.marks.count("."), len(self.answers.rows)
        return f"<span role='status'>{graded} of {count} graded</span>"

    def _choose(self, index: int, said: Any, change: dict[str, Any]) -> None:
        marks = list(self.marks)
        marks[index] = LETTERS[change["new"]]
        trouble = self.keep("".join(marks))
        said.value = html.escape(trouble) if trouble else self.counted()

    def keep(self, marks: str) -> str:
        """Keep a letter for each answer; returns a sentence where that failed."""
        kept = {"of": self.of, "marks": marks}
        return change_record(GRADES, lambda record: record.update({self.name: kept}))

    def _repr_html_(self) -> str:
        folded = f"<details><summary>All of them as a table</summary>{self.answers._repr_html_()}"
        return f"<p>{html.escape(self.text)}</p>{folded}</details>"

    def _ipython_display_(self) -> None:
        display({"text/plain": str(self), "text/html": self._repr_html_()}, raw=True)
        display(self.form())


def grade_by_hand(
    name: str, entries: Sequence[Entry], answers: Sequence[str], marks: str = ""
) -> Note:
    """Show answers beside what was asked and wanted, to be called right or wrong.

    A notebook shows a form. ``marks`` does without one: a letter for each answer in its order, "r"
    for right, "w" for wrong and "." for not graded yet; spaces between them do not count. If the
    answers are not those that were graded before under this name, grading begins anew.

    Raises:
        ValueError: there is not one answer per entry.
    """
    if len(entries) != len(answers):
        raise ValueError(f"{len(entries)} entries and {len(answers)} answers: each entry has one")
    rows = [
        (str(number), _question(entry), entry["output"], answer or "(empty)")
        for number, (entry, answer) in enumerate(zip(entries, answers, strict=True), start=1)
    ]
    digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
    text = (
        f"{len(rows)} answers to grade. Each click is kept. Without the form: give a letter for "
        'each answer, r for right and w for wrong, as in marks="rwr…".'
    )
    grading = HandGrading(text, name, Table(HEAD, tuple(rows)), digest)
    letters = "".join(marks.split())
    if not letters:
        if name in read_record(GRADES) and not _marks(read_record(GRADES), grading):
            grading.keep("." * len(rows))
        return grading
    if len(letters) != len(rows) or not set(letters) <= set(LETTERS.values()):
        return Note(
            f"Nothing was kept: marks has one letter for each of the {len(rows)} answers, r, w, or "
            f"a dot; these are {len(letters)}: {spell_text(letters)}"
        )
    said = grading.keep(letters)
    return Note(said or f"Kept: {letters.count('r')} right, {letters.count('w')} wrong.")


def hand_grades(name: str) -> list[bool | None]:
    """What was graded under a name, in the order of the answers; None where nothing was said yet.

    An empty list where no answer was graded.
    """
    marks = read_record(GRADES).get(name, {}).get("marks", "")
    if not isinstance(marks, str) or not marks.strip("."):
        return []
    return [{"r": True, "w": False}.get(letter) for letter in marks]


def _marks(record: dict[str, dict[str, Any]], grading: HandGrading) -> str:
    """The letters that were kept for these very answers, or nothing."""
    known = record.get(grading.name, {})
    marks = known.get("marks")
    fits = isinstance(marks, str) and len(marks) == len(grading.answers.rows)
    fits = fits and set(marks) <= set(LETTERS.values())
    return marks if fits and known.get("of") == grading.of else ""


def _question(entry: Entry) -> str:
    return "\n".join(filter(None, (entry["instruction"], entry.get("input", ""))))


def _answer_html(row: tuple[str, ...]) -> str:
    """One answer below what was asked and wanted; all of it is somebody's text."""
    lines = [
        f"<dt><b>{name}</b></dt><dd style='white-space: pre-wrap'>{html.escape(spell_text(text))}"
        "</dd>"
        for name, text in zip(HEAD[1:], row[1:], strict=True)
    ]
    return f"<dl class='mathjax_ignore tex2jax_ignore'>{''.join(lines)}</dl>"
