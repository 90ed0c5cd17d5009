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
from lessons_lib.data import END_OF_TEXT, IGNORE_INDEX, Entry, get_prompt_format, get_tokenizer
from lessons_lib.data.tokenizer import find_tokenizer_files
from lessons_lib.models import GPT
from lessons_lib.models.gpt2_files import SIZES, name_in_transformers, transposed

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


def full_weights(model: GPT) -> dict[str, Tensor]:
    """Copies of our weights by name; a compact vocabulary gets a row for every token."""
    weights = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
    every = torch.arange(model.config.vocabulary_size)
    weights["token_embedding.weight"] = model.token_embedding(every).detach()
    return weights


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


def to_transformers(model: GPT) -> nn.Module:
    """transformers' GPT-2 with our weights."""
    transformers = needed("transformers")
    sizes = {theirs: getattr(model.config, ours) for ours, theirs in SIZES.items()}
    dropout = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, **dropout))
    given = {
        name_in_transformers(n): transposed(n, weight) for n, weight in full_weights(model).items()
    }
    theirs.transformer.load_state_dict(given)
    return theirs


def gpt2_tokenizer() -> Any:
    """transformers' GPT-2 tokenizer, from the files that ours reads."""
    files = find_tokenizer_files()
    return needed("transformers").GPT2TokenizerFast(
        vocab=str(files["encoder.json"]), merges=str(files["vocab.bpe"])
    )


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
    "use_cpu": True,
    "report_to": "none",
    "save_strategy": "no",
    "disable_tqdm": True,
}

AS_IN_FLOAT32 = {"bf16": False, "gradient_checkpointing": False}  # TRL has both on by default


def with_trainer(model: GPT, entries: Sequence[Entry], **options) -> HuggingFace:
    """transformers' Trainer: unshifted labels, padded by its collator for sequences."""
    transformers = needed("transformers")
    rows = []
    for example in InstructionDataset(entries).examples:
        token_ids = [*example.token_ids, END_OF_TEXT]
        labels = [IGNORE_INDEX] * example.prompt_length + token_ids[example.prompt_length :]
        rows.append({"input_ids": token_ids, "labels": labels})
    tokenizer = gpt2_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    return HuggingFace(
        lambda folder: transformers.Trainer(
            model=to_transformers(model),
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
    tokenizer = gpt2_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    return HuggingFace(
        lambda folder: trl.SFTTrainer(
            model=to_transformers(model),
            args=trl.SFTConfig(output_dir=folder, **OPTIONS | AS_IN_FLOAT32 | options),
            train_dataset=datasets.Dataset.from_list(rows),
            processing_class=tokenizer,
        )
    )
