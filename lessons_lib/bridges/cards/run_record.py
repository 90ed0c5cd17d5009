"""What a run writes down about itself, run.json, and a finished run read from its folder.

``python -m lessons_lib finetune`` writes the record last, so a folder without one is no finished
run. Figures that other files hold are not repeated: losses are in history.csv, answers in
answers.json; the record has their hashes.
"""

import csv
import dataclasses
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import nn

from lessons_lib.data import Entry, Splits
from lessons_lib.data.entries import chosen_source
from lessons_lib.evaluation import Scores, score_responses
from lessons_lib.support import is_quick, write_whole
from lessons_lib.support.devices import describe_device
from lessons_lib.support.files import explain, read_json, sha256_of
from lessons_lib.training import History, Recipe

RECORD, MODEL, HISTORY, ANSWERS = "run.json", "model.safetensors", "history.csv", "answers.json"
CHECKPOINTS = "checkpoints"
VERSION = 1  # of the record's form
# What the cards read of a record, by part.
NEEDED = {
    "model": ("trained_from", "parameters", "context_length"),
    "recipe": ("prompt_format",),
    "entries": ("source", "sha256", "train", "test", "validation"),
    "training": ("steps", "seconds"),
    "made_with": ("device", "packages"),
    "files": (),
}
PACKAGES = ("lessons-lib", "torch", "transformers", "tokenizers", "tiktoken", "safetensors")


class RunError(ValueError):
    """A folder holds no finished run, or not what its run wrote; says what to do."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run: its record, the rows of its history, and the scores of its answers."""

    folder: Path
    record: dict[str, Any]
    history: list[dict[str, str]]  # as History.rows, what was not measured is ""
    scores: Scores | None  # None: no test entry was answered

    @property
    def name(self) -> str:
        return _plain(self.folder.resolve().name)


def describe_run(
    recipe: Recipe, splits: Splits, model: nn.Module, history: History, device: torch.device
) -> dict[str, Any]:
    """All that the run's other files do not say, as JSON values; no path of this machine."""
    options = dataclasses.asdict(recipe)
    trained_from, source = options.pop("model"), options.pop("entries")
    source = chosen_source() if source == "chosen" else source
    return {
        "version": VERSION,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": is_quick(),
        "model": {
            "trained_from": name_of(trained_from),
            "parameters": sum(weight.numel() for weight in model.parameters()),
            "context_length": model.context_length,
        },
        "recipe": options,
        "entries": {
            "source": name_of(source),
            "sha256": entries_hash([entry for part in splits for entry in part]),
            **{part: len(entries) for part, entries in splits._asdict().items()},
        },
        "training": {
            "steps": history.steps,
            "seconds": round(history.seconds, 1),
            "tokens_seen": history.tokens_seen,
            "live_targets": history.live_targets,
            "kept_step": history.kept_step,
        },
        "made_with": {
            "device": describe_device(device),
            "system": f"{platform.system()} on {platform.machine()}",
            "python": platform.python_version(),
            "packages": dict(_versions()),
        },
    }


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write the record and the hashes of the files that it belongs to."""
    files = {name: sha256_of(folder / name) for name in (MODEL, HISTORY, ANSWERS)}
    text = json.dumps({**record, "files": files}, ensure_ascii=False, indent=2) + "\n"
    write_whole(folder / RECORD, lambda path: path.write_text(text, encoding="utf-8"))


def read_run(folder: str | Path) -> Run:
    """The finished run in a folder.

    Raises:
        RunError: there is no folder, no run or no finished one in it, or a file of it is damaged or
            is not what the run wrote.
    """
    folder = Path(folder)
    if not (folder / RECORD).is_file():
        raise RunError(_why_no_run(folder))
    try:
        record = read_json(folder / RECORD)
        for part, names in NEEDED.items():
            if missing := [name for name in names if name not in record[part]]:
                raise ValueError(f"{RECORD} lacks {part}.{missing[0]}")
        if record["version"] != VERSION:
            raise ValueError(f"{RECORD} has version {record['version']!r}, not {VERSION}")
        for name in (MODEL, HISTORY, ANSWERS):
            if not (folder / name).is_file():
                raise RunError(
                    f"{folder} lacks {name}, which its run wrote: put it back, or run again into a "
                    "new folder"
                )
            if sha256_of(folder / name) != record["files"][name]:
                raise RunError(
                    f"{folder / name} is not what the run wrote, so nothing that {RECORD} says "
                    "can be said of it. Put the run's own file back, or run again into a new folder"
                )
        with open(folder / HISTORY, newline="", encoding="utf-8") as file:
            history = list(csv.DictReader(file))
        scores = _scored(json.loads((folder / ANSWERS).read_text(encoding="utf-8")))
    except RunError:
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RunError(
            f"the run in {folder} cannot be read ({explain(error)}): run again into a new folder"
        ) from error
    return Run(folder, record, history, scores)


def entries_hash(entries: Sequence[Entry]) -> str:
    """The SHA-256 of entries' three texts in their order: the same texts, the same hash."""
    texts = [[entry["instruction"], entry["input"], entry["output"]] for entry in entries]
    return hashlib.sha256(json.dumps(texts, ensure_ascii=False).encode()).hexdigest()


def name_of(source: Any) -> str:
    """What a model or a file of entries is called: a URL without what may be secret in it, and of a
    path the last part."""
    if not isinstance(source, str):  # the sizes of a model that starts from random weights
        return "random weights"
    if "://" in source:
        url = urlsplit(source)
        return _plain(f"{url.scheme}://{url.hostname}{url.path}")
    return _plain(PurePath(source).name or source)


def _plain(name: str) -> str:
    """A name without what Markdown or a terminal would obey."""
    return "".join(each if each.isprintable() and each not in "`|<>[]" else "_" for each in name)


def _scored(answers: list[dict[str, Any]]) -> Scores | None:
    if not answers:
        return None
    texts, stopped = ([each[name] for each in answers] for name in ("response", "stopped"))
    return score_responses(answers, texts, stopped)


def _versions():
    for package in PACKAGES:
        try:
            yield package, importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue


def _why_no_run(folder: Path) -> str:
    if not folder.is_dir():
        return f"there is no folder {folder}: give the --out folder of a finetune run"
    if (folder / MODEL).exists():
        return (
            f"{folder} holds a model but no {RECORD}, so nobody knows how it was made: it is not "
            "the --out folder of a finetune run, or the run was cut off while it answered, or is "
            "older than the record. Where it has checkpoints, the same command with --resume "
            "completes it; else run again into a new folder"
        )
    if (folder / CHECKPOINTS).exists():
        return (
            f"the run in {folder} is not finished: the command that began it goes on from its "
            "newest checkpoint with --resume"
        )
    return f"{folder} holds no run: give the --out folder of a finetune run"
