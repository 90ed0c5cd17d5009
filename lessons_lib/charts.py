"""Charts of lengths, padding and training, drawn with matplotlib. Lessons 03, 04, 07 and 09."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from lessons_lib.figures import STYLES
from lessons_lib.kinds import INSTRUCTION, PADDING
from lessons_lib.training import History

LINE_COLORS = ("#0072b2", "#b97700", "#a4507d")


def draw_waste(wastes: Mapping[str, float]) -> Figure:
    """Padding as a share of all cells, one bar for each way to batch."""
    figure = Figure(figsize=(8, 0.6 + 0.42 * len(wastes)), layout="constrained")
    axes = figure.subplots()
    _, edge, _, _, _ = STYLES[PADDING]
    bars = axes.barh(
        list(wastes), [100 * waste for waste in wastes.values()], color="#eceff2", edgecolor=edge
    )
    for bar in bars:
        bar.set_hatch("///")
    axes.bar_label(bars, fmt="%.1f %%", padding=4)
    axes.set_xlim(0, 112)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("padding, % of all cells")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_lengths(lengths: Sequence[int]) -> Figure:
    """How many entries have how many tokens."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.hist(
        lengths,
        bins=range(min(lengths), max(lengths) + 2),
        color=STYLES[INSTRUCTION][0],
        edgecolor=STYLES[INSTRUCTION][1],
        linewidth=0.6,
    )
    axes.set_xlabel("tokens in the entry's text")
    axes.set_ylabel("entries")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_history(history: History, title: str = "") -> Figure:
    """Training loss (thin: each step; thick: mean of the 25 last) and validation loss by step."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    steps = range(1, history.steps + 1)
    axes.plot(steps, history.train_loss, color=LINE_COLORS[0], alpha=0.25, linewidth=0.8)
    means = [_mean(history.train_loss[max(0, i - 25) : i]) for i in steps]
    axes.plot(steps, means, color=LINE_COLORS[0], label="training, mean of 25 steps")
    if history.validation_loss:
        axes.plot(
            history.validation_steps,
            history.validation_loss,
            color=LINE_COLORS[1],
            marker="o",
            linestyle="--",
            label="validation",
        )
    for end in history.epoch_ends[:-1]:
        axes.axvline(end, color="#8a949e", linewidth=0.8, linestyle=":")
    axes.set_xlabel("step (dotted lines: end of an epoch)")
    axes.set_ylabel("loss, nats a target")
    axes.set_ylim(bottom=0)
    axes.set_title(title)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
