"""Still pictures of texts: answers in a table (lesson 10), a chat (12), a funnel and tasks (13)."""

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from lessons_lib.batching.cells import Kind
from lessons_lib.chat import Turn
from lessons_lib.pictures.spelling import spell_text
from lessons_lib.pictures.style import STYLES

INK, MUTED = "#1b1f24", "#4a535c"

# The tables of answers and of tasks
MOST_ROWS, MOST_TASKS, CELL_LINES = 8, 10, 4  # rows, and lines per cell
COLUMNS = ((0.01, 34), (0.27, 32), (0.52, 36), (0.8, 24))  # from the left, characters per line
Lines = list[tuple[str, str]]  # (text, style)
# a mark's sign and style, each of which tells it apart
SIGNS = {True: ("✓", Kind.PROMPT), False: ("✗", Kind.IGNORED_PROMPT), None: ("–", "")}

# The chat
MOST_TURNS, TURN_WIDTH, TURN_LINES = 6, 72, 6  # turns, characters per line, lines per text
ENDINGS = {"end": "■ end", "length": "cut at the limit", "stopped": "stopped"}


def draw_answers(rows: Sequence[dict[str, Any]], headline: str) -> Figure:
    """Draw the first eight rows of ``make_rows`` and say how many more there are."""
    heads = ("asked", "expected", "answer", "marks")
    lines = [
        [
            _cell(f"{row['instruction']}\n{row['input']}".strip(), 0),
            _cell(row["expected"], 1),
            _cell(row["answer"] or "(empty)", 2),
            _mark_lines(row["marks"]),
        ]
        for row in rows
    ]
    return _draw_rows(heads, lines, headline, MOST_ROWS)


def draw_tasks(rows: Sequence[dict[str, Any]], headline: str) -> Figure:
    """Draw the first ten of the tasks that were reviewed, and say how many more there are.

    A row is a dictionary of three texts, "asked", "output" and "corrected", and of "marks", the
    answer to each question by its name.
    """
    heads = ("asked", "output", "corrected", "judged")
    lines = [
        [
            *(_cell(row[name], column) for column, name in enumerate(heads[:-1])),
            _mark_lines(row["marks"]),
        ]
        for row in rows
    ]
    return _draw_rows(heads, lines, headline, MOST_TASKS)


def _draw_rows(
    heads: Sequence[str], rows: Sequence[list[Lines]], headline: str, most: int
) -> Figure:
    """Draw the first rows of a table with the four ``COLUMNS``, each cell a list of lines."""
    shown = rows[:most]
    heights = [max(map(len, cells)) + 0.6 for cells in shown]
    total = sum(heights) + 4.2
    figure = Figure(figsize=(10, 0.19 * total))
    _write(figure, 0.01, 1 - 0.8 / total, headline[:150], weight="bold")
    for head, (left, _) in zip(heads, COLUMNS, strict=True):
        _write(figure, left, 1 - 2.3 / total, head, color=MUTED, weight="bold")
    top = 3.2
    for cells, height in zip(shown, heights, strict=True):
        for lines, (left, _) in zip(cells, COLUMNS, strict=True):
            for number, (text, style) in enumerate(lines):
                _write(figure, left, 1 - (top + number + 0.5) / total, text, style)
        top += height
    if len(rows) > most:
        _write(figure, 0.01, 0.4 / total, f"… and {len(rows) - most} more", color=MUTED)
    return figure


def _mark_lines(marks: dict[str, bool | None]) -> Lines:
    return [(f"{SIGNS[value][0]} {name}", SIGNS[value][1]) for name, value in marks.items()]


def _cell(text: str, column: int) -> Lines:
    width = COLUMNS[column][1]
    lines = [piece for line in text.splitlines() for piece in textwrap.wrap(line, width)]
    if len(lines) > CELL_LINES:
        lines = [*lines[: CELL_LINES - 1], f"{lines[CELL_LINES - 1][: width - 2]} …"]
    return [(line, "") for line in lines]


def draw_chat(turns: Sequence[Turn], name: str = "Model") -> Figure:
    """Draw the last six turns, messages on the right, replies on the left with how they ended."""
    sayings = []  # (who, lines, style, from the left)
    for turn in turns[-MOST_TURNS:]:
        sayings.append(("You", _said(turn.message), Kind.PROMPT, 0.42))
        lines = _said(turn.reply or "(an empty reply)")
        sayings.append((f"{name} · {ENDINGS[turn.finish]}", lines, Kind.RESPONSE, 0.01))
    total = sum(len(lines) + 2.2 for _, lines, _, _ in sayings) + 1
    figure = Figure(figsize=(9, max(0.6, 0.2 * total)))
    if not sayings:
        _write(figure, 0.01, 0.5, "Nothing has been said yet.", color=MUTED, fontsize=9)
    top = 0.8
    for who, lines, style, left in sayings:
        _write(figure, left, 1 - top / total, who, color=MUTED, fontsize=9, weight="bold")
        text, y = "\n".join(lines), 1 - (top + 0.9) / total
        _write(figure, left, y, text, style, pad=3, fontsize=9, va="top")
        top += len(lines) + 2.2
    return figure


def _said(text: str) -> list[str]:
    lines = [
        piece for line in spell_text(text).splitlines() for piece in textwrap.wrap(line, TURN_WIDTH)
    ]
    if len(lines) > TURN_LINES:
        lines = [*lines[: TURN_LINES - 1], "…"]
    return lines or [""]


def draw_funnel(data: dict[str, Any]) -> Figure:
    """Draw the bars of ``make_stages``, and below each why the stage refused how many."""
    lines = sum(1.6 + len(stage["reasons"]) for stage in data["stages"])
    total = lines + 2
    figure = Figure(figsize=(9, 0.24 * total))
    _write(figure, 0.01, 1 - 0.8 / total, data["says"][:120], weight="bold")
    top, left, width = 2.0, 0.22, 0.5
    for stage in data["stages"]:
        y = 1 - (top + 0.5) / total
        _write(figure, 0.01, y, stage["label"])
        axes = figure.add_axes((left, y - 0.45 / total, width, 0.9 / total))
        axes.set(xlim=(0, max(data["blocks"], 1)), ylim=(0, 1))
        axes.axis("off")
        start = 0
        for count, style in (
            (stage["passed"], Kind.PROMPT),
            (stage["refused"], Kind.IGNORED_PROMPT),
        ):
            fill, edge, _, hatch, line = STYLES[style]
            axes.barh(
                0.5, count, 0.9, start, color=fill, edgecolor=edge, hatch=hatch, linestyle=line
            )
            start += count
        counts = f"{stage['passed']:,} passed, {stage['refused']:,} refused"
        _write(figure, left + width + 0.02, y, counts)
        top += 1.2
        for reason in stage["reasons"]:
            text = f"– {reason['reason']}: {reason['total']:,}"
            _write(figure, left, 1 - (top + 0.5) / total, text, color=MUTED)
            top += 1
        top += 0.4
    return figure


def _write(
    figure: Figure,
    x: float,
    y: float,
    text: str,
    style: str = "",
    color: str = INK,
    pad: float = 1.8,
    **options: Any,
) -> None:
    fill, edge, ink, _, line = STYLES.get(style, ("#ffffff", "#ffffff", color, "", "-"))
    box = {"facecolor": fill, "edgecolor": edge, "linestyle": line, "linewidth": 0.8, "pad": pad}
    options = {"fontsize": 8.5, "va": "center"} | options
    figure.text(x, y, text, color=ink, bbox=box if style else None, parse_math=False, **options)
