"""Entries: from the package, a file, a URL or a table, checked, then split. Taught in lesson 01.

An entry is a plain dictionary with the texts ``instruction``, ``input`` (may be empty) and
``output``. Whatever is wrong with a file becomes a ``DatasetError`` that says where.
"""

import hashlib
import http.client
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from lessons_lib.data.draw import Draw
from lessons_lib.data.reading import (
    DatasetError,
    Entry,
    Splits,
    as_entries,
    find_rows,
    keep_valid,
    list_rows,
    name_fields,
    read_rows,
    sift_entries,
)
from lessons_lib.data.reading.fields import Names
from lessons_lib.data.reading.rows import READ_LIMIT, SUFFIXES, check_suffix, unpack, warn_caller
from lessons_lib.support import cache_folder, write_whole
from lessons_lib.support.files import fetch
from lessons_lib.support.paths import ASSETS

BUNDLED_ENTRIES = ASSETS / "entries.json"
# Of chapter 7 of "Build a Large Language Model (From Scratch)"; not part of this course. The
# revision is fixed: "main" in its place is whatever the file is today.
BOOK_REPOSITORY = "https://raw.githubusercontent.com/rasbt/LLMs-from-scratch/"
BOOK_FILE = "/ch07/01_main-chapter-code/instruction-data.json"
BOOK_ENTRIES = f"{BOOK_REPOSITORY}b80e7804b30830a00eb55d2abc7ac25a07f36fdc{BOOK_FILE}"
BOOK_SHA256 = "7e09a9af353722ca15c18bc580f093f9c39d3178335a75177319cb1e1d163944"
DOWNLOAD_SECONDS = 900  # within which a download must be there
NO_INPUT = {"noinput", "no input", "n/a", "none", "null", "nan", "not applicable"}
NO_INPUT |= {"no input needed", "no input required", "no input provided"}


class ChangedFileWarning(UserWarning):
    """A downloaded file is another than the one that the course was written with."""


class SmallSplitWarning(UserWarning):
    """A part of a split is empty, because there are so few entries."""


def load_entries(
    source: Any = "bundled",
    on_invalid: Literal["error", "drop"] = "error",
    *,
    fields: Names = None,
    normalise_input: bool = False,
) -> list[Entry]:
    """Entries from the package ("bundled"), from a file, a URL, or from what holds rows already.

    Files are .json, .jsonl, .ndjson, .csv, .tsv (the first line names the fields) or .parquet; all
    may be packed with gzip. Rows may also be a list of dictionaries, a pandas DataFrame or a
    Hugging Face ``Dataset``. A download is kept in the cache folder and not fetched again.
    "chosen" is what ``choose_entries`` was told last; the lessons use it.

    Alpaca's fields are read, Dolly's, prompt and completion or response, question and answer. For
    others ``fields`` says what the file calls them: ``{"instruction": "query", "output": "text"}``.
    An input that is missing, null or NaN becomes an empty one; with ``normalise_input`` one that
    only says so ("<noinput>", "N/A", white space), too. With ``on_invalid="drop"`` faulty entries
    are left out, and a warning says how many and why.

    What is accepted follows the datasets library (a list under any key, JSON Lines by content);
    what the fields may be called follows LLaMA-Factory's and axolotl's Alpaca types, but without
    being told: where more than one reading is possible it is refused.

    Raises:
        DatasetError: the source cannot be read, or an entry is faulty (file, row and field named).
        ValueError: ``on_invalid`` is neither "error" nor "drop", or ``fields`` names other fields.
    """
    if on_invalid not in ("error", "drop"):
        raise ValueError(f'on_invalid must be "error" or "drop", not {on_invalid!r}')
    if isinstance(source, str) and source == "chosen":
        source = chosen_source()
    path = None
    if isinstance(source, str) and source == "bundled":
        path = BUNDLED_ENTRIES
    elif isinstance(source, str) and "://" in source:
        path = cache_folder() / "datasets" / _cached_name(source)
        _download(path, source, fields)
    elif isinstance(source, str | Path):
        path = Path(os.path.expanduser(source))
    rows = find_rows(source if path is None else read_rows(path), path, fields)
    rows = list_rows(rows, "source" if path is None else path)
    entries = keep_valid(name_fields(rows, fields, path), path, on_invalid)
    if normalise_input:
        entries = [e | {"input": "" if says_no_input(e["input"]) else e["input"]} for e in entries]
    return entries


def says_no_input(text: str) -> bool:
    """Whether an input only says that there is none, or is nothing but white space."""
    return not text.strip() or text.casefold().strip(" \t\r\n<>[]().") in NO_INPUT


def choose_entries(source: Any, fields: Names = None) -> list[Entry]:
    """Let all lessons use these entries from now on: whatever ``load_entries`` takes.

    They are loaded first, so that a faulty source changes nothing; they are returned. What is no
    file, and what needs ``fields``, is written into the cache folder.

    Raises:
        DatasetError: the source cannot be read, or an entry is faulty.
    """
    if isinstance(source, str | Path) and source != "bundled" and "://" not in str(source):
        source = Path(os.path.expanduser(source)).resolve()
    entries = load_entries(source, fields=fields)
    if fields or not isinstance(source, str | Path):
        source = (cache_folder() / "chosen_entries.json").resolve()
        text = json.dumps(entries, ensure_ascii=False, indent=1)
        write_whole(source, lambda path: path.write_text(text, encoding="utf-8"))
    write_whole(_choice(), lambda path: path.write_text(f"{source}\n", encoding="utf-8"))
    return entries


def chosen_source() -> str:
    """What ``choose_entries`` was told last, else "bundled"; ``LESSONS_LIB_ENTRIES`` overrides."""
    named = os.environ.get("LESSONS_LIB_ENTRIES")
    if named:
        return named
    try:
        return _choice().read_text(encoding="utf-8").strip() or "bundled"
    except FileNotFoundError:
        return "bundled"


def _choice() -> Path:
    return cache_folder() / "chosen_entries.txt"


def download_and_load_file(file_path: str | Path, url: str) -> list[Entry]:
    """The entries in ``file_path``, downloaded from ``url`` first if there is no such file.

    What arrives is checked before it takes its name: a broken download leaves no file behind.

    Raises:
        DatasetError: the download failed, or the file holds no usable entries.

    Source: Raschka, "Build a Large Language Model (From Scratch)", listing 7.1.
    """
    _download(Path(file_path), url)
    return load_entries(Path(file_path))


def split_entries(
    entries: Iterable[Entry],
    train: float = 0.85,
    test: float = 0.10,
    shuffle_seed: int | None = None,
) -> Splits:
    """Cut the list, in its order, into train, test and validation (what the first two leave).

    1,100 entries give 935, 110 and 55. Counts are rounded down; a warning names a part that gets
    none. ``shuffle_seed`` shuffles first, for a file that is sorted by topic: the same seed gives
    the same order in every version of Python.

    Raises:
        DatasetError: what was given is no list of entries. ValueError: a fraction is outside
            0 … 1, they add up to more than 1, or no entry is left to train on.
    """
    entries = as_entries(entries)
    for name, fraction in (("train", train), ("test", test)):
        if not 0 <= fraction <= 1:
            raise ValueError(f"{name} must be a fraction between 0 and 1, not {fraction}")
    if train + test > 1 + 1e-9:
        raise ValueError(f"train + test is {train + test:g}; together they can be 1 at the most")
    # 0.29 * 100 is 28.999… in floating point; the small term keeps such products whole.
    train_end = int(len(entries) * train + 1e-9)
    test_end = train_end + int(len(entries) * test + 1e-9)
    if train_end == 0:
        count = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
        more = "give more, or a larger share, up to train=1, test=0"
        raise ValueError(f"{count} × {train:g} leaves none to train on; {more}")
    if shuffle_seed is not None:
        entries = Draw(shuffle_seed).shuffled(entries)
    splits = Splits(entries[:train_end], entries[train_end:test_end], entries[test_end:])
    shares = {"test": test, "validation": 1 - train - test}
    parts = splits._asdict()
    empty = [part for part, share in shares.items() if share > 1e-9 and not parts[part]]
    if empty:
        warn_caller(
            f"{len(entries)} entries leave nothing for {' and '.join(empty)}: give more entries, "
            "or other shares, such as train=0.6, test=0.2",
            SmallSplitWarning,
        )
    return splits


def _cached_name(url: str) -> str:
    """A file name of its own for each URL: a piece of the URL's hash, then its last part."""
    address = re.split(r"[?#]", url)[0].rstrip("/")
    name = re.sub(r"[^A-Za-z0-9._-]", "_", address.rpartition("/")[2])[-100:]
    if not name.lower().removesuffix(".gz").endswith(SUFFIXES):
        name += ".json"
    return f"{hashlib.sha256(url.encode(errors='replace')).hexdigest()[:8]}-{name}"


def _download(path: Path, url: str, fields: Names = None) -> None:
    """Fetch ``url`` into ``path`` unless it is there; checked first, then renamed into place."""
    if os.path.exists(path):  # which, unlike path.exists(), never raises
        return
    check_suffix(path)
    if not url.lower().startswith(("http://", "https://")):
        raise DatasetError("only http:// and https:// addresses can be downloaded", url)
    try:
        content = fetch(url, READ_LIMIT, DOWNLOAD_SECONDS)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DatasetError(
            f"cannot be downloaded: {reason}. Without a network, use load_entries() "
            "(the bundled entries) or the path of a file you have",
            url,
        ) from error

    def write_checked(temporary: Path) -> None:
        temporary.write_bytes(content if path.suffix == ".gz" else unpack(content, url))
        rows = list_rows(find_rows(read_rows(temporary), url, fields), url)
        rows = name_fields(rows, fields, url, quiet=True)
        if not sift_entries(rows, url)[0]:
            keep_valid(rows, url, "error")

    try:
        write_whole(path, write_checked)
    except DatasetError as error:
        raise DatasetError(error.problem, url, error.row, error.field) from None
    except OSError as error:
        raise DatasetError(f"cannot be written: {error}", path) from error
    changed = hashlib.sha256(content).hexdigest() != BOOK_SHA256
    if changed and url.startswith(BOOK_REPOSITORY) and url.endswith(BOOK_FILE):
        problem = "is not the file that the course was written with; numbers may differ"
        warn_caller(f"{url}: {problem}", ChangedFileWarning)
