"""Masked, unmasked or weighted? Several seeds of each, one measure for all. Taught in lesson 11.

A single run cannot tell what a mask does to training: another seed may change more. So every mode
gets the learning rate that suits it, several seeds, and the same test entries.
"""

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from lessons_lib.data import Entry, load_entries, split_entries
from lessons_lib.experiments.masking.results import MaskingExperiment
from lessons_lib.experiments.masking.runs import (
    TRAIN_ENTRIES,
    Job,
    MaskingRun,
    Mode,
    make_run,
    mode_name,
    with_mode,
)
from lessons_lib.experiments.masking.settings import Setting, setting_losses
from lessons_lib.support import is_quick
from lessons_lib.support.processes import run_all
from lessons_lib.support.quick_run import QUICK_ENTRIES
from lessons_lib.training import Recipe, get_recipe

MODES: tuple[Mode, ...] = ("none", "keep-header", "prompt", 0.1)
SEEDS = (1, 2, 3, 4, 5)
LEARNING_RATES = (1e-4, 2e-4, 3e-4, 6e-4)
Rates = Sequence[float] | Mapping[Mode, Sequence[float]]


def run_masking_experiment(
    modes: Sequence[Mode] = MODES,
    seeds: Sequence[int] = SEEDS,
    learning_rates: Rates = LEARNING_RATES,
    *,
    recipe: str | Recipe = "lesson-09",
    epochs: Sequence[int] | None = None,
    choosing: Sequence[Entry] | None = None,
    test: Sequence[Entry] | None = None,
    selection_seeds: int = 2,
    max_new_tokens: int = 64,
    workers: int | None = None,
    threads: int = 1,
    device: str = "cpu",
    progress: bool = True,
) -> MaskingExperiment:
    """Fine-tune with every mode and seed, and measure all runs on the same test entries.

    For each mode the setting, a number of epochs and a learning rate, with the lowest response
    loss on the choosing entries is chosen, a mean over the first ``selection_seeds`` seeds. So the
    mode is run with all seeds; only then are the test entries looked at. A setting at which a run
    diverges is not chosen, which a warning says; a run that diverges at the chosen one ends the
    experiment.

    Args:
        modes: instruction masks ("none", "keep-header", "prompt"), or weights of the prompt's
            targets from 0 to 1.
        learning_rates: to choose from; a mapping gives each mode its own.
        recipe: how else to train, and on which entries.
        epochs: to choose from; the recipe's number alone, if not given: equal steps for all modes.
        choosing: the entries to choose by; the recipe's own validation entries, if not given.
        test: the entries to measure on; the recipe's own test entries, if not given.
        workers, threads: processes at once, and PyTorch's threads in each. The same recipe on the
            same kind of processor with as many threads gives the same numbers.

    Every finished run is kept in the cache folder, so an experiment that was cut off continues
    where it stopped. A shrunk run (``LESSONS_LIB_QUICK``) measures six entries, in one
    process.

    Raises:
        ValueError: an unknown mode, no mode, seed, rate, number of epochs or test entry, or one
            given twice; a number below 1; a mode that diverges at each of its settings, or with a
            seed at the chosen one.
        KeyboardInterrupt: Ctrl-C; finished runs are kept. Else as ``load_or_finetune`` and
            ``answer_and_score``.
    """
    recipe = get_recipe(recipe) if isinstance(recipe, str) else recipe
    epochs = [recipe.epochs] if epochs is None else list(epochs)
    rates = _rates_of(modes, learning_rates)
    _check(modes, seeds, rates, epochs, selection_seeds)
    choosing = tuple(choosing or ())
    if test is None:
        test = split_entries(load_entries(recipe.entries)).test
    train_entries = TRAIN_ENTRIES
    if is_quick():
        test, workers, train_entries = test[:QUICK_ENTRIES], 1, QUICK_ENTRIES
        choosing = choosing[:QUICK_ENTRIES]
    if not test:
        raise ValueError("there is no test entry to measure on")
    options = {"workers": workers, "threads": threads, "progress": progress}

    def jobs_of(mode: Mode, some: Sequence[Setting], some_seeds: Sequence[int]) -> list[Job]:
        base = with_mode(recipe, mode)
        recipes = [
            dataclasses.replace(base, **setting._asdict(), seed=seed)
            for setting in some
            for seed in some_seeds
        ]
        return [Job(mode_name(mode), each, choosing=choosing, device=device) for each in recipes]

    settings = {
        mode: [Setting(number, rate) for number in epochs for rate in rates[mode]] for mode in modes
    }
    several = [mode for mode in modes if len(settings[mode]) > 1]
    first = seeds[:selection_seeds]
    trials = [job for mode in several for job in jobs_of(mode, settings[mode], first)]
    tried = run_all(make_run, trials, label="choosing settings", **options) if trials else []
    chosen = {mode: settings[mode][0] for mode in modes}
    _warn_of_diverged(tried)
    chosen |= {mode: _lowest(setting_losses(tried)[mode_name(mode)], mode) for mode in several}
    measuring = {"train_entries": train_entries, "max_new_tokens": max_new_tokens}
    final = [
        dataclasses.replace(job, test=tuple(test), **measuring)
        for mode in modes
        for job in jobs_of(mode, [chosen[mode]], seeds)
    ]
    finished = run_all(make_run, final, label="training and measuring", **options)
    varied = ("instruction_mask", "prompt_loss_weight", "epochs", "learning_rate", "seed")
    about = {
        "modes": [mode_name(mode) for mode in modes],
        "seeds": list(seeds),
        "learning_rates": {mode_name(mode): rates[mode] for mode in modes},
        "epochs": epochs,
        "choosing_entries": len(choosing) or "the validation part",
        "selection_seeds": selection_seeds,
        "recipe": {k: v for k, v in dataclasses.asdict(recipe).items() if k not in varied},
        "test_entries": len(test),
        "max_new_tokens": max_new_tokens,
        "threads": threads,
    }
    return MaskingExperiment(_merge(tried, finished), about)


def _rates_of(modes: Sequence[Mode], rates: Rates) -> dict[Mode, list[float]]:
    """Each mode's learning rates to choose from."""
    if not isinstance(rates, Mapping):
        return {mode: list(rates) for mode in modes}
    if missing := [mode for mode in modes if mode not in rates]:
        raise ValueError(f"learning_rates names no rate for {', '.join(map(repr, missing))}")
    return {mode: list(rates[mode]) for mode in modes}


def _check(
    modes: Sequence[Mode],
    seeds: Sequence[int],
    rates: Mapping[Mode, Sequence[float]],
    epochs: Sequence[int],
    selection_seeds: int,
) -> None:
    given: dict[str, Sequence[Any]] = {"modes": [mode_name(mode) for mode in modes], "seeds": seeds}
    given["numbers of epochs"] = epochs
    given |= {f"learning rates of {mode!r}": each for mode, each in rates.items()}
    for name, values in given.items():
        if not values:
            raise ValueError(f"there are no {name}")
        if len(set(values)) < len(values):
            raise ValueError(f"the {name} name one twice: {', '.join(map(str, values))}")
    if selection_seeds < 1:
        raise ValueError(f"selection_seeds must be 1 or more, not {selection_seeds}")


def _warn_of_diverged(tried: Sequence[MaskingRun]) -> None:
    """Say which of the runs that rates are chosen by diverged."""
    found = [run for run in tried if math.isinf(run.validation_loss)]
    if found:
        told = "; ".join(
            f"{run.mode!r} at {run.learning_rate:g}, {run.epochs} epoch(s), seed {run.seed}"
            for run in found
        )
        warnings.warn(
            f"runs that diverged, so that their settings are not chosen: {told}", stacklevel=3
        )


def _lowest(losses: Mapping[Setting, float], mode: Mode) -> Setting:
    """The setting with the lowest loss; of equals the first.

    Raises:
        ValueError: a run diverged at every setting.
    """
    best = min(losses, key=losses.__getitem__)
    if math.isinf(losses[best]):
        rates = ", ".join(dict.fromkeys(f"{setting.learning_rate:g}" for setting in losses))
        raise ValueError(f"mode {mode!r} diverged at every learning rate ({rates}): try lower ones")
    return best


def _merge(tried: list[MaskingRun], finished: list[MaskingRun]) -> list[MaskingRun]:
    """All runs, one a mode, setting and seed, by mode; finished ones replace trials."""
    runs = {(run.mode, Setting.of(run), run.seed): run for run in (*tried, *finished)}
    order = list(dict.fromkeys(run.mode for run in finished))
    key = lambda run: (order.index(run.mode), Setting.of(run), run.seed)  # noqa: E731
    return sorted(runs.values(), key=key)
