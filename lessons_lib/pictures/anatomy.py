"""What a model consists of, and which token it expects next: a picture and tables. Lesson 08."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import nn

from lessons_lib.batching.cells import Kind
from lessons_lib.data import Tokenizer, text_ids, tokenizer_of
from lessons_lib.generation import next_logits
from lessons_lib.models import GPT
from lessons_lib.pictures.spelling import token_words
from lessons_lib.pictures.style import STYLES, Style
from lessons_lib.support import Table

# What a part's parameters have in their names; what it is called, and what it is. The norms are
# last, and looked for first: "attention_norm" is one.
PARTS = {
    "token_embedding": ("token embedding", "{rows} vectors of {width} numbers; also the head"),
    "position_embedding": ("position embedding", "{places} vectors of {width} numbers"),
    "attention": ("attention", "in {blocks} blocks: four matrices, {width} × {width}"),
    "network": ("networks", "in {blocks} blocks: two matrices, {width} × {wide} and back"),
    "norm": ("norms", "{norms} × {width} numbers to multiply by, and to add"),
}
# The lines of the picture, from top to bottom: how far down, and what is said beside them
TOKENS, VECTORS, ATTENTION, NETWORK, NORM, HEAD, NEXT = 0.0, 1.5, 3.7, 4.9, 6.4, 7.6, 8.8
NOTES = {
    TOKENS: "tokens and their ids",
    VECTORS: "{width} numbers each: the vector of the\ntoken, plus that of its position",
    2.85: "{blocks} blocks like this, one after another",
    ATTENTION: "attention: each position takes in\nfrom itself and from those before it",
    NETWORK: "a small network works\non each position alone",
    NORM: "a norm keeps numbers in range",
    HEAD: "the head: a score for each token,\nits logit",
    NEXT: "the likeliest next token",
}
PLAIN = Style("#f4f6f8", "#4a535c", "#1b1f24", "", "-")


def parameter_table(model: GPT) -> Table:
    """How many parameters each part of the model has."""
    counts = dict.fromkeys(PARTS, 0)
    for name, weight in model.named_parameters():
        counts[next(part for part in reversed(PARTS) if part in name)] += weight.numel()
    total = sum(counts.values())
    words = sizes_of(model)
    rows = [
        (*(text.format(**words) for text in PARTS[part]), f"{count:,}", f"{count / total:.1%}")
        for part, count in counts.items()
    ]
    rows.append(("in all", "", f"{total:,}", "100.0%"))
    return Table(("part", "what it is", "parameters", "share"), tuple(rows))


def sizes_of(model: GPT) -> dict[str, str]:
    """The sizes that the table and the picture name, as texts."""
    config = model.config
    sizes = {
        "rows": len(model.token_embedding.weight),
        "vocabulary": config.vocabulary_size,
        "places": config.context_length,
        "width": config.width,
        "wide": 4 * config.width,
        "blocks": config.layers,
        "norms": 2 * config.layers + 1,
    }
    return {name: f"{size:,}" for name, size in sizes.items()}


@torch.no_grad()
def next_probabilities(
    model: nn.Module, text: str, tokenizer: Tokenizer | None = None
) -> torch.Tensor:
    """The probability that the model gives each token to come next after a text, (vocabulary,).

    The default ``tokenizer`` is the model's own, or GPT-2's.
    """
    tokenizer = tokenizer or tokenizer_of(model)
    return next_logits(model, [text_ids(text, tokenizer)])[0].softmax(-1)


def likeliest_next(
    model: nn.Module, text: str, count: int = 5, tokenizer: Tokenizer | None = None
) -> Table:
    """The ``count`` likeliest tokens after a text, each with its probability."""
    tokenizer = tokenizer or tokenizer_of(model)
    best = next_probabilities(model, text, tokenizer).topk(count)
    rows = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return Table(
        ("next token", "probability"),
        tuple((repr(tokenizer.decode([token])), f"{share:.1%}") for token, share in rows),
    )


def draw_transformer(model: GPT, text: str) -> Figure:
    """Draw a text's way through the model, from its tokens down to the likeliest next one.

    A column is a position; what leads to the next token is drawn with thick lines.
    """
    tokenizer, words = tokenizer_of(model), sizes_of(model)
    ids = text_ids(text, tokenizer)
    last = len(ids) - 1
    figure, axes = _columns(len(ids))
    for column, token_id in enumerate(ids):
        word, thick = token_words(token_id, tokenizer)[0], column == last
        _box(axes, column, TOKENS, f"{word}\n{token_id}", STYLES[Kind.PROMPT])
        _box(axes, column, VECTORS, f"vector, at\nposition {column}", PLAIN)
        _box(axes, column, ATTENTION, "attention", PLAIN)
        _box(axes, column, NETWORK, "network", PLAIN)
        _box(axes, column, NORM, "norm", PLAIN)
        _arrow(axes, (column, TOKENS), (column, VECTORS), thick)
        for earlier in range(column + 1):
            _arrow(axes, (earlier, VECTORS), (column, ATTENTION), thick)
        _arrow(axes, (column, ATTENTION), (column, NETWORK), thick)
        _arrow(axes, (column, NETWORK), (column, NORM), thick)
    _arrow(axes, (last, NORM), (last, HEAD), True)
    _box(axes, last, HEAD, f"{words['vocabulary']}\nlogits", PLAIN)
    _arrow(axes, (last, HEAD), (last, NEXT), True)
    chance, best = next_probabilities(model, text, tokenizer).max(0)
    word = token_words(int(best), tokenizer)[0]
    _box(axes, last, NEXT, f"{word}\n{chance:.1%}", STYLES[Kind.RESPONSE])
    for y, note in NOTES.items():
        axes.text(last + 0.65, y, note.format(**words), fontsize=9, va="center")
    return figure


def _columns(count: int) -> tuple[Figure, Axes]:
    """Axes with x in columns and y downwards, the frame of a block, and room for notes."""
    figure = Figure(figsize=(1.05 * count + 3.2, 6.6), layout="constrained")
    axes = figure.subplots()
    axes.set_xlim(-0.6, count + 2.6)
    axes.set_ylim(NEXT + 0.5, TOKENS - 0.5)
    axes.set_axis_off()
    shape = {"boxstyle": "round,pad=0,rounding_size=0.1", "facecolor": "white"}
    frame = FancyBboxPatch((-0.55, 2.6), count + 0.1, 2.9, edgecolor="#0072b2", lw=1.6, **shape)
    axes.add_patch(frame)
    return figure, axes


def _box(axes: Axes, x: float, y: float, text: str, style: Style) -> None:
    shape = {"boxstyle": "round,pad=0,rounding_size=0.1", "linewidth": 1}
    colors = {"facecolor": style.fill, "edgecolor": style.edge}
    axes.add_patch(FancyBboxPatch((x - 0.43, y - 0.33), 0.86, 0.66, **shape, **colors))
    axes.text(
        x, y, text, fontsize=8.5, ha="center", va="center", color=style.text, parse_math=False
    )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], thick: bool) -> None:
    """From the lower edge of one box to the upper edge of another."""
    (x, y), (to_x, to_y) = start, end
    line = {"lw": 1.6, "color": "#1b1f24"} if thick else {"lw": 0.7, "color": "#8a949e"}
    axes.annotate("", (to_x, to_y - 0.34), (x, y + 0.34), arrowprops={"arrowstyle": "->", **line})
