"""Pretrains the bundled base model on the corpus: next-token prediction on prose, nothing else.

``make base`` runs it and writes ``assets/base.safetensors``; if it was cut off, the next start goes
on from the last checkpoint. Lesson 08 shows what comes of it.
"""

import argparse
import hashlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from lessons_lib.batching import Batch
from lessons_lib.data import END_OF_TEXT, get_tokenizer
from lessons_lib.data.world import write_documents
from lessons_lib.models import GPT, GPTConfig, count_parameters
from lessons_lib.models.loading import BASE_MODEL, save_compact
from lessons_lib.support import cache_folder, write_whole
from lessons_lib.training.options import count_warmup_steps, learning_rate_at
from tools.base_model.muon import Muon
from tools.base_model.sampled_softmax import sampled_loss


@dataclass(frozen=True)
class PretrainingRecipe:
    """Everything that determines the result, except the processor's rounding."""

    tokens: int = 14_400_000
    model: GPTConfig = GPTConfig(context_length=256, width=160, layers=4, heads=5)
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
    known: list[int]  # the token ids that occur in training, in order
    sha256: str  # of the training text's UTF-8


def make_corpus(recipe: PretrainingRecipe) -> Corpus:
    """Write the prose, tokenize it, and cut it into rows in random order."""
    length = recipe.model.context_length
    rows, digest = _rows(recipe.seed, recipe.steps * recipe.batch_size, length)
    validation, _ = _rows(recipe.seed + 1, recipe.validation_rows, length)
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(recipe.seed))
    return Corpus(rows[order], validation, sorted(set(rows.flatten().tolist())), digest)


def _rows(seed: int, count: int, length: int) -> tuple[Tensor, str]:
    """(count, length + 1) token ids, end of text after each document, and the text's SHA-256."""
    tokenizer, digest = get_tokenizer(), hashlib.sha256()
    token_ids: list[int] = []
    for document in write_documents(seed):
        token_ids += [*tokenizer.encode_ordinary(document), END_OF_TEXT]
        digest.update(document.encode())
        if len(token_ids) > count * length:
            break
    # The last token of a row is the first of the next: every token but the first is once a target.
    flat = torch.tensor(token_ids[: count * length + 1])
    return flat.unfold(0, length + 1, length).clone(), digest.hexdigest()


def make_optimizers(model: GPT, recipe: PretrainingRecipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, AdamW for everything else."""
    matrices = [weight for weight in model.blocks.parameters() if weight.dim() == 2]
    of_muon = {id(weight) for weight in matrices}
    rest = [weight for weight in model.parameters() if id(weight) not in of_muon]
    return [
        Muon(matrices, recipe.matrix_learning_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(
            rest, recipe.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True
        ),
    ]


@torch.no_grad()
def validation_loss(model: GPT, corpus: Corpus) -> float:
    """Nats per token on text from another seed: the same facts, told in other sentences."""
    total = 0.0
    for rows in corpus.validation.split(16):  # (16, length + 1)
        hidden = model.hidden(Batch(rows[:, :-1]))  # (16, length, width)
        # (16 · length, width) and (16 · length,)
        losses, _ = model.token_losses(hidden.flatten(0, 1), rows[:, 1:].flatten())
        total += losses.sum().item()
    return total / corpus.validation[:, 1:].numel()


class Pretraining:
    """A run that can stop after any step and go on later, with the same result."""

    def __init__(self, recipe: PretrainingRecipe, precise: bool = True):
        self.recipe, self.precise = recipe, precise
        self.corpus = make_corpus(recipe)
        torch.manual_seed(recipe.seed)
        self.model = GPT(recipe.model, known_tokens=self.corpus.known)
        nn.init.normal_(self.model.token_embedding.weight, std=recipe.embedding_deviation)
        self.optimizers = make_optimizers(self.model, recipe)
        self.full_rates = [optimizer.param_groups[0]["lr"] for optimizer in self.optimizers]
        self.step, self.seconds = 0, 0.0

    def run(self, until: int | None = None) -> Iterator[float]:
        """Train to step ``until`` (default: the last); yields the loss of each step."""
        until = self.recipe.steps if until is None else until
        warmup_steps = count_warmup_steps(self.recipe.warmup, self.recipe.steps)
        while self.step < until:
            started = time.perf_counter()
            loss = self.loss()
            for optimizer, full_rate in zip(self.optimizers, self.full_rates, strict=True):
                optimizer.param_groups[0]["lr"] = learning_rate_at(
                    self.step + 1, self.recipe.steps, full_rate, "cosine", warmup_steps, 0.01
                )
                optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            for optimizer in self.optimizers:
                optimizer.step()
            self.step += 1
            self.seconds += time.perf_counter() - started
            yield loss.item()

    def loss(self) -> Tensor:
        """The loss on the present step's rows, in nats per token; 0-dimensional."""
        recipe = self.recipe
        start = self.step * recipe.batch_size
        rows = self.corpus.rows[start : start + recipe.batch_size]  # (batch_size, length + 1)
        whole = self.step >= (1 - recipe.full_softmax) * recipe.steps
        # From the seed and the step alone, so that a resumed run draws the same as an unbroken one.
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_000 + self.step)
        with torch.autocast(rows.device.type, torch.bfloat16, enabled=not self.precise):
            hidden = self.model.hidden(Batch(rows[:, :-1]))  # (batch_size, length, width)
            return sampled_loss(
                self.model.token_embedding,
                hidden.flatten(0, 1),  # (batch_size · length, width)
                rows[:, 1:].flatten(),  # (batch_size · length,)
                len(self.corpus.known) if whole else recipe.sampled_tokens,
                generator,
            )

    def state(self) -> dict:
        """Everything that a later run needs to go on."""
        return {
            "recipe": asdict(self.recipe),
            "corpus": self.corpus.sha256,
            "step": self.step,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }

    def restore(self, state: dict) -> bool:
        """Go on from a saved state; returns False, changing nothing, if it is of another recipe."""
        same = state["recipe"] == asdict(self.recipe) and state["corpus"] == self.corpus.sha256
        if same:
            self.step, self.seconds = state["step"], state["seconds"]
            self.model.load_state_dict(state["model"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
        return same

    def header(self) -> dict:
        """The recipe and what came of it, for the model file's header."""
        return {
            **asdict(self.recipe),
            "steps": self.step,
            "corpus_sha256": self.corpus.sha256,
            "known_tokens": len(self.corpus.known),
            "validation_loss": round(validation_loss(self.model, self.corpus), 4),
            "precision": "float32" if self.precise else "bfloat16",
        }


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware; elsewhere bfloat16 is slow."""
    return torch.cpu._is_avx512_bf16_supported()


def pretrain(recipe: PretrainingRecipe, out: Path, checkpoint: Path, every: int = 100) -> dict:
    """Pretrain, or go on from ``checkpoint``; write the model to ``out`` and return its header."""
    run = Pretraining(recipe, precise=not has_fast_bfloat16())
    if checkpoint.is_file():
        if run.restore(torch.load(checkpoint, weights_only=True)):
            print(f"going on from step {run.step} of {recipe.steps}: {checkpoint}")
        else:
            print(f"{checkpoint} belongs to another recipe or corpus; starting afresh")
    print(
        f"{count_parameters(run.model):,} parameters, {len(run.corpus.known):,} token ids, "
        f"{recipe.steps:,} steps of {recipe.batch_size} rows"
    )
    with tqdm(total=recipe.steps, initial=run.step, desc="pretraining", unit="step") as bar:
        for loss in run.run():
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}")
            if run.step % every == 0 and run.step < recipe.steps:
                write_whole(checkpoint, lambda path: torch.save(run.state(), path))
    header = run.header()
    save_compact(run.model, out, header)
    checkpoint.unlink(missing_ok=True)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, {run.seconds / 60:.1f} minutes")
    print(f"validation loss {header['validation_loss']} nats per token")
    return header


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tiny model, in under two minutes")
    parser.add_argument("--out", type=Path, help="where the model goes (default: assets)")
    options = parser.parse_args(arguments)
    folder = cache_folder() / "base"
    name = "short" if options.short else "base"
    out = options.out or (folder / "short.safetensors" if options.short else BASE_MODEL)
    pretrain(SHORT if options.short else PretrainingRecipe(), out, folder / f"{name}.checkpoint.pt")


if __name__ == "__main__":
    main()
