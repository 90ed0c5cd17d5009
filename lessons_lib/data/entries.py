"""Entries: from the package, a file or a URL, checked one by one, then split. Taught in lesson 01.

An entry is a plain dictionary with the texts ``instruction``, ``input`` (may be empty) and
``output``. Whatever is wrong with a file becomes a ``DatasetError`` that says where.
"""

import hashlib
import http.client
import os
import re
import string
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Literal, NamedTuple

from lessons_lib.data.reading import (
    DatasetError,
    Entry,
    check_entries,
    check_suffix,
    read_rows,
    sift_entries,
)
from lessons_lib.support import cache_folder, write_whole
from lessons_lib.support.paths import ASSETS

BUNDLED_ENTRIES = ASSETS / "entries.json"
# Of chapter 7 of "Build a Large Language Model (From Scratch)"; not part of this course.
BOOK_ENTRIES = (
    "https://raw.githubusercontent.com/rasbt/LLMs-from-scratch/main/"
    "ch07/01_main-chapter-code/instruction-data.json"
)
DOWNLOAD_TIMEOUT = 30  # seconds without an answer before a download is given up


class Splits(NamedTuple):
    """The three parts of a data set, in the order in which they are cut from it."""

    train: list[Entry]
    test: list[Entry]
    validation: list[Entry]


def load_entries(
    source: str | Path = "bundled", on_invalid: Literal["error", "drop"] = "error"
) -> list[Entry]:
    """Entries from the package ("bundled"), from a .json or .jsonl file, or from a URL.

    "chosen" is what ``choose_entries`` was told last; the lessons use it. A download is kept in the
    project's cache folder and not fetched again. A missing ``input`` becomes an empty one. With
    ``on_invalid="drop"`` faulty entries are left out, and a warning says how many and why.

    Raises:
        DatasetError: the source cannot be read, or an entry is faulty (file, row and field named).
        ValueError: ``on_invalid`` is neither "error" nor "drop".
    """
    if on_invalid not in ("error", "drop"):
        raise ValueError(f'on_invalid must be "error" or "drop", not {on_invalid!r}')
    if source == "chosen":
        source = chosen_source()
    if source == "bundled":
        path = BUNDLED_ENTRIES
    elif isinstance(source, str) and "://" in source:
        path = cache_folder() / "datasets" / _cached_name(source)
        _download(path, source)
    else:
        path = Path(os.path.expanduser(source))
    return check_entries(read_rows(path), file=path, on_invalid=on_invalid)


def choose_entries(source: str | Path) -> list[Entry]:
    """Let all lessons use these entries from now on: "bundled", a file's path, or a URL.

    They are loaded first, so that a faulty source changes nothing; they are returned.

    Raises:
        DatasetError: the source cannot be read, or an entry is faulty.
    """
    if source != "bundled" and "://" not in str(source):
        source = Path(os.path.expanduser(source)).resolve()
    entries = load_entries(source)
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


def split_entries(entries: list[Entry], train: float = 0.85, test: float = 0.10) -> Splits:
    """Cut the list, in its order, into train, test and validation (what the first two leave).

    1,100 entries give 935, 110 and 55. Counts are rounded down.

    Raises:
        ValueError: a fraction is outside 0 … 1, they add up to more than 1, or no entry is left
            to train on.
    """
    for name, fraction in (("train", train), ("test", test)):
        if not 0 <= fraction <= 1:
            raise ValueError(f"{name} must be a fraction between 0 and 1, not {fraction}")
    if train + test > 1 + 1e-9:
        raise ValueError(f"train + test is {train + test:g}; together they can be 1 at the most")
    # 0.29 * 100 is 28.999… in floating point; the small term keeps such products whole.
    train_end = int(len(entries) * train + 1e-9)
    test_end = train_end + int(len(entries) * test + 1e-9)
    if train_end == 0:
        raise ValueError(f"{len(entries)} entries × {train:g} leaves none to train on")
    return Splits(entries[:train_end], entries[train_end:test_end], entries[test_end:])


def _cached_name(url: str) -> str:
    """A file name of its own for each URL: a piece of the URL's hash, then its last part."""
    address = re.split(r"[?#]", url)[0].rstrip("/")
    name = re.sub(r"[^A-Za-z0-9._-]", "_", address.rpartition("/")[2])[-100:]
    if not name.lower().endswith((".json", ".jsonl")):
        name += ".json"
    return f"{hashlib.sha256(url.encode(errors='replace')).hexdigest()[:8]}-{name}"


def _download(path: Path, url: str) -> None:
    """Fetch ``url`` into ``path`` unless it is there; checked first, then renamed into place."""
    if os.path.exists(path):  # which, unlike path.exists(), never raises
        return
    check_suffix(path)
    if not url.lower().startswith(("http://", "https://")):
        raise DatasetError("only http:// and https:// addresses can be downloaded", url)
    try:
        with urllib.request.urlopen(_quoted(url), timeout=DOWNLOAD_TIMEOUT) as response:
            content = response.read()
    except http.client.IncompleteRead as error:
        raise DatasetError(f"broke off after {len(error.partial)} bytes; try again", url) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DatasetError(
            f"cannot be downloaded: {reason}. Without a network, use load_entries() "
            "(the bundled entries) or the path of a file you have",
            url,
        ) from error
    if content.lstrip()[:1] == b"<":
        raise DatasetError("answered with a web page, not with JSON; check the address", url)

    def write_checked(temporary: Path) -> None:
        temporary.write_bytes(content)
        entries, faults = sift_entries(read_rows(temporary), file=url)
        if not entries:
            raise faults[0]

    try:
        write_whole(path, write_checked)
    except DatasetError as error:
        raise DatasetError(error.problem, url, error.row, error.field) from None
    except OSError as error:
        raise DatasetError(f"cannot be written: {error}", path) from error


def _quoted(url: str) -> str:
    """The address with letters beyond ASCII in its path written as an address has them."""
    parts = urllib.parse.urlsplit(url)
    path, query = (urllib.parse.quote(part, safe=string.punctuation) for part in parts[2:4])
    return parts._replace(path=path, query=query).geturl()
