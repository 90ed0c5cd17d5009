"""The masking experiment in full: ``python -m benchmarks.masking bundled``.

There are five: "bundled", with settings chosen by 300 held-out entries and measured on 300 others;
"epochs", two of the modes, each with its own best number of epochs; "longer", the same entries with
longer answers; "long", short instructions with long outputs; and "book", the book's 1,100 entries,
with a real language model, if ``LESSONS_LIB_REAL_ENTRIES`` names their file. Runs are kept in the
cache folder (the book's need 5 GB), so that a second start continues where the first was cut off.
``--cell MODE SEED`` makes one run again and compares it with the committed one. Prints tables for
people, then JSON in the last line.
"""

import argparse
import dataclasses
import json
import sys
from typing import Any

from lessons_lib.experiments.masking import committed_experiment, rerun_cell, run_study
from lessons_lib.experiments.masking.results import MaskingExperiment
from lessons_lib.experiments.masking.studies import STUDIES, study_folder, write_experiment


def compare_cell(name: str, mode: str, seed: int) -> dict[str, Any]:
    """Make one run again and compare it with the committed one."""
    figures: dict[str, Any] = {"set": name, "mode": mode, "seed": seed}
    committed, again = committed_experiment(name).cell(mode, seed), rerun_cell(name, mode, seed)
    for which, run in (("committed", committed), ("again", again)):
        figures[f"validation_loss_{which}"] = run.validation_loss
        figures[f"test_loss_{which}"] = run.test_loss
        figures[f"exact_{which}"] = sum(marks.exact for marks in run.answers)
        print(f"{which:<10} {run.test_loss:.6f} nats, {figures[f'exact_{which}']} answers exact")
    figures["same"] = committed == again
    return figures


def show(found: MaskingExperiment) -> dict[str, Any]:
    """Print the tables; returns the figures of the last line."""
    for table in (found.rates_table(), found.table(), found.differences_table()):
        print(f"{table}\n")
    figures: dict[str, Any] = {}
    first, *others = found.modes
    for mode in found.modes:
        figures[f"exact {mode}"] = round(found.interval(mode, "exact").value, 4)
        figures[f"test_loss {mode}"] = round(found.interval(mode, "test_loss").value, 4)
    for measure in ("exact", "test_loss"):
        print(*(found.verdict(first, mode, measure) for mode in others), sep="\n")
    return figures


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=STUDIES)
    parser.add_argument(
        "--save", metavar="MACHINE", help="save it for the lesson, as measured on MACHINE"
    )
    parser.add_argument("--cell", nargs=2, metavar=("MODE", "SEED"), help="make one run again")
    options = parser.parse_args(arguments)
    try:
        if options.cell:
            figures = compare_cell(options.set, options.cell[0], int(options.cell[1]))
        else:
            found = run_study(options.set)
            figures = {"set": options.set, **show(found)}
            if options.save:
                about = {"machine": options.save, **found.about}
                found = dataclasses.replace(found, about=about)
                write_experiment(found, study_folder(options.set))
    except (KeyError, ValueError) as error:
        sys.exit(str(error))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
