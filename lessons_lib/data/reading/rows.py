"""Files of entries, read strictly: every fault names its file, row and field. Used by lesson 01.

``read_rows`` turns JSON, JSON Lines, CSV, TSV and parquet into Python values; what is none of them
is named for what it is. No other exception than ``DatasetError`` leaves it for what a file holds.
"""

import csv
import gzip
import io
import json
import re
import sys
import warnings
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from lessons_lib.data.reading.contents import name_content

SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
READ_LIMIT = 2**30  # bytes, of a download and of what a compressed file becomes


class DatasetError(ValueError):
    """A data set that cannot be used as it is. ``file``, ``row`` (from 0) and ``field`` say where;
    ``row`` and ``field`` are None where the file as a whole is meant."""

    def __init__(
        self, problem: str, file: object = None, row: int | None = None, field: str | None = None
    ):
        self.problem, self.file, self.row, self.field = problem, file, row, field
        where = [f"{file}"] if file is not None else []
        where += [f"row {row}"] if row is not None else []
        where += [f"field {field!r}"] if field is not None else []
        super().__init__(": ".join([", ".join(where), problem]) if where else problem)

    def __reduce__(self):
        return DatasetError, (self.problem, self.file, self.row, self.field)


class DroppedEntriesWarning(UserWarning):
    """Entries were left out because ``on_invalid="drop"`` was asked for."""


class FaultyRow(dict):
    """A row in which something was found wrong while it was read; the check of entries tells."""

    def __init__(self, fields: Any, problem: str, field: str | None = None):
        super().__init__(fields)
        self.problem, self.field = problem, field


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn at the line outside ``lessons_lib.data`` that called into it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals["__name__"].startswith("lessons_lib.data"):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def read_rows(path: Path) -> Any:
    """What a file holds, as Python values; nothing is said yet about what its rows are.

    JSON Lines in a .json file are read, too, as the datasets library does, and parquet under any
    name. In a .csv file a comma separates cells, or, where the first line has none, a semicolon or
    a tab. All cells are texts: "NA" stays "NA".
    """
    check_suffix(path)
    try:
        if path.is_dir():
            raise DatasetError("is a folder; name a file in it", path)
        if not path.exists():
            raise DatasetError(f"does not exist (looked in {Path.cwd()})", path)
        if not path.is_file():
            raise DatasetError("is no ordinary file", path)
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"cannot be read: {error}", path) from error
    if path.name.lower().endswith(".gz"):
        content = unpack(content, path)
    if content.startswith(b"PAR1"):
        return _read_parquet(content, path)
    suffix = _suffix(path)
    text = _decode(content, path, "JSON" if "js" in suffix else suffix[1:])
    if suffix == ".parquet":
        raise DatasetError("is not parquet but text; let its name say which kind", path)
    if suffix in (".csv", ".tsv"):
        return _read_table(text, path, "\t" if suffix == ".tsv" else ",")
    if suffix == ".json" and not _is_json_lines(text):
        return _parse(text, path)
    # Only "\n" ends a line of JSON Lines: str.splitlines() would also cut at U+2028 in a text.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    last = len(lines) - 1
    return [
        _parse(line, path, row, number, row == last) for row, (number, line) in enumerate(lines)
    ]


def check_suffix(path: Path) -> None:
    """Raise a ``DatasetError`` unless the name says which kind of file it is."""
    if _suffix(path) not in SUFFIXES:
        known = ".json or .jsonl (or .ndjson, .csv, .tsv, .parquet; .gz may follow)"
        raise DatasetError(f"must end in {known}, or be the word bundled, or a URL", path)


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def unpack(content: bytes, path: object) -> bytes:
    """What was packed with gzip, unless that is more than ``READ_LIMIT``; other bytes unchanged."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(READ_LIMIT + 1)
    except EOFError:
        raise DatasetError(
            "is packed with gzip, and its end is missing; get it again", path
        ) from None
    except (OSError, zlib.error) as error:
        raise DatasetError(f"is packed with gzip, and damaged: {error}", path) from None
    if len(unpacked) > READ_LIMIT:
        raise DatasetError(f"unpacks to more than {READ_LIMIT:,} bytes, the limit", path)
    return unpacked


def _decode(content: bytes, path: Path, kind: str) -> str:
    """UTF-8 with or without a byte-order mark; whatever is no text is named for what it is."""
    if not content.strip():
        raise DatasetError("is empty", path)
    other = name_content(content)
    if other:
        raise DatasetError(f"is not {kind} but {other}", path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"is not UTF-8 (line {line}); save it as UTF-8", path) from None


def _is_json_lines(text: str) -> bool:
    """Whether the first line is a whole JSON object, and something follows it."""
    first, _, rest = text.lstrip().partition("\n")
    if not (first.startswith("{") and rest.strip()):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _parse(
    text: str, path: Path, row: int | None = None, line: int | None = None, last: bool = True
) -> Any:
    """JSON; an entry's field that is named twice is marked. NaN is let through, for the check to
    name its row. ``row`` and ``line`` are those of JSON Lines, ``last`` whether no line follows."""
    try:
        return json.loads(text, parse_constant=float, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = f"line {line or error.lineno}, column {error.colno}"
        hint = "; was it cut off?" if last and _breaks_off(error) else ""
        if row is None and _is_header(text.partition("\n")[0]):
            hint = "; it looks like a table: save it under a name that ends in .csv or .tsv"
        if row == 0 and text.strip() == "[":
            hint = "; if it holds one list of entries, let its name end in .json"
        raise DatasetError(f"is not JSON: {error.msg} ({where}){hint}", path, row) from None
    except RecursionError:
        raise DatasetError("is nested too deeply to be a list of entries", path, row) from None
    except ValueError as error:  # an integer of thousands of digits
        raise DatasetError(f"is not JSON: {error}", path, row) from None


def _breaks_off(error: json.JSONDecodeError) -> bool:
    """Whether the text ends where more must come."""
    rest = error.doc[error.pos :].strip()
    literals = ("true", "false", "null", "-1")
    return bool(error.doc.strip()) and (
        any(word.startswith(rest) and word != rest for word in literals)  # also where rest is ""
        or error.msg.startswith("Unterminated string")
        or ("escape" in error.msg and '"' not in rest)
    )


def _is_header(line: str) -> bool:
    names = [name.strip(' "\r').lower() for name in re.split("[,;\t]", line)]
    return len(names) > 1 and not {"instruction", "prompt", "question"}.isdisjoint(names)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Inside an extra field a name's last value stays, as JSON readers do."""
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    repeated = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    return FaultyRow(fields, "is named twice in one entry", repeated)


def _read_table(text: str, path: Path, separator: str) -> list[dict[str, str]]:
    """CSV or TSV, by Python's own reader: the first line names the fields."""
    header = text.lstrip("\r\n").partition("\n")[0]
    if separator not in header:  # Excel writes semicolons where commas are in numbers
        separator = next((mark for mark in ",;\t" if mark in header), separator)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # of 131,072 letters a cell
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[dict[str, str]] = []
    try:
        names = next((cells for cells in lines if any(cells)), [""])
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise DatasetError("is named twice in the first line", path, field=twice[0])
        for cells in lines:
            fields = dict(zip(names, cells, strict=False))
            if len(cells) == len(names):
                rows.append(fields)
            elif any(cells):
                problem = f"has {len(cells)} cells, and the first line names {len(names)} fields"
                rows.append(FaultyRow(fields, problem))
    except csv.Error as error:
        hint = ' (is a " left open?)' if "end of data" in str(error) else ""
        raise DatasetError(f"is not CSV: {error}{hint} (line {lines.line_num})", path) from None
    rows = [row for row in rows if any(row.values())]  # spreadsheets end in lines of separators
    if names[0] == "" and all(row.get("") == str(i) for i, row in enumerate(rows)):
        for row in rows:
            del row[""]  # the index that pandas' to_csv() writes
    return rows


def _read_parquet(content: bytes, path: Path) -> list[dict[str, Any]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise DatasetError("is parquet, which needs pyarrow: pip install pyarrow", path) from None
    try:
        file = parquet.ParquetFile(pyarrow.BufferReader(content))
        groups = range(file.metadata.num_row_groups)
        size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        if size > READ_LIMIT:
            raise DatasetError(f"unpacks to more than {READ_LIMIT:,} bytes, the limit", path)
        table = file.read()
    except (pyarrow.ArrowException, OSError) as error:
        raise DatasetError(f"is damaged parquet: {error}", path) from None
    index = [name for name in table.column_names if name.startswith("__index_level_")]  # pandas'
    return table.drop_columns(index).to_pylist()
