"""GPT-2 as Hugging Face keeps it: a folder that is read, written, or fetched from the hub.

The folder holds ``config.json`` and ``model.safetensors``; what is saved here,
``GPT2LMHeadModel.from_pretrained(folder)`` of transformers loads. Taught in lesson 08.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HfHubHTTPError
from torch import Tensor

from lessons_lib.data import VOCABULARY_SIZE, LocalTokenizer, end_of_text_of
from lessons_lib.data.tokenizer_files import has_other_tokenizer, write_tokenizer_files
from lessons_lib.models import folders
from lessons_lib.models.folders import CONFIG, WEIGHTS
from lessons_lib.models.gpt import GPT, GPTConfig
from lessons_lib.models.llama import load_tokenizer
from lessons_lib.models.vocabulary import CompactTokenEmbedding
from lessons_lib.support import CheckpointError
from lessons_lib.support.files import sha256_of

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
# What else a file may hold: a copy of the token embedding, and the masks of old files.
HEAD, LEFT_OVER = "lm_head.weight", r"lm_head\.weight|.*\.attn\.(bias|masked_bias)"


def name_in_transformers(name: str) -> str:
    """What one of our weights is called there: "blocks.3.network.0.bias" is "h.3.mlp.c_fc.bias"."""
    part, _, kind = name.rpartition(".")
    if part in OUTSIDE:
        return f"{OUTSIDE[part]}.{kind}"
    _, layer, part = part.split(".", 2)
    return f"h.{layer}.{BLOCK[part]}.{kind}"


def transposed(name: str, weight: Tensor) -> Tensor:
    """For the other side: their matrices in blocks are (in, out), ours (out, in)."""
    return weight.T if name.startswith("blocks.") and weight.dim() == 2 else weight


def sizes_in(config: Mapping[str, Any], path: Path) -> GPTConfig:
    """The sizes in a config.json. Dropout is left at 0, whatever the file says.

    Raises:
        CheckpointError: a size is missing or is none, or the architecture is not quite GPT-2's.
    """
    given = {ours: config.get(theirs) for ours, theirs in SIZES.items()}
    folders.check_sizes(path, {SIZES[ours]: size for ours, size in given.items()})
    try:
        sizes = GPTConfig(**given)
    except ValueError as error:
        raise CheckpointError(f"{path} does not give GPT-2's sizes: {error}") from error
    expected = {**FIXED, "n_inner": 4 * sizes.width}
    # Absent, and null for n_inner, stand for the expected value.
    other = [name for name in expected if config.get(name) not in (expected[name], None)]
    if other:
        found = ", ".join(f"{name} {config[name]!r}" for name in other)
        raise CheckpointError(f"{path} says {found}; only GPT-2's own architecture can be loaded")
    return sizes


def load_gpt2(folder: str | Path) -> GPT:
    """The model in a folder, in float32, in evaluation mode.

    It is filled tensor by tensor, so memory peaks near the size of the weights. A tokenizer in the
    folder that is not GPT-2's own becomes the model's ``tokenizer``.

    Raises:
        CheckpointError: a file is missing or damaged, a weight is missing, left over or of another
            shape, or the tokenizer does not fit the model.
    """
    folder = Path(folder)
    config, path = folders.read_config(folder), folder / WEIGHTS
    sizes = sizes_in(config, folder / CONFIG)
    tokenizer = _own_tokenizer(folder, sizes.vocabulary_size)
    shapes, metadata = folders.read_shapes(folder)
    folders.check_whole(folder, config, metadata)
    prefix = PREFIX if f"{PREFIX}wte.weight" in shapes else ""
    model = _empty_model(sizes, shapes, prefix, folder)
    weights = {}
    with folders.open_weights(path) as file:
        for name in model.state_dict():
            weight = file.get_tensor(prefix + name_in_transformers(name))
            weights[name] = transposed(name, weight).float().contiguous()
        if HEAD in shapes and not torch.equal(
            file.get_tensor(HEAD).float(), weights["token_embedding.weight"]
        ):
            raise CheckpointError(f"{path}: {HEAD} is not the token embedding, as it is in GPT-2")
    model.load_state_dict(weights, assign=True)
    if KNOWN in metadata:
        model = _compacted(model, metadata[KNOWN], path)
    model.tokenizer = tokenizer
    return model.eval()


def _own_tokenizer(folder: Path, rows: int) -> LocalTokenizer | None:
    """The folder's tokenizer; None where it has GPT-2's, or none."""
    try:
        if not has_other_tokenizer(folder):
            return None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the tokenizer in {folder} cannot be used: {error}") from error
    return load_tokenizer(folder, rows)


def _empty_model(
    sizes: GPTConfig, found: Mapping[str, tuple[int, ...]], prefix: str, folder: Path
) -> GPT:
    """A model that has shapes and no memory yet: those of the weights that were found, by name."""
    outer = {
        f"{prefix}wte.weight": (sizes.vocabulary_size, sizes.width),
        f"{prefix}wpe.weight": (sizes.context_length, sizes.width),
    }
    folders.refuse_other_shapes(folder, outer, found)
    layers = sum(name.endswith(".ln_1.weight") for name in found)
    if layers > sizes.layers:
        raise CheckpointError(f"{folder} has more layers than the {sizes.layers} of {CONFIG}")
    if layers < sizes.layers:  # before so many are made
        folders.refuse_other_names(folder, [f"{prefix}h.{layers}.ln_1.weight"], [])
    with torch.device("meta"):
        model = GPT(sizes)
    wanted = {
        prefix + name_in_transformers(name): tuple(transposed(name, weight).shape)
        for name, weight in model.state_dict().items()
    }
    folders.refuse_other_shapes(folder, wanted, found)
    left = [name for name in found.keys() - wanted.keys() if not re.fullmatch(LEFT_OVER, name)]
    folders.refuse_other_names(folder, [], left)
    return model


def save_gpt2(model: GPT, folder: str | Path) -> None:
    """Write a model and its tokenizer so that transformers loads them: all files whole, or none.

    A compact vocabulary is expanded: every unseen token gets the shared row. The file's header
    says which tokens had rows of their own, so that ``load_gpt2`` gives a compact model again. A
    model of fewer token ids than GPT-2 has, and without a tokenizer of its own, is written alone.
    """
    tensors = {PREFIX + name: each for name, each in weights_in_transformers(model).items()}
    metadata = {}
    if isinstance(model.token_embedding, CompactTokenEmbedding):
        metadata[KNOWN] = json.dumps(sorted(model.token_embedding.token_ids.tolist()))
    config = config_in_transformers(model)

    def write_others(part: Path) -> None:
        (part / CONFIG).write_text(json.dumps(config), encoding="utf-8")
        if isinstance(model.tokenizer, LocalTokenizer):
            model.tokenizer.save(part)
        elif model.tokenizer is None and model.config.vocabulary_size >= VOCABULARY_SIZE:
            write_tokenizer_files(part, model.context_length)

    folders.write_folder(Path(folder), tensors, write_others, metadata)


def config_in_transformers(model: GPT) -> dict[str, Any]:
    """What transformers' ``GPT2Config`` is told of a model."""
    end = end_of_text_of(model.tokenizer)
    return {
        "architectures": ["GPT2LMHeadModel"],
        **FIXED,
        **{theirs: vars(model.config)[ours] for ours, theirs in SIZES.items()},
        **dict.fromkeys(DROPOUT, model.config.dropout),
        **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), end),
    }


def weights_in_transformers(model: GPT) -> dict[str, Tensor]:
    """A model's weights by the names and in the shapes they have there, on the CPU."""
    return {
        name_in_transformers(name): transposed(name, weight).contiguous()
        for name, weight in full_weights(model).items()
    }


def full_weights(model: GPT) -> dict[str, Tensor]:
    """Our weights by name, on the CPU; a compact vocabulary gets a row for every token."""
    weights = {name: weight.detach().cpu() for name, weight in model.state_dict().items()}
    embedding = model.token_embedding
    if isinstance(embedding, CompactTokenEmbedding):
        # (known + 1, width) → (vocabulary, width)
        rows = weights["token_embedding.weight"][embedding.row_of_token.cpu()]
        weights["token_embedding.weight"] = rows
    return weights


def _compacted(model: GPT, written: str, path: Path) -> GPT:
    """The model with rows for the tokens of a JSON list alone, in order; all others share one."""
    try:
        known = json.loads(written)
        compact = GPT(model.config, known_tokens=known)
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: {KNOWN} is no list of token ids") from error
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
        told = get_hf_file_metadata(
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
        path = Path(hf_hub_download(model.repository, file, revision=model.revision))
        # A large file's tag is its SHA-256; the library itself compares the size alone.
        if len(told.etag or "") == 64 and sha256_of(path) != told.etag:
            path.resolve().unlink()
            raise OSError("what arrived is not what the hub has")
        return path
    except Exception as error:
        raise CheckpointError(
            f"{name}'s {file} could not be downloaded: {error}; nothing of it is used, try again"
        ) from error
