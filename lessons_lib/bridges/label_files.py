"""Files of rows and labels for the linter, and tokenizers by name: ``python -m lessons_lib lint``.

JSON lines, JSON, Parquet, folders that ``datasets`` saved, and tensors that ``torch.save`` wrote.
Of a long file only the rows of the sample are parsed.
"""

import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lessons_lib.data import get_tokenizer
from lessons_lib.labels import LabelsError
from lessons_lib.models import smollm2_files
from lessons_lib.support.files import explain, read_json


class JsonLines:
    """The rows of a file of JSON lines, each parsed when it is asked for; blank lines are none."""

    def __init__(self, path: Path):
        self.path = path
        self.places: list[tuple[int, int]] = []  # of each row: where its line starts, its number
        with path.open("rb") as file:
            start = 0
            for number, line in enumerate(file, start=1):
                if line.strip():
                    self.places.append((start, number))
                start += len(line)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Any:
        start, number = self.places[index]
        with self.path.open("rb") as file:
            file.seek(start)
            try:
                return json.loads(file.readline())
            except ValueError as error:
                raise LabelsError(f"row {index}, line {number}, is no JSON: {error}") from None


class ParquetRows:
    """The rows of a Parquet file."""

    def __init__(self, path: Path):
        import pyarrow.parquet

        self.table = pyarrow.parquet.read_table(path, memory_map=True)

    def __len__(self) -> int:
        return self.table.num_rows

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.table.slice(index, 1).to_pylist()[0]


def read_rows_file(path: Path) -> Any:
    """What ``lint_labels`` takes, from a file or folder.

    Raises:
        LabelsError: it cannot be read; says why, or which kinds can.
    """
    readers: dict[str, Callable[[Path], Any]] = {
        ".jsonl": JsonLines,
        ".json": read_json,
        ".parquet": ParquetRows,
        ".pt": _saved_tensors,
    }
    if not path.exists():
        raise LabelsError("there is no such file")
    read = _saved_data_set if path.is_dir() else readers.get(path.suffix)
    if read is None:
        raise LabelsError(
            f"it is none of {', '.join(readers)}, nor a folder that datasets saved; name it by "
            "what is in it"
        )
    try:
        return read(path)
    except LabelsError:
        raise
    except ImportError as error:
        raise LabelsError(f"reading it needs {error.name}, which is not installed") from None
    except Exception as error:  # each library has its own for a damaged file
        raise LabelsError(f"it cannot be read: {explain(error)}") from None


def _saved_tensors(path: Path) -> Any:
    import torch

    try:
        found = torch.load(path, weights_only=True, map_location="cpu")
    except pickle.UnpicklingError:
        raise LabelsError(
            "it holds more than tensors, lists and dictionaries, or is damaged; nothing else is "
            "loaded, because it could run code. Save the batch with torch.save(dict(batch), …)"
        ) from None
    return found


def _saved_data_set(path: Path) -> Any:
    import datasets

    found = datasets.load_from_disk(str(path))
    if isinstance(found, Mapping):
        parts = ", ".join(str(path / name) for name in found)
        raise LabelsError(f"it holds a data set of several parts; name one of them: {parts}")
    return found


def find_tokenizer(name: str) -> Any:
    """A tokenizer by "gpt2" or "smollm2", a folder, or a name that this machine's cache knows.

    Raises:
        LabelsError: there is none; says what to do. CheckpointError, TokenizerError: a bundled
            one's package is missing.
    """
    if name == "gpt2":
        return get_tokenizer()
    folder = str(smollm2_files.smollm2_folder()) if name == "smollm2" else name
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise LabelsError(
            f"the tokenizer {name!r} needs transformers, which is not installed; make lab does it"
        ) from None
    with smollm2_files.quiet_transformers():
        try:
            return AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        except Exception as error:  # whatever is wrong with a folder's files
            reason = explain(error).splitlines()[0]
            raise LabelsError(
                f"there is no tokenizer {name!r}: give gpt2, smollm2, the folder of a model with "
                f"its tokenizer, or a name of the hub whose files are on this machine ({reason})"
            ) from None
