"""What notebooks use to show things: pictures with a text alternative, source code, the next step.

Nothing of the library imports it.
"""

import html
import inspect
import io
from collections.abc import Callable, Mapping

from IPython.display import display
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
    source = inspect.getsource(function)
    display({"text/markdown": f"```python\n{source}```", "text/plain": source}, raw=True)


def side_by_side(texts: Mapping[str, str]) -> None:
    """Show several texts in columns, each under its name; their content is never run as HTML."""
    columns = "".join(
        f'<td style="text-align:left;vertical-align:top"><b>{html.escape(name)}</b>'
        f'<pre style="white-space:pre-wrap">{html.escape(text)}</pre></td>'
        for name, text in texts.items()
    )
    plain = "\n\n".join(f"[{name}]\n{text}" for name, text in texts.items())
    table = f"<table><tr>{columns}</tr></table>"
    display({"text/html": table, "text/plain": plain}, raw=True)
