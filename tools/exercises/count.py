"""Count what the course asks of its learner: ``python -m tools.exercises.count``.

A row for each lesson and lab: its code cells, those that need the learner (one writes a function or
a text, makes a prediction, or keeps something of one's own there), its exercises and predictions;
and of the exercises that a check decides, the named wrong answers and the right variants that tests
know. The last line is all of it as JSON.
"""

import importlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from lessons_lib.exercises.exercise import Exercise
from lessons_lib.exercises.registry import STAGES, declared
from lessons_lib.support import Table
from tools.build_notebooks import lab_paths, lesson_paths, short_name
from tools.exercises.cells import read, statement_id

# What a cell calls that is nothing without the learner.
ASKS = re.compile(
    r"^\s*(?:print\()?"
    r"(?:check|predict|diagnose|keep|save_own_entries|write_up|grade|grade_by_hand|try_rules)\("
    r"|^editor = edit_tasks\(",
    re.MULTILINE,
)
PREDICTS = re.compile(r"^(?:predict|diagnose)\(", re.MULTILINE)
COLUMNS = {
    "code_cells": "code cells",
    "cells_that_need_the_learner": "need the learner",
    "exercises": "exercises",
    "predictions": "predictions",
    "wrong_answers": "wrong answers",
    "right_variants": "right variants",
}


def right_variants() -> dict[str, list[Callable]]:
    """The right solutions of every exercise that tests know, by its name."""
    rooms = [importlib.import_module(f"tests.exercises.{stage}.variants") for stage in STAGES]
    return {name: functions for room in rooms for name, functions in room.VARIANTS.items()}


def count(path: Path, variants: dict[str, list[Callable]]) -> dict[str, int]:
    """The counts of one notebook, by the names of ``COLUMNS``."""
    cells = read(path)["cells"]
    ids = {cell["id"] for cell in cells}
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    found = [each for each in declared() if statement_id(each) in ids]
    checked = [each for each in found if isinstance(each, Exercise)]
    return {
        "code_cells": len(codes),
        "cells_that_need_the_learner": sum(bool(ASKS.search(code)) for code in codes),
        "exercises": len(found),
        "predictions": sum(len(PREDICTS.findall(code)) for code in codes),
        "wrong_answers": sum(len(each.wrong_answers) for each in checked),
        "right_variants": sum(len(variants.get(each.name, ())) for each in checked),
    }


def main() -> int:
    variants = right_variants()
    lessons, labs = lesson_paths(), lab_paths()
    counts = {short_name(path): count(path, variants) for path in [*lessons, *labs]}
    total = {name: sum(each[name] for each in counts.values()) for name in COLUMNS}
    rows = [
        (name, *(f"{found[column]:,}" for column in COLUMNS))
        for name, found in (counts | {"all": total}).items()
    ]
    print(Table(("lesson", *COLUMNS.values()), tuple(rows)))
    print(json.dumps({"lessons": len(lessons), "labs": len(labs), **total}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
