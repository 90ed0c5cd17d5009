"""Files that are written whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors import SafetensorError


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
