"""The masking experiment on disk, and the large ones that were made once. Lesson 11.

``python -m benchmarks.masking NAME --save MACHINE`` makes a large one and writes it.
"""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from lessons_lib.files import write_all_whole
from lessons_lib.masking_results import MaskingExperiment
from lessons_lib.masking_runs import AnswerMarks, MaskingRun
from lessons_lib.measured import FOLDER

STUDIES = ("bundled", "long", "book")
RUNS_FILE, ANSWERS_FILE, ABOUT_FILE = "runs.csv", "answers.csv", "about.json"
RUNS_COLUMNS = (
    *("mode", "learning_rate", "seed", "validation_loss"),
    *("train_loss", "test_loss", "exact"),
)
ANSWERS_COLUMNS = ("mode", "seed", "entry", *AnswerMarks._fields)


def study_folder(name: str) -> Path:
    """Where the experiment on this set of entries is kept.

    Raises:
        KeyError: there is no such set.
    """
    if name not in STUDIES:
        raise KeyError(f"the sets are {', '.join(STUDIES)}, not {name!r}")
    return FOLDER / "masking" / name


def committed_experiment(name: str) -> MaskingExperiment:
    """The large experiment on a set of entries: "bundled", "long" or "book".

    Raises:
        KeyError: there is no such set. OSError, ValueError: as ``read_experiment``.
    """
    return read_experiment(study_folder(name))


def write_experiment(experiment: MaskingExperiment, folder: str | Path) -> None:
    """Three files: a line a run, a line a run and test entry, and how all was made.

    No entry and no answer is among them.
    """
    folder = Path(folder)
    runs = [
        (
            run.mode,
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
        (run.mode, run.seed, place, *marks)
        for run in experiment.runs
        for place, marks in enumerate(run.answers)
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
            values = (float(row[name]) for name in AnswerMarks._fields)
            exact, rouge, stopped, nats, tokens = values
            answer = AnswerMarks(int(exact), rouge, int(stopped), nats, int(tokens))
            marks.setdefault((row["mode"], row["seed"]), []).append(answer)
        runs = []
        for row in _read_csv(folder / RUNS_FILE, RUNS_COLUMNS):
            train = row["train_loss"]
            answers = marks[row["mode"], row["seed"]] if train else []
            runs.append(
                MaskingRun(
                    row["mode"],
                    float(row["learning_rate"]),
                    int(row["seed"]),
                    float(row["validation_loss"]),
                    float(train) if train else None,
                    tuple(answers),
                )
            )
        about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    except (KeyError, TypeError, ValueError) as error:  # TypeError: a row without all its fields
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
