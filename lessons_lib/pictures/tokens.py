"""Still pictures of batches, drawn with matplotlib. Lessons 04 to 07.

Kinds of token differ in colour, in outline and in mark, so that the pictures can be read without
colour. ``notebook.show`` puts a picture into a notebook.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch

from lessons_lib.batching import BatchSteps
from lessons_lib.batching.cells import Kind, padded_kinds, target_kinds
from lessons_lib.data import IGNORE_INDEX, Tokenizer, get_tokenizer
from lessons_lib.labels import LabelledRow
from lessons_lib.labels.tokens import TokenReader
from lessons_lib.pictures.spelling import spell_token, token_words
from lessons_lib.pictures.style import STYLES

COLUMNS, MOST_LINES = 14, 3  # of a row of labels
KINDS = {
    "prompt": Kind.PROMPT,
    "header": Kind.PROMPT,
    "response": Kind.RESPONSE,
    "stop": Kind.END,
    "padding": Kind.PADDING,
}


def draw_tokens(
    steps: BatchSteps,
    columns: Sequence[int] | None = None,
    stage: str = "2.5",
    tokenizer: Tokenizer | None = None,
) -> Figure:
    """Draw some columns of a batch, token by token: inputs and, from substep 2.4 on, targets.

    ``stage`` is "2.3" (padded rows), "2.4" (shifted targets), "2.5" (padding masked) or "final"
    (with the instruction mask). ``columns`` are indices; the default is the last 14.
    """
    targets = _stage_targets(steps, stage)
    width = steps.inputs.shape[1] if targets is not None else steps.padded.shape[1]
    columns = list(columns if columns is not None else range(max(0, width - 14), width))
    lines = 1 if targets is None else 2
    figure, axes = _canvas(len(columns), len(steps.examples) * (lines + 0.35))
    kinds = padded_kinds(steps)
    marks = target_kinds(steps, targets) if targets is not None else None
    tokenizer = tokenizer or get_tokenizer()
    for row in range(len(steps.examples)):
        top = row * (lines + 0.35)
        name = f"#{row}" if targets is None else f"#{row} inputs"
        axes.text(-0.2, top + 0.5, name, ha="right", va="center", fontsize=9, weight="bold")
        if targets is not None:
            axes.text(-0.2, top + 1.5, "targets", ha="right", va="center", fontsize=9)
        for x, column in enumerate(columns):
            token = int(steps.padded[row, column])
            _cell(axes, x, top, kinds[row][column], token, token, tokenizer)
            if targets is not None:
                before, after = int(steps.shifted[row, column]), int(targets[row, column])
                _cell(axes, x, top + 1, marks[row][column], before, after, tokenizer)
                if not marks[row][column].ignored:
                    _underline(axes, x, top + 1)
    for x, column in enumerate(columns):
        axes.text(x + 0.5, -0.15, str(column), ha="center", va="bottom", fontsize=8)
    shown = {kind for row in kinds for kind in row}
    shown |= {kind for row in marks or [] for kind in row}
    _legend(figure, shown, counts=targets is not None)
    return figure


def draw_shape(steps: BatchSteps, stage: str = "final") -> Figure:
    """Draw a whole batch from afar, a strip per row: its padded tokens, or its targets."""
    targets = _stage_targets(steps, stage)
    rows = padded_kinds(steps) if targets is None else target_kinds(steps, targets)
    figure = Figure(figsize=(9, 0.6 + 0.28 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for number, kinds in enumerate(rows):
        start = 0
        for column in range(1, len(kinds) + 1):
            if column == len(kinds) or kinds[column] != kinds[start]:
                fill, edge, _, hatch, line = STYLES[kinds[start]]
                axes.barh(
                    number,
                    column - start,
                    left=start,
                    height=0.8,
                    facecolor=fill,
                    edgecolor=edge,
                    hatch=hatch,
                    linestyle=line,
                    linewidth=0.8,
                )
                start = column
    axes.set_yticks(range(len(rows)), [f"#{number}" for number in range(len(rows))])
    axes.invert_yaxis()
    axes.set_xlabel("position" if targets is None else "position of the target")
    axes.spines[["top", "right", "left"]].set_visible(False)
    _legend(figure, {kind for row in rows for kind in row}, counts=False)
    return figure


def draw_labels(row: LabelledRow, tokens: TokenReader) -> Figure:
    """Draw a row of anybody's labels: inputs above what is predicted there, −100 struck through.

    A row of more than 42 columns is shown where it matters: around its first live target, around
    the start of its second text, if it is packed, and around its last live target.
    """
    windows = label_windows(row)
    figure, axes = _canvas(COLUMNS, len(windows) * 2.9 - 0.4)
    shown = set()
    for number, columns in enumerate(windows):
        top = number * 2.9
        axes.text(-0.2, top + 0.5, "inputs", ha="right", va="center", fontsize=9, weight="bold")
        axes.text(-0.2, top + 1.5, "targets", ha="right", va="center", fontsize=9)
        for x, column in enumerate(columns):
            token = row.input_ids[column]
            kind, target_kind = KINDS[row.kinds[column]], _target_kind(row, column)
            draw_cell(axes, x, top, kind, _token_text(token, kind, tokens), str(token))
            draw_cell(axes, x, top + 1, target_kind, *_target_text(row, column, tokens))
            if not target_kind.ignored:
                _underline(axes, x, top + 1)
            axes.text(x + 0.5, top - 0.15, str(column), ha="center", va="bottom", fontsize=8)
            shown |= {kind, target_kind}
    _legend(figure, shown, counts=True, elsewhere="−100 elsewhere")
    return figure


def label_windows(row: LabelledRow) -> list[range]:
    """The columns of a row that its picture shows, up to three lines of 14."""
    length = len(row.input_ids)
    starts = list(range(0, length, COLUMNS))
    if len(starts) > MOST_LINES:
        live = [column for column, target in enumerate(row.targets) if target != IGNORE_INDEX]
        seconds = row.segments.index(2) if 2 in row.segments else 0
        middles = sorted({live[0], seconds, live[-1]} if live else {0, seconds})
        starts = [min(max(0, middle - COLUMNS // 2), length - COLUMNS) for middle in middles]
        starts = [s for s, before in zip(starts, [-COLUMNS, *starts], strict=False) if s > before]
    return [range(start, min(start + COLUMNS, length)) for start in starts[:MOST_LINES]]


def _target_kind(row: LabelledRow, column: int) -> Kind:
    """The kind of the token that is predicted at a column, or why it does not count."""
    if row.targets[column] == IGNORE_INDEX:
        on_prompt = row.reasons[column] in ("prompt", "header", "turn")
        return Kind.IGNORED_PROMPT if on_prompt else Kind.IGNORED_PADDING
    return KINDS[row.kinds[min(column + 1, len(row.kinds) - 1)]]


def _target_text(row: LabelledRow, column: int, tokens: TokenReader) -> tuple[str, str]:
    """The two lines of a target's cell; an ignored one shows what it replaced."""
    kind, target = _target_kind(row, column), row.targets[column]
    if not kind.ignored:
        return _token_text(target, kind, tokens), str(target)
    follows = row.input_ids[column + 1] if column + 1 < len(row.input_ids) else None
    return "−100", "" if follows is None else _shortened(spell_token(tokens.piece(follows)))


def _token_text(token: int, kind: Kind, tokens: TokenReader) -> str:
    return "pad" if kind == Kind.PADDING else spell_token(tokens.piece(token))


def _stage_targets(steps: BatchSteps, stage: str):
    stages = {
        "2.3": None,
        "2.4": steps.shifted,
        "2.5": steps.padding_masked,
        "final": steps.targets,
    }
    if stage not in stages:
        raise ValueError(f"stage is one of {', '.join(stages)}, not {stage!r}")
    return stages[stage]


def _canvas(columns: int, height: float) -> tuple[Figure, Axes]:
    """Axes measured in cells, x to the right and y downwards, with room for row names."""
    inches = 0.42 * (height + 0.6) + 0.3  # 0.3: the legend below
    figure = Figure(figsize=(0.72 * (columns + 1.6), inches), layout="constrained")
    axes = figure.subplots()
    axes.set_xlim(-1.6, columns)
    axes.set_ylim(height, -0.6)
    axes.set_axis_off()
    return figure, axes


def _cell(
    axes: Axes, x: float, y: float, kind: Kind, before: int, after: int, tokenizer: Tokenizer
) -> None:
    """Draw a token as its text above its id; an ignored one as −100 above the id it replaces."""
    names = {Kind.PADDING: "pad", Kind.END: "■ end"}
    word = names.get(kind) or token_words(before, tokenizer)[0]
    upper, lower = ("−100", str(before)) if kind.ignored else (word, str(after))
    draw_cell(axes, x, y, kind, upper, lower)


def draw_cell(axes: Axes, x: float, y: float, kind: Kind, upper: str, lower: str) -> None:
    """Draw a cell of this kind with two lines of text; what is ignored has the lower one struck."""
    fill, edge, color, hatch, line = STYLES[kind]
    rounding = 0.18 if kind == Kind.RESPONSE else 0.02
    box = FancyBboxPatch(
        (x + 0.06, y + 0.08),
        0.88,
        0.84,
        boxstyle=f"round,pad=0,rounding_size={rounding}",
        facecolor=fill,
        edgecolor=edge,
        hatch=hatch,
        linestyle=line,
        linewidth=1,
    )
    axes.add_patch(box)
    center = {"ha": "center", "va": "center", "color": color, "parse_math": False}
    axes.text(x + 0.5, y + 0.34, _shortened(upper), fontsize=8, **center)
    axes.text(x + 0.5, y + 0.7, lower, fontsize=6.5, **center)
    if kind.ignored and lower:
        axes.plot([x + 0.22, x + 0.78], [y + 0.7, y + 0.7], color=color, linewidth=0.6)


def _underline(axes: Axes, x: float, y: float) -> None:
    """Draw the thick bar below a target that counts in the loss."""
    axes.plot([x + 0.12, x + 0.88], [y + 0.92, y + 0.92], color="#1b1f24", linewidth=2.2)


def _shortened(text: str, limit: int = 8) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _legend(
    figure: Figure, kinds: set[Kind], counts: bool, elsewhere: str = "−100 on padding"
) -> None:
    patches = []
    for kind, (fill, edge, _, hatch, line) in STYLES.items():
        if kind in kinds:
            name = {
                Kind.IGNORED_PADDING: elsewhere,
                Kind.IGNORED_PROMPT: "−100 on the prompt",
            }.get(kind, kind)
            style = {"facecolor": fill, "edgecolor": edge, "hatch": hatch, "linestyle": line}
            patches.append(Patch(label=name, **style))
    if counts:
        patches.append(Line2D([], [], color="#1b1f24", linewidth=2.2, label="counts in the loss"))
    figure.legend(
        handles=patches, loc="outside lower center", ncols=len(patches), frameon=False, fontsize=8
    )
