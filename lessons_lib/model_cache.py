"""Fine-tuned models on disk, each in a folder of its own below the project's cache folder.

A folder is written whole or not at all, its weights carry a checksum, and a lock keeps two
processes from making the same model at once. Used by ``lessons_lib.finetuning``.
"""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from lessons_lib.locks import locked_file
from lessons_lib.paths import cache_folder

WEIGHTS, NOTES = "model.safetensors", "notes.json"


class DamagedModelError(ValueError):
    """A saved model that cannot be used; the message says why."""


class Saved(NamedTuple):
    """What a model's folder holds."""

    tensors: dict[str, Tensor]
    notes: dict[str, Any]


def models_folder() -> Path:
    """Where the models' folders are; not created here."""
    return cache_folder() / "models"


def read_model(key: str) -> Saved | None:
    """The model saved under this key; None where there is none.

    Raises:
        DamagedModelError: a folder is there, but not all of what was written into it.
    """
    folder = models_folder() / key
    try:
        if not folder.is_dir():
            return None
        notes = json.loads((folder / NOTES).read_text(encoding="utf-8"))
        content = (folder / WEIGHTS).read_bytes()
        if hashlib.sha256(content).hexdigest() != notes["sha256"]:
            raise DamagedModelError("its weights are not those that were saved")
        return Saved(safetensors.torch.load(content), notes)
    except DamagedModelError:
        raise
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DamagedModelError(explain(error)) from error


def write_model(key: str, tensors: Mapping[str, Tensor], notes: Mapping[str, Any]) -> None:
    """Save a model under this key, in the place of one that was there.

    Raises:
        OSError: the cache folder cannot be written; nothing of the attempt is left behind.
    """

    def fill(part: Path) -> None:
        content = safetensors.torch.save(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        )
        (part / WEIGHTS).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        (part / NOTES).write_text(json.dumps({**notes, "sha256": digest}), encoding="utf-8")

    replace_folder(models_folder() / key, fill)


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

    See ``locks.locked_file``.
    """
    sentence = "Another process is busy with this model; waiting for it."
    return locked_file(models_folder() / f"{key}.lock", sentence, say)


def explain(error: BaseException) -> str:
    """The error in a few words, without the paths of this machine."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"{type(error).__name__}: {error}".splitlines()[0]
