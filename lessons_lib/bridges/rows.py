"""Entries as rows for other programs, and back: Alpaca's JSON, TRL's prompt and completion.

A row that cannot be turned back is refused with file, row and field. Rows are written as JSON or
JSON Lines; ``messages`` has those of conversations. Lesson 14.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lessons_lib.data import Entry, PromptFormat, as_entries, get_prompt_format
from lessons_lib.data.reading import DatasetError, check_entries, find_rows, list_rows, read_rows
from lessons_lib.data.reading.contents import describe, why_not_json
from lessons_lib.data.reading.fields import list_names
from lessons_lib.data.reading.rows import FaultyRow
from lessons_lib.support import write_whole

Row = dict[str, Any]
INSTRUCTION, INPUT = "\ue000", "\ue001"  # stand for the two while a format's words are looked for


def to_alpaca(entries: Sequence[Entry]) -> list[Row]:
    """Rows of ``instruction``, ``input`` and ``output``, all three there; further fields are left
    out. ``load_entries`` turns them back.

    Raises:
        DatasetError: an entry is faulty.
    """
    fields = ("instruction", "input", "output")
    return [{name: entry.get(name, "") for name in fields} for entry in as_entries(entries)]


def to_prompt_completion(
    entries: Sequence[Entry], prompt_format: str | PromptFormat = "alpaca"
) -> list[Row]:
    """Rows of ``prompt`` and ``completion``, two texts; TRL itself adds end of text.

    Raises:
        DatasetError: an entry is faulty. ValueError: no format has this name.
    """
    wanted = get_prompt_format(prompt_format)
    return [
        {"prompt": wanted.prompt(entry), "completion": wanted.response(entry)}
        for entry in as_entries(entries)
    ]


def from_prompt_completion(
    source: Any, prompt_format: str | PromptFormat = "alpaca"
) -> list[Entry]:
    """Entries of rows whose prompts were written in this format: its own words are taken off.

    ``source`` is a file (.json, .jsonl or .parquet), a list of rows, or a ``datasets.Dataset``.
    Further fields are kept. An instruction that itself contains the words before an input is cut
    there. Rows of plain questions and answers, without a template, are read by ``load_entries``.

    Raises:
        DatasetError: the source cannot be read; a prompt is not of this format, or could be of
            two entries (in Phi-3's format an instruction and its input are one message).
            ValueError: no format has this name.
    """
    wanted = get_prompt_format(prompt_format)
    rows, file = rows_of(source)
    entries = []
    for index, row in enumerate(rows):
        check_row(row, file, index)
        entry, fault = _entry_of(row, wanted)
        if fault:
            field, problem = fault
            raise DatasetError(problem, file, index, field)
        entries.append(other_fields(row, ("prompt", "completion")) | entry)
    return check_entries(entries, file)


def write_rows(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows into a .json file, a list, or a .jsonl file, one row a line; returns the path.

    The file is written whole or not at all. OpenAI's fine-tuning takes ``to_messages`` as .jsonl.

    Raises:
        DatasetError: the name ends otherwise, there are no rows, or a row is no JSON (row and
            field named). OSError: the file cannot be written.
    """
    path, rows = Path(path), list_rows(rows, "rows")
    for index, row in enumerate(rows):
        if problem := why_not_json(row):
            fields = row if isinstance(row, Mapping) else ()
            field = next((name for name in fields if why_not_json(row[name])), None)
            raise DatasetError(problem, "rows", index, field)
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    elif path.suffix == ".json":
        text = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    else:
        raise DatasetError("must end in .jsonl or .json, so that it can be read again", path)
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
    return path


def rows_of(source: Any) -> tuple[list[Any], Path | None]:
    """The rows of whatever holds some, and the file that they come from, if it is one."""
    file = Path(source).expanduser() if isinstance(source, str | Path) else None
    return list_rows(find_rows(source if file is None else read_rows(file), file), file), file


def check_row(row: Any, file: Path | None, index: int) -> None:
    """Raise a DatasetError where a row is no object, or names a field twice."""
    if not isinstance(row, Mapping):
        raise DatasetError(f"is {describe(row)}; a row is an object with fields", file, index)
    if isinstance(row, FaultyRow):
        raise DatasetError(row.problem, file, index, row.field)


def other_fields(row: Mapping[str, Any], taken: Sequence[str]) -> Row:
    """What else a row holds, beside the fields that were taken."""
    return {name: value for name, value in row.items() if name not in taken}


def _entry_of(row: Row, wanted: PromptFormat) -> tuple[Row, tuple[str, str] | None]:
    """The entry of a row's two texts; or the field that is faulty, and how."""
    for field in ("prompt", "completion"):
        if field not in row:
            return {}, (field, f"is missing; the row has {list_names(row)}")
        if not isinstance(row[field], str):
            return {}, (field, f"is {describe(row[field])}; text is expected")
    name, closing, output = wanted.name, wanted.response_end, row["completion"]
    if not output.endswith(closing):
        return {}, ("completion", f"does not end in {closing!r}, as the {name} format does")
    asked = _askings(row["prompt"], wanted)
    if len(asked) == 1:
        return {**asked[0], "output": output.removesuffix(closing)}, None
    if asked:
        return {}, (
            "prompt",
            f"could be of {len(asked)} entries: where its instruction ends and its input begins "
            f"cannot be told in the {name} format",
        )
    other = "was it written in another format, or in none? load_entries reads plain prompts"
    return {}, ("prompt", f"is not written in the {name} format; {other}")


def _askings(prompt: str, wanted: PromptFormat) -> list[dict[str, str]]:
    """Each instruction with its input whose prompt this is; an input's header is taken for one.

    Raises:
        ValueError: the format writes an input before its instruction, or not at all.
    """
    marked = wanted.prompt({"instruction": INSTRUCTION, "input": INPUT})
    if not re.fullmatch(f"[^{INPUT}]*{INSTRUCTION}[^{INSTRUCTION}]*{INPUT}[^{INPUT}]*", marked):
        raise ValueError(f"the {wanted.name} format's own words cannot be taken off its prompts")
    start, between, end = re.split(f"[{INSTRUCTION}{INPUT}]", marked)
    inner = prompt.removeprefix(start).removesuffix(end)
    places = [found.start() for found in re.finditer(f"(?={re.escape(between)})", inner)]
    asked = [
        {"instruction": inner[:place], "input": inner[place + len(between) :]} for place in places
    ]
    asked = [each for each in asked if wanted.prompt(each) == prompt]
    if asked and between.strip():
        return asked
    start, end = wanted.prompt({"instruction": INSTRUCTION, "input": ""}).split(INSTRUCTION)
    alone = {"instruction": prompt.removeprefix(start).removesuffix(end), "input": ""}
    return asked + [alone] * (wanted.prompt(alone) == prompt)
