"""What the inspector shows as a still picture: a PNG drawn with matplotlib, and its words."""

import textwrap
from typing import Any

from matplotlib.figure import Figure

from lessons_lib.batching import BatchSteps, count_targets
from lessons_lib.batching.cells import Kind, padded_kinds
from lessons_lib.data import get_tokenizer
from lessons_lib.data.prompts import text_parts
from lessons_lib.pictures.spelling import spell_text, token_words
from lessons_lib.pictures.style import STYLES, small_png
from lessons_lib.pictures.tokens import draw_shape, draw_tokens

STAGES = {"2.3": "2.3", "2.4": "2.4", "2.5": "final"}
MOST_ROWS = 8  # with their tokens; more are shown as strips
PART_STYLES = {"instruction": Kind.PROMPT, "input": Kind.PROMPT, "output": Kind.RESPONSE}
LINE_LENGTH, MOST_LINES = 96, 40


class _Spelling:
    """What a picture asks of a tokenizer: one token's text, with nothing in it invisible."""

    def decode(self, tokens: list[int]) -> str:
        return "".join(token_words(token, get_tokenizer())[0] for token in tokens)


def draw_png(inspector: Any) -> bytes:
    """The batch that a ``BatchInspector`` shows, as a PNG of 64 colours.

    Raises:
        BatchError: there is nothing to show.
    """
    steps, substep = inspector.steps, inspector.substep
    if substep == "2.1":
        figure = _draw_texts(inspector)
    elif substep == "2.2":
        figure = draw_tokens(steps, _columns(steps, 0), "2.3", tokenizer=_Spelling())
    elif inspector.show == "blocks" or len(steps.examples) > MOST_ROWS:
        figure = draw_shape(steps, STAGES[substep])
    else:
        figure = draw_tokens(steps, _columns(steps, 7), STAGES[substep], tokenizer=_Spelling())
    return small_png(figure)


def alt_text(steps: BatchSteps, substep: str) -> str:
    """One sentence on a batch at a substep, with its counts."""
    rows, width = steps.inputs.shape
    lengths = [len(example.token_ids) for example in steps.examples]
    if substep == "2.1":
        return f"{rows} entries as texts, the template around each entry's own words."
    if substep == "2.2":
        return f"{sum(lengths)} tokens in {rows} rows of {min(lengths)} to {max(lengths)}."
    if substep == "2.3":
        kinds = [kind for row in padded_kinds(steps) for kind in row]
        return f"A batch of {rows} × {width + 1}: {kinds.count(Kind.PADDING)} cells are padding."
    targets = steps.shifted if substep == "2.4" else steps.targets
    return f"A batch of {rows} × {width}: {count_targets(steps, targets)}."


def _columns(steps: BatchSteps, beyond: int) -> range:
    """Fourteen columns around the end of the shortest text, ``beyond`` of them behind it."""
    shortest = min(map(len, steps.token_ids))
    width = min(steps.inputs.shape[1], shortest + beyond)
    return range(max(0, width - 14), width)


def _draw_texts(inspector: Any) -> Figure:
    """Substep 2.1: the texts line by line, each part in its colour."""
    prompt_format = inspector._formats[inspector.prompt_format]
    lines: list[tuple[str, str]] = []
    for entry in inspector.selection:
        for kind, text in text_parts(entry, prompt_format):
            style = PART_STYLES.get(kind, Kind.PADDING)
            for line in spell_text(text).splitlines():
                lines += [(piece, style) for piece in textwrap.wrap(line, LINE_LENGTH)]
        lines.append(("", ""))
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], ("… and more", "")]
    figure = Figure(figsize=(9, 0.22 * len(lines) + 0.2))
    for number, (text, style) in enumerate(lines):
        fill, edge, color, _, _ = STYLES.get(style, ("#ffffff", "#ffffff", "#1b1f24", "", ""))
        box = {"facecolor": fill, "edgecolor": edge, "linewidth": 0.6, "pad": 1.5}
        figure.text(
            0.01,
            1 - (number + 0.7) / len(lines),
            text,
            family="monospace",
            fontsize=8.5,
            color=color,
            bbox=box if text else None,
            parse_math=False,
        )
    return figure
