"""The course's own model files: one .safetensors file, sizes and recipe in its header."""

import json
import struct
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from lessons_lib.files import CheckpointError, write_whole
from lessons_lib.model import GPT, GPTConfig
from lessons_lib.vocabulary import CompactTokenEmbedding


def save_compact(model: GPT, path: Path, about: dict | None = None, half: bool = True) -> None:
    """Write a model to one safetensors file, whole or not at all; in float16 if ``half``.

    The header holds the model's sizes and ``about``; a compact model's token ids are a tensor.
    """
    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to("cpu", dtype) for name, t in model.state_dict().items()}
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
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, KeyError, TypeError, ValueError, struct.error) as error:
        raise CheckpointError(
            f"{path} is damaged or is no model of this course: {error}"
        ) from error
    token_ids = tensors.pop("token_ids", None)
    model = GPT(config, known_tokens=None if token_ids is None else token_ids.tolist())
    if token_ids is not None:
        # Rows stand in the file in their own order, which added tokens do not keep sorted.
        model.token_embedding.name_rows(token_ids.long())
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit its own header: {error}") from error
    return model


def read_header(path: Path) -> dict:
    """What the file's header says of how the model was made."""
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["about"])
