"""From rows of any layout to entries: found, checked one by one, named where faulty. Lesson 01."""

import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, NotRequired, Required, TypedDict

from lessons_lib.data.reading.contents import describe, why_not_json
from lessons_lib.data.reading.fields import (
    FIELDS,
    Names,
    RenamedRow,
    describe_row,
    fold_name,
    is_absent,
    known_names,
    list_names,
    name_fields,
    reading_of,
    turns_field,
)
from lessons_lib.data.reading.rows import (
    DatasetError,
    DroppedEntriesWarning,
    FaultyRow,
    warn_caller,
)

AN_ENTRY = "an entry is an object with fields"


class Entry(TypedDict, total=False):
    """One example: what is asked, on what, and the answer wanted. Extra fields are kept."""

    instruction: Required[str]
    input: NotRequired[str]
    output: Required[str]


class Splits(NamedTuple):
    """The three parts of a data set, in the order in which they are cut from it."""

    train: list[Entry]
    test: list[Entry]
    validation: list[Entry]


class Fault(NamedTuple):  # and no exception: a million of them must have room
    row: int
    field: str | None
    problem: str


def find_rows(value: Any, file: object = None, fields: Names = None) -> Any:
    """The list of rows in what a file holds, or in what was given instead of one.

    A list stays. An object may be an entry, have one list of objects under any key, hold columns,
    or be what pandas' ``to_json`` writes; pandas' index is left out.

    Raises:
        DatasetError: an object with no list of rows, or with several.
    """
    pandas, datasets = sys.modules.get("pandas"), sys.modules.get("datasets")
    if pandas and isinstance(value, pandas.DataFrame):
        return value.astype(object).where(value.notna(), None).to_dict("records")
    if datasets and isinstance(value, datasets.Dataset):
        return value.to_list()
    if datasets and isinstance(value, datasets.IterableDataset):
        raise DatasetError("is a stream; give load_entries list(stream.take(1000))", file)
    if isinstance(value, list) or (file is None and not isinstance(value, dict)):
        return value
    if not isinstance(value, dict):
        raise DatasetError(f"holds {describe(value)}; a list of entries is expected", file)
    items = list(value.values())
    known = [name for name in value if fold_name(name) in known_names(fields)]
    texts = [name for name in known if isinstance(value[name], str)]
    lists = {name: item for name, item in value.items() if isinstance(item, list)}
    tables = {n: item for n, item in lists.items() if all(isinstance(i, dict) for i in item)}
    if (
        turns_field(value)
        or len(texts) > bool(tables)
        or {"instruction", "instances"} <= set(value)
    ):
        return [value]  # one entry, conversation or seed task
    if isinstance(value, FaultyRow) and value.field in (lists or known):
        raise DatasetError("is named twice", file, field=value.field)
    columns, data = lists.get("columns", []), lists.get("data", [])  # pandas' "split"
    if (
        columns
        and all(isinstance(c, str) for c in columns)
        and all(isinstance(row, list) for row in data)
    ):
        return [dict(zip(columns, row, strict=False)) for row in data]
    if len(lists) == len(value) > 1 and (known or not tables):
        lengths = {name: len(item) for name, item in lists.items()}
        if len(set(lengths.values())) > 1:
            raise DatasetError(f"holds columns of different lengths: {lengths}", file)
        return [dict(zip(value, cells, strict=True)) for cells in zip(*items, strict=True)]
    if len(tables) == 1:
        (rows,) = tables.values()
        if isinstance(value.get("schema"), dict):  # pandas' "table"
            index = str(value["schema"].get("primaryKey"))
            rows = [{n: row[n] for n in row if repr(n) not in index} for row in rows]
        return rows
    objects = bool(items) and all(isinstance(item, dict) for item in items)
    parts = objects and all(isinstance(cell, list) for item in items for cell in item.values())
    if parts and len(items) == 1:
        return find_rows(items[0], file, fields)
    if objects and not parts:
        numbers = dict.fromkeys(number for item in items for number in item)
        if not known and not all(str(number).isdigit() for number in numbers):
            return items  # pandas' "index"
        return [{n: value[n][i] for n in value if i in value[n]} for i in numbers]
    foreign = items and not any(
        isinstance(i, str | float | int | list | dict | None) for i in items
    )
    if parts or foreign or len(tables) > 1:  # foreign: a DatasetDict
        rows, how = reading_of(file)
        problem = f"holds several sets of entries, {list_names(value)}; take one: "
        raise DatasetError(f"{problem}load_entries({rows}[{next(iter(value))!r}]){how}", file)
    problem = f"holds one JSON object with {list_names(value)}"
    raise DatasetError(f"{problem}; put the entries into a list: [ … ]", file)


def check_entries(
    rows: object, file: object = None, on_invalid: Literal["error", "drop"] = "error"
) -> list[Entry]:
    """The rows as entries: each an object whose fields hold usable text.

    An input that is missing, null or NaN becomes an empty one; other names are read as
    ``name_fields`` says. Extra fields must fit into strict JSON, so that no later save fails.

    Raises:
        DatasetError: the rows are no list, no entry is left, or (with "error") one is faulty.
    """
    rows = list_rows(rows, file)
    if any(isinstance(row, dict) and not row.keys() >= set(FIELDS) for row in rows):
        rows = name_fields(rows, None, file)
    return keep_valid(rows, file, on_invalid)


def as_entries(data: object, name: str = "entries") -> list[Entry]:
    """What was handed to a function as entries, as a list; ``name`` is what messages call it.

    Only sees whether the texts are there, as ``check_entries`` does more closely; makes an absent
    input an empty one. No rows are an empty list.

    Raises:
        DatasetError: a path, a DataFrame, all three parts, …: says how to get what is wanted.
    """
    entries = []
    for row, value in enumerate(list_rows(data, name, empty=True)):
        if not isinstance(value, Mapping):
            raise DatasetError(f"is {describe(value)}; {AN_ENTRY}", name, row)
        if "input" in value and is_absent(value["input"]):
            value = {**value, "input": ""}
        for field in FIELDS:
            if field not in value and field != "input":
                raise DatasetError("is missing; " + describe_row(value, value), name, row, field)
            if not isinstance(text := value.get(field, ""), str):
                raise DatasetError(f"is {describe(text)}; text is expected", name, row, field)
        entries.append(value)
    return entries


def list_rows(data: object, name: object = None, empty: bool = False) -> list[Any]:
    """The rows of whatever can be listed; for all else a ``DatasetError`` with what to do."""
    pandas = sys.modules.get("pandas")
    if isinstance(data, str | Path):
        problem = f"is text; load_entries({str(data)[:80]!r}) reads a file of that name"
    elif isinstance(data, Splits):
        problem = "is a data set in three parts; take one of them, such as splits.train"
    elif pandas and isinstance(data, pandas.DataFrame):
        problem = "is a pandas DataFrame; load_entries(frame) makes entries of it"
    elif isinstance(data, Mapping) and {"instruction", "output"} <= data.keys():
        problem = "is one entry, an object; put the entries into a list: [entry]"
    elif isinstance(data, Mapping):
        example = ", such as data['train']" if "train" in data else ""
        problem = f"is an object with {list_names(data)}; a list of entries is expected{example}"
    elif isinstance(data, bytes) or not isinstance(data, Iterable):
        problem = f"is {describe(data)}; a list of entries is expected, as load_entries gives it"
    else:
        if (rows := data if isinstance(data, list) else list(data)) or empty:
            return rows
        problem = "holds no entries"
    raise DatasetError(problem, name)


def keep_valid(rows: list[Any], file: object, on_invalid: Literal["error", "drop"]) -> list[Entry]:
    """The rows that are entries; with "error" the first that is none ends it."""
    entries, faults = sift_entries(rows, file, stop=on_invalid == "error")
    if faults and (on_invalid == "error" or not entries):
        row, field, problem = faults[0]
        value = rows[row]
        if problem == "is missing":
            problem += f"; {describe_row(value, value, file)}"
        if isinstance(value, RenamedRow) and value.called.get(field, field) != field:
            problem += f" (the file calls the field {value.called[field]!r})"
        raise DatasetError(problem, file, row, field)
    if faults:
        reasons = Counter(f"{fault.field or 'entry'}: {fault.problem}" for fault in faults)
        listed = "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common())
        first = ", ".join(str(fault.row) for fault in faults[:10]) + " …" * (len(faults) > 10)
        dropped = f"dropped {len(faults)} of {len(faults) + len(entries)} entries ({listed})"
        warn_caller(f"{file or 'entries'}: {dropped}. Rows: {first}", DroppedEntriesWarning)
    return entries


def sift_entries(
    rows: list[Any], file: object = None, stop: bool = False
) -> tuple[list[Entry], list[Fault]]:
    """The usable entries, and the fault of each other row; ``stop`` ends at the first fault."""
    entries, faults = [], []
    for row, value in enumerate(list_rows(rows, file)):
        if isinstance(entry := _check_entry(value), dict):
            entries.append(entry)
            continue
        faults.append(Fault(row, *entry))
        if stop:
            break
    return entries, faults


def _check_entry(value: Any) -> Entry | tuple[str | None, str]:
    """A row as an entry, a missing input filled in; or the field that is faulty, and how."""
    if not isinstance(value, dict):
        return None, f"is {describe(value)}; {AN_ENTRY}"
    if isinstance(value, FaultyRow):
        return value.field, value.problem
    entry = {"instruction": None, "input": "", "output": None} | value
    if is_absent(entry["input"]):
        entry["input"] = ""
    for field, text in entry.items():
        if field not in value and field != "input":
            return field, "is missing"
        if field not in FIELDS:
            problem = why_not_json({field: text})
            if problem:
                return str(field), problem
        elif not isinstance(text, str):
            return field, f"is {describe(text)}; text is expected"
        elif "\0" in text:
            return field, "contains a NUL character"
        elif any("\ud800" <= character <= "\udfff" for character in text):
            return field, "contains half a character (a lone surrogate)"
        elif field != "input" and _is_invisible(text):
            return field, "is blank"
    return entry  # type: ignore[return-value]


def _is_invisible(text: str) -> bool:
    """Whether the text is but white space, control and zero-width characters."""
    return all(c.isspace() or unicodedata.category(c) in ("Cc", "Cf") for c in text)
