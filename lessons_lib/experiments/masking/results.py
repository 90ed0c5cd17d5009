"""What the masking experiment found: tables, differences with intervals, verdicts. Lesson 11.

Runs differ by their seeds, and test entries are a sample; a difference must stand out against both.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean
from typing import Any

import numpy as np

from lessons_lib.evaluation.intervals import FEWEST, Estimate, seeds_and_entries_interval
from lessons_lib.experiments.masking.runs import AnswerMarks, MaskingRun
from lessons_lib.experiments.masking.settings import Setting, setting_losses
from lessons_lib.support import Table

# Name of a measure: how tables call it, and whether more of it is better.
MEASURES = {
    "exact": ("exact match", True),
    "sentences": ("sentences right", True),
    "rouge_l": ("ROUGE-L", True),
    "stopped": ("stopped by itself", True),
    "test_loss": ("test response loss", False),
}
SHARES = ("exact", "sentences", "stopped")  # of which differences are told in points


@dataclass(frozen=True)
class MaskingExperiment:
    """All runs of an experiment, in one order of modes, epochs, learning rates and seeds.

    ``about`` says how they were made: the recipe, and what else is worth knowing.
    """

    runs: list[MaskingRun]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def modes(self) -> list[str]:
        return list(dict.fromkeys(run.mode for run in self.runs))

    def chosen_runs(self, mode: str) -> list[MaskingRun]:
        """The runs of a mode whose test entries were measured: those at its setting, by seed.

        Raises:
            KeyError: there is no such mode.
        """
        found = [run for run in self.runs if run.mode == mode and run.answers]
        if not found:
            raise KeyError(f"the modes are {', '.join(self.modes)}, not {mode!r}")
        return sorted(found, key=lambda run: run.seed)

    @property
    def entries(self) -> int:
        """How many test entries each run answered."""
        return len(self.chosen_runs(self.modes[0])[0].answers)

    @property
    def seeds(self) -> int:
        """How many runs a mode has at its chosen setting."""
        return len(self.chosen_runs(self.modes[0]))

    def rate(self, mode: str) -> float:
        """The learning rate chosen for a mode."""
        return self.setting(mode).learning_rate

    def setting(self, mode: str) -> Setting:
        """The number of epochs and the learning rate chosen for a mode."""
        return Setting.of(self.chosen_runs(mode)[0])

    def gap(self, mode: str) -> tuple[float, float, float]:
        """Train and test response loss after the run, and test minus train: means over the seeds.

        Raises:
            KeyError: there is no such mode.
        """
        train = fmean(run.train_loss for run in self.chosen_runs(mode))
        test = fmean(run.test_loss for run in self.chosen_runs(mode))
        return train, test, test - train

    def rates_table(self) -> Table:
        """Mean validation response loss by mode, epochs and learning rate; a star marks the choice.

        Means are over the seeds that every setting of the mode was tried with.
        """
        losses = setting_losses(self.runs)
        rates = sorted({run.learning_rate for run in self.runs})
        rows = []
        for mode in self.modes:
            for epochs in sorted({setting.epochs for setting in losses[mode]}):
                settings = [Setting(epochs, rate) for rate in rates]
                cells = [
                    ("diverged" if math.isinf(loss := losses[mode][setting]) else f"{loss:.4f}")
                    + (" *" if setting == self.setting(mode) else "")
                    if setting in losses[mode]
                    else "–"
                    for setting in settings
                ]
                rows.append((mode, str(epochs), *cells))
        return Table(("mode", "epochs", *(f"{rate:g}" for rate in rates)), tuple(rows))

    def interval(self, mode: str, measure: str) -> Estimate:
        """A mode's mean of a measure ("exact", "rouge_l", "stopped", "test_loss").

        Entries for which ROUGE-L is not defined are left out of it.

        Raises:
            KeyError: there is no such mode or measure.
        """
        return _interval(*self.values(mode, measure))

    def difference(self, first: str, second: str, measure: str, comparisons: int = 1) -> Estimate:
        """How much higher a measure is with the second mode, seed by seed and entry by entry.

        As one of several ``comparisons`` it has a wider interval; see
        ``seeds_and_entries_interval``.

        Raises:
            KeyError: there is no such mode or measure. ValueError: the two have other seeds.
        """
        seeds = [[run.seed for run in self.chosen_runs(mode)] for mode in (first, second)]
        if seeds[0] != seeds[1]:
            raise ValueError(f"{first} and {second} were run with other seeds: they do not pair")
        (a, weights), (b, _) = (self.values(mode, measure) for mode in (first, second))
        return _interval(b - a, weights, comparisons)

    def seed_means(self, mode: str, measure: str) -> list[float]:
        """Each seed's mean of a measure, by seed; none where no entry has it.

        Raises KeyError as ``interval``.
        """
        values, weights = self.values(mode, measure)  # (seeds, entries), (entries,)
        if not values.size:
            return []
        divisor = values.shape[1] if weights is None else weights.sum()
        return (values.sum(axis=1) / divisor).tolist()

    def table(self) -> Table:
        """One row per mode: what its runs measured on the test entries, and how much they overfit.

        The gap is test minus train response loss after the run; in brackets the lowest and the
        highest of the seeds.
        """
        rows = []
        for mode in self.modes:
            gaps = [run.test_loss - run.train_loss for run in self.chosen_runs(mode)]
            rows.append(
                (
                    mode,
                    str(self.setting(mode).epochs),
                    f"{self.rate(mode):g}",
                    self.interval(mode, "exact").format(".1f", 100) + " %",
                    self._rouge_text(mode),
                    self.interval(mode, "test_loss").format(".3f"),
                    f"{fmean(run.train_loss for run in self.chosen_runs(mode)):.3f}",
                    f"{fmean(gaps):.3f} ({min(gaps):.3f} to {max(gaps):.3f})",
                )
            )
        names = ("exact match", "ROUGE-L", "test response loss", "train loss", "gap")
        return Table(("mode", "epochs", "learning rate", *names), tuple(rows))

    def differences_table(self) -> Table:
        """One row per mode but the first: by how much it differs from the first."""
        first, *others = self.modes
        rows = []
        for mode in others:
            exact, rouge, loss = (
                self.difference(first, mode, name) for name in ("exact", "rouge_l", "test_loss")
            )
            points = exact.format("+.1f", 100) + " points"
            rows.append((mode, points, rouge.format("+.3f"), loss.format("+.3f")))
        return Table(
            (f"minus {first!r}", "exact match", "ROUGE-L", "test response loss"), tuple(rows)
        )

    def pairs_table(self, measures: Sequence[str] = ("exact", "test_loss")) -> Table:
        """Each mode minus each before it, with intervals wide enough for so many comparisons.

        A star marks a difference whose interval does not contain 0.
        """
        pairs = list(combinations(self.modes, 2))
        rows = []
        for first, second in pairs:
            cells = []
            for measure in measures:
                found = self.difference(first, second, measure, len(pairs))
                form, scale, unit = _scale(measure)
                cells.append(found.format(form, scale) + unit + " *" * found.excludes_zero)
            rows.append((f"{second!r} minus {first!r}", *cells))
        names = [MEASURES[measure][0] for measure in measures]
        return Table(("difference", *names), tuple(rows))

    def ahead(self, first: str, second: str, measure: str = "exact") -> str | None:
        """Which of two modes did better, or None where the interval shows no difference.

        Raises:
            KeyError, ValueError: as ``difference``.
        """
        found = self.difference(first, second, measure)
        return self._ahead(found, first, second, measure)

    def _ahead(self, found: Estimate, first: str, second: str, measure: str) -> str | None:
        """The mode that is ahead by a difference that was found, second minus first."""
        if self.entries < FEWEST or not found.excludes_zero:
            return None
        more_is_better = MEASURES[measure][1]
        return second if (found.value > 0) == more_is_better else first

    def verdict(self, first: str, second: str, measure: str = "exact") -> str:
        """The sentence that the interval allows, and no more.

        Raises:
            KeyError, ValueError: as ``difference``.
        """
        found, name = self.difference(first, second, measure), MEASURES[measure][0]
        form, scale, unit = _scale(measure)
        few = self.entries < FEWEST
        value = f"{scale * found.value:{form}}" if few else found.format(form, scale)
        told = (
            f"{name}, {second!r} minus {first!r}: {value}{unit}; "
            f"{self.seeds} seeds, {self.entries} entries. "
        )
        if few:
            return told + "No difference shown: too few entries for an interval."
        better = self._ahead(found, first, second, measure)
        if better is None:
            return told + "No difference shown: the interval contains 0."
        return told + f"{better!r} did better here."

    def cell(self, mode: str, seed: int) -> MaskingRun:
        """The measured run of a mode and seed.

        Raises:
            KeyError: there is none.
        """
        found = [run for run in self.chosen_runs(mode) if run.seed == seed]
        if not found:
            raise KeyError(f"{mode!r} was not run with seed {seed}")
        return found[0]

    def values(self, mode: str, measure: str) -> tuple[np.ndarray, np.ndarray | None]:
        """A measure's values (seeds, entries), and what their sum over entries is divided by."""
        if measure not in MEASURES:
            raise KeyError(f"the measures are {', '.join(MEASURES)}, not {measure!r}")
        runs = self.chosen_runs(mode)
        if measure == "test_loss":
            values = [[marks.nats for marks in run.answers] for run in runs]
            return np.array(values), np.array([marks.tokens for marks in runs[0].answers], float)
        column = AnswerMarks._fields.index(measure)
        values = np.array([[marks[column] for marks in run.answers] for run in runs], float)
        return values[:, ~np.isnan(values).any(axis=0)], None  # None became NaN

    def _rouge_text(self, mode: str) -> str:
        found, missing = self.interval(mode, "rouge_l"), self.entries
        missing -= found.count // self.seeds
        return found.format(".3f") + (f", {missing} left out" if found.count and missing else "")


def _interval(values: np.ndarray, weights: np.ndarray | None, comparisons: int = 1) -> Estimate:
    if not values.size:
        return Estimate(None, None, None, 0)
    return seeds_and_entries_interval(values, weights, comparisons)


def _scale(measure: str) -> tuple[str, float, str]:
    """How a difference of a measure is written: format, factor and unit."""
    if measure in SHARES:
        return "+.1f", 100.0, " points"
    return "+.3f", 1.0, ""
