"""A chat as a still picture, drawn with matplotlib. Lesson 12."""

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure

from lessons_lib.chat import Turn
from lessons_lib.figures import STYLES
from lessons_lib.kinds import INSTRUCTION, RESPONSE
from lessons_lib.widgets.spelling import spell_text

MOST_SHOWN = 6
WIDTH, MOST_LINES = 72, 6  # characters of a line, lines of one text
INK, MUTED = "#1b1f24", "#4a535c"
MARKS = {"end": "■ end", "length": "cut at the limit", "stopped": "stopped"}


def draw_chat(turns: Sequence[Turn], name: str = "Model") -> Figure:
    """The last six turns: messages at the right, replies at the left, each with its end."""
    sayings = []  # (who, lines, style, from the left)
    for turn in turns[-MOST_SHOWN:]:
        sayings.append(("You", _lines(turn.message), INSTRUCTION, 0.42))
        lines = _lines(turn.reply or "(not a word)")
        sayings.append((f"{name} · {MARKS[turn.finish]}", lines, RESPONSE, 0.01))
    total = sum(len(lines) + 2.2 for _, lines, _, _ in sayings) + 1
    figure = Figure(figsize=(9, max(0.6, 0.2 * total)))
    if not sayings:
        _write(figure, 0.01, 0.5, "Nothing has been said yet.", MUTED)
    top = 0.8
    for who, lines, style, left in sayings:
        _write(figure, left, 1 - top / total, who, MUTED, weight="bold")
        _write(figure, left, 1 - (top + 0.9) / total, "\n".join(lines), "", style, va="top")
        top += len(lines) + 2.2
    return figure


def _lines(text: str) -> list[str]:
    lines = [
        piece for line in spell_text(text).splitlines() for piece in textwrap.wrap(line, WIDTH)
    ]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], "…"]
    return lines or [""]


def _write(
    figure: Figure, x: float, y: float, text: str, color: str = INK, style: str = "", **options
) -> None:
    fill, edge, ink, _, _ = STYLES.get(style, ("#ffffff", "#ffffff", color, "", ""))
    box = {"facecolor": fill, "edgecolor": edge, "linewidth": 0.8, "pad": 3}
    options = {"va": "center"} | options
    figure.text(
        x, y, text, fontsize=9, color=ink, bbox=box if style else None, parse_math=False, **options
    )
