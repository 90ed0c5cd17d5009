"""What is remembered of a learner, in two small files of their own folder. Nothing leaves it.

Files are read and changed under a lock and written whole, so that two kernels lose nothing of each
other's. A damaged file is put aside, never overwritten; where nothing can be written, one sentence
says so, and the lesson goes on.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lessons_lib.support import write_whole
from lessons_lib.support.files import explain, locked_file, read_json
from lessons_lib.support.paths import learner_folder

PROGRESS, PREDICTIONS = "progress.json", "predictions.json"


def read_record(name: str) -> dict[str, dict[str, Any]]:
    """What a file of the learner's folder holds; nothing where it is missing or damaged."""
    try:
        found = read_json(learner_folder() / name)
    except (OSError, ValueError):
        return {}
    return found if _is_record(found) else {}


def change_record(name: str, change: Callable[[dict[str, dict[str, Any]]], object]) -> str:
    """Let ``change`` alter what the file holds, and save it; returns a sentence if that failed.

    ``change`` is called with what the file holds now, under the lock.
    """
    path = learner_folder() / name
    said = ""
    with locked_file(path.with_suffix(".lock"), "Another kernel is saving; waiting for it."):
        try:
            said = _put_damaged_aside(path)
            record = read_record(name)
            change(record)
            text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
            write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
        except OSError as error:
            return (
                f"This could not be saved in {path.parent.name}/{name} ({explain(error)}); "
                "LESSONS_LIB_WORK can name another folder."
            )
    return said


def _put_damaged_aside(path: Path) -> str:
    """Rename a file that is no record; returns a sentence about it, or nothing."""
    try:
        if _is_record(read_json(path)):
            return ""
    except FileNotFoundError:
        return ""
    except ValueError:
        pass
    aside = path.with_name(f"{path.stem}.damaged-{time.time_ns()}{path.suffix}")
    path.rename(aside)
    return f"{path.name} was damaged; it is now called {aside.name}, and a new one was begun."


def _is_record(value: Any) -> bool:
    """Whether this is a dictionary of dictionaries, as both files hold."""
    return isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())
