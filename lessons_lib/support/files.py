"""Files and folders that are written whole or not at all, and a lock for one process at a time.

Whoever reads sees the old content or the new, also after a crash or a full disk. What a file holds
that is not what its name says can be named.
"""

import contextlib
import hashlib
import http.client
import json
import os
import re
import secrets
import shutil
import string
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from lessons_lib.support.paths import models_folder

# How files begin that hold no plain text: what they are, and what to do.
BEGINNINGS = {
    b"version https://git-lfs": "a Git LFS pointer, which stands for the file; run `git lfs pull` "
    "in its repository, or download the file itself",
    b"PK\x03\x04": "a zip archive, as .xlsx files are, too; unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file; save it as CSV",
    b"BZh": "packed with bzip2; unpack it: bunzip2 FILE",
    b"\xfd7zXZ": "packed with xz; unpack it: unxz FILE",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it: unzstd FILE",
    b"\x1f\x8b": "packed with gzip; let its name end in .gz",
    b"PAR1": "parquet; let its name end in .parquet",
    b"%PDF": "a PDF document; its text must be copied out of it",
    b"SQLite format 3": "an SQLite database; write the table out as CSV",
    b"ARROW1": "an Arrow file; read it with pandas.read_feather(FILE)",
    b"\xff\xff\xff\xff": "an Arrow stream; read it with datasets.Dataset.from_file(FILE)",
    b"\x80\x04\x95": "a Python pickle, which could run foreign code; have it saved as JSON",
}
# Plain text that begins with ASCII has zero bytes in UTF-16 and UTF-32: which of the first four.
ZEROS = {(0, 1, 1, 1): 32, (1, 1, 1, 0): 32, (0, 1, 0, 1): 16, (1, 0, 1, 0): 16}
DEEPEST = 100  # levels; a writer that indents gives up at some 300
MARKS = {b"\xff\xfe\0\0": 32, b"\0\0\xfe\xff": 32, b"\xff\xfe": 16, b"\xfe\xff": 16}
LOCK = ".lock"  # in a folder that is being written


class CheckpointError(ValueError):
    """A model file is missing, damaged or of another shape; says which and what to do."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file of the same name, then put it in the place of ``path``.

    Whoever reads ``path`` sees the old content or the new, also after a crash. If ``write`` fails,
    nothing is left behind.
    """
    write_all_whole({path: write})


def write_all_whole(writes: Mapping[Path, Callable[[Path], object]]) -> None:
    """Write several files of one folder as ``write_whole`` writes one, renaming them at the end.

    They get their names in the order in which they are given. If one fails, all old ones stay.
    """
    (folder,) = {path.parent for path in writes}

    def fill(part: Path) -> None:
        for path, write in writes.items():
            with _telling_of_a_full_disk(path):
                write(part / path.name)

    fill_folder(folder, fill, last=list(writes)[-1].name)


def fill_folder(
    folder: Path, fill: Callable[[Path], object], last: str, replaced: Collection[str] = ()
) -> None:
    """Let ``fill`` write files elsewhere, then move them into ``folder``, whose other files stay.

    The file named ``last`` is moved last. Before it, files go that are named in ``replaced`` and
    were not written now.

    Raises:
        OSError: they cannot be written. As whatever ``fill`` raises; the old files stay.
    """
    with part_folder(folder) as part:
        with _telling_of_a_full_disk(folder):
            fill(part)
        written = sorted(path.name for path in part.iterdir() if path.name != LOCK)
        _finish_files(part)
        written.sort(key=lambda name: name == last)
        for name in written[:-1]:
            os.replace(part / name, folder / name)
        for name in set(replaced).difference(written):
            (folder / name).unlink(missing_ok=True)
        os.replace(part / written[-1], folder / written[-1])
        sync_folder(folder)


@contextlib.contextmanager
def part_folder(parent: Path) -> Iterator[Path]:
    """A new folder inside ``parent`` to write in, gone afterwards.

    A lock in it is held as long as it is in use. That is how the folders of processes that were
    killed are known, and they are cleared away first.
    """
    parent.mkdir(parents=True, exist_ok=True)
    clear_parts(parent)
    # Not mkdtemp: its folders are for one user alone, and a classroom may share a cache.
    part = parent / f".part-{secrets.token_hex(8)}"
    part.mkdir()
    lock = FileLock(part / LOCK)
    try:
        with contextlib.suppress(NotImplementedError):  # a file system without locks
            lock.acquire()
        yield part
    finally:
        lock.release()
        shutil.rmtree(part, ignore_errors=True)


def clear_parts(parent: Path) -> None:
    """Delete what ``part_folder`` left in a folder when its process was killed."""
    for part in parent.glob(".part-*"):
        if not re.fullmatch(r"\.part-[0-9a-f]{16}", part.name) or not (part / LOCK).is_file():
            continue  # somebody else's
        with contextlib.suppress(OSError, NotImplementedError):  # in use, by its lock
            with FileLock(part / LOCK, timeout=0):
                shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def _telling_of_a_full_disk(path: Path) -> Iterator[None]:
    """An OSError that names the path, where a library tells of a full disk in a way of its own."""
    try:
        yield
    except Exception as error:  # SafetensorError is one kind; tokenizers raises a plain Exception
        if type(error) not in (SafetensorError, Exception):
            raise
        raise OSError(f"{path} cannot be written: {error}") from error


def _finish_files(folder: Path) -> None:
    """Let all files in a folder survive a power failure, and be read by everybody."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != LOCK:
            path.chmod(0o644)  # safetensors lets only the owner read
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """See to it that names just given in a folder survive a power failure, where systems can."""
    with contextlib.suppress(OSError):  # Windows opens no folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def locked_file(path: Path, sentence: str, say: Callable[[str], object] = print) -> Iterator[None]:
    """While this holds, no other process and no other thread is in its own with the same path.

    Waits for the other one, and says the sentence. In a folder that cannot be written there is no
    lock, and none is needed: nothing can be saved there either.
    """
    lock = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(sentence)
            lock.acquire()
    except (OSError, NotImplementedError):  # the second: a file system without locks
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def replace_folder(folder: Path, fill: Callable[[Path], object]) -> None:
    """Let ``fill`` write into a new folder, then put it in the place of ``folder``.

    Raises:
        OSError: it cannot be written. As whatever ``fill`` raises; nothing of it is left behind.
    """
    with part_folder(folder.parent) as part:
        new = part / "new"
        new.mkdir()
        with _telling_of_a_full_disk(folder):
            fill(new)
        _finish_files(new)
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, part / "old")  # a folder cannot be renamed over one that has files
        os.rename(new, folder)
        sync_folder(folder.parent)


def locked(
    key: str, say: Callable[[str], object] = print
) -> contextlib.AbstractContextManager[None]:
    """While this holds, no other process is in its own ``locked`` with the same key.

    See ``locked_file``.
    """
    sentence = "Another process is busy with this model; waiting for it."
    return locked_file(models_folder() / f"{key}.lock", sentence, say)


def name_content(content: bytes) -> str | None:
    """What a file's content is, and what to do with it; None where it may be text in UTF-8."""
    for beginning, what in BEGINNINGS.items():
        if content.startswith(beginning):
            return what
    bits = next((bits for mark, bits in MARKS.items() if content.startswith(mark)), None)
    bits = bits or ZEROS.get(tuple(int(byte == 0) for byte in content[:4]))
    if bits:
        return f"text that is encoded in UTF-{bits}; save it as UTF-8"
    start = content[:1000]
    if sum(byte < 9 or 13 < byte < 32 for byte in start) > len(start) / 20:
        return "binary data; is it the right file?"
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return (
            "a web page (HTML) or XML; download the file itself: on many sites the link to it is "
            'called "raw" or "download"'
        )
    return None


def describe(value: object) -> str:
    """What a value is called in an error message: as JSON calls it, else by its type."""
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(float(value))]
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    names |= {int: "a number", float: "a number", type(None): "null"}
    # bool before int, of which it is a subclass
    kinds = (name for kind, name in names.items() if isinstance(value, kind))
    return next(kinds, type(value).__name__)


def why_not_json(value: object) -> str | None:
    """Why a file of strict JSON in UTF-8 cannot hold a value; None where it can."""
    if _is_deep(value):
        return f"is nested too deeply for JSON, by more than {DEEPEST} levels"
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        return "contains half a character (a lone surrogate)"
    except TypeError as error:
        return f"cannot be kept in JSON: {error}; make it text, or leave it out"
    except ValueError:
        return "holds NaN, infinity or an endless number, which JSON cannot keep; write null"
    return None


def _is_deep(value: object, levels: int = DEEPEST) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    return isinstance(value, dict | list | tuple) and (
        levels == 0 or any(_is_deep(item, levels - 1) for item in inner)
    )


def fetch(url: str, limit: int, seconds: float, silence: float = 30) -> bytes:
    """What a web address answers, at most ``limit`` bytes within ``seconds``.

    Raises:
        OSError: no answer for ``silence`` seconds, too late, too large, or broken off. As
            ``urllib.request.urlopen``.
    """
    parts = urllib.parse.urlsplit(url)
    # Letters beyond ASCII, as an address has them.
    path, query = (urllib.parse.quote(part, safe=string.punctuation) for part in parts[2:4])
    url = parts._replace(path=path, query=query).geturl()
    end, pieces, size = time.monotonic() + seconds, [], 0
    with urllib.request.urlopen(url, timeout=silence) as response:
        if (response.length or 0) > limit:
            raise OSError(f"{response.length:,} bytes are announced; {limit:,} are the limit")
        # read1 gives what has come; read would wait for the rest, however slowly it comes.
        with contextlib.suppress(http.client.IncompleteRead):  # of chunks; told below
            while piece := response.read1(2**20):
                pieces.append(piece)
                size += len(piece)
                if size > limit:
                    raise OSError(f"more than {limit:,} bytes, the limit")
                if time.monotonic() > end:
                    raise OSError(f"not there after {seconds:g} seconds; {size:,} bytes had come")
            if not response.length:
                return b"".join(pieces)
    raise OSError(f"it broke off after {size} bytes; try again")


def explain(error: BaseException) -> str:
    """The error in a few words, without the paths of this machine."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"{type(error).__name__}: {error}".splitlines()[0]


def read_json(path: Path) -> Any:
    """What a JSON file in UTF-8 holds.

    Raises:
        OSError: it cannot be read. ValueError: it is no JSON, or is nested too deeply.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(f"{path.name} is nested too deeply") from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
