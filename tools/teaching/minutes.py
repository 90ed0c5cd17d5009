"""How long the cells of a lesson run, by section: ``python -m tools.teaching.minutes [04 …]``.

A lesson runs as a learner runs it for the first time: from a clean kernel, at full size, on the
bundled entries, with an empty cache, and with no exercise attempted. What is measured is kept in
tools/teaching/seconds.json after each lesson, so that a run that was stopped goes on with the next
one. Without arguments, those lessons are measured that have no figures yet, with --all every one.
Let nothing else run meanwhile.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import nbformat

from lessons_lib.environment import check_environment
from lessons_lib.support.files import write_whole
from tools.build_notebooks import execute, lab_paths, lesson_paths, read, short_name
from tools.build_notebooks import usual_environment as usual
from tools.teaching.sections import sections_of

SECONDS = Path(__file__).parent / "seconds.json"
CELL_SECONDS = 3600  # a cell that runs longer has no end


def measured(path: Path) -> dict[str, dict[str, float]]:
    """For each section of a lesson, by title: how many seconds all its cells ran, and the longest.

    Raises:
        CellExecutionError: a cell raised; the message names it.
    """
    notebook = read(path)
    with tempfile.TemporaryDirectory() as cache:
        own = {"LESSONS_LIB_CACHE": cache, "LESSONS_LIB_WORK": os.path.join(cache, "my_work")}
        execute(notebook, timeout=CELL_SECONDS, environment=usual() | own)
    return by_section(notebook)


def by_section(notebook: nbformat.NotebookNode) -> dict[str, dict[str, float]]:
    """The seconds of a notebook that was run, from the times that its kernel reported."""
    found = {}
    for section in sections_of(notebook):
        seconds = [_seconds(cell) for cell in section.of_type("code")]
        if seconds:
            found[section.title] = {
                "all": round(sum(seconds), 1),
                "longest": round(max(seconds), 1),
            }
    return found


def _seconds(cell: nbformat.NotebookNode) -> float:
    started, ended = (
        datetime.fromisoformat(cell.metadata["execution"][moment])
        for moment in ("iopub.status.busy", "iopub.status.idle")
    )
    return (ended - started).total_seconds()


def machine() -> str:
    """What the figures were measured on: processor, cores, memory, Python and PyTorch."""
    found = next(row.found for row in check_environment().rows if row.what == "Machine")
    software = f"Python {platform.python_version()}, PyTorch {version('torch')}"
    return f"{platform.machine()}, {found}; {software}"


def read_seconds(path: Path = SECONDS) -> dict[str, dict]:
    """What was measured, for each lesson by its short name; nothing where there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_seconds(seconds: dict[str, dict]) -> None:
    """Keep what was measured; the file is replaced as a whole."""
    text = json.dumps(seconds, ensure_ascii=False, indent=1) + "\n"
    write_whole(SECONDS, lambda part: part.write_text(text, encoding="utf-8"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.teaching.minutes", description=__doc__)
    parser.add_argument(
        "lessons",
        nargs="*",
        help="such as 04, or the name of a lab; default: those without figures",
    )
    parser.add_argument("--all", action="store_true", help="all of them anew")
    chosen = parser.parse_args(arguments)
    offered = {short_name(path): path for path in [*lesson_paths(), *lab_paths()]}
    if {*chosen.lessons} - {*offered}:
        parser.error(f"no such lesson among {', '.join(offered)}")
    known = {} if chosen.all else read_seconds()
    for name in chosen.lessons or [name for name in offered if name not in known]:
        found = {"machine": machine(), "sections": measured(offered[name])}
        kept = {**read_seconds(), name: found}
        write_seconds({each: kept[each] for each in offered if each in kept})
        total = sum(section["all"] for section in found["sections"].values())
        print(f"{name}: {total:.0f} s. Now: python -m tools.teaching.guide")
    return 0


if __name__ == "__main__":
    sys.exit(main())
