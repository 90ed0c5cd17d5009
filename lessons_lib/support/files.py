"""Files and folders that are written whole or not at all, and a lock for one process at a time.

Whoever reads sees the old content or the new, also after a crash or a full disk.
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
    """A model file is missing, damaged or of another shape; says which and what to do."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then put it in its place.

    Whoever reads ``path`` sees the old content or the new, also after a crash. If ``write`` fails,
    nothing is left behind.
    """
    write_all_whole({path: write})


def write_all_whole(writes: Mapping[Path, Callable[[Path], object]]) -> None:
    """Write several files of one folder as ``write_whole`` writes one, renaming them at the end.

    If one of them fails, all old ones stay.
    """
    temporaries: dict[Path, Path] = {}
    try:
        for path, write in writes.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            # With the same ending, by which a reader may tell what the file holds.
            handle, name = tempfile.mkstemp(path.suffix, f".{path.name}.", path.parent)
            os.close(handle)
            temporaries[path] = Path(name)
            try:
                write(temporaries[path])
            except SafetensorError as error:  # how safetensors tells of a full disk
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
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".part-{folder.name}-*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    # Not mkdtemp: its folders are for one user alone, and a classroom may share a cache.
    part = folder.parent / f".part-{folder.name}-{secrets.token_hex(4)}"
    old = part.with_name(part.name + "-old")
    try:
        part.mkdir()
        fill(part)
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, old)  # a folder cannot be renamed over one that has files
        os.rename(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def locked(
    key: str, say: Callable[[str], object] = print
) -> contextlib.AbstractContextManager[None]:
    """While this holds, no other process is in its own ``locked`` with the same key.

    See ``locked_file``.
    """
    sentence = "Another process is busy with this model; waiting for it."
    return locked_file(models_folder() / f"{key}.lock", sentence, say)


def explain(error: BaseException) -> str:
    """The error in a few words, without the paths of this machine."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"{type(error).__name__}: {error}".splitlines()[0]
