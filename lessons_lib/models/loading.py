"""Models by name, file or folder, and the files they are kept in. Lessons 08 and 09.

The bundled base, GPT-2, SmolLM2, a file of the course's own, a folder as transformers writes it;
and for ``load_or_finetune`` fine-tuned models, each in a folder below the cache, with a checksum.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lessons_lib.models.folders import model_type
from lessons_lib.models.gpt import GPT, GPTConfig
from lessons_lib.models.gpt2_files import HUB_MODELS, fetch, load_gpt2, save_gpt2
from lessons_lib.models.llama import LocalLLM, load_local_llm
from lessons_lib.models.smollm2_files import smollm2_folder
from lessons_lib.models.vocabulary import CompactTokenEmbedding
from lessons_lib.support import CheckpointError, is_quick, write_whole
from lessons_lib.support.files import explain, read_json, replace_folder
from lessons_lib.support.paths import ASSETS, learner_folder, models_folder
from lessons_lib.support.quick_run import QUICK_LAYERS

__all__ = [
    "BASE_MODEL",
    "BUNDLED_MODELS",
    "CheckpointError",
    "keep_model",
    "load_model",
    "read_about",
    "save_compact",
    "save_model",
    "untrained_twin",
]

BASE_MODEL = ASSETS / "base.safetensors"
# The second has read the same prose without the facts that the entries of test, validation and
# ``held_out_entries`` ask for: it has the language and lacks the facts.
BUNDLED_MODELS = {
    "base": BASE_MODEL,
    "base-without-facts": ASSETS / "base_without_facts.safetensors",
}
MADE_BY = {
    "base": "run `make base`, which makes it in an hour",
    "base-without-facts": "run `make base BASE_FLAGS=--without-facts`, which makes it in an hour",
    "mine": "lesson 00 makes yours, and keep_model(model) saves it",
}
MINE = "my_model.safetensors"  # in the learner's folder
LARGEST_VOCABULARY = 2_000_000  # of a model with rows for some tokens only
WEIGHTS, NOTES = "model.safetensors", "notes.json"  # in the folder of a fine-tuned model


def load_model(name: str | Path = "base", device: str | torch.device = "cpu") -> GPT | LocalLLM:
    """A pretrained model, ready to generate.

    "base" or "base-without-facts", the course's own; "mine", which ``keep_model`` saved; "gpt2",
    "gpt2-medium", "gpt2-large" or "gpt2-xl" from the hub; "smollm2", which came as a package and
    has a tokenizer of its own; the path of a file that ``save_compact`` wrote, or of a folder as
    transformers and ``save_model`` write it. The weights are float32, the model is in evaluation
    mode. In a shrunk run (``LESSONS_LIB_QUICK``) SmolLM2 has its first three blocks alone.

    Raises:
        CheckpointError: there is no such model, it cannot be fetched, or its file is damaged.
    """
    return _load(name).to(device).eval()


def _load(name: str | Path) -> GPT | LocalLLM:
    if name in HUB_MODELS:
        return load_gpt2(fetch(name))
    if name == "smollm2":
        model = load_local_llm(smollm2_folder())
        if is_quick():
            model.keep_first_layers(QUICK_LAYERS)
        return model
    named = {**BUNDLED_MODELS, "mine": learner_folder() / MINE}
    path = named[name] if name in named else Path(os.path.expanduser(name))
    if path.is_dir():
        return load_local_llm(path) if model_type(path) == "llama" else load_gpt2(path)
    if not path.is_file():
        others = f"{', '.join(map(repr, (*named, *HUB_MODELS)))}, 'smollm2'"
        hint = MADE_BY.get(name, f"use {others}, or the path of a .safetensors file or of a folder")
        raise CheckpointError(f"there is no model {str(name)!r} ({path}): {hint}")
    return load_compact(path)


def save_model(model: GPT | LocalLLM, folder: str | Path) -> None:
    """Write a model and its tokenizer into a folder that transformers and ``load_model`` load.

    Files of a model that was there before are replaced, all others stay. A save that is cut off
    leaves the old model or the new one, or what ``load_model`` refuses, never a mixture.

    Raises:
        OSError: the folder cannot be written; the model that was there stays.
    """
    if isinstance(model, LocalLLM):
        model.save(folder)
    else:
        save_gpt2(model, folder)


def keep_model(model: GPT, say: Callable[[str], object] = print) -> None:
    """Save a model in the learner's folder, from which ``load_model("mine")`` loads it.

    One that was kept before is replaced. Where it cannot be saved, a sentence says so.
    """
    path = learner_folder() / MINE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_compact(model, path)
    except OSError as error:
        say(f"The model could not be kept in {path.parent.name}/{MINE} ({explain(error)}).")
    else:
        say(f'Kept as {path.parent.name}/{MINE}; load_model("mine") loads it.')


def read_about(path: Path = BASE_MODEL) -> dict:
    """What a file's header says of how the model was made."""
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["about"])


def untrained_twin(model: GPT, seed: int = 123) -> GPT:
    """A model of the same sizes and token rows, with random weights instead of learned ones."""
    embedding = model.token_embedding
    known = embedding.token_ids.tolist() if isinstance(embedding, CompactTokenEmbedding) else None
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        twin = GPT(model.config, known_tokens=known).to(model.device)
    twin.tokenizer = model.tokenizer
    return twin


def save_compact(model: GPT, path: Path, about: dict | None = None) -> None:
    """Write a model to one safetensors file, whole or not at all; its weights in float16.

    The header holds the model's sizes and ``about``; a compact model's token ids are a tensor.
    """
    tensors = {name: t.detach().to("cpu", torch.float16) for name, t in model.state_dict().items()}
    if isinstance(model.token_embedding, CompactTokenEmbedding):
        tensors["token_ids"] = model.token_embedding.token_ids.to("cpu", torch.int32)
    header = {"config": json.dumps(asdict(model.config)), "about": json.dumps(about or {})}
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_whole(path, lambda temporary: save_file(tensors, temporary, header))


def load_compact(path: Path) -> GPT:
    """Read what ``save_compact`` wrote.

    Raises:
        CheckpointError: the file is damaged or does not hold a model of this kind.
    """
    try:
        with safe_open(path, "pt") as file:
            config = GPTConfig(**json.loads(file.metadata()["config"]))
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
            if not _fits(config, shapes):
                raise CheckpointError(f"{path} does not fit its own header: {config}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        token_ids = tensors.pop("token_ids", None)
        known = None if token_ids is None else token_ids.tolist()
        with torch.device("meta"):  # shapes only, no memory
            model = GPT(config, known)
        if token_ids is not None:
            # Rows stand in the file in their own order, which added tokens do not keep sorted.
            model.token_embedding.name_rows(token_ids.long())
    except CheckpointError:
        raise
    except (OSError, SafetensorError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is damaged or is no model of this course: {error}"
        ) from error
    try:
        model.load_state_dict({n: each.float() for n, each in tensors.items()}, assign=True)
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit its own header: {error}") from error
    return model


def _fits(config: GPTConfig, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether a file's outermost shapes and layers are those of its header, before any is made."""
    known = shapes.get("token_ids")
    # Tokens without a row of their own cost memory too, and no shape speaks for them.
    rows = config.vocabulary_size if known is None else known[0] + 1
    return (
        shapes.get("token_embedding.weight") == (rows, config.width)
        and shapes.get("position_embedding.weight") == (config.context_length, config.width)
        and sum(name.endswith(".attention_norm.weight") for name in shapes) == config.layers
        and config.vocabulary_size <= LARGEST_VOCABULARY
    )


class DamagedModelError(ValueError):
    """A saved model that cannot be used; the message says why."""


class Saved(NamedTuple):
    """What a model's folder holds."""

    tensors: dict[str, Tensor]
    notes: dict[str, Any]


def read_model(key: str) -> Saved | None:
    """The model saved under this key; None where there is none.

    Raises:
        DamagedModelError: a folder is there, but not all of what was written into it.
    """
    folder = models_folder() / key
    try:
        if not folder.is_dir():
            return None
        notes = read_json(folder / NOTES)
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
