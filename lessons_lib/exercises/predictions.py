"""Predictions that are made, kept, and met again where the answer appears.

``predict("06-third-target", 0.8)`` keeps a number, a choice or a sentence in the learner's folder;
``recall("06-third-target", 1.1269)`` puts it beside what came out, in words.
A notebook shows choices as a form.
"""

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from IPython.display import display

from lessons_lib.exercises.records import PREDICTIONS, change_record, read_record
from lessons_lib.exercises.registry import Note

OPEN = "Not predicted yet: put your answer in the place of the three dots, then run the cell again."


@dataclass(frozen=True, repr=False)
class Question(Note):
    """A prediction that was not made yet, with choices; a notebook shows them as a form."""

    name: str
    choices: tuple[str, ...]

    def form(self) -> Any:
        """Radio buttons, of which a click makes the prediction, above what ``predict`` says."""
        import ipywidgets

        found = read_record(PREDICTIONS).get(self.name, {}).get("answer")
        buttons = ipywidgets.RadioButtons(
            options=self.choices, value=found if found in self.choices else None
        )
        said = ipywidgets.HTML()  # the choices are the lesson's own words

        def choose(change: dict[str, Any]) -> None:
            said.value = str(predict(self.name, change["new"], self.choices))

        buttons.observe(choose, "value")
        return ipywidgets.VBox([buttons, said])

    def _ipython_display_(self) -> None:
        display({"text/plain": self.text, "text/markdown": self.text}, raw=True)
        display(self.form())


def predict(name: str, answer: Any = ..., choices: Sequence[str] = ()) -> Note:
    """Keep a prediction: a number, a sentence, or one of the choices.

    Until the answer is seen, a later prediction replaces an earlier one; then the first stays.
    Without an answer, a notebook shows the choices as a form.
    """
    if answer is ... and choices:
        named = " · ".join(f'"{each}"' for each in choices)
        return Question(
            f"Choose one, here or in the place of the three dots: {named}.", name, tuple(choices)
        )
    if answer is ...:
        return Note(OPEN)
    if isinstance(answer, numbers.Real) and not isinstance(answer, bool):
        answer = float(answer) if not isinstance(answer, int) else answer
        if not math.isfinite(answer):
            return Note("A prediction must be a number that JSON can hold, or a sentence.")
    else:
        answer = str(answer).strip()
    if choices and answer not in choices:
        return Note(f"Choose one of these: {', '.join(choices)}.")
    kept: dict[str, Any] = {}

    def note(record: dict[str, dict[str, Any]]) -> None:
        known = record.setdefault(name, {})
        if not known.get("seen"):
            known["answer"] = answer
        kept.update(known)

    said = change_record(PREDICTIONS, note)
    first = kept.get("answer", answer)
    text = f"Noted: {_said(first)}."
    if first != answer:
        text = f"You have seen the answer since, so your first prediction stays: {_said(first)}."
    return Note(f"{text} {said}".strip())


def recall(name: str, outcome: Any) -> Note:
    """Say what was predicted beside what came out; from now on the prediction stays."""
    found = read_record(PREDICTIONS).get(name, {})
    out = outcome.item() if hasattr(outcome, "item") else outcome  # a tensor of one number
    if "answer" not in found:
        return Note(f"It is {_said(out)}. You did not predict it.")
    answer = found["answer"]

    def note(record: dict[str, dict[str, Any]]) -> None:
        record.setdefault(name, dict(found))["seen"] = True

    said = change_record(PREDICTIONS, note)
    return Note(f"{_compare(answer, out)} {said}".strip())


def _compare(answer: Any, out: Any) -> str:
    both = f"You predicted {_said(answer)}; it is {_said(out)}."
    if isinstance(answer, numbers.Real) and isinstance(out, numbers.Real):
        off = answer - out
        if math.isnan(out):
            return both
        if abs(off) <= 0.005 * max(1.0, abs(out)):
            return f"{both} You were right."
        return f"{both} Yours was {abs(off):.4g} too {'high' if off > 0 else 'low'}."
    if isinstance(out, str) and str(answer).casefold() == out.casefold():
        return f"{both} You were right."
    return both


def _said(value: Any) -> str:
    """A number with four digits, a text in quotation marks."""
    if isinstance(value, numbers.Real):
        return f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"“{value}”"
