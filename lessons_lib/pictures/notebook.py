"""Shows things in notebooks: pictures in words as well, sources, texts in columns, growing charts.

Only notebooks call these functions. ``LivePlot`` (lesson 09) is a callback for ``train`` and
``load_or_finetune``, which know nothing of it.
"""

import html
import inspect
import time
from collections.abc import Callable, Mapping

from IPython import get_ipython
from IPython.display import DisplayHandle, display
from matplotlib.figure import Figure

from lessons_lib.pictures.charts import describe_history, draw_history
from lessons_lib.pictures.style import small_png
from lessons_lib.training import History, TrainingState


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


class LivePlot:
    """A chart that grows with the run, and stays after its end.

    ``train(…, **LivePlot().callbacks())``, or beside other callbacks: ``on_step=plot``,
    ``on_eval=[plot, EarlyStop()]``, ``on_end=plot.finish``. It is redrawn at most once in ``every``
    seconds, and less often where drawing would take more than a tenth of the time. Its text
    alternative is ``describe_history``. Outside notebooks it does nothing.
    """

    def __init__(
        self,
        title: str = "",
        every: float = 1.0,
        draw: Callable[[History, str], Figure] = draw_history,
    ):
        self.title, self.every, self.draw = title, every, draw
        self._handle: DisplayHandle | None = None
        self._due = 0.0  # by time.monotonic()

    def callbacks(self) -> dict[str, Callable[[TrainingState], None]]:
        """The arguments of ``train`` that connect this chart to a run."""
        return {"on_step": self, "on_eval": self, "on_end": self.finish}

    def __call__(self, state: TrainingState) -> None:
        """Draw the chart if it is time to."""
        if in_notebook() and time.monotonic() >= self._due:
            self._update(state.history)

    def finish(self, state: TrainingState) -> None:
        """Draw the finished run; the next run gets a chart of its own."""
        if in_notebook():
            self._update(state.history)
        self._handle, self._due = None, 0.0

    def _update(self, history: History) -> None:
        started = time.monotonic()
        alt = describe_history(history)
        png = small_png(self.draw(history, self.title))
        bundle = {"image/png": png, "text/plain": f"[picture: {alt}]"}
        metadata = {"image/png": {"alt": alt}}
        if self._handle is None:
            self._handle = display(bundle, raw=True, metadata=metadata, display_id=True)
        else:
            self._handle.update(bundle, raw=True, metadata=metadata)
        now = time.monotonic()
        self._due = now + max(self.every, 9 * (now - started))


def in_notebook() -> bool:
    """Whether a kernel runs this code, so that pictures can be shown and replaced."""
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
