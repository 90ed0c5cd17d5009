"""LoRA: all weights stay frozen, and beside each linear layer two thin matrices learn.

The layer is written out here. An adapter is kept in the folder that ``peft`` reads and writes, so
either side can load what the other has trained. Taught in lesson 14.

Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lessons_lib.models import LocalLLM
from lessons_lib.models.folders import ADAPTER, open_weights
from lessons_lib.support import CheckpointError
from lessons_lib.support.files import explain, fill_folder, read_json

ADAPTER_WEIGHTS = "adapter_model.safetensors"
PREFIX = "base_model.model."  # of every name in such a file
# What an adapter may say besides rank, alpha and targets; anything else computes something else.
PLAIN = {
    "peft_type": ("LORA",),
    "bias": ("none",),
    **dict.fromkeys(("rank_pattern", "alpha_pattern", "modules_to_save"), (None, {}, [])),
    **dict.fromkeys(("use_rslora", "use_dora", "fan_in_fan_out", "lora_bias"), (None, False)),
    **dict.fromkeys(("exclude_modules", "layers_to_transform", "target_parameters"), (None, [])),
}


class LoRALinear(nn.Module):
    """A linear layer whose own weight stays as it is; ``lora_b @ lora_a`` learns what to add to it.

    ``lora_b`` starts at zero, so at first the layer does what it did before.
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float):
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.scale = alpha / rank
        weight = linear.weight  # (out, in)
        self.lora_a = nn.Parameter(weight.new_empty(rank, weight.shape[1]))
        self.lora_b = nn.Parameter(weight.new_zeros(weight.shape[0], rank))
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        narrow = x @ self.lora_a.T  # (…, in) → (…, rank)
        return self.linear(x) + self.scale * (narrow @ self.lora_b.T)  # (…, out)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """The linear layer, with what was learned added to its weight; it can be trained again."""
        self.linear.weight += self.scale * (self.lora_b @ self.lora_a)  # (out, in)
        return self.linear.requires_grad_()


class ParameterCount(NamedTuple):
    """How many of a model's weights are trained, and how many there are."""

    trained: int
    all: int

    def __str__(self) -> str:
        return (
            f"{self.trained:,} of {self.all:,} weights are trained ({self.trained / self.all:.2%})"
        )


def count_trained(model: nn.Module) -> ParameterCount:
    """Trained and all weights; one that two parts share counts once."""
    weights = list(model.parameters())
    return ParameterCount(
        sum(w.numel() for w in weights if w.requires_grad), sum(w.numel() for w in weights)
    )


def add_lora(
    model: nn.Module, rank: int = 16, alpha: float = 32, targets: Sequence[str] | None = None
) -> ParameterCount:
    """Freeze the model, and put a ``LoRALinear`` around each target, in place.

    ``targets`` are ends of names, such as "q_proj" or "attention.output"; without them it is every
    linear layer whose weight is not the embedding's too. A ``GPT`` with a compact vocabulary gets
    its entries' tokens first (``add_entry_tokens``): their rows are frozen from now on.

    Raises:
        ValueError: a rank below 1, a target that fits no layer, or a model with LoRA already.
    """
    if rank < 1:
        raise ValueError(f"rank is 1 or more, not {rank}")
    if any(isinstance(module, LoRALinear) for module in model.modules()):
        raise ValueError("this model has LoRA already: merge it first, with merge_lora(model)")
    layers = linear_layers(model)
    for target in targets or ():
        if not any(_fits(name, target) for name in layers):
            ends = ", ".join(sorted({_end(name) for name in layers}))
            raise ValueError(f"no linear layer's name ends in {target!r}; there are: {ends}")
    model.requires_grad_(False)
    for name, linear in layers.items():
        if targets is None or any(_fits(name, target) for target in targets):
            _replace(model, name, LoRALinear(linear, rank, alpha))
    return count_trained(model)


def merge_lora(model: nn.Module) -> None:
    """Add what was learned to the weights, take LoRA out, and let all weights be trained again.

    The model computes what it did before, but for rounding, and is saved like any other.
    """
    for name, layer in dict(_lora_layers(model)).items():
        _replace(model, name, layer.merged())
    model.requires_grad_()


def save_lora(model: nn.Module, folder: str | Path, base: str = "") -> None:
    """Write the adapter alone, as ``peft`` does: its config and two matrices for each layer.

    ``base`` is what the config calls the model to which it belongs; the weights of that model are
    not in the folder.

    Raises:
        ValueError: the model has no LoRA. OSError: the folder cannot be written.
    """
    adapted = _in_peft(model)
    layers = dict(_lora_layers(adapted))
    if not layers:
        raise ValueError("this model has no LoRA to save: add_lora(model) adds it")
    first = next(iter(layers.values()))
    rank = len(first.lora_a)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM" if isinstance(model, LocalLLM) else None,
        "base_model_name_or_path": base or None,
        "r": rank,
        "lora_alpha": first.scale * rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted({_end(name) for name in layers}),
        "inference_mode": True,
    }
    tensors = {}
    for name, layer in layers.items():
        tensors[f"{PREFIX}{name}.lora_A.weight"] = layer.lora_a.detach().cpu().contiguous()
        tensors[f"{PREFIX}{name}.lora_B.weight"] = layer.lora_b.detach().cpu().contiguous()

    def fill(part: Path) -> None:
        save_file(tensors, part / ADAPTER_WEIGHTS, {"format": "pt"})
        text = json.dumps(config, indent=2) + "\n"
        (part / ADAPTER).write_text(text, encoding="utf-8")

    fill_folder(Path(folder), fill, last=ADAPTER)


def load_lora(model: nn.Module, folder: str | Path) -> ParameterCount:
    """Put an adapter, which ``save_lora`` or ``peft`` wrote, on the model it belongs to, in place.

    Raises:
        CheckpointError: a file is missing or damaged, the adapter is more than plain LoRA, or it
            belongs to a model of other layers or sizes.
    """
    folder = Path(folder)
    config = _read_config(folder)
    with open_weights(folder / ADAPTER_WEIGHTS) as file:
        found = {name.removeprefix(PREFIX): file.get_tensor(name) for name in file.keys()}
    adapted = _in_peft(model)
    layers = linear_layers(adapted)
    named = {name.rsplit(".lora_", 1)[0] for name in found}
    wanted = {}
    for name in sorted(named):
        if name not in layers:
            ends = ", ".join(sorted({_end(each) for each in layers}))
            raise CheckpointError(
                f"{folder} has a matrix for {name}, which is no linear layer of this model; its "
                f"layers end in {ends}. Load the adapter on the model that it was trained on"
            )
        out, into = layers[name].weight.shape
        wanted[f"{name}.lora_A.weight"] = (config["r"], into)
        wanted[f"{name}.lora_B.weight"] = (out, config["r"])
    for name, shape in wanted.items():
        if name not in found or tuple(found[name].shape) != shape:
            there = "is missing" if name not in found else f"has {tuple(found[name].shape)}"
            raise CheckpointError(
                f"{folder / ADAPTER_WEIGHTS}: {name} {there}, where the model asks for {shape}"
            )
    counted = add_lora(adapted, config["r"], config["lora_alpha"], sorted(named))
    with torch.no_grad():
        for name, layer in _lora_layers(adapted):
            layer.lora_a.copy_(found[f"{name}.lora_A.weight"])
            layer.lora_b.copy_(found[f"{name}.lora_B.weight"])
    return counted


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = read_json(folder / ADAPTER)
        rank, alpha = config["r"], config["lora_alpha"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder} holds no adapter: {ADAPTER}: {explain(error)}") from error
    if type(rank) is not int or rank < 1 or not isinstance(alpha, int | float):
        raise CheckpointError(f"{folder / ADAPTER}: r is {rank!r:.40}, lora_alpha {alpha!r:.40}")
    for name, plain in PLAIN.items():
        if config.get(name, plain[0]) not in plain:
            raise CheckpointError(
                f"{folder / ADAPTER} says {name} {config[name]!r:.60}: only plain LoRA is read "
                "here. Merge it with peft's merge_and_unload(), save that, and load the new folder"
            )
    return config


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """The model's linear layers by name, without a head that shares the embedding's weight."""
    shared = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and id(module.weight) not in shared
    }


def _lora_layers(model: nn.Module) -> Iterator[tuple[str, LoRALinear]]:
    return (pair for pair in model.named_modules() if isinstance(pair[1], LoRALinear))


def _in_peft(model: nn.Module) -> nn.Module:
    """The module from which ``peft`` counts names: transformers' own, where there is one."""
    return model.llama if isinstance(model, LocalLLM) else model


def _fits(name: str, target: str) -> bool:
    return name == target or name.endswith(f".{target}")


def _end(name: str) -> str:
    """What a layer is called in every block: "attention.output" of "blocks.3.attention.output"."""
    return re.split(r"\.\d+\.", name, maxsplit=1)[-1]


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
