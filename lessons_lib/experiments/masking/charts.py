"""Pictures of the masking experiment: what each mode measured, and how they differ. Lesson 11."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lessons_lib.evaluation.intervals import Estimate
from lessons_lib.experiments.masking.results import MEASURES, SHARES, MaskingExperiment

# Each mode keeps its colour and its shape from picture to picture.
COLORS = {"none": "#0072b2", "keep-header": "#a4507d", "prompt": "#b97700"}
SHAPES = {"none": "o", "keep-header": "s", "prompt": "^"}
OTHER_COLOR, OTHER_SHAPE = "#00785a", "D"
REFERENCE = "none"  # the mode that others are compared with


def draw_modes(
    experiment: MaskingExperiment, measures: tuple[str, ...] = ("exact", "test_loss")
) -> Figure:
    """One panel per measure: each mode's mean with its interval of 95 %, and its seeds, hollow."""
    modes = experiment.modes
    figure, panels = _panels(len(measures), len(modes))
    for axes, measure in zip(panels, measures, strict=True):
        for row, mode in enumerate(modes):
            interval = experiment.interval(mode, measure)
            _draw_interval(axes, row, mode, interval, _scale(measure))
            seeds = [_scale(measure) * each for each in experiment.seed_means(mode, measure)]
            axes.plot(
                seeds,
                [row + 0.25] * len(seeds),
                linestyle="",
                marker=SHAPES.get(mode, OTHER_SHAPE),
                markersize=4,
                markerfacecolor="none",
                markeredgecolor=COLORS.get(mode, OTHER_COLOR),
            )
        axes.set_yticks(range(len(modes)), modes)
        axes.set_xlabel(_label(measure))
    return figure


def draw_differences(
    experiments: Mapping[str, MaskingExperiment],
    measures: tuple[str, ...] = ("exact", "test_loss"),
) -> Figure:
    """How each mode differs from "none" on each set of entries, with intervals of 95 %.

    An interval that crosses the line at 0 shows no difference.
    """
    rows = [
        (name, mode)
        for name, experiment in experiments.items()
        for mode in experiment.modes
        if mode != REFERENCE
    ]
    figure, panels = _panels(len(measures), len(rows))
    for axes, measure in zip(panels, measures, strict=True):
        for row, (name, mode) in enumerate(rows):
            found = experiments[name].difference(REFERENCE, mode, measure)
            _draw_interval(axes, row, mode, found, _scale(measure))
        axes.axvline(0, color="#4a535c", linewidth=0.8, linestyle="--")
        axes.set_yticks(range(len(rows)), [f"{name}: {mode}" for name, mode in rows])
        better = "better" if MEASURES[measure][1] else "worse"
        axes.set_xlabel(f"{_label(measure, points=True)}\nminus {REFERENCE!r}; right is {better}")
    return figure


def describe_modes(
    experiment: MaskingExperiment, measures: tuple[str, ...] = ("exact", "test_loss")
) -> str:
    """``draw_modes`` in words, as its text alternative."""
    parts = [
        f"{_label(measure)}: "
        + "; ".join(
            f"{mode} {experiment.interval(mode, measure).format(*_form(measure))}"
            for mode in experiment.modes
        )
        for measure in measures
    ]
    return "Means and intervals of 95 % for each mode. " + ". ".join(parts) + "."


def describe_differences(
    experiments: Mapping[str, MaskingExperiment],
    measures: tuple[str, ...] = ("exact", "test_loss"),
) -> str:
    """``draw_differences`` in words, as its text alternative."""
    parts = []
    for measure in measures:
        form, scale = _form(measure)
        told = [
            f"{name}, {mode} "
            + experiment.difference(REFERENCE, mode, measure).format("+" + form, scale)
            for name, experiment in experiments.items()
            for mode in experiment.modes
            if mode != REFERENCE
        ]
        parts.append(f"{_label(measure, points=True)}: " + "; ".join(told))
    return f"Differences from {REFERENCE!r} with intervals of 95 %. " + ". ".join(parts) + "."


def _panels(count: int, rows: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(8, 1.1 + 0.42 * rows), layout="constrained")
    panels = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(rows - 0.5, -0.5)
    return figure, list(panels)


def _draw_interval(axes: Axes, row: int, mode: str, interval: Estimate, scale: float) -> None:
    if interval.value is None:
        return
    value, low, high = (scale * each for each in interval[:3])
    axes.errorbar(
        value,
        row,
        xerr=[
            [max(0.0, value - low)],
            [max(0.0, high - value)],
        ],  # a rounding may put a bound beyond the value
        marker=SHAPES.get(mode, OTHER_SHAPE),
        color=COLORS.get(mode, OTHER_COLOR),
        capsize=3,
    )


def _scale(measure: str) -> float:
    return 100.0 if measure in SHARES else 1.0


def _form(measure: str) -> tuple[str, float]:
    return (".1f" if measure in SHARES else ".3f"), _scale(measure)


def _label(measure: str, points: bool = False) -> str:
    name = MEASURES[measure][0]
    if measure in SHARES:
        return f"{name}, {'points' if points else '%'}"
    return f"{name}, nats a token" if measure == "test_loss" else name
