"""Files and folders that are written whole or not at all, and locks between processes.

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

LOCK = ".lock"  # in a folder that is being written


class CheckpointError(ValueError):
    """A model file is missing, damaged or of another shape; says which, and what to do."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file of the same name, then put it in the place of ``path``.

    A reader sees either the old content or the new, even after a crash. If ``write`` fails, nothing
    is left behind.
    """
    write_all_whole({path: write})


def write_all_whole(writes: Mapping[Path, Callable[[Path], object]]) -> None:
    """Write several files as ``write_whole`` writes one; all are renamed at the end.

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
    part, lock = _locked_part(parent)
    try:
        yield part
    finally:
        lock.release()
        shutil.rmtree(part, ignore_errors=True)


def _locked_part(parent: Path) -> tuple[Path, FileLock]:
    """A new folder and its lock, held. Another process may clear it away before it is locked."""
    while True:
        # Not mkdtemp: its folders are for one user alone, and a classroom may share a cache.
        part = parent / f".part-{secrets.token_hex(8)}"
        part.mkdir()
        lock = FileLock(part / LOCK)
        try:
            lock.acquire()
        except NotImplementedError:  # a file system without locks
            return part, lock
        except FileNotFoundError:
            continue
        if (part / LOCK).is_file():
            return part, lock
        lock.release()


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
    """Make new names in a folder survive a power failure, where the system can."""
    with contextlib.suppress(OSError):  # Windows cannot open folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def locked_file(path: Path, sentence: str, say: Callable[[str], object] = print) -> Iterator[None]:
    """A context that only one process and one thread at a time can be in, by the lock's path.

    If another is in it, says the sentence and waits. In a folder that cannot be written to there is
    no lock, and none is needed: nothing can be saved there either.
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
    except (OSError, NotImplementedError):  # the latter: a file system without locks
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def replace_folder(folder: Path, fill: Callable[[Path], object]) -> None:
    """Let ``fill`` write into a new folder, then replace ``folder`` by it.

    Raises:
        OSError: the folder cannot be written. Also whatever ``fill`` raises; the old folder stays
            then, and nothing that was written is left behind.
    """
    with part_folder(folder.parent) as part:
        new = part / "new"
        new.mkdir()
        with _telling_of_a_full_disk(folder):
            fill(new)
        _finish_files(new)
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, part / "old")  # a folder cannot be renamed over one that has files
        try:
            os.rename(new, folder)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.rename(part / "old", folder)
            raise
        sync_folder(folder.parent)


def locked(
    key: str, say: Callable[[str], object] = print
) -> contextlib.AbstractContextManager[None]:
    """A context that only one process at a time can be in, by the model's key.

    See ``locked_file``.
    """
    sentence = "Another process is busy with this model; waiting for it."
    return locked_file(models_folder() / f"{key}.lock", sentence, say)


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
    """The error in a few words, without this machine's paths."""
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
