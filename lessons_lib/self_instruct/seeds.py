"""Seed tasks: written by hand, in Alpaca's form; from a few of them a teacher goes on."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lessons_lib.data import DatasetError, Entry
from lessons_lib.data.reading import find_rows, list_rows, read_rows, sift_entries
from lessons_lib.data.reading.contents import describe
from lessons_lib.data.reading.fields import is_absent
from lessons_lib.data.reading.rows import FaultyRow
from lessons_lib.support.paths import ASSETS

BUNDLED_SEED_TASKS = ASSETS / "seed_tasks.jsonl"  # 175, written for this course


@dataclass(frozen=True)
class SeedTask:
    """A task, and ``instances`` of it done: each an input, which may be empty, and its output."""

    id: str
    name: str
    instruction: str
    instances: tuple[dict[str, str], ...]
    is_classification: bool  # whether the output is one of a few labels


def load_seed_tasks(path: str | Path = "bundled") -> list[SeedTask]:
    """The seed tasks of this course ("bundled"), or of a file such as Alpaca's seed_tasks.jsonl.

    One JSON object a line, with ``id``, ``name``, ``instruction``, ``instances`` and
    ``is_classification``; other fields are passed over. No id occurs twice.

    Raises:
        DatasetError: the file cannot be read, or a task is faulty; names line and field.
    """
    path = BUNDLED_SEED_TASKS if path == "bundled" else Path(os.path.expanduser(path))
    rows = list_rows(find_rows(read_rows(path), path), path)
    tasks: list[SeedTask] = []
    first_row: dict[str, int] = {}  # id → the row that has it first
    for row, value in enumerate(rows):
        fault = _find_fault(value)
        if not fault and value["id"] in first_row:
            fault = "id", f"{value['id']!r} is that of row {first_row[value['id']]}, too"
        if fault:
            field, problem = fault
            raise DatasetError(problem + _line(path, row), path, row, field)
        first_row[value["id"]] = row
        instances = tuple(
            {"input": "" if is_absent(one.get("input")) else one["input"], "output": one["output"]}
            for one in value["instances"]
        )
        names = ("id", "name", "instruction")
        tasks.append(SeedTask(*(value[n] for n in names), instances, value["is_classification"]))
    return tasks


def flatten(tasks: list[SeedTask]) -> list[Entry]:
    """An entry for each instance of each task. Alpaca takes the first instance alone."""
    return [
        {"instruction": task.instruction, **instance}
        for task in tasks
        for instance in task.instances
    ]


def _find_fault(value: Any) -> tuple[str | None, str] | None:
    """The field of a seed task that is faulty, and how; None where it is sound."""
    if not isinstance(value, dict):
        return None, f"is {describe(value)}; a seed task is an object with fields"
    if isinstance(value, FaultyRow):
        return value.field, value.problem
    kinds = {"id": str, "name": str, "instruction": str, "instances": list}
    for field, kind in (kinds | {"is_classification": bool}).items():
        if field not in value:
            hint = "; load_entries reads files of entries" if "output" in value else ""
            return field, f"is missing{hint}"
        if not isinstance(value[field], kind):
            wanted = {str: "text", list: "a list", bool: "true or false"}[kind]
            return field, f"is {describe(value[field])}; {wanted} is expected"
    for field in ("id", "name"):
        if not value[field].strip():
            return field, "is blank"
    if not value["instances"]:
        return "instances", "is empty; at least one instance is needed"
    for index, instance in enumerate(value["instances"]):
        place = f"instances[{index}]"
        if not isinstance(instance, dict):
            return place, f"is {describe(instance)}; an object with input and output is expected"
        if isinstance(instance, FaultyRow):
            return f"{place}.{instance.field}", instance.problem
        texts = {name: instance[name] for name in ("input", "output") if name in instance}
        faults = sift_entries([{"instruction": value["instruction"], **texts}])[1]
        if faults:
            (_, field, problem) = faults[0]
            return field if field == "instruction" else f"{place}.{field}", problem
    return None


def _line(path: Path, row: int) -> str:
    """Where a row stands in a file of JSON Lines, whose empty lines are no rows; else nothing."""
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        return ""
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    numbers = [number for number, line in enumerate(lines, start=1) if line.strip()]
    return f" (line {numbers[row]})"
