"""GPT-2 as Hugging Face keeps it: a folder that is read, written, or fetched from the hub.

The folder holds ``config.json`` and ``model.safetensors``; what is saved here,
``GPT2LMHeadModel.from_pretrained(folder)`` of transformers loads. Taught in lesson 08.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HfHubHTTPError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lessons_lib.data import END_OF_TEXT
from lessons_lib.models.gpt import GPT, GPTConfig
from lessons_lib.models.vocabulary import CompactTokenEmbedding
from lessons_lib.support import CheckpointError, write_all_whole

CONFIG, WEIGHTS = "config.json", "model.safetensors"
# What our sizes are called there.
SIZES = {
    "vocabulary_size": "vocab_size",
    "context_length": "n_positions",
    "width": "n_embd",
    "layers": "n_layer",
    "heads": "n_head",
}
FIXED = {
    "model_type": "gpt2",
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
    "tie_word_embeddings": True,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
}
DROPOUT = ("embd_pdrop", "attn_pdrop", "resid_pdrop")  # written, not read: the course sets its own
# What our parts are called there: outside the blocks, and in each block.
OUTSIDE = {"token_embedding": "wte", "position_embedding": "wpe", "final_norm": "ln_f"}
BLOCK = {
    "attention_norm": "ln_1",
    "attention.query_key_value": "attn.c_attn",
    "attention.output": "attn.c_proj",
    "network_norm": "ln_2",
    "network.0": "mlp.c_fc",
    "network.2": "mlp.c_proj",
}
KNOWN = "known_tokens"  # in the header of a compact model's file
PREFIX = "transformer."  # of files that transformers saves; the hub's have none


def their_name(name: str) -> str:
    """What one of our weights is called there: "blocks.3.network.0.bias" is "h.3.mlp.c_fc.bias"."""
    part, _, kind = name.rpartition(".")
    if part in OUTSIDE:
        return f"{OUTSIDE[part]}.{kind}"
    _, layer, part = part.split(".", 2)
    return f"h.{layer}.{BLOCK[part]}.{kind}"


def turned(name: str, weight: Tensor) -> Tensor:
    """For the other side: their matrices in blocks are (in, out), ours (out, in)."""
    return weight.T if name.startswith("blocks.") and weight.dim() == 2 else weight


def read_config(folder: Path) -> GPTConfig:
    """The sizes in a folder's config.json. Dropout is left at 0, whatever the file says.

    Raises:
        CheckpointError: there is none, or it is of another kind of model than GPT-2.
    """
    path = folder / CONFIG
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        sizes = {ours: raw[theirs] for ours, theirs in SIZES.items()}
        for ours, size in sizes.items():
            if type(size) is not int or size < 1:
                raise ValueError(f"{SIZES[ours]} is {size!r}")
        expected = {**FIXED, "n_inner": 4 * sizes["width"]}
        # Absent, and null for n_inner, stand for the expected value.
        other = {
            name: raw[name]
            for name, value in expected.items()
            if raw.get(name, value) not in (value, None)
        }
        config = GPTConfig(**sizes)
    except OSError as error:
        raise CheckpointError(f"{folder} holds no {CONFIG}: {error.strerror}") from error
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} does not give GPT-2's sizes: {error!r}") from error
    if other:
        found = ", ".join(f"{name} {value!r}" for name, value in other.items())
        raise CheckpointError(f"{path} says {found}; only GPT-2's own architecture can be loaded")
    return config


def load_gpt2(folder: str | Path) -> GPT:
    """The model in a folder, in float32, in evaluation mode.

    It is filled tensor by tensor, so memory peaks near the size of the weights.

    Raises:
        CheckpointError: a file is missing or damaged, or a weight is missing or of another shape.
    """
    folder = Path(folder)
    with torch.device("meta"):  # shapes only, no memory
        model = GPT(read_config(folder))
    path = folder / WEIGHTS
    weights = {}
    try:
        with safe_open(path, "pt") as file:
            known = json.loads((file.metadata() or {}).get(KNOWN, "null"))
            prefix = PREFIX if f"{PREFIX}wte.weight" in file.keys() else ""
            if f"{prefix}h.{model.config.layers}.ln_1.weight" in file.keys():
                raise CheckpointError(
                    f"{path} has more layers than the {model.config.layers} of {CONFIG}"
                )
            for name, empty in model.state_dict().items():
                weight = turned(name, file.get_tensor(prefix + their_name(name)))
                if weight.shape != empty.shape:
                    raise CheckpointError(
                        f"{path}: {prefix + their_name(name)} has the shape "
                        f"{tuple(turned(name, weight).shape)}, but {CONFIG} asks for "
                        f"{tuple(turned(name, empty).shape)}"
                    )
                weights[name] = weight.float().contiguous()
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} holds no {WEIGHTS}") from error
    except (SafetensorError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is damaged or lacks a weight: {error}") from error
    model.load_state_dict(weights, assign=True)
    return (model if known is None else _compacted(model, known)).eval()


def save_gpt2(model: GPT, folder: str | Path) -> None:
    """Write a model so that transformers loads it: both files whole, or none.

    A compact vocabulary is expanded: every unseen token gets the shared row. The file's header
    says which tokens had rows of their own, so that ``load_gpt2`` gives a compact model again.
    """
    folder = Path(folder)
    tensors = {PREFIX + their_name(name): weight for name, weight in _full_weights(model)}
    metadata = {"format": "pt"}
    if isinstance(model.token_embedding, CompactTokenEmbedding):
        metadata[KNOWN] = json.dumps(sorted(model.token_embedding.token_ids.tolist()))
    config = {
        "architectures": ["GPT2LMHeadModel"],
        **FIXED,
        **{theirs: getattr(model.config, ours) for ours, theirs in SIZES.items()},
        **dict.fromkeys(DROPOUT, model.config.dropout),
        "bos_token_id": END_OF_TEXT,
        "eos_token_id": END_OF_TEXT,
    }
    text = json.dumps(config, indent=2) + "\n"
    write_all_whole(
        {
            folder / WEIGHTS: lambda path: save_file(tensors, path, metadata),
            folder / CONFIG: lambda path: path.write_text(text, encoding="utf-8"),
        }
    )


def _full_weights(model: GPT) -> Iterator[tuple[str, Tensor]]:
    """Our names and the numbers as they are kept there, on the CPU."""
    for name, weight in model.state_dict().items():
        weight = weight.detach().cpu()
        embedding = model.token_embedding
        if name == "token_embedding.weight" and isinstance(embedding, CompactTokenEmbedding):
            weight = weight[
                embedding.row_of_token.cpu()
            ]  # (known + 1, width) → (vocabulary, width)
        yield name, turned(name, weight).contiguous()


def _compacted(model: GPT, known: list[int]) -> GPT:
    """The model with rows for these tokens alone, in order; all others share one."""
    compact = GPT(model.config, known_tokens=known)
    weights = model.state_dict()
    every = weights["token_embedding.weight"]  # (vocabulary, width)
    unseen = sorted(set(range(len(every))) - set(known))[:1]
    weights["token_embedding.weight"] = torch.cat(  # (known + 1, width)
        [every[known], every[unseen] if unseen else torch.zeros_like(every[:1])]
    )
    compact.load_state_dict(weights)
    return compact


class HubModel(NamedTuple):
    """A model on the hub, at one revision: what is pinned cannot change under a lesson."""

    repository: str
    revision: str
    megabytes: int


HUB_MODELS = {
    "gpt2": HubModel("openai-community/gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e", 548),
    "gpt2-medium": HubModel(
        "openai-community/gpt2-medium", "6dcaa7a952f72f9298047fd5137cd6e4f05f41da", 1_520
    ),
    "gpt2-large": HubModel(
        "openai-community/gpt2-large", "32b71b12589c2f8d625668d2335a01cac3249519", 3_247
    ),
    "gpt2-xl": HubModel(
        "openai-community/gpt2-xl", "15ea56dee5df4983c59b2538573817e1667135e2", 6_431
    ),
}
SECONDS = 10  # to wait for the hub's first answer


def fetch(name: str) -> Path:
    """The folder that holds a hub model's files; what is not cached is downloaded.

    Raises:
        CheckpointError: it is not cached, and the hub cannot be reached or refuses.
    """
    paths = [cached(name, file) or _download(name, file) for file in (CONFIG, WEIGHTS)]
    return paths[-1].parent


def cached(name: str, file: str = WEIGHTS) -> Path | None:
    """Where a hub model's file lies on this machine; None where it was never downloaded.

    Nobody is asked: the revision is pinned, so what is cached cannot be out of date.
    """
    model = HUB_MODELS[name]
    path = try_to_load_from_cache(model.repository, file, revision=model.revision)
    return Path(path) if isinstance(path, str) else None


def _download(name: str, file: str) -> Path:
    model = HUB_MODELS[name]
    try:
        # One question first: a download asks again and again, for minutes, where nobody answers.
        get_hf_file_metadata(
            hf_hub_url(model.repository, file, revision=model.revision), timeout=SECONDS
        )
    except HfHubHTTPError as error:
        raise CheckpointError(f"the hub does not give {name}'s {file}: {error}") from error
    except Exception as error:  # the HTTP library and its errors differ between versions of the hub
        raise CheckpointError(
            f"{name} is not in the cache, and the Hugging Face hub cannot be reached. With a "
            f"network, `python -m lessons_lib download {name}` fetches it once "
            f"({model.megabytes:,} MB); without one, load_model takes 'base', or the path of a "
            f"folder with {CONFIG} and {WEIGHTS}"
        ) from error
    try:
        return Path(hf_hub_download(model.repository, file, revision=model.revision))
    except Exception as error:
        raise CheckpointError(
            f"{name}'s {file} could not be downloaded: {error}; nothing of it is used, try again"
        ) from error
