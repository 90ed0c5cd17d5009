"""What notebooks use to show things: pictures with a text alternative, source code, the next step.

Nothing of the library imports it.
"""

import inspect
import io
from collections.abc import Callable

from IPython.display import Code, display
from matplotlib.figure import Figure
from PIL import Image


def show(figure: Figure, alt: str) -> None:
    """Put a figure into the notebook as one small PNG, with ``alt`` as its text alternative.

    The PNG has a palette of 64 colours, which such drawings do not exceed visibly.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", facecolor="white")
    quantised = io.BytesIO()
    Image.open(buffer).convert("RGB").quantize(64).save(quantised, "PNG", optimize=True)
    png = quantised.getvalue()
    bundle = {"image/png": png, "text/plain": f"[picture: {alt}]"}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})


def show_source(function: Callable) -> None:
    """Print a function's source code, highlighted, so that a lesson can read it with you."""
    display(Code(inspect.getsource(function), language="python"))
