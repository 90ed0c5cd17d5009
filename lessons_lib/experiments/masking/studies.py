"""The large masking experiments: on which entries, with which modes, seeds and rates. Lesson 11.

``python -m benchmarks.masking NAME`` runs one; what came out is committed, as two tables of
numbers and a note on what was run.
"""

import csv
import dataclasses
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import torch

from lessons_lib.data import Entry
from lessons_lib.data.world import choosing_entries, reporting_entries
from lessons_lib.data.world.long_answers import long_answers_file
from lessons_lib.data.world.told_at_length import told_at_length, told_at_length_file
from lessons_lib.experiments.masking.experiment import (
    LEARNING_RATES,
    MODES,
    SEEDS,
    run_masking_experiment,
)
from lessons_lib.experiments.masking.results import MaskingExperiment
from lessons_lib.experiments.masking.runs import AnswerMarks, MaskingRun, Mode, mode_name
from lessons_lib.support import write_all_whole
from lessons_lib.support.paths import MEASURED
from lessons_lib.training import Recipe, get_recipe

EPOCHS = (1, 2, 3, 5)  # to choose from where each mode has its own number
REAL_ENTRIES = "LESSONS_LIB_REAL_ENTRIES"  # names the file of the book's entries
CACHE = "LESSONS_LIB_CACHE"


class Study(NamedTuple):
    """What to run on a set of entries: options of ``run_masking_experiment``."""

    recipe: Recipe
    modes: tuple[Mode, ...] = MODES
    seeds: tuple[int, ...] = SEEDS
    learning_rates: tuple[float, ...] = LEARNING_RATES
    selection_seeds: int = 2
    epochs: tuple[int, ...] | None = None  # None: the recipe's, so that all modes take equal steps
    choosing: list[Entry] | None = None  # None: the recipe's own validation entries
    test: list[Entry] | None = None  # None: the recipe's own test entries
    max_new_tokens: int = 64
    workers: int | None = None
    threads: int = 1


def study_of(name: str) -> Study:
    """The study on "bundled" entries, on "longer" or "long" answers, or on the "book"'s entries.

    "bundled" trains every mode for as many steps; in "epochs", on the same entries, "none" and
    "prompt" have each its own best number of epochs. Both choose by 300 held-out entries and
    report on 300 others, and so does "longer": the same entries with longer answers.

    Raises:
        KeyError: there is no such study. ValueError: nothing says where the book's entries are.
    """
    recipe = get_recipe("lesson-09")
    if name in ("bundled", "epochs"):
        bundled = Study(
            dataclasses.replace(recipe, entries="bundled"),
            choosing=choosing_entries(),
            test=reporting_entries(),
        )
        if name == "bundled":
            return bundled
        # Sixteen settings for each mode: two modes, and settings are compared with one seed.
        return bundled._replace(modes=("none", "prompt"), selection_seeds=1, epochs=EPOCHS)
    if name == "longer":
        return Study(
            dataclasses.replace(recipe, entries=str(told_at_length_file())),
            choosing=told_at_length(choosing_entries()),
            test=told_at_length(reporting_entries()),
            max_new_tokens=128,
        )
    if name == "long":
        recipe = dataclasses.replace(recipe, entries=str(long_answers_file()))
        return Study(recipe, max_new_tokens=128)
    if name != "book":
        raise KeyError(f"the studies are {', '.join(map(repr, STUDIES))}, not {name!r}")
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
    """One run of a large experiment, trained and measured again; nothing of it is kept.

    The same kind of processor gives the committed numbers, to the last digit.

    Raises:
        KeyError: the experiment has no such run. As ``study_of`` and ``run_masking_experiment``.
    """
    run = committed_experiment(name).cell(mode, seed)
    study = study_of(name)
    modes = tuple(each for each in study.modes if mode_name(each) == mode)
    one = study._replace(
        modes=modes, seeds=(seed,), epochs=(run.epochs,), learning_rates=(run.learning_rate,)
    )
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


STUDIES = ("bundled", "epochs", "longer", "long", "book")
RUNS_FILE, ANSWERS_FILE, ABOUT_FILE = "runs.csv", "answers.csv", "about.json"
RUNS_COLUMNS = (
    *("mode", "epochs", "learning_rate", "seed", "validation_loss"),
    *("train_loss", "test_loss", "exact"),
)
ANSWERS_COLUMNS = ("mode", "seed", "entry", *AnswerMarks._fields)


def study_folder(name: str) -> Path:
    """Where the experiment of this name is kept.

    Raises:
        KeyError: there is none.
    """
    if name not in STUDIES:
        raise KeyError(f"the experiments are {', '.join(STUDIES)}, not {name!r}")
    return MEASURED / "masking" / name


def committed_experiment(name: str) -> MaskingExperiment:
    """The large experiment of this name, one of ``STUDIES``.

    Raises:
        KeyError: there is no such experiment. OSError, ValueError: as ``read_experiment``.
    """
    return read_experiment(study_folder(name))


def write_experiment(experiment: MaskingExperiment, folder: str | Path) -> None:
    """Write three files: a line per run, a line per run and test entry, and how they were made.

    No entry and no answer is among them.
    """
    folder = Path(folder)
    runs = [
        (
            run.mode,
            run.epochs,
            float(run.learning_rate),
            run.seed,
            run.validation_loss,
            "" if run.train_loss is None else run.train_loss,
            run.test_loss if run.answers else "",
            fmean(a.exact for a in run.answers) if run.answers else "",
        )
        for run in experiment.runs
    ]
    answers = [
        (run.mode, run.seed, index, *marks)
        for run in experiment.runs
        for index, marks in enumerate(run.answers)
    ]
    about = json.dumps(dict(experiment.about), indent=1, ensure_ascii=False) + "\n"
    write_all_whole(
        {
            folder / RUNS_FILE: _csv_writer(RUNS_COLUMNS, runs),
            folder / ANSWERS_FILE: _csv_writer(ANSWERS_COLUMNS, answers),
            folder / ABOUT_FILE: lambda path: path.write_text(about, encoding="utf-8"),
        }
    )


def read_experiment(folder: str | Path) -> MaskingExperiment:
    """What ``write_experiment`` wrote.

    Raises:
        OSError: a file is missing. ValueError: a file is not of this shape; it is named.
    """
    folder = Path(folder)
    try:
        marks: dict[tuple[str, str], list[AnswerMarks]] = {}
        for row in _read_csv(folder / ANSWERS_FILE, ANSWERS_COLUMNS):
            values = (float(row[name]) if row[name] else None for name in AnswerMarks._fields)
            exact, rouge, stopped, nats, tokens, sentences = values
            answer = AnswerMarks(int(exact), rouge, int(stopped), nats, int(tokens), sentences)
            marks.setdefault((row["mode"], row["seed"]), []).append(answer)
        runs = []
        for row in _read_csv(folder / RUNS_FILE, RUNS_COLUMNS):
            train = row["train_loss"]
            answers = marks[row["mode"], row["seed"]] if train else []
            runs.append(
                MaskingRun(
                    row["mode"],
                    int(row["epochs"]),
                    float(row["learning_rate"]),
                    int(row["seed"]),
                    float(row["validation_loss"]),
                    float(train) if train else None,
                    tuple(answers),
                )
            )
        about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    # TypeError: a row without all its fields. RecursionError: brackets in brackets.
    except (KeyError, TypeError, ValueError, RecursionError, csv.Error) as error:
        raise ValueError(f"{folder} holds no experiment as it was written: {error}") from error
    return MaskingExperiment(runs, about)


def _csv_writer(columns: Sequence[str], rows: Sequence[tuple]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)

    return write


def _read_csv(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != tuple(columns):
            raise ValueError(f"{path.name} has the columns {reader.fieldnames}")
        return list(reader)
