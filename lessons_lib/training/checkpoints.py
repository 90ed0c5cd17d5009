"""Checkpoints of a training run: written whole, checked when read, and exact. Taught in lesson 09.

A checkpoint holds everything that the rest of a run depends on: weights, optimizer, history, the
place in the data and the random state. A run resumed from one ends with the same weights, bit for
bit, as a run that was never cut off (on the same kind of processor, with as many threads).
"""

import json
import pickle
import re
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from lessons_lib.support import CheckpointError, write_whole
from lessons_lib.support.files import clear_parts, read_json, sha256_of, sync_folder

KEPT = 2  # checkpoints: the newest, and the one before, in case the newest is damaged


class Checkpoints:
    """A folder of one run's checkpoints; use it in a ``with`` statement, which locks the folder.

    ``every`` is the number of optimizer steps from one checkpoint to the next. ``decisive`` are the
    options that determine the run's result: a checkpoint made with different ones is refused. With
    ``resume=False`` a folder that already holds checkpoints is refused, too, so that no run is lost
    by accident. The folder is made with the first checkpoint.

    Raises:
        ValueError: ``every`` is below 1.
    """

    def __init__(
        self,
        folder: str | Path,
        every: int = 50,
        *,
        resume: bool = False,
        decisive: Mapping[str, Any] | None = None,
    ):
        if every < 1:
            raise ValueError(f"every must be 1 or more, not {every}")
        self.folder, self.every, self.resume = Path(folder), every, resume
        self.decisive = json.loads(json.dumps(dict(decisive or {})))
        self._damaged: set[Path] = set()
        self._part = self.folder.with_name(f".{self.folder.name}.part")
        self._lock = FileLock(self.folder.with_name(f".{self.folder.name}.lock"), timeout=0)

    def __enter__(self) -> "Checkpoints":
        """Lock the folder, and clear away what a killed run left half-written.

        Raises:
            CheckpointError: another run has locked the folder, or it cannot be written to.
        """
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise CheckpointError(
                f"another run is writing its checkpoints to {self.folder}; wait until it ends, or "
                "choose another folder"
            ) from error
        except OSError as error:
            raise CheckpointError(
                f"{self.folder} cannot be written to: {error.strerror}"
            ) from error
        shutil.rmtree(self._part, ignore_errors=True)
        clear_parts(self.folder)
        for weights in self._named(".pt"):
            if not _note(weights).exists():
                weights.unlink()
        return self

    def __exit__(self, *details: object) -> None:
        self._lock.release()

    @property
    def newest(self) -> int | None:
        """The step of the newest checkpoint; None where there is none."""
        found = self._found()
        return int(found[-1].stem.removeprefix("step-")) if found else None

    def load(self) -> dict[str, Any] | None:
        """The newest checkpoint that is whole; None if the folder holds no checkpoint.

        Damaged checkpoints are skipped with a warning.

        Raises:
            CheckpointError: there are checkpoints and ``resume`` is False, or they were made with
                other options, or all are damaged. RuntimeError: outside the ``with`` statement.
        """
        self._check_locked()
        found = self._found()
        if found and not self.resume:
            raise CheckpointError(
                f"{self.folder} holds the checkpoints of a run: go on with it (resume), choose "
                "another folder, or delete this one"
            )
        for note in reversed(found):
            try:
                decisive, state = _read(note)
            # What reading damaged bytes may raise; a lack of memory is not among these.
            except (OSError, ValueError, LookupError, TypeError, RuntimeError, EOFError) as error:
                problem = error
            except pickle.UnpicklingError as error:
                problem = error
            else:
                self._check_options(decisive)
                return state
            self._damaged.add(note)
            warnings.warn(f"{_weights(note)} is damaged and is skipped: {problem}", stacklevel=2)
        if found:
            raise CheckpointError(
                f"all checkpoints in {self.folder} are damaged; delete the folder to start afresh"
            )
        return None

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write a checkpoint, whole or not at all, then delete those no longer needed.

        Raises:
            CheckpointError: it cannot be written; the earlier checkpoints are intact.
                RuntimeError: outside the ``with`` statement.
        """
        self._check_locked()
        # The first is written elsewhere and then moved: no folder without a checkpoint.
        folder = self.folder if self.folder.exists() else self._part
        note = folder / f"step-{step:07d}.json"
        try:
            write_whole(_weights(note), lambda path: torch.save(state, path))
            about = {"step": step, "sha256": sha256_of(_weights(note)), "decisive": self.decisive}
            # Last, so that a checkpoint counts only when it is whole.
            write_whole(note, lambda path: path.write_text(json.dumps(about), encoding="utf-8"))
            if folder is self._part:
                folder.rename(self.folder)
                sync_folder(self.folder.parent)
        except (OSError, RuntimeError) as error:  # torch.save reports a full disk as RuntimeError
            if folder is self._part:
                shutil.rmtree(folder, ignore_errors=True)
            kept = "the earlier ones are intact" if self.newest else "there is no earlier one"
            raise CheckpointError(
                f"the checkpoint of step {step} cannot be written to {self.folder}: {error} "
                f"({kept}); make room, then run again with resume"
            ) from error
        self._delete_others(self.folder / note.name)

    def _delete_others(self, newest: Path) -> None:
        """Keep the newest whole checkpoints.

        Those of later steps than ``newest`` are damaged: otherwise the run would have begun there.
        """
        found = self._found()
        whole = [note for note in found if note <= newest and note not in self._damaged]
        for note in set(found) - set(whole[-KEPT:]):
            note.unlink()
            _weights(note).unlink(missing_ok=True)

    def _found(self) -> list[Path]:
        """The notes of all checkpoints, the oldest first."""
        return self._named(".json")

    def _named(self, ending: str) -> list[Path]:
        """Files with the names that ``save`` gives, by step; all else is somebody else's."""
        paths = self.folder.glob(f"step-*{ending}")
        return sorted(p for p in paths if re.fullmatch(r"step-\d{7,}", p.stem) and p.is_file())

    def _check_locked(self) -> None:
        if not self._lock.is_locked:
            raise RuntimeError("use Checkpoints in a `with` statement, which locks the folder")

    def _check_options(self, decisive: dict[str, Any]) -> None:
        names = sorted({*decisive, *self.decisive})
        other = [name for name in names if decisive.get(name) != self.decisive.get(name)]
        if other:
            changes = ", ".join(
                f"{name} {decisive.get(name)!r}, not {self.decisive.get(name)!r}" for name in other
            )
            raise CheckpointError(
                f"{self.folder} holds a run with other options ({changes}): use the same "
                "options, or another folder"
            )


def random_state() -> dict[str, Any]:
    """PyTorch's random states, from which dropout draws."""
    state: dict[str, Any] = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: Mapping[str, Any]) -> None:
    """Restore what ``random_state`` returned; devices that this machine lacks are skipped."""
    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available():
        for index, each in enumerate(state.get("cuda", ())[: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(each, index)
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])


def _weights(note: Path) -> Path:
    return note.with_suffix(".pt")


def _note(weights: Path) -> Path:
    return weights.with_suffix(".json")


def _read(note: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of a checkpoint, and what it holds."""
    about = read_json(note)
    path, decisive = _weights(note), dict(about["decisive"])
    if sha256_of(path) != about["sha256"]:
        raise ValueError("its content is not what was written")
    return decisive, torch.load(path, map_location="cpu", weights_only=True)
