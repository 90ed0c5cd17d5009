"""Pretrained models by name: the bundled base, GPT-2, SmolLM2, a file or a folder. Lesson 08."""

import os
from pathlib import Path

import torch

from lessons_lib.compact_files import load_compact, read_header, save_compact
from lessons_lib.files import CheckpointError
from lessons_lib.gpt2_files import load_gpt2, save_gpt2
from lessons_lib.hub_models import HUB_MODELS, fetch
from lessons_lib.local_llm import LocalLLM, is_llama, load_local_llm, load_smollm2
from lessons_lib.model import GPT
from lessons_lib.paths import ASSETS
from lessons_lib.vocabulary import CompactTokenEmbedding

__all__ = [
    "BASE_MODEL",
    "CheckpointError",
    "load_model",
    "read_about",
    "save_compact",
    "save_model",
    "untrained_twin",
]

BASE_MODEL = ASSETS / "base.safetensors"


def load_model(name: str | Path = "base", device: str | torch.device = "cpu") -> GPT | LocalLLM:
    """A pretrained model, ready to generate.

    "base"; "gpt2", "gpt2-medium", "gpt2-large" or "gpt2-xl" from the hub; "smollm2", which came as
    a package and has a tokenizer of its own; the path of a file that ``save_compact`` wrote, or of
    a folder as transformers and ``save_model`` write it. The weights are float32, the model is in
    evaluation mode.

    Raises:
        CheckpointError: there is no such model, it cannot be fetched, or its file is damaged.
    """
    return _load(name).to(device).eval()


def _load(name: str | Path) -> GPT | LocalLLM:
    if name in HUB_MODELS:
        return load_gpt2(fetch(name))
    if name == "smollm2":
        return load_smollm2()
    path = BASE_MODEL if name == "base" else Path(os.path.expanduser(name))
    if path.is_dir():
        return load_local_llm(path) if is_llama(path) else load_gpt2(path)
    if not path.is_file():
        hint = (
            "run `make base`, which makes it in half an hour"
            if name == "base"
            else f"use 'base', {', '.join(map(repr, HUB_MODELS))}, 'smollm2', or the path of a "
            ".safetensors file or of a folder"
        )
        raise CheckpointError(f"there is no model {str(name)!r} ({path}): {hint}")
    return load_compact(path)


def save_model(model: GPT | LocalLLM, folder: str | Path) -> None:
    """Write a model into a folder that transformers and ``load_model`` load back."""
    if isinstance(model, LocalLLM):
        model.save(folder)
    else:
        save_gpt2(model, folder)


def read_about(path: Path = BASE_MODEL) -> dict:
    """What a file's header says of how the model was made."""
    return read_header(path)


def untrained_twin(model: GPT, seed: int = 123) -> GPT:
    """A model of the same sizes and token rows, with random weights instead of learned ones."""
    embedding = model.token_embedding
    known = embedding.token_ids.tolist() if isinstance(embedding, CompactTokenEmbedding) else None
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GPT(model.config, known_tokens=known).to(model.device)
