"""The table of answers as a still picture, drawn with matplotlib. Lesson 10."""

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from lessons_lib.figures import STYLES
from lessons_lib.kinds import IGNORED_INSTRUCTION, INSTRUCTION

MOST_ROWS = 8
MOST_LINES = 4  # of one text
COLUMNS = {"asked": (0.01, 34), "expected": (0.27, 32), "answer": (0.52, 36), "marks": (0.8, 24)}
# sign and style of a mark: told apart by both
SIGNS = {True: ("✓", INSTRUCTION), False: ("✗", IGNORED_INSTRUCTION), None: ("–", "")}
INK, MUTED = "#1b1f24", "#4a535c"


def draw_answers(rows: Sequence[dict[str, Any]], headline: str) -> Figure:
    """The first eight rows of ``make_rows``, one under the other, and how many more there are."""
    shown = [_wrapped(row) for row in rows[:MOST_ROWS]]
    heights = [max(map(len, cells.values())) + 0.6 for cells in shown]
    total = sum(heights) + 4.2
    figure = Figure(figsize=(10, 0.19 * total))
    _write(figure, 0.01, 1 - 0.8 / total, headline[:150], weight="bold")
    for name, (left, _) in COLUMNS.items():
        _write(figure, left, 1 - 2.3 / total, name, color=MUTED, weight="bold")
    top = 3.2
    for cells, height in zip(shown, heights, strict=True):
        for name, lines in cells.items():
            for number, (text, style) in enumerate(lines):
                y = 1 - (top + number + 0.5) / total
                _write(figure, COLUMNS[name][0], y, text, style)
        top += height
    if len(rows) > MOST_ROWS:
        _write(figure, 0.01, 0.4 / total, f"… and {len(rows) - MOST_ROWS} more", color=MUTED)
    return figure


def _wrapped(row: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """For each column its lines as (text, style)."""
    asked = f"{row['instruction']}\n{row['input']}".strip()
    marks = [(f"{SIGNS[value][0]} {name}", SIGNS[value][1]) for name, value in row["marks"].items()]
    return {
        "asked": _lines(asked, "asked"),
        "expected": _lines(row["expected"], "expected"),
        "answer": _lines(row["answer"] or "(empty)", "answer"),
        "marks": marks,
    }


def _lines(text: str, column: str) -> list[tuple[str, str]]:
    width = COLUMNS[column][1]
    lines = [piece for line in text.splitlines() for piece in textwrap.wrap(line, width)]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"{lines[MOST_LINES - 1][: width - 2]} …"]
    return [(line, "") for line in lines]


def _write(
    figure: Figure, x: float, y: float, text: str, style: str = "", color: str = INK, **options: Any
) -> None:
    fill, edge, ink, _, line = STYLES.get(style, ("#ffffff", "#ffffff", color, "", "-"))
    box = {"facecolor": fill, "edgecolor": edge, "linestyle": line, "linewidth": 0.8, "pad": 1.8}
    figure.text(
        x,
        y,
        text,
        fontsize=8.5,
        va="center",
        color=ink,
        bbox=box if style else None,
        parse_math=False,
        **options,
    )
