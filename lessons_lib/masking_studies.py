"""The large masking experiments: on which entries, with which modes, seeds and rates. Lesson 11.

``python -m benchmarks.masking NAME`` runs one; ``masking_files`` keeps what came out.
"""

import dataclasses
import os
import tempfile
from typing import Any, NamedTuple

import torch

from lessons_lib.experiments import LEARNING_RATES, MODES, SEEDS, run_masking_experiment
from lessons_lib.masking_files import committed_experiment
from lessons_lib.masking_results import MaskingExperiment
from lessons_lib.masking_runs import MaskingRun, Mode, mode_name
from lessons_lib.reading import Entry
from lessons_lib.recipes import Recipe, get_recipe
from lessons_lib.world.entries import held_out_entries
from lessons_lib.world.long_answers import long_answers_file

REAL_ENTRIES = "LESSONS_LIB_REAL_ENTRIES"  # names the file of the book's entries
CACHE = "LESSONS_LIB_CACHE"


class Study(NamedTuple):
    """What to run on a set of entries: options of ``run_masking_experiment``."""

    recipe: Recipe
    modes: tuple[Mode, ...] = MODES
    seeds: tuple[int, ...] = SEEDS
    learning_rates: tuple[float, ...] = LEARNING_RATES
    selection_seeds: int = 2
    test: list[Entry] | None = None  # None: the recipe's own test entries
    max_new_tokens: int = 64
    workers: int | None = None
    threads: int = 1


def study_of(name: str) -> Study:
    """The study on "bundled" entries, on "long" answers, or on the "book"'s entries.

    Raises:
        KeyError: there is no such study. ValueError: nothing says where the book's entries are.
    """
    recipe = get_recipe("lesson-09")
    if name == "bundled":
        return Study(dataclasses.replace(recipe, entries="bundled"), test=held_out_entries(600))
    if name == "long":
        recipe = dataclasses.replace(recipe, entries=str(long_answers_file()))
        return Study(recipe, max_new_tokens=128)
    if name != "book":
        raise KeyError(f"the studies are 'bundled', 'long' and 'book', not {name!r}")
    if not (path := os.environ.get(REAL_ENTRIES)):
        raise ValueError(f"{REAL_ENTRIES} must name the file of the book's entries")
    recipe = dataclasses.replace(get_recipe("lesson-09-real"), entries=path)
    modes = MODES[:3]  # a run takes ten minutes: two seeds, and rates are compared with one
    return Study(recipe, modes, (1, 2), (5e-5, 1e-4), selection_seeds=1)


def run_study(name: str, study: Study | None = None, progress: bool = True) -> MaskingExperiment:
    """The experiment of this name, or a part of it; ``about`` says how to make it again.

    Raises:
        As ``study_of`` and ``run_masking_experiment``.
    """
    study = study or study_of(name)
    found = run_masking_experiment(**study._asdict(), progress=progress)
    about: dict[str, Any] = dict(found.about)
    about["recipe"] = {**about["recipe"], "entries": name}  # no path of this machine
    about |= {"command": f"python -m benchmarks.masking {name}", "torch": torch.__version__}
    return dataclasses.replace(found, about=about)


def rerun_cell(name: str, mode: str, seed: int, progress: bool = True) -> MaskingRun:
    """One run of a large experiment, trained and measured anew; nothing of it is kept.

    The same kind of processor gives the committed numbers, to the last digit.

    Raises:
        KeyError: the experiment has no such run. As ``study_of`` and ``run_masking_experiment``.
    """
    rate = committed_experiment(name).cell(mode, seed).learning_rate
    study = study_of(name)
    modes = tuple(each for each in study.modes if mode_name(each) == mode)
    one = study._replace(modes=modes, seeds=(seed,), learning_rates=(rate,))
    before = os.environ.get(CACHE)
    with tempfile.TemporaryDirectory() as cache:
        os.environ[CACHE] = cache  # empty: nothing is loaded that was made before
        try:
            return run_study(name, one, progress).cell(mode, seed)
        finally:
            if before is None:
                del os.environ[CACHE]
            else:
                os.environ[CACHE] = before
