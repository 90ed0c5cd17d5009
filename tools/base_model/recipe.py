"""The recipe of the base models, and the text of the miniature world as rows of token ids."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from lessons_lib.data import END_OF_TEXT, get_tokenizer
from lessons_lib.data.world import facts_of_test_validation_and_held_out, write_documents
from lessons_lib.data.world.bundled import FactPlace
from lessons_lib.models import GPTConfig


@dataclass(frozen=True)
class PretrainingRecipe:
    """Everything that determines the result, except the processor's rounding."""

    without_facts: bool = False  # leaves out what test, validation and held-out entries ask for
    tokens: int = 18_500_000
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


def make_corpus(recipe: PretrainingRecipe) -> Corpus:
    """Write the prose, tokenize it, and cut it into rows in random order.

    A model without the facts gets rows for their tokens all the same: it lacks what joins the
    names, not the means to write them.
    """
    length, count = recipe.model.context_length, recipe.steps * recipe.batch_size
    without = facts_of_test_validation_and_held_out() if recipe.without_facts else ()
    rows, digest = _rows(recipe.seed, count, length, without)
    known = set(rows.flatten().tolist())
    if without:
        known |= set(_rows(recipe.seed, count, length)[0].flatten().tolist())
    validation, _ = _rows(recipe.seed + 1, recipe.validation_rows, length, without)
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(recipe.seed))
    return Corpus(rows[order], validation, sorted(known), digest)


def _rows(
    seed: int, count: int, length: int, without: Collection[FactPlace] = ()
) -> tuple[Tensor, str]:
    """(count, length + 1) token ids, end of text after each document, and the text's SHA-256."""
    tokenizer, digest = get_tokenizer(), hashlib.sha256()
    token_ids: list[int] = []
    for document in write_documents(seed, without):
        token_ids += [*tokenizer.encode_ordinary(document), END_OF_TEXT]
        digest.update(document.encode())
        if len(token_ids) > count * length:
            break
    # The last token of a row is the first of the next: every token but the first is once a target.
    flat = torch.tensor(token_ids[: count * length + 1])
    return flat.unfold(0, length + 1, length).clone(), digest.hexdigest()
