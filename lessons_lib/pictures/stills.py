"""The inspector's view as a still picture, drawn with matplotlib, and in words."""

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.text import Text

from lessons_lib.batching import BatchSteps, count_targets
from lessons_lib.batching.cells import Kind, padded_kinds
from lessons_lib.data import PromptFormat, Tokenizer
from lessons_lib.data.prompts import text_parts
from lessons_lib.pictures.spelling import spell_text
from lessons_lib.pictures.style import DPI, STYLES, missing_glyphs_allowed, small_png
from lessons_lib.pictures.tokens import draw_shape, draw_tokens

STAGES = {"2.3": "2.3", "2.4": "2.4", "2.5": "final"}
MOST_ROWS = 8  # shown token by token; a larger batch is shown as strips
LINE_LENGTH, MOST_LINES = 112, 44  # of texts: characters per line, lines per picture
# How each part of a text is drawn: in the style of prompt or response, bold where the words are the
# entry's own, and with which line around it.
PARTS = {
    "template": (Kind.PROMPT, "normal", ""),
    "instruction": (Kind.PROMPT, "bold", "-"),
    "input": (Kind.PROMPT, "bold", "--"),
    "header": (Kind.PROMPT, "normal", ":"),
    "output": (Kind.RESPONSE, "bold", "-"),
    "closing": (Kind.RESPONSE, "normal", ""),
}


def draw_png(
    steps: BatchSteps,
    substep: str,
    prompt_format: PromptFormat,
    *,
    blocks: bool = False,
    tokenizer: Tokenizer | None = None,
) -> bytes:
    """Draw a batch of entries at a substep, "2.1" to "2.5", as a PNG with 64 colours.

    ``blocks`` shows the whole batch from afar instead of some columns token by token. The tokens
    are the tokenizer's, by default GPT-2's.
    """
    if substep == "2.1":
        figure = _draw_texts(steps, prompt_format)
    elif substep == "2.2":
        shortest = min(map(len, steps.token_ids))
        columns = range(max(0, shortest - 14), shortest)
        figure = draw_tokens(steps, columns, "2.3", tokenizer)
    elif blocks or len(steps.examples) > MOST_ROWS:
        figure = draw_shape(steps, STAGES[substep])
    else:
        columns = _last_columns(steps, substep)
        figure = draw_tokens(steps, columns, STAGES[substep], tokenizer)
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


def _last_columns(steps: BatchSteps, substep: str) -> range:
    """Fourteen columns around the end of the shortest text, seven of them after it."""
    shortest = min(map(len, steps.token_ids))
    # Padded rows have one column more than the inputs and targets that are cut from them.
    width = (steps.padded if substep == "2.3" else steps.inputs).shape[1]
    end = min(width, shortest + 7)
    return range(max(0, end - 14), end)


def _draw_texts(steps: BatchSteps, prompt_format: PromptFormat) -> Figure:
    """Substep 2.1: the texts line by line, prompt and response in their own colours."""
    lines: list[list[tuple[str, str]]] = []
    for entry in steps.entries:
        lines += [*_text_lines(text_parts(entry, prompt_format)), []]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], [("… and more", "")]]
    # Texts are measured at the resolution in which they are saved.
    figure = Figure(figsize=(9, 0.22 * len(lines) + 0.2), dpi=DPI)
    for number, line in enumerate(lines):
        x = 0.01
        for text, part in line:
            piece = _write_piece(figure, x, 1 - (number + 0.7) / len(lines), text, part)
            with missing_glyphs_allowed():
                x += piece.get_window_extent().width / figure.bbox.width + 0.006
    return figure


def _text_lines(parts: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The lines of a text, each as pieces of (text, part); line ends show as ↵."""
    lines: list[list[tuple[str, str]]] = [[]]
    for part, text in parts:
        for line in spell_text(text).replace("\n", "↵\n").splitlines(keepends=True):
            used = sum(len(piece) for piece, _ in lines[-1])
            first, *others = textwrap.wrap(line, LINE_LENGTH, initial_indent=" " * used) or [""]
            lines[-1].append((first[used:], part))
            lines += [[(piece, part)] for piece in others]
            if line.endswith("\n"):
                lines.append([])
    return lines


def _write_piece(figure: Figure, x: float, y: float, text: str, part: str) -> Text:
    color, weight, box = "#1b1f24", "normal", None
    if part:
        kind, weight, line = PARTS[part]
        fill, edge, color, _, _ = STYLES[kind]
        box = {"facecolor": fill, "edgecolor": edge if line else fill, "pad": 1.5}
        box |= {"linestyle": line or "-", "linewidth": 0.8}
    style = {"family": "monospace", "fontsize": 8.5, "weight": weight, "color": color}
    return figure.text(x, y, text, bbox=box, parse_math=False, **style)
