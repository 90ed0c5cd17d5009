"""What a model consists of, and which token it expects next: tables to read. Lesson 08."""

from collections.abc import Sequence

import torch
from torch import nn

from lessons_lib.data import Tokenizer, text_ids, tokenizer_of
from lessons_lib.generation import next_logits
from lessons_lib.models import GPT
from lessons_lib.models.gpt2_files import name_in_transformers, transposed
from lessons_lib.support import Table


def parameter_table(model: nn.Module) -> Table:
    """Each weight tensor with its shape and number of parameters; equal blocks share a line."""
    blocks: dict[str, list[tuple[int, ...]]] = {}
    for name, weight in model.named_parameters():
        # "blocks.3.attention.output.weight" → "blocks.*.attention.output.weight"
        parts = [
            "*" if part.isdigit() and name.startswith("blocks") else part
            for part in name.split(".")[:2]
        ] + name.split(".")[2:]
        blocks.setdefault(".".join(parts), []).append(tuple(weight.shape))
    total = sum(weight.numel() for weight in model.parameters())
    rows = []
    for name, shapes in blocks.items():
        count = sum(torch.Size(shape).numel() for shape in shapes)
        times = f" × {len(shapes)}" if len(shapes) > 1 else ""
        rows.append((name, f"({_shape(shapes[0])}){times}", f"{count:,}", f"{count / total:.1%}"))
    rows.append(("in all", "", f"{total:,}", "100.0%"))
    return Table(("weight", "shape", "parameters", "share"), tuple(rows))


def names_table(model: GPT) -> Table:
    """Each weight's name and shape, here and in GPT-2's file on the hub; one block for all."""
    rows = []
    for name, weight in model.state_dict().items():
        if name.startswith("blocks.") and not name.startswith("blocks.0."):
            continue
        theirs = (name_in_transformers(name), _shape(transposed(name, weight).shape))
        rows.append(
            tuple(
                part.replace("blocks.0.", "blocks.*.").replace("h.0.", "h.*.")
                for part in (name, _shape(weight.shape), *theirs)
            )
        )
    return Table(("here", "shape", "in GPT-2's file", "shape there"), tuple(rows))


def _shape(sizes: Sequence[int]) -> str:
    return " × ".join(f"{size:,}" for size in sizes)


@torch.no_grad()
def next_probabilities(
    model: nn.Module, text: str, tokenizer: Tokenizer | None = None
) -> torch.Tensor:
    """The probability that the model gives each token to come next after a text, (vocabulary,).

    The default ``tokenizer`` is the model's own, or GPT-2's.
    """
    tokenizer = tokenizer or tokenizer_of(model)
    return next_logits(model, [text_ids(text, tokenizer)])[0].softmax(-1)


def likeliest_next(
    model: nn.Module, text: str, count: int = 5, tokenizer: Tokenizer | None = None
) -> Table:
    """The ``count`` likeliest tokens after a text, each with its probability."""
    tokenizer = tokenizer or tokenizer_of(model)
    best = next_probabilities(model, text, tokenizer).topk(count)
    rows = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return Table(
        ("next token", "probability"),
        tuple((repr(tokenizer.decode([token])), f"{share:.1%}") for token, share in rows),
    )
