"""The recipe of the base models, and the text of the miniature world as rows of token ids."""

import hashlib
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from lessons_lib.data import END_OF_TEXT, get_tokenizer
from lessons_lib.data.world import (
    facts_of_test_validation_and_held_out,
    write_dictation,
    write_documents,
)
from lessons_lib.models import GPTConfig


@dataclass(frozen=True)
class PretrainingRecipe:
    """Everything that determines the result, except the processor's rounding."""

    without_facts: bool = False  # leaves out what test, validation and held-out entries ask for
    tokens: int = 25_000_000
    dictation: float = 0.08  # share of the steps, the first ones: lines to copy, nothing else
    model: GPTConfig = GPTConfig(context_length=256, width=192, layers=6, heads=6)
    batch_size: int = 8  # rows of context_length tokens
    matrix_learning_rate: float = 0.02  # Muon's, for the matrices of the blocks
    learning_rate: float = 1e-2  # AdamW's, for embeddings, norms and biases
    warmup: float = 0.02  # share of the steps
    weight_decay: float = 0.05
    embedding_deviation: float = 0.05  # of the token embedding at the start; GPT-2's is 0.02
    sampled_tokens: int = 1024  # see sampled_softmax; the last steps take all tokens
    full_softmax: float = 0.05  # share of the steps, the last ones
    seed: int = 123
    validation_rows: int = 64

    @property
    def steps(self) -> int:
        return self.tokens // (self.batch_size * self.model.context_length)


SHORT = PretrainingRecipe(
    tokens=100_000,
    model=GPTConfig(context_length=256, width=64, layers=2, heads=2),
    validation_rows=16,
)


@dataclass(frozen=True)
class Corpus:
    """The training text as token ids, and rows of another seed's text to measure the loss on."""

    rows: Tensor  # (rows, context_length + 1): one token more than is read, for the targets
    validation: Tensor  # (validation_rows, context_length + 1)
    known: list[int]  # the token ids that get rows of their own, in order
    sha256: str  # of the training text's UTF-8


def make_corpus(
    recipe: PretrainingRecipe, known_with_facts: Collection[int] | None = None
) -> Corpus:
    """Write the prose, tokenize it, and cut it into rows in random order, dictation first.

    To copy what was read is what much else is built from, and a model learns it late where it is a
    small part of the text (Olsson et al. 2022, "In-context learning and induction heads").
    A model without the facts gets rows for their tokens all the same: it lacks what joins the
    names, not the means to write them. ``known_with_facts`` are the ``known`` of the same recipe
    with the facts; where nobody has them, that text is written for their sake.
    """
    length, count = recipe.model.context_length, recipe.steps * recipe.batch_size
    without = facts_of_test_validation_and_held_out() if recipe.without_facts else ()
    dictated, digest = round(recipe.dictation * count), hashlib.sha256()
    documents = write_documents(recipe.seed, without)
    parts = [
        _rows(_hashed(write_dictation(recipe.seed), digest), dictated, length),
        _rows(_hashed(documents, digest), count - dictated, length),
    ]
    known = {token_id for part in parts for token_id in _token_ids(part)}
    if without and known_with_facts is None:
        known.update(_token_ids(_rows(write_documents(recipe.seed), count - dictated, length)))
    elif without:
        known.update(known_with_facts)
    validation = _rows(write_documents(recipe.seed + 1, without), recipe.validation_rows, length)
    generator = torch.Generator().manual_seed(recipe.seed)
    rows = torch.cat([part[torch.randperm(len(part), generator=generator)] for part in parts])
    return Corpus(rows, validation, sorted(known), digest.hexdigest())


def _hashed(documents: Iterable[str], digest: "hashlib._Hash") -> Iterator[str]:
    for document in documents:
        digest.update(document.encode())
        yield document


def _rows(documents: Iterable[str], count: int, length: int) -> Tensor:
    """(count, length + 1) token ids, with end of text after each document."""
    tokenizer, token_ids = get_tokenizer(), array("q")  # of 64 bits, as PyTorch's token ids
    for document in documents:
        token_ids.extend(tokenizer.encode_ordinary(document))
        token_ids.append(END_OF_TEXT)
        if len(token_ids) > count * length:
            break
    # The last token of a row is the first of the next: every token but the first is once a target.
    flat = torch.frombuffer(token_ids, dtype=torch.int64)[: count * length + 1]
    return flat.unfold(0, length + 1, length).clone()


def _token_ids(rows: Tensor) -> list[int]:
    """Those that occur, in order."""
    return rows.flatten().bincount().nonzero().flatten().tolist()
