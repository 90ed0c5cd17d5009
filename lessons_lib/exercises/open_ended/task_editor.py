"""A small editor: judge generated tasks one at a time, and correct them. Lesson 13.

Every answer and every correction is saved in the learner's folder as it is made. All that the page
can do, Python can do as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import traitlets

from lessons_lib.data import Entry, check_entries
from lessons_lib.exercises.open_ended.reviewed_tasks import (
    FIELDS,
    KEPT,
    QUESTIONS,
    REVIEWS,
    Review,
    as_review,
    load_reviews,
    review_shares,
    review_table,
    save_reviews,
    standing,
    tell,
    tell_counts,
    whole,
)
from lessons_lib.exercises.registry import Note
from lessons_lib.pictures import small_png, spell_text
from lessons_lib.pictures.text_stills import draw_tasks
from lessons_lib.support import Table
from lessons_lib.support.paths import FRONT_END, learner_folder
from lessons_lib.widgets import InspectorError
from lessons_lib.widgets.page import PicturedWidget, style_sheets

MOST_TASKS = 32


def edit_tasks(entries: Sequence[Entry], name: str = "tasks") -> "TaskEditor":
    """An editor in which a reader judges entries that a model wrote, and corrects them.

    What was kept under ``name`` about these entries, wherever they stand, is taken up again.
    Nothing needs to be done for a lesson to go on: then no entry is judged, and none is kept.

    Raises:
        InspectorError: there are more than 32 entries. DatasetError: one is faulty.
    """
    return TaskEditor(entries, name)


class TaskEditor(PicturedWidget):
    """The widget of ``edit_tasks``; ``judge``, ``correct`` and ``undo`` do without the page."""

    _esm = FRONT_END / "tasks.js"
    # The palette, the themes and the controls are those of the inspector.
    _css = style_sheets("inspector.css", "tasks.css")
    _view = traitlets.Unicode("tasks").tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)  # the tasks as they were written, and the questions
    # The reviews, which both sides change, and how often that was done. What was typed is not
    # echoed, as it would overwrite letters typed since.
    _work = traitlets.Dict().tag(sync=True, echo_update=False)
    _told = traitlets.Dict().tag(sync=True)  # what Python says of ``_work``
    index = traitlets.Int(0).tag(sync=True)  # of the task on show

    def __init__(self, entries: Sequence[Entry], name: str = "tasks"):
        entries = list(entries)
        if len(entries) > MOST_TASKS:
            raise InspectorError(
                f"The editor takes {MOST_TASKS} tasks at most, and these are {len(entries)}: "
                "choose some, for instance entries[:10]."
            )
        self.name = name
        self._written = check_entries(entries) if entries else []
        self._saved = load_reviews(name, self._written)
        self._trouble = ""
        first_open = [review.is_judged for review in self._saved] + [False]
        super().__init__(
            _data=make_tasks(self._written),
            _work={"turn": 0, "reviews": [asdict(review) for review in self._saved]},
            index=first_open.index(False) % max(1, len(entries)),
        )
        self._told = self._tell()
        self.observe(self._keep, "_work")

    @property
    def judged(self) -> list[Review]:
        """For each task its review: ``task``, ``input``, ``output`` and ``corrected``."""
        return [as_review(value) for value in self._work["reviews"]]

    @property
    def entries(self) -> list[Entry]:
        """All tasks as they are now, corrected or not, judged or not."""
        return [review.apply(entry) for entry, review in self._pairs()]

    @property
    def kept(self) -> list[Entry]:
        """The tasks with three times yes, and the judged ones that were corrected, as they are now.

        A task without its three answers is not among them, nor one that has lost its instruction
        or output. Where nothing was judged, the list is empty.
        """
        pairs = self._pairs()
        return [review.apply(entry) for entry, review in pairs if standing(entry, review) in KEPT]

    def table(self) -> Table:
        """For each question, and all three, the share of yes with its interval of 95 %."""
        return review_table(self.judged)

    def judge(self, index: int, task: Any = ..., input: Any = ..., output: Any = ...) -> Note:
        """Answer questions about a task as it was written; returns how it stands.

        ``task``, ``input`` and ``output`` are True, False, or None for "not yet"; an answer that
        is not given stays.

        Raises:
            ValueError: there is no such task, or an answer is something else.
        """
        given = {"task": task, "input": input, "output": output}
        answers = {name: answer for name, answer in given.items() if answer is not ...}
        for name, answer in answers.items():
            if not isinstance(answer, bool | None):
                raise ValueError(f"{name} must be True, False or None, not {answer!r}")
        return self._change(index, answers)

    def correct(
        self,
        index: int,
        instruction: str | None = None,
        input: str | None = None,
        output: str | None = None,
    ) -> Note:
        """Write new texts for a task; returns how it stands. A text that is not given stays.

        Raises:
            ValueError: there is no such task, or what is given is no text.
        """
        given = zip(FIELDS, (instruction, input, output), strict=True)
        entry = self._written[self._place(index)]
        corrected = dict(self.judged[index].corrected)
        for name, text in given:
            if not isinstance(text, str | None):
                raise ValueError(f"{name} must be a text, not {text!r}")
            if text is not None:
                corrected[name] = whole(text)
        corrected = {name: text for name, text in corrected.items() if text != entry[name]}
        return self._change(index, {"corrected": corrected})

    def undo(self, index: int) -> Note:
        """Give a task its texts as they were written; the answers stay. Returns how it stands.

        Raises:
            ValueError: there is no such task.
        """
        return self._change(index, {"corrected": {}})

    def alt_text(self) -> str:
        """The counts in words."""
        shares = "; ".join(
            f"{question} Yes for {share.count} of {share.total}"
            for question, share in review_shares(self.judged).items()
            if share.total
        )
        counts = tell_counts(self._written, self.judged)
        return f"Tasks that a model wrote: {counts}.{f' {shares}.' if shares else ''}"

    def to_png(self) -> bytes:
        """The first tasks with what was found and corrected, as a PNG drawn without a browser."""
        rows = [_as_row(entry, review) for entry, review in self._pairs()]
        return small_png(draw_tasks(rows, tell_counts(self._written, self.judged)))

    def __repr__(self) -> str:
        return f"[{self.alt_text()}]"

    def _pairs(self) -> list[tuple[Entry, Review]]:
        return list(zip(self._written, self.judged, strict=True))

    def _place(self, index: int) -> int:
        if index not in range(len(self._written)):
            raise ValueError(
                f"there is no task {index!r}; the {len(self._written)} tasks are numbered from 0"
            )
        return index

    def _change(self, index: int, changes: dict[str, Any]) -> Note:
        reviews, place = self.judged, self._place(index)
        reviews[place] = replace(reviews[place], **changes)
        values = [asdict(review) for review in reviews]
        self._work = {"turn": self._work["turn"] + 1, "reviews": values}
        said = f"#{index}: {tell(self._written[index], self.judged[index])}"
        return Note(f"{said} {self._trouble}".strip())

    def _keep(self, _change: dict[str, Any]) -> None:
        """Save the reviews that have changed, whoever changed them, and say how all stands."""
        reviews = self.judged
        changed = [i for i, review in enumerate(reviews) if review != self._saved[i]]
        if changed:
            of_changed = [self._written[i] for i in changed], [reviews[i] for i in changed]
            self._trouble = save_reviews(self.name, *of_changed)
            self._saved = reviews
        self._told = self._tell()

    def _tell(self) -> dict[str, Any]:
        """What the page shows of the work: counts, each task's standing, where it is kept."""
        tasks = [
            {
                "standing": standing(entry, review),
                "says": tell(entry, review),
                # the corrected texts in which something is invisible
                "spelled": {n: s for n, t in review.corrected.items() if (s := spell_text(t)) != t},
            }
            for entry, review in self._pairs()
        ]
        begun = any(review != Review() for review in self._saved)
        saved = f"Saved in {learner_folder().name}/{REVIEWS}." if begun else ""
        return {
            "turn": self._work["turn"],
            "counts": tell_counts(self._written, self.judged),
            "tasks": tasks,
            "saved": self._trouble or saved,
        }


def make_tasks(entries: Sequence[Entry]) -> dict[str, Any]:
    """The front end's data: texts to edit, the same with nothing invisible in them, questions."""
    texts = [{name: entry[name] for name in FIELDS} for entry in entries]
    spelled = [{name: spell_text(text) for name, text in each.items()} for each in texts]
    fields = zip(FIELDS, QUESTIONS.items(), strict=True)
    questions = [{"field": f, "name": name, "asks": asks} for f, (name, asks) in fields]
    return {"tasks": texts, "spelled": spelled, "questions": questions}


def _as_row(entry: Mapping[str, str], review: Review) -> dict[str, Any]:
    """A task as its still picture shows it."""
    corrected = [f"{name}: {text or '(empty)'}" for name, text in review.corrected.items()]
    return {
        "asked": spell_text(f"{entry['instruction']}\n{entry['input']}".strip()),
        "output": spell_text(entry["output"]),
        "corrected": spell_text("\n".join(corrected)),
        "marks": dict(zip(QUESTIONS, review.answers, strict=True)),
    }
