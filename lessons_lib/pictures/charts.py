"""Charts of lengths, padding, training and shares, drawn with matplotlib. Lessons 03 to 09."""

from collections.abc import Mapping, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lessons_lib.batching.cells import Kind
from lessons_lib.pictures.style import STYLES
from lessons_lib.training import History

LINE_COLORS = ("#0072b2", "#b97700", "#a4507d", "#00785a", "#4a535c")
MOST_BARS = 200  # more could not be told apart, and would take seconds to draw
MEASURES = {
    "response_loss": "response loss",
    "validation_loss": "validation loss",
    "train_loss": "training loss, mean of 25 steps",
}


def draw_waste(wastes: Mapping[str, float]) -> Figure:
    """A bar for each way to batch: padding as a share of all cells."""
    figure = Figure(figsize=(8, 0.6 + 0.42 * len(wastes)), layout="constrained")
    axes = figure.subplots()
    style = STYLES[Kind.PADDING]
    bars = axes.barh(
        list(wastes),
        [100 * waste for waste in wastes.values()],
        color=style.fill,
        edgecolor=style.edge,
        hatch=style.hatch,
    )
    axes.bar_label(bars, fmt="%.1f %%", padding=4)
    axes.set_xlim(0, 112)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("padding, % of all cells")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_lengths(lengths: Sequence[int]) -> Figure:
    """A histogram of entries by tokens; neighbouring lengths share a bar where there are many."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    low, high = min(lengths), max(lengths)
    step = -(-(high - low + 1) // MOST_BARS)  # rounded up
    axes.hist(
        lengths,
        bins=range(low, high + step + 1, step),
        color=STYLES[Kind.PROMPT].fill,
        edgecolor=STYLES[Kind.PROMPT].edge,
        linewidth=0.6,
    )
    axes.set_xlabel("tokens in the entry's text")
    axes.set_ylabel("entries")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_history(history: History, title: str = "") -> Figure:
    """Training loss (thin: each step; thick: mean of the last 25) and validation loss by step.

    The response loss has a line of its own unless it is the same as the validation loss.
    """
    figure, axes = _loss_axes(title)
    steps = range(1, history.steps + 1)
    axes.plot(steps, history.train_loss, color=LINE_COLORS[0], alpha=0.25, linewidth=0.8)
    means = _running_mean(history.train_loss)
    axes.plot(steps, means, color=LINE_COLORS[0], label="training, mean of 25 steps")
    checks = [(history.validation_loss, "validation", "o", "--")]
    if history.response_loss != history.validation_loss:
        checks += [(history.response_loss, "validation, response tokens alone", "s", "-.")]
    for color, (losses, label, marker, line) in zip(LINE_COLORS[1:], checks, strict=False):
        if losses:
            style = {"color": color, "marker": marker, "linestyle": line, "label": label}
            axes.plot(history.validation_steps, losses, **style)
    for end in history.epoch_ends[:-1]:
        axes.axvline(end, color="#8a949e", linewidth=0.8, linestyle=":")
    axes.set_xlabel("step (dotted lines: end of an epoch)")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def draw_comparison(
    histories: Mapping[str, History],
    measure: Literal["response_loss", "validation_loss", "train_loss"] | None = None,
    title: str = "",
) -> Figure:
    """One loss of several runs by step, with a line for each run.

    The default ``measure`` is the response loss, which alone compares runs with different masks,
    or, if a run has none, the validation loss. Training losses are means of 25 steps.

    Raises:
        ValueError: no history, an unknown measure, or a history without that loss.
    """
    if not histories:
        raise ValueError("there is no history to draw")
    if measure is None:
        whole = all(history.response_loss for history in histories.values())
        measure = "response_loss" if whole else "validation_loss"
    if measure not in MEASURES:
        raise ValueError(f"measure is one of {', '.join(MEASURES)}, not {measure!r}")
    figure, axes = _loss_axes(title)
    for index, (name, history) in enumerate(histories.items()):
        losses = vars(history)[measure]
        if not losses:
            raise ValueError(f"the history {name!r} has no {measure}")
        steps = history.validation_steps
        style = {"marker": "os^Dv"[index % 5]}
        if measure == "train_loss":
            steps, losses, style = range(1, history.steps + 1), _running_mean(losses), {}
        style["color"] = LINE_COLORS[index % len(LINE_COLORS)]
        style["linestyle"] = ("-", "--", "-.", ":")[index % 4]
        axes.plot(steps, losses, label=name, **style)
    axes.set_xlabel("step")
    axes.set_ylabel(f"{MEASURES[measure]}, nats per target")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def draw_shares(lines: Mapping[str, Mapping[int, float]], title: str, xlabel: str) -> Figure:
    """Shares (0 … 1) by a number, with a line for each name; the numbers' axis is logarithmic."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    for index, (name, shares) in enumerate(lines.items()):
        axes.plot(
            list(shares),
            [100 * share for share in shares.values()],
            label=name,
            marker="os^Dv"[index % 5],
            color=LINE_COLORS[index % len(LINE_COLORS)],
            linestyle=("-", "--", "-.", ":")[index % 4],
        )
    numbers = sorted({number for shares in lines.values() for number in shares})
    axes.set_xscale("log")
    axes.set_xticks(numbers, list(map(str, numbers)))
    axes.minorticks_off()
    axes.set(title=title, xlabel=xlabel, ylabel="%", ylim=(0, 105))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def describe_history(history: History) -> str:
    """The curves of ``draw_history`` in words, as their text alternative."""
    if not history.steps:
        return "A chart of losses by step, before the first step of training."
    last = _running_mean(history.train_loss)[-1]
    words = (
        f"Losses over {history.steps} steps of training. The training loss goes from "
        f"{history.train_loss[0]:.2f} to {last:.2f}, the mean of the last steps."
    )
    if history.validation_loss:
        losses = history.validation_loss
        words += (
            f" The validation loss goes from {losses[0]:.2f} to {losses[-1]:.2f}; "
            f"its lowest, {min(losses):.2f}, is at step {history.best_step}."
        )
    if history.response_loss and history.response_loss != history.validation_loss:
        first, final = history.response_loss[0], history.response_loss[-1]
        words += f" On the response tokens alone it goes from {first:.2f} to {final:.2f}."
    return words


def _loss_axes(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    axes.set_ylabel("loss, nats per target")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _running_mean(values: Sequence[float], span: int = 25) -> list[float]:
    """For each value, the mean of it and the values before it, at most ``span`` in all."""
    parts = (values[max(0, end - span) : end] for end in range(1, len(values) + 1))
    return [sum(part) / len(part) for part in parts]
