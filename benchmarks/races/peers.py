"""The peers, which train step by step from our weights: the book's loop, Trainer and TRL.

Each is set up as its documentation says, without dropout and with loss on the responses alone. All
have ``loss(indices)`` and ``step(indices)``; the indices say which entries make the batch.
"""

import importlib
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import torch
from benchmarks.collate import book_collate_fn
from torch import Tensor, nn

from lessons_lib.batching import InstructionDataset
from lessons_lib.bridges import in_transformers, labelled_rows, tokenizer_in_transformers
from lessons_lib.bridges.trainers import AS_IN_FLOAT32, QUIET_ON_CPU
from lessons_lib.data import IGNORE_INDEX, Entry, get_prompt_format, get_tokenizer
from lessons_lib.models import GPT
from lessons_lib.models.gpt2_files import full_weights

LEARNING_RATE, WEIGHT_DECAY = 5e-5, 0.1


def needed(name: str) -> Any:
    """A module; if it is missing, the program ends and says what to do."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SystemExit(
            f"This race needs {name.split('.')[0]}, which cannot be imported ({error}). "
            "Install what benchmarks need with: make environment"
        ) from None


# The book's package


def to_book(model: GPT, tied: bool = False) -> nn.Module:
    """The book's GPTModel with our weights; its head gets a copy of the embedding or shares it."""
    config = model.config
    book = needed("llms_from_scratch.ch04").GPTModel(
        {
            "vocab_size": config.vocabulary_size,
            "context_length": config.context_length,
            "emb_dim": config.width,
            "n_heads": config.heads,
            "n_layers": config.layers,
            "drop_rate": 0.0,
            "qkv_bias": True,
        }
    )
    ours = full_weights(model)
    given = {"out_head.weight": ours["token_embedding.weight"]}
    for name, weight in ours.items():
        if "query_key_value" in name:
            for part, third in zip(("query", "key", "value"), weight.chunk(3), strict=True):
                given[_book_name(name).replace("query_key_value", f"W_{part}")] = third
        else:
            given[_book_name(name)] = weight
    given |= {name: value for name, value in book.state_dict().items() if name.endswith(".mask")}
    book.load_state_dict(given)
    if tied:
        book.out_head.weight = book.tok_emb.weight
    return book


def _book_name(name: str) -> str:
    """What the book calls one of our weights."""
    for ours, theirs in {
        "blocks.": "trf_blocks.",
        "token_embedding": "tok_emb",
        "position_embedding": "pos_emb",
        "attention_norm": "norm1",
        "network_norm": "norm2",
        "attention.output": "att.out_proj",
        "attention.": "att.",
        "network.": "ff.layers.",
    }.items():
        name = name.replace(ours, theirs)
    if "norm" in name:  # the book has a class of its own for norms
        name = name.replace("weight", "scale").replace("bias", "shift")
    return name


class Book:
    """The loop of the book's chapter 7 with its data set, collate function, model and optimizer.

    Like the book's exercise 7.2, this masks the instructions, on top of its collate function.
    """

    def __init__(self, model: GPT, entries: Sequence[Entry], tied: bool = False, **optimizer):
        self.collate = book_collate_fn()
        self.rows = needed("llms_from_scratch.ch07").InstructionDataset(entries, get_tokenizer())
        self.prompts = [e.prompt_length for e in InstructionDataset(entries).examples]
        self.loss_of = needed("llms_from_scratch.ch05").calc_loss_batch
        self.model = to_book(model, tied)
        options = {"lr": LEARNING_RATE, "weight_decay": WEIGHT_DECAY} | optimizer
        self.optimizer = torch.optim.AdamW(self.model.parameters(), **options)

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Inputs and targets, (batch, length) each."""
        inputs, targets = self.collate([self.rows[i] for i in indices])
        for row, index in zip(targets, indices, strict=True):
            row[: self.prompts[index] - 1] = IGNORE_INDEX
        return inputs, targets

    def loss(self, indices: Sequence[int]) -> Tensor:
        return self.loss_of(*self.batch(indices), self.model, "cpu")

    def step(self, indices: Sequence[int]) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(indices)
        loss.backward()
        self.optimizer.step()
        return loss.item()


# transformers and TRL


class HuggingFace:
    """A step as in Trainer's own loop; ``make(folder)`` makes the trainer, which writes there.

    Options are the trainer's defaults, except ``OPTIONS`` and, for TRL, ``AS_IN_FLOAT32``.
    """

    def __init__(self, make: Callable[[str], Any]):
        self.folder = tempfile.TemporaryDirectory()
        self.trainer = make(self.folder.name)
        self.trainer.create_optimizer()
        self.trainer.current_gradient_accumulation_steps = 1
        self.model = self.trainer.model.train()

    def batch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        rows = [self.trainer.train_dataset[i] for i in indices]
        return dict(self.trainer.data_collator(rows))

    def loss(self, indices: Sequence[int]) -> Tensor:
        return self.trainer.compute_loss(self.model, self.batch(indices))

    def step(self, indices: Sequence[int]) -> float:
        trainer, batch = self.trainer, self.batch(indices)
        live = (batch["labels"][:, 1:] != IGNORE_INDEX).sum()
        loss = trainer.training_step(self.model, batch, live)
        if trainer.args.max_grad_norm:
            trainer.accelerator.clip_grad_norm_(self.model.parameters(), trainer.args.max_grad_norm)
        trainer.optimizer.step()
        self.model.zero_grad()
        return loss.item()


OPTIONS = {
    "learning_rate": LEARNING_RATE,
    "weight_decay": WEIGHT_DECAY,
    "per_device_train_batch_size": 8,
    "lr_scheduler_type": "constant",
    **QUIET_ON_CPU,
}


def with_trainer(model: GPT, entries: Sequence[Entry], **options) -> HuggingFace:
    """transformers' Trainer: unshifted labels, padded by its collator for sequences."""
    transformers = needed("transformers")
    rows, tokenizer = labelled_rows(entries), tokenizer_in_transformers()
    return HuggingFace(
        lambda folder: transformers.Trainer(
            model=in_transformers(model),
            args=transformers.TrainingArguments(output_dir=folder, **OPTIONS | options),
            train_dataset=rows,
            data_collator=transformers.DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100),
        )
    )


def with_trl(model: GPT, entries: Sequence[Entry], **options) -> HuggingFace:
    """TRL's SFTTrainer: prompts and completions as texts, with loss on the completions."""
    trl, datasets = needed("trl"), needed("datasets")
    alpaca = get_prompt_format("alpaca")
    rows = [{"prompt": alpaca.prompt(e), "completion": alpaca.response(e)} for e in entries]
    tokenizer = tokenizer_in_transformers()
    return HuggingFace(
        lambda folder: trl.SFTTrainer(
            model=in_transformers(model),
            args=trl.SFTConfig(output_dir=folder, **OPTIONS | AS_IN_FLOAT32 | options),
            train_dataset=datasets.Dataset.from_list(rows),
            processing_class=tokenizer,
        )
    )
