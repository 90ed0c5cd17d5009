"""Labels as text for a terminal: inputs above targets, and below each whether it counts.

Marks say everything; colour, where a terminal has it, only repeats them.
"""

import os
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from lessons_lib.data import IGNORE_INDEX
from lessons_lib.labels import LabelledBatch, LabelledRow
from lessons_lib.labels.tokens import TokenReader
from lessons_lib.support.table import printable

LEGEND = (
    "━ counts in the loss; elsewhere, where a run of −100 begins, its reason.  "
    "␣ space  ↵ line end  ■ stop token  ≠ not the token that follows"
)
MARKS = str.maketrans({" ": "␣", "\n": "↵", "\t": "⇥"})
# Of a run of columns longer than this, so many are written at each end.
LONGEST = {True: (64, 24), False: (24, 8)}  # that count, that do not
NAMES = 16  # characters to the left of the tokens
LONGEST_WORD = 40  # characters of a token
STYLES = {  # ANSI codes
    "prompt": "34",
    "header": "34",
    "response": "33",
    "stop": "1;33",
    "padding": "2",
    "ignored": "2;9",
    "live": "1;33",
    "odd": "1;31",
    "reason": "2",
    "title": "1",
}


@dataclass(frozen=True)
class Column:
    """What is written in one column: three cells, or a gap that stands for several columns."""

    start: int
    width: int
    cells: tuple[tuple[str, str], tuple[str, str]]  # (text, style) of input and target
    reason: str


def wants_color() -> bool:
    """Whether standard output is a terminal whose user has not refused colours by NO_COLOR."""
    refused = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not refused


def write_rows(
    batch: LabelledBatch, rows: Sequence[LabelledRow], width: int, color: bool = False
) -> str:
    """Some rows of a batch as text, ``width`` characters wide at most, with what holds for all.

    Long runs of one kind are shortened to their ends.
    """
    about = [batch.convention, *batch.notes, LEGEND]
    lines = [line for text in about for line in textwrap.wrap(printable(text), width)]
    for row in rows:
        lines += ["", *write_row(row, batch.tokens, width, color)]
    others = len(batch.rows) - len(rows)
    if others:
        lines += ["", f"({others:,} more {'row' if others == 1 else 'rows'} not written here)"]
    return "\n".join(lines)


def write_row(row: LabelledRow, tokens: TokenReader, width: int, color: bool = False) -> list[str]:
    """One row as lines: a title, then three lines for as many columns as fit beside each other."""
    live = sum(target != IGNORE_INDEX for target in row.targets)
    title = f"row {row.index:,}: {live:,} of {len(row.targets):,} targets count"
    lines = [_paint(title, "title", color)]
    packed = max(row.segments) > 1
    for segment, columns in groupby(_columns(row, tokens), lambda c: row.segments[c.start]):
        if packed:
            name = f"text {segment}" if segment else "no text"
            lines.append(_paint(f"── {name} ".ljust(min(width, NAMES + 24), "─"), "title", color))
        for line in _break(columns, width - NAMES):
            lines += _write_line(line, color)
    return lines


def _columns(row: LabelledRow, tokens: TokenReader) -> Iterable[Column]:
    runs = groupby(range(len(row.targets)), lambda t: (row.reasons[t], row.segments[t]))
    for (reason, _), run in runs:
        places = list(run)
        longest, kept = LONGEST[reason == "counts"]
        if len(places) <= longest:
            kept = len(places)
        for t in places[:kept]:
            yield _column(row, t, tokens)
        if hidden := places[kept:-kept]:
            gap = f"⋯ {len(hidden):,} more ⋯"
            yield Column(hidden[0], len(gap), ((gap, "reason"), ("", "reason")), reason)
            for t in places[-kept:]:
                yield _column(row, t, tokens)


def _column(row: LabelledRow, t: int, tokens: TokenReader) -> Column:
    word, target = _word(row.input_ids[t], row.kinds[t], tokens), row.targets[t]
    follows = t + 1 < len(row.input_ids)
    if target == IGNORE_INDEX:
        below = ("−100", "ignored")
    elif follows and target != row.input_ids[t + 1]:
        below = (f"≠{_word(target, '', tokens)}", "odd")
    else:
        below = (_word(target, row.kinds[t + 1] if follows else "", tokens), "live")
    width = max(_width(word), _width(below[0]), 4)
    return Column(t, width, ((word, row.kinds[t]), below), row.reasons[t])


def _word(token: int, kind: str, tokens: TokenReader) -> str:
    if kind == "padding":
        return "pad"
    text = printable(tokens.piece(token).translate(MARKS))
    text = text if len(text) <= LONGEST_WORD else f"{text[: LONGEST_WORD - 1]}…"
    return f"■{text}" if kind == "stop" else text


def _break(columns: Iterable[Column], room: int) -> Iterable[list[Column]]:
    """The columns in lines that have room for them, one space between two."""
    line: list[Column] = []
    used = 0
    for column in columns:
        if line and used + column.width > room:
            yield line
            line, used = [], 0
        line.append(column)
        used += column.width + 1
    yield line


def _write_line(line: Sequence[Column], color: bool) -> list[str]:
    rows = []
    for number, name in enumerate(("inputs", "targets")):
        start = f"{line[0].start:,}" if number == 0 else ""
        cells = (
            _paint(text, style, color) + " " * (column.width - _width(text))
            for column in line
            for text, style in [column.cells[number]]
        )
        rows.append(f"{start:>7} {name:<8}{' '.join(cells)}".rstrip())
    below = []
    for reason, run in groupby(line, lambda column: column.reason):
        widths = [column.width for column in run]
        if reason == "counts":
            below.append(_paint(" ".join("━" * width for width in widths), "live", color))
        else:
            span = sum(widths) + len(widths) - 1
            below.append(_paint(reason[:span].ljust(span, "·"), "reason", color))
    return [*rows, " " * NAMES + " ".join(below)]


def _width(text: str) -> int:
    """How many places a terminal gives the text: wide characters take two, accents none."""
    return sum(
        0
        if unicodedata.combining(character)
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _paint(text: str, style: str, color: bool) -> str:
    code = STYLES.get(style)
    return f"\x1b[{code}m{text}\x1b[0m" if color and code and text else text
