"""Pretrains the bundled base models on the corpus: next-token prediction on prose, nothing else.

``make base`` runs it and writes ``assets/base.safetensors``; ``--without-facts`` makes the other
model, ``assets/base_without_facts.safetensors``. If it was cut off, the next start goes on from the
last checkpoint. Lesson 08 shows what comes of it.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from lessons_lib.batching import Batch
from lessons_lib.models import GPT, count_parameters
from lessons_lib.models.loading import BUNDLED_MODELS, save_compact
from lessons_lib.support import cache_folder, write_whole
from lessons_lib.training.options import count_warmup_steps, learning_rate_at
from tools.base_model.muon import Muon
from tools.base_model.recipe import SHORT, Corpus, PretrainingRecipe, make_corpus
from tools.base_model.sampled_softmax import sampled_loss


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


def pretrain(
    recipe: PretrainingRecipe, out: Path, checkpoint: Path, precise: bool, every: int = 100
) -> dict:
    """Pretrain, or go on from ``checkpoint``; write the model to ``out`` and return its header."""
    run = Pretraining(recipe, precise)
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


def parse(arguments: list[str] | None) -> tuple[argparse.Namespace, PretrainingRecipe]:
    """The options of the command line, and the recipe that follows from them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--short", action="store_true", help="a tiny model, in under two minutes")
    parser.add_argument(
        "--without-facts",
        action="store_true",
        help="leave out the facts that test, validation and held-out entries ask for",
    )
    parser.add_argument("--out", type=Path, help="where the model goes (default: assets)")
    parser.add_argument("--checkpoint", type=Path, help="default: in the cache folder")
    parser.add_argument("--threads", type=int, help="PyTorch's (default: as many as it chooses)")
    parser.add_argument(
        "--precision",
        choices=("bfloat16", "float32"),
        default="bfloat16" if has_fast_bfloat16() else "float32",
        help="default: what this processor multiplies fast, %(default)s",
    )
    trial = parser.add_argument_group("another recipe", "for experiments; needs --out")
    for name in ("tokens", "layers", "width", "heads"):
        trial.add_argument(f"--{name}", type=int)
    trial.add_argument(
        "--matrix-rate", dest="matrix_learning_rate", type=float, help="learning rate of Muon"
    )
    trial.add_argument("--rate", dest="learning_rate", type=float, help="learning rate of AdamW")
    options = parser.parse_args(arguments)
    usual = SHORT if options.short else PretrainingRecipe()
    given = {name: value for name, value in vars(options).items() if value is not None}
    sizes = given.keys() & {"layers", "width", "heads"}
    others = given.keys() & {"tokens", "matrix_learning_rate", "learning_rate"}
    model = replace(usual.model, **{name: given[name] for name in sizes})
    recipe = replace(usual, model=model, **{name: given[name] for name in others})
    if recipe != usual and not options.out:
        parser.error("say with --out where a model of another recipe goes")
    return options, replace(recipe, without_facts=options.without_facts)


def main(arguments: list[str] | None = None) -> None:
    options, recipe = parse(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = cache_folder() / "base"
    name = "base-without-facts" if recipe.without_facts else "base"
    bundled = folder / f"short-{name}.safetensors" if options.short else BUNDLED_MODELS[name]
    out = options.out or bundled
    checkpoint = options.checkpoint or folder / f"{out.stem}.checkpoint.pt"
    pretrain(recipe, out, checkpoint, precise=options.precision == "float32")


if __name__ == "__main__":
    main()
