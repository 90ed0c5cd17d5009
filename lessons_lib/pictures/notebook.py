"""Shows things in notebooks: pictures with a text alternative, source code, texts in columns.

Only notebooks call these functions.
"""

import html
import inspect
from collections.abc import Callable, Mapping

from IPython.display import display
from matplotlib.figure import Figure

from lessons_lib.pictures.style import small_png


def show(figure: Figure, alt: str) -> None:
    """Put a figure into the notebook as one small PNG, with ``alt`` as its text alternative."""
    bundle = {"image/png": small_png(figure), "text/plain": f"[picture: {alt}]"}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})


def show_source(function: Callable) -> None:
    """Show a function's source code, highlighted, so that a lesson can read it with you."""
    source = inspect.getsource(function)
    display({"text/markdown": f"```python\n{source}```", "text/plain": source}, raw=True)


def side_by_side(texts: Mapping[str, str]) -> None:
    """Show several texts in columns, each under its name; HTML in them shows as text."""
    cell = "text-align:left;vertical-align:top"
    text_style = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
    columns = "".join(
        f'<td style="{cell}"><b>{html.escape(name)}</b>'
        f'<pre style="{text_style}">{html.escape(text)}</pre></td>'
        for name, text in texts.items()
    )
    plain = "\n\n".join(f"[{name}]\n{text}" for name, text in texts.items())
    table = f'<table style="table-layout:fixed;width:100%"><tr>{columns}</tr></table>'
    display({"text/html": table, "text/plain": plain}, raw=True)
