"""The labels of anybody's batch, to look at: inputs above what must be predicted there. Lesson 14.

A collator's labels are a wall of numbers, and a mask that is off by one is a wall just like it.
Here each target stands below the token after which it is predicted, with the reason where it does
not count. It works without Python as well, and in a terminal.
"""

import shutil
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import traitlets

from lessons_lib.data import IGNORE_INDEX
from lessons_lib.labels import REASONS, LabelledBatch, LabelledRow, LabelsError, read_labels
from lessons_lib.labels.tokens import TokenReader
from lessons_lib.pictures import small_png, spell_text
from lessons_lib.pictures.labels_in_terminal import wants_color, write_rows
from lessons_lib.pictures.spelling import spell_token
from lessons_lib.pictures.tokens import draw_labels
from lessons_lib.widgets.page import FrontEnd, PicturedWidget

MOST_ROWS = 32  # that travel to the page
MOST_TOKENS = 65_536  # in all of them: eight rows of 8,192
ROWS_IN_TEXT = 8  # that are printed
LABELS = FrontEnd(
    "bl-mount",
    ("labels.js", "local_model.js"),
    # The palette, the themes and the cells are those of the inspector.
    ("inspector.css", "labels.css"),
)


def inspect_labels(
    batch_or_dataset: Any, tokenizer: Any, *, shifts_inside: bool | None = None, **options
) -> "LabelInspector":
    """Show what a batch's labels really ask for: each input above what is predicted there.

    ``batch_or_dataset`` is whatever ``lessons_lib.labels.read_labels`` reads: a collator's
    dictionary, rows of a data set, a pair of inputs and targets; ``tokenizer`` is Hugging Face's or
    tiktoken's. ``shifts_inside`` says whether the model shifts labels by itself, as transformers'
    do; without it, the labels show it. At most 32 rows and 65,536 tokens are shown.

    ``options`` are the traits of ``LabelInspector``: ``row=3``, ``at=57``, ``show="both"`` and
    ``fold=True``. ``print`` writes the same as text.

    Raises:
        LabelsError: these are no labels that can be read, or the row is not among those shown.
        TraitError: an option has a value that does not exist.
    """
    batch = read_labels(batch_or_dataset, tokenizer, shifts_inside=shifts_inside)
    return LabelInspector(batch, **options)


class LabelInspector(PicturedWidget):
    """The widget of ``inspect_labels``. Traits can be set here or by a click."""

    _esm, _css = LABELS.esm, LABELS.css
    _view = traitlets.Unicode("labels").tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)

    row = traitlets.Int(0).tag(sync=True)  # its index in what was given
    at = traitlets.Int(None, allow_none=True, min=0).tag(sync=True)  # the column to open at
    show = traitlets.Enum(("text", "ids", "both"), "both").tag(sync=True)
    fold = traitlets.Bool(True).tag(sync=True)  # draw a run of padding as one column

    def __init__(self, batch: LabelledBatch, **options):
        self.batch = batch
        self._shown = rows_that_travel(batch, options.get("row"))
        options.setdefault("row", next(iter(self._shown)))
        super().__init__(_data=make_payload(batch, self._shown.values()), **options)

    @traitlets.validate("row")
    def _known_row(self, proposal) -> int:
        if proposal.value not in self._shown:
            raise LabelsError(
                f"Row {proposal.value} is not among the {len(self._shown)} rows shown "
                f"({_some(self._shown)}): give inspect_labels a part that begins with it."
            )
        return proposal.value

    @property
    def chosen(self) -> LabelledRow:
        """The row on show."""
        return self._shown[self.row]

    def alt_text(self) -> str:
        """The row on show in words, with its counts, and the convention."""
        return f"{count_row(self.chosen)} {spell_text(self.batch.convention)}"

    def to_png(self) -> bytes:
        """The row on show as a PNG, drawn without a browser; of a long row, some columns."""
        return small_png(draw_labels(self.chosen, self.batch.tokens))

    def to_html(self, title: str = "Labels") -> str:
        """One self-contained page with all rows shown; it works without Python or a network."""
        return LABELS.page(self, title)

    def to_text(self, width: int | None = None, color: bool | None = None) -> str:
        """The row on show and up to seven after it, as text for a terminal.

        ``width`` is in characters, by default the terminal's. Colour is added where the output is
        a terminal and NO_COLOR is not set, and says nothing that marks do not say as well.
        """
        width = shutil.get_terminal_size().columns if width is None else width
        color = wants_color() if color is None else color
        indices = list(self._shown)
        first = indices.index(self.row)
        rows = [self._shown[index] for index in indices[first : first + ROWS_IN_TEXT]]
        return write_rows(self.batch, rows, width, color)

    __str__ = to_text

    def __repr__(self) -> str:
        return f"<LabelInspector of {len(self._shown)} rows; print() writes them>"


def rows_that_travel(batch: LabelledBatch, wanted: int | None = None) -> dict[int, LabelledRow]:
    """The rows that are shown, by index: 32 of them and 65,536 tokens at most.

    They begin with the row that is ``wanted``, if all from the first on would be too many.
    """
    rows = {row.index: row for row in batch.rows}
    kept = _within_bounds(batch.rows)
    if wanted in rows and wanted not in kept:
        kept = _within_bounds([row for row in batch.rows if row.index >= wanted])
    return kept


def _within_bounds(rows: Iterable[LabelledRow]) -> dict[int, LabelledRow]:
    kept, tokens = {}, 0
    for row in rows:
        tokens += len(row.input_ids)
        if kept and (len(kept) == MOST_ROWS or tokens > MOST_TOKENS):
            break
        kept[row.index] = row
    return kept


def count_row(row: LabelledRow) -> str:
    """A row's counts as a sentence: how many targets count, and why how many do not."""
    reasons = Counter(reason for reason in row.reasons if reason != "counts")
    live = sum(target != IGNORE_INDEX for target in row.targets)
    total = len(row.targets)
    ignored = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
    return (
        f"Row {row.index:,}: {live:,} of {total:,} targets count ({live / total:.1%})"
        f"{f'; ignored: {ignored}' if ignored else ''}."
    )


def make_payload(batch: LabelledBatch, rows: Iterable[LabelledRow]) -> dict[str, Any]:
    """The data of the front end as plain JSON values; ``layout`` in labels.js spells it out again.

    Kinds, reasons and segments travel as runs, targets only where they do not follow from these.
    """
    rows = list(rows)
    travelling = [_as_runs(row) for row in rows]
    ids = {token for each in travelling for token in (*each["ids"], *each["others"].values())}
    stops = {
        token
        for row in rows
        for token, kind in zip(row.input_ids, row.kinds, strict=True)
        if kind == "stop"
    }
    return {
        "rows": travelling,
        "words": {str(token): _word(token, batch.tokens) for token in sorted(ids - {IGNORE_INDEX})},
        "reasons": {key: spell_text(sentence) for key, sentence in REASONS.items()},
        "stops": sorted(stops),
        "ignore": IGNORE_INDEX,
        "convention": spell_text(batch.convention),
        "notes": [spell_text(note) for note in [*batch.notes, *_left_out(batch, rows)]],
        "total": batch.total_rows,
    }


def _as_runs(row: LabelledRow) -> dict[str, Any]:
    """A row for the page, cut to 65,536 columns."""
    ids = row.input_ids[:MOST_TOKENS]
    follows = (*ids[1:], None)
    others = {
        str(column): target
        for column, (target, token, reason) in enumerate(
            zip(row.targets[:MOST_TOKENS], follows, row.reasons[:MOST_TOKENS], strict=True)
        )
        if target != (token if reason == "counts" else IGNORE_INDEX)
    }
    runs = {
        name: [[value, len(list(run))] for value, run in groupby(values[:MOST_TOKENS])]
        for name, values in (
            ("kinds", row.kinds),
            ("reasons", row.reasons),
            ("segments", row.segments),
        )
    }
    return {
        "index": row.index,
        "ids": list(ids),
        "others": others,
        "length": len(row.input_ids),
        **runs,
    }


def _word(token: int, tokens: TokenReader) -> str:
    return spell_token(tokens.piece(token))


def _left_out(batch: LabelledBatch, rows: list[LabelledRow]) -> list[str]:
    if len(rows) == len(batch.rows):
        return []
    return [
        f"{len(rows):,} of {len(batch.rows):,} rows that were read are here: a page holds "
        f"{MOST_ROWS} rows and {MOST_TOKENS:,} tokens at most."
    ]


def _some(indices: Iterable[int]) -> str:
    indices = [f"{index:,}" for index in indices]
    return ", ".join(indices if len(indices) < 5 else [*indices[:3], "…", indices[-1]])
