"""What is chosen for each mode, and the losses by which it is chosen. Lesson 11."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from lessons_lib.experiments.masking.runs import MaskingRun


class Setting(NamedTuple):
    """What is chosen for each mode."""

    epochs: int
    learning_rate: float

    @classmethod
    def of(cls, run: MaskingRun) -> "Setting":
        return cls(run.epochs, run.learning_rate)


def setting_losses(runs: Sequence[MaskingRun]) -> dict[str, dict[Setting, float]]:
    """By mode and setting the mean validation response loss.

    Over the seeds that all settings of the mode have, so that they are compared on the same ones.
    """
    losses: dict[str, dict[Setting, float]] = {}
    for mode in dict.fromkeys(run.mode for run in runs):
        tried: dict[Setting, dict[int, float]] = {}
        for run in runs:
            if run.mode == mode:
                tried.setdefault(Setting.of(run), {})[run.seed] = run.validation_loss
        shared = set.intersection(*(set(by_seed) for by_seed in tried.values()))
        losses[mode] = {
            setting: fmean(by_seed[seed] for seed in sorted(shared))
            for setting, by_seed in tried.items()
        }
    return losses


def search_further(
    tried: Mapping[str, Sequence[float]], chosen: Mapping[str, float]
) -> dict[str, str]:
    """In which direction each search should go on, "lower" or "higher", by the option's name.

    It is there where the chosen value is the lowest or the highest of several that were tried.
    """
    found = {}
    for name, value in chosen.items():
        low, high = min(tried[name]), max(tried[name])
        if low < high and value in (low, high):
            found[name] = "lower" if value == low else "higher"
    return found
