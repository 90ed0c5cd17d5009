"""Files of entries, read strictly: every fault names its file, row and field. Used by lesson 01.

``read_rows`` turns a .json or .jsonl file into Python values, ``check_entries`` turns those into
entries. No other exception than ``DatasetError`` leaves either of them for what a file holds.
"""

import json
import unicodedata
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, Literal, NotRequired, Required, TypedDict


class Entry(TypedDict, total=False):
    """One example: what is asked, on what, and the answer wanted. Extra fields are kept."""

    instruction: Required[str]
    input: NotRequired[str]
    output: Required[str]


class DatasetError(ValueError):
    """A data set that cannot be used as it is. ``file``, ``row`` (from 0) and ``field`` say where;
    ``row`` and ``field`` are None where the file as a whole is meant."""

    def __init__(
        self, problem: str, file: object = None, row: int | None = None, field: str | None = None
    ):
        self.problem, self.file, self.row, self.field = problem, file, row, field
        place = [f"{file}"] if file is not None else []
        place += [f"row {row}"] if row is not None else []
        place += [f"field {field!r}"] if field is not None else []
        super().__init__(": ".join([", ".join(place), problem]) if place else problem)

    def __reduce__(self):
        return DatasetError, (self.problem, self.file, self.row, self.field)


class DroppedEntriesWarning(UserWarning):
    """Entries were left out because ``on_invalid="drop"`` was asked for."""


class _RepeatedField(dict):
    """A JSON object that names the field ``repeated`` twice; found while parsing, reported with
    its row where it is an entry. Inside an extra field the last value stays, as JSON readers do."""

    repeated: str


def read_rows(path: Path) -> Any:
    """Parse a .json or .jsonl file; nothing is said yet about what its rows are."""
    check_suffix(path)
    try:
        if path.is_dir():
            raise DatasetError("is a folder; name a file in it", path)
        if not path.exists():
            raise DatasetError(f"does not exist (looked in {Path.cwd()})", path)
        if not path.is_file():
            raise DatasetError("is no ordinary file", path)
        text = _decode(path.read_bytes(), path)
    except (OSError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"cannot be read: {error}", path) from error
    if path.suffix.lower() == ".json":
        return _parse(text, path)
    # Only "\n" ends a line of JSON Lines: str.splitlines() would also cut at U+2028 in a text.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [_parse(line, path, row, number) for row, (number, line) in enumerate(lines)]


def check_suffix(path: Path) -> None:
    """Raise a ``DatasetError`` unless the name says which kind of file it is."""
    if path.suffix.lower() not in (".json", ".jsonl"):
        raise DatasetError("must end in .json or .jsonl (or be the word bundled, or a URL)", path)


def check_entries(
    rows: object, file: object = None, on_invalid: Literal["error", "drop"] = "error"
) -> list[Entry]:
    """The rows as entries: each an object whose fields hold usable text.

    Raises:
        DatasetError: the rows are no list, no entry is left, or (with "error") one is faulty.
    """
    entries, faults = sift_entries(rows, file)
    if faults and (on_invalid == "error" or not entries):
        raise faults[0]
    if faults:
        reasons = Counter(f"{fault.field or 'entry'}: {fault.problem}" for fault in faults)
        listed = "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common())
        first = ", ".join(str(fault.row) for fault in faults[:10])
        warnings.warn(
            f"{file or 'entries'}: dropped {len(faults)} of {len(faults) + len(entries)} entries "
            f"({listed}). Rows: {first}{' …' if len(faults) > 10 else ''}",
            DroppedEntriesWarning,
            stacklevel=3,
        )
    return entries


def sift_entries(rows: object, file: object = None) -> tuple[list[Entry], list[DatasetError]]:
    """The usable entries, and the fault of each of the others.

    Raises:
        DatasetError: the rows are no list, or an empty one.
    """
    if isinstance(rows, dict):
        raise DatasetError("holds one JSON object; put the entries into a list: [ … ]", file)
    if not isinstance(rows, list):
        raise DatasetError(f"holds {_kind(rows)}; a list of entries is expected", file)
    if not rows:
        raise DatasetError("holds no entries", file)
    entries, faults = [], []
    for row, value in enumerate(rows):
        try:
            entries.append(_check_entry(value, file, row))
        except DatasetError as fault:
            faults.append(fault)
    return entries, faults


def _check_entry(value: object, file: object, row: int) -> Entry:
    """One row as an entry, a missing input filled in."""
    if not isinstance(value, dict):
        raise DatasetError(f"is {_kind(value)}; an entry is an object with fields", file, row)
    if isinstance(value, _RepeatedField):
        raise DatasetError("is named twice in one entry", file, row, value.repeated)
    entry = {"instruction": None, "input": "", "output": None} | value
    for field in ("instruction", "input", "output"):
        text = entry[field]
        if field not in value and field != "input":
            raise DatasetError("is missing", file, row, field)
        if not isinstance(text, str):
            raise DatasetError(f"is {_kind(text)}; text is expected", file, row, field)
        if "\0" in text:
            raise DatasetError("contains a NUL character", file, row, field)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise DatasetError("contains half a character (a lone surrogate)", file, row, field)
        if field != "input" and _is_blank(text):
            raise DatasetError("is blank", file, row, field)
    return entry  # type: ignore[return-value]


def _is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen: white space, control and zero-width characters."""
    return all(c.isspace() or unicodedata.category(c) in ("Cc", "Cf") for c in text)


def _kind(value: object) -> str:
    """What a JSON value is called in an error message."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    names |= {int: "a number", float: "a number", type(None): "null"}
    # bool before int, of which it is a subclass
    kinds = (name for kind, name in names.items() if isinstance(value, kind))
    return next(kinds, type(value).__name__)


def _decode(content: bytes, path: Path) -> str:
    """UTF-8 with or without a byte-order mark."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DatasetError("is encoded in UTF-16; save it as UTF-8", path)
    if not content.strip():
        raise DatasetError("is empty", path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"is not UTF-8 (line {line}); save it as UTF-8", path) from None


def _parse(text: str, path: Path, row: int | None = None, line: int | None = None) -> Any:
    """JSON, strictly: no NaN, and an entry's field named twice is marked."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        place = f"line {line or error.lineno}, column {error.colno}"
        hint = "; was it cut off?" if error.pos >= len(text.rstrip()) - 1 else ""
        if error.msg == "Extra data" and path.suffix.lower() == ".json":
            hint = "; if it holds one entry a line, let its name end in .jsonl"
        raise DatasetError(f"is not JSON: {error.msg} ({place}){hint}", path, row) from None
    except RecursionError:
        raise DatasetError("is nested too deeply to be a list of entries", path, row) from None
    except ValueError as error:  # NaN, or an integer of thousands of digits
        raise DatasetError(f"is not JSON: {error}", path, row) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    counts = Counter(name for name, _ in pairs)
    repeated = next((name for name, count in counts.items() if count > 1), None)
    if repeated is None:
        return dict(pairs)
    marked = _RepeatedField(pairs)
    marked.repeated = repeated
    return marked
