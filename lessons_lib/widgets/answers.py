"""A table of a model's answers beside the expected ones, to filter, search and sort. Lesson 10.

A share says how many answers are wrong; reading them says why. It works without Python as well.
"""

import re
from collections.abc import Sequence
from typing import Any

import traitlets

from lessons_lib.evaluation import Scores, Share, key_answer
from lessons_lib.pictures import small_png, spell_text
from lessons_lib.pictures.text_stills import draw_answers
from lessons_lib.widgets.page import FrontEnd, PicturedWidget
from lessons_lib.widgets.payload import InspectorError

MOST_ANSWERS = 200
MOST_CHARACTERS = 2000  # per text; a model that does not stop can write pages
ANSWERS = FrontEnd(
    "ba-mount",
    ("answers.js", "local_model.js"),
    # The palette, the themes and the controls are those of the inspector.
    ("inspector.css", "answers.css"),
)


def show_answers(scores: Scores, **options) -> "AnswerTable":
    """Show up to 200 scored answers in a table to browse; ``Scores.marks`` says what is marked.

    ``options`` are the traits of ``AnswerTable``: ``family="capitals"``, ``marked="not exact"``,
    ``words="oslo"``, ``order="wrong first"``.

    Raises:
        InspectorError: there are more than 200 answers. TraitError: no such option or value.
    """
    return AnswerTable(scores, **options)


class AnswerTable(PicturedWidget):
    """The widget of ``show_answers``. Traits can be set here or by a click; each side follows."""

    _esm, _css = ANSWERS.esm, ANSWERS.css
    _view = traitlets.Unicode("answers").tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)

    # What was typed is not echoed, as it would overwrite letters typed since.
    family = traitlets.Unicode("").tag(sync=True, echo_update=False)  # "" shows all
    # "", "exact", "not exact", "lenient" and so on: a mark's name, or "not " and the name
    marked = traitlets.Unicode("").tag(sync=True, echo_update=False)
    # A row is shown if its texts contain all of these words.
    words = traitlets.Unicode("").tag(sync=True, echo_update=False)
    order = traitlets.Unicode("data set").tag(sync=True, echo_update=False)

    def __init__(self, scores: Scores, **options):
        if len(scores.answers) > MOST_ANSWERS:
            raise InspectorError(
                f"The table shows {MOST_ANSWERS} answers at most, and these are "
                f"{len(scores.answers)}: score some of them, for instance entries[:110]."
            )
        unknown = set(options) - {"family", "marked", "words", "order"}
        if unknown:
            raise traitlets.TraitError(f"no option {min(unknown)!r}")
        self.scores = scores
        super().__init__(_data=make_rows(scores), **options)

    @traitlets.validate("family", "marked", "order")
    def _known(self, proposal) -> str:
        known = {
            "family": ["", *self._data["families"]],
            "marked": ["", *self._data["marks"], *(f"not {m}" for m in self._data["marks"])],
            "order": [*self._data["orders"]],
        }[proposal.trait.name]
        if proposal.value not in known:
            raise traitlets.TraitError(
                f"{proposal.trait.name} is one of {known}, not {proposal.value!r}"
            )
        return proposal.value

    @property
    def chosen(self) -> list[int]:
        """Indices of the answers on show, in the order in which they are shown."""
        rows, wanted = self._data["rows"], re.split(r"[ \t\n]+", self.words.lower())
        mark = self.marked.removeprefix("not ")
        value = self.marked == mark
        return [
            index
            for index in self._data["orders"][self.order]
            if self.family in ("", rows[index]["family"])
            and (not mark or rows[index]["marks"][mark] is value)
            and all(word in "\n".join(_texts(rows[index])).lower() for word in wanted)
        ]

    @property
    def shares(self) -> dict[str, Share]:
        """For each mark, how many of the answers on show have it."""
        marks = {
            name: [values[i] for i in self.chosen if values[i] is not None]
            for name, values in self.scores.marks.items()
        }
        return {name: Share(sum(values), len(values)) for name, values in marks.items()}

    def alt_text(self) -> str:
        """What is on show in words, with its counts."""
        filters = [f"family {self.family}" if self.family else "", self.marked]
        filters += [f'with "{spell_text(self.words)}"' if self.words else ""]
        chosen = ", ".join(filter(None, filters))
        counts = "; ".join(f"{s.count} of {s.total} {name}" for name, s in self.shares.items())
        return (
            f"{len(self.chosen)} of {len(self.scores.answers)} answers"
            f"{f' ({chosen})' if chosen else ''}: {counts}."
        )

    def to_png(self) -> bytes:
        """The first answers on show as a PNG, drawn without a browser."""
        rows = [self._data["rows"][index] for index in self.chosen]
        return small_png(draw_answers(rows, self.alt_text()))

    def to_html(self, title: str = "Answers") -> str:
        """One self-contained page with the table; it works without Python or a network."""
        return ANSWERS.page(self, title)


def make_rows(scores: Scores) -> dict[str, Any]:
    """The front end's data: texts with nothing invisible in them, marks, and orders."""
    rows = []
    for index, (entry, answer) in enumerate(zip(scores.entries, scores.answers, strict=True)):
        rows.append(
            {
                "instruction": _shown(entry["instruction"]),
                "input": _shown(entry.get("input", "")),
                "expected": _shown(entry["output"]),
                "answer": _shown(answer),
                "family": scores.families[index] if scores.families else "",
                "key": _shown(str(key_answer(entry) or "")),
                "marks": {name: values[index] for name, values in scores.marks.items()},
            }
        )
    families = sorted(set(scores.families or []))
    return {
        "rows": rows,
        "families": families,
        "marks": list(scores.marks),
        "orders": _orders(scores, bool(families)),
    }


def _orders(scores: Scores, with_families: bool) -> dict[str, list[int]]:
    """For each order, by name, the indices of all rows in that order."""
    indices = range(len(scores.answers))
    first = next(iter(scores.marks.values()), [None] * len(scores.answers))
    # "Right first" means those with the first mark, then those with more of the other marks.
    right = [-sum(bool(values[i]) for values in scores.marks.values()) for i in indices]
    orders = {
        "data set": list(indices),
        "right first": sorted(indices, key=lambda i: (not first[i], right[i])),
        "wrong first": sorted(indices, key=lambda i: (bool(first[i]), -right[i])),
        "longest first": sorted(indices, key=lambda i: -len(scores.answers[i])),
    }
    if with_families:
        orders["family"] = sorted(indices, key=lambda i: scores.families[i])
    return orders


def _texts(row: dict[str, Any]) -> Sequence[str]:
    """The texts that a search looks through."""
    return row["instruction"], row["input"], row["expected"], row["answer"]


def _shown(text: str) -> str:
    cut = spell_text(text[:MOST_CHARACTERS])
    more = len(text) - MOST_CHARACTERS
    return f"{cut} … ({more:,} more characters)" if more > 0 else cut
