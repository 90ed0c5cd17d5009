"""How the course's pictures look: a palette for the kinds of token, and small PNG files.

Kinds of token differ in colour, in outline and in mark, so that the pictures can be read without
colour.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from lessons_lib.batching.cells import Kind


class Style(NamedTuple):
    """How a kind of token is drawn; ``line`` is the line style of its edge."""

    fill: str
    edge: str
    text: str
    hatch: str
    line: str


# The course's palette, after Okabe and Ito
STYLES = {
    Kind.PROMPT: Style("#d9ecfa", "#0072b2", "#06263b", "", "-"),
    Kind.RESPONSE: Style("#fde6b3", "#b97700", "#3a2600", "", "-"),
    Kind.END: Style("#a84300", "#a84300", "#ffffff", "", "-"),
    Kind.PADDING: Style("#eceff2", "#8a949e", "#4a535c", "///", "-"),
    Kind.IGNORED_PADDING: Style("#ffffff", "#8a949e", "#4a535c", "", "--"),
    Kind.IGNORED_PROMPT: Style("#fbeaf3", "#a4507d", "#6d2a50", "", ":"),
}

DPI = 110  # of every picture


@contextmanager
def missing_glyphs_allowed() -> Iterator[None]:
    """Suppress warnings of missing glyphs: a script that the font lacks is drawn as boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def small_png(figure: Figure) -> bytes:
    """The figure as a PNG with a palette of 64 colours; such drawings hardly need more."""
    drawn, quantised = io.BytesIO(), io.BytesIO()
    with missing_glyphs_allowed():
        figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight", facecolor="white")
    Image.open(drawn).convert("RGB").quantize(64).save(quantised, "PNG", optimize=True)
    return quantised.getvalue()


matplotlib.rcParams["hatch.linewidth"] = 0.4
