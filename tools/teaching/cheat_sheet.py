"""The five substeps on one page, as SVG: ``python -m tools.teaching.cheat_sheet > sheet.svg``.

Every token, id and shape on it comes from ``collate_steps``, run on two short entries.
"""

import html
import sys
from collections.abc import Sequence

from lessons_lib.batching import BatchSteps, collate_steps
from lessons_lib.batching.cells import Kind, padded_kinds, target_kinds
from lessons_lib.data import PromptFormat, get_tokenizer
from lessons_lib.pictures.style import STYLES

WIDTH, HEIGHT = 794, 1123  # an A4 page at 96 pixels an inch
LEFT, CELL, ROW = 44, 62, 36  # pixels
SHORT = PromptFormat("short", lambda entry: entry["instruction"], "\n###\n")
ENTRIES = (
    {"instruction": "Add 2 and 3.", "input": "", "output": "5"},
    {"instruction": "Say hi.", "input": "", "output": "Hi"},
)
DASHES = {"-": "", "--": "4 3", ":": "1.5 2.5"}
STYLE = """
text { font-family: system-ui, sans-serif; fill: #1b1f24; }
.title { font-size: 22px; font-weight: 700; } .step { font-size: 15px; font-weight: 700; }
.code { font: 12px ui-monospace, monospace; } .why { font-size: 12.5px; fill: #333b44; }
.token { font: 600 12px ui-monospace, monospace; text-anchor: middle; }
.id { font: 10.5px ui-monospace, monospace; text-anchor: middle; }
.side { font-size: 11px; fill: #4a535c; } .line { stroke: #d4d9de; }
"""
Cells = Sequence[tuple[int, Kind]]


def cheat_sheet() -> str:
    """The page."""
    steps = collate_steps(ENTRIES, prompt_format=SHORT, instruction_mask="prompt")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{html.escape(in_words(steps))}</title>",
        f"<style>{STYLE}</style>",
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="6" height="6" fill="#eceff2"/>'
        '<line x1="0" y1="0" x2="0" y2="6" stroke="#b3bac1" stroke-width="2"/></pattern></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 44, "From entries to a batch: the five substeps", "title"),
        _text(
            LEFT,
            65,
            "Two entries, in a short prompt format so that they fit on a page. ␣ is a space, "
            "↵ a line end.",
            "why",
        ),
    ]
    at = 96
    for panel in _panels(steps):
        parts += panel(at)
        at += panel.height
    return "\n".join([*parts, *_legend(at), "</svg>", ""])


class _Panel:
    """One substep: what it is called, the call, why, and rows of cells with a name at each."""

    def __init__(
        self,
        name: str,
        call: str,
        why: str,
        rows: Sequence[tuple[str, Cells]] = (),
        texts: Sequence[str] = (),
        live: bool = False,
    ):
        self.name, self.call, self.why = name, call, why
        self.rows, self.texts, self.live = rows, texts, live
        self.height = 62 + 20 * len(texts) + ROW * len(rows)

    def __call__(self, y: int) -> list[str]:
        parts = [
            f'<line class="line" x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{y - 18}" y2="{y - 18}"/>',
            _text(LEFT, y, self.name, "step"),
            _text(LEFT + 216, y, self.call, "code"),
            _text(LEFT, y + 18, self.why, "why"),
        ]
        y += 30
        for text in self.texts:
            parts.append(_text(LEFT + 52, y + 12, text, "code"))
            y += 20
        for name, cells in self.rows:
            parts.append(_text(LEFT, y + 20, name, "side"))
            for column, (token_id, kind) in enumerate(cells):
                parts += _cell(LEFT + 52 + CELL * column, y, token_id, kind, self.live)
            y += ROW
        return parts


def _panels(steps: BatchSteps) -> list[_Panel]:
    kinds = padded_kinds(steps)
    inputs, targets = steps.inputs.tolist(), steps.shifted.tolist()
    unmasked = target_kinds(steps, steps.shifted)
    rows, length = steps.inputs.shape
    batch = f"({rows}, {length})"
    shifted = []
    for row in range(rows):
        shifted.append((f"inputs {row}", list(zip(inputs[row], kinds[row][:-1], strict=True))))
        shifted.append((f"targets {row}", list(zip(targets[row], unmasked[row], strict=True))))
    return [
        _Panel(
            "2.1 Apply the template",
            "apply_template(entry) → str",
            "A model is trained on texts. Whatever announces the response in training must stand "
            "there in use, too.",
            texts=[_spelled(text) for text in steps.texts],
        ),
        _Panel(
            "2.2 Tokenize",
            "tokenize(text) → list[int]",
            "Each text becomes token ids, as many as it needs. Nothing is added yet.",
            rows=[
                (f"row {row}", list(zip(ids, kinds[row], strict=False)))
                for row, ids in enumerate(steps.token_ids)
            ],
        ),
        _Panel(
            "2.3 Pad",
            f"pad(rows) → (batch, length + 1) = {tuple(steps.padded.shape)}",
            "A tensor is a rectangle. Each row gets its end of text, then padding; both have the "
            "id 50256.",
            rows=_named("row", steps.padded.tolist(), kinds),
        ),
        _Panel(
            "2.4 Shift",
            f"shift_targets(padded) → inputs and targets, each {batch}",
            "targets[:, t] is what the model must predict after reading inputs[:, : t + 1]. "
            "Nowhere else is anything shifted.",
            rows=shifted,
        ),
        _Panel(
            "2.5 Mask padding",
            f"mask_padding(targets, lengths) → {batch}",
            "−100 means: no target. Padding is found by the row's length, not by its value; its "
            "end of text counts.",
            rows=_targets(steps, steps.padding_masked),
            live=True,
        ),
        _Panel(
            "Mask the prompt",
            f"mask_instructions(targets, prompt_lengths) → {batch}",
            "If you ask for it. A prompt of p tokens has p − 1 targets; what its last token must "
            "predict is response.",
            rows=_targets(steps, steps.targets),
            live=True,
        ),
    ]


def _named(name: str, rows: Sequence[Sequence[int]], kinds: Sequence[Sequence[Kind]]) -> list:
    pairs = zip(rows, kinds, strict=True)
    return [(f"{name} {i}", list(zip(*both, strict=True))) for i, both in enumerate(pairs)]


def _targets(steps: BatchSteps, targets) -> list:
    return _named("targets", targets.tolist(), target_kinds(steps, targets))


def _cell(x: int, y: int, token_id: int, kind: Kind, live: bool) -> list[str]:
    """A token over its id; a bar below it if it is a target that counts."""
    style = STYLES[kind]
    fill = "url(#hatch)" if style.hatch else style.fill
    dash = f' stroke-dasharray="{DASHES[style.line]}"' if DASHES[style.line] else ""
    parts = [
        f'<rect x="{x}" y="{y}" width="{CELL - 4}" height="{ROW - 6}" rx="3" fill="{fill}" '
        f'stroke="{style.edge}"{dash}/>'
    ]
    middle = x + (CELL - 4) / 2
    color = f' style="fill: {style.text}"'
    token = {Kind.END: "end", Kind.PADDING: "pad"}.get(kind) or _spelled(_token(token_id))
    if kind.ignored:
        parts.append(f'<text class="token" x="{middle}" y="{y + 19}"{color}>−100</text>')
    else:
        shown = html.escape(token)
        parts.append(f'<text class="token" x="{middle}" y="{y + 13}"{color}>{shown}</text>')
        parts.append(f'<text class="id" x="{middle}" y="{y + 25}"{color}>{token_id}</text>')
    if live and not kind.ignored:
        parts.append(
            f'<rect x="{x}" y="{y + ROW - 7}" width="{CELL - 4}" height="4" fill="#1b1f24"/>'
        )
    return parts


def _token(token_id: int) -> str:
    return get_tokenizer().decode([token_id]) if token_id >= 0 else ""


def _spelled(text: str) -> str:
    return text.replace(" ", "␣").replace("\n", "↵")


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x}" y="{y}">{html.escape(text)}</text>'


def _legend(y: int) -> list[str]:
    """What the kinds look like, and what a bar means."""
    names = {
        Kind.PROMPT: "prompt",
        Kind.RESPONSE: "response",
        Kind.END: "end of text",
        Kind.PADDING: "padding",
        Kind.IGNORED_PADDING: "ignored: padding",
        Kind.IGNORED_PROMPT: "ignored: prompt",
    }
    line = f'<line class="line" x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{y - 18}" y2="{y - 18}"/>'
    parts = [line]
    for place, (kind, name) in enumerate(names.items()):
        style, x = STYLES[kind], LEFT + (0, 90, 190, 304, 404, 546)[place]
        fill = "url(#hatch)" if style.hatch else style.fill
        dash = f' stroke-dasharray="{DASHES[style.line]}"' if DASHES[style.line] else ""
        parts.append(
            f'<rect x="{x}" y="{y - 9}" width="20" height="14" rx="2" fill="{fill}" '
            f'stroke="{style.edge}"{dash}/>'
        )
        parts.append(_text(x + 26, y + 2, name, "side"))
    rules = (
        "A thick bar below a target: it counts in the loss, −log of the probability that the model "
        "gave it.",
        "The loss is the mean over all targets that count, also over several batches of one step.",
        "All of it in one call: collate_steps(entries, instruction_mask=“prompt”), from "
        "lessons_lib.batching.",
    )
    return parts + [_text(LEFT, y + 30 + 18 * n, rule, "why") for n, rule in enumerate(rules)]


def in_words(steps: BatchSteps) -> str:
    """The page's text alternative, with its numbers."""
    rows, length = steps.inputs.shape
    counted = (steps.targets >= 0).sum().item()
    return (
        f"The five substeps on {rows} entries: the template makes texts, the tokenizer makes rows "
        f"of {' and '.join(str(len(ids)) for ids in steps.token_ids)} token ids, padding makes a "
        f"tensor of {rows} by {length + 1}, the shift makes inputs and targets of {rows} by "
        f"{length}, and the masks leave {counted} targets that count: the responses and their ends "
        "of text."
    )


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(cheat_sheet())
