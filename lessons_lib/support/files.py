"""Files and folders that are written whole or not at all, and locks between processes.

A reader sees either the old content or the new, even after a crash or with a full disk.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from lessons_lib.support.paths import models_folder


class CheckpointError(ValueError):
    """A model file is missing, damaged or of another shape; says which, and what to do."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then rename it to ``path``.

    A reader sees either the old content or the new, even after a crash. If ``write`` fails, nothing
    is left behind.
    """
    write_all_whole({path: write})


def write_all_whole(writes: Mapping[Path, Callable[[Path], object]]) -> None:
    """Write several files as ``write_whole`` writes one; all are renamed at the end.

    If writing one of them fails, all old files stay.
    """
    temporaries: dict[Path, Path] = {}
    try:
        for path, write in writes.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            # With the same ending: some writers choose the format by it.
            handle, name = tempfile.mkstemp(path.suffix, f".{path.name}.", path.parent)
            os.close(handle)
            temporaries[path] = Path(name)
            try:
                write(temporaries[path])
            except SafetensorError as error:  # how safetensors reports a full disk
                raise OSError(f"{path} cannot be written: {error}") from error
            with temporaries[path].open("rb+") as file:
                os.fsync(file.fileno())
            os.chmod(name, 0o644)  # mkstemp lets only the owner read
        for path, temporary in temporaries.items():
            os.replace(temporary, path)
        for folder in {path.parent for path in writes}:
            sync_folder(folder)
    finally:
        for temporary in temporaries.values():
            temporary.unlink(missing_ok=True)


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
        OSError: the folder cannot be written. Also whatever ``fill`` raises; nothing it wrote is
            left behind.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".part-{folder.name}-*"):  # left by a killed process
        shutil.rmtree(left, ignore_errors=True)
    # Not mkdtemp, whose folders only one user can read: a classroom may share a cache.
    part = folder.parent / f".part-{folder.name}-{secrets.token_hex(4)}"
    old = part.with_name(part.name + "-old")
    try:
        part.mkdir()
        fill(part)
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, old)  # a folder cannot be renamed over one with files in it
        os.rename(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def locked(
    key: str, say: Callable[[str], object] = print
) -> contextlib.AbstractContextManager[None]:
    """A context that only one process at a time can be in, by the model's key.

    See ``locked_file``.
    """
    sentence = "Another process is busy with this model; waiting for it."
    return locked_file(models_folder() / f"{key}.lock", sentence, say)


def explain(error: BaseException) -> str:
    """The error in a few words, without this machine's paths."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"{type(error).__name__}: {error}".splitlines()[0]
