"""The course's entries in transformers' ``Trainer`` and TRL's ``SFTTrainer``, trained as ours does.

Rows carry ``input_ids`` and labels that are not shifted yet, one column more than our targets have,
for these models shift inside. The options make their run ours: with equal weights and rows in the
loader's order, the losses are the same but for rounding. Lesson 14.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from lessons_lib.batching import InstructionDataset
from lessons_lib.batching.collator import InstructionCollator, InstructionMask, make_collator
from lessons_lib.batching.dataset import Example
from lessons_lib.batching.loaders import InstructionLoader
from lessons_lib.data import IGNORE_INDEX, Entry, PromptFormat, Tokenizer
from lessons_lib.data.tokenizer import find_tokenizer_files
from lessons_lib.models import GPT
from lessons_lib.models.gpt2_files import config_in_transformers, weights_in_transformers
from lessons_lib.models.llama import LocalLLM
from lessons_lib.training import TrainOptions

LabelledIds = dict[str, list[int]]  # "input_ids" and "labels", equally long


def labelled_rows(
    entries: Sequence[Entry],
    tokenizer: Tokenizer | None = None,
    instruction_mask: InstructionMask = "prompt",
    *,
    prompt_format: str | PromptFormat = "alpaca",
    allowed_max_length: int | None = None,
) -> list[LabelledIds]:
    """A row for each entry, as trainers take them: token ids, end of text among them, and labels.

    Both have (length + 1) columns where our inputs and targets have (length,): ``labels[t]`` is
    ``input_ids[t]`` or −100, and the model itself predicts it from what stands before. Nothing
    stands before the first token, so its label is always −100.

    Raises:
        BatchError: a response is cut off entirely. ValueError: an unknown mask or format.
    """
    options = {"instruction_mask": instruction_mask, "allowed_max_length": allowed_max_length}
    collator = make_collator(tokenizer, options)
    examples = InstructionDataset(entries, tokenizer, prompt_format=prompt_format).examples
    return [_labelled(example, collator) for example in examples]


def rows_of_loader(loader: InstructionLoader, epochs: int = 1) -> list[LabelledIds]:
    """What a loader would load in its next epochs, in its order, for a trainer that keeps it.

    Each row stands as often as it is loaded; the loader moves on by as many epochs.

    Raises:
        ValueError: the loader packs, shares prefixes or weighs targets, which labels cannot say;
            or an epoch ends with a smaller batch and another one follows.
    """
    unsaid = [name for name in ("pack_length", "share_prefix") if loader.options[name]]
    if loader.collator.prompt_loss_weight is not None:
        unsaid.append("prompt_loss_weight")
    if unsaid:
        raise ValueError(
            f"rows with labels cannot say {', '.join(unsaid)}: make the loader without"
        )
    size = loader.options["batch_size"]
    if epochs > 1 and not loader.options["drop_last"] and len(loader.examples) % size:
        raise ValueError(
            f"an epoch of {len(loader.examples)} rows ends with a batch smaller than {size}, and a "
            "trainer would fill it from the next epoch: make the loader with drop_last=True"
        )
    drawn = [i for _ in range(epochs) for batch in loader.batch_sampler for i in batch]
    return [_labelled(loader.examples[index], loader.collator) for index in drawn]


def _labelled(example: Example, collator: InstructionCollator) -> LabelledIds:
    steps = collator.steps([example])
    return {
        "input_ids": steps.padded[0].tolist(),  # (length + 1,)
        "labels": [IGNORE_INDEX, *steps.targets[0].tolist()],  # (length + 1,)
    }


def in_transformers(model: GPT | LocalLLM) -> nn.Module:
    """A copy of a model as transformers' own: what is trained there leaves ours as it is.

    A ``GPT`` becomes a ``GPT2LMHeadModel``; a compact vocabulary gets a row for every token. Of a
    ``LocalLLM`` it is the ``LlamaForCausalLM`` inside.
    """
    if isinstance(model, LocalLLM):
        return copy.deepcopy(model.llama)
    from transformers import GPT2Config, GPT2LMHeadModel

    theirs = GPT2LMHeadModel(GPT2Config(**config_in_transformers(model)))
    theirs.transformer.load_state_dict(weights_in_transformers(model))
    theirs.loss_type = "ForCausalLM"  # what it takes anyway, but then with a warning
    return theirs.train(model.training)


def tokenizer_in_transformers(model: GPT | LocalLLM | None = None) -> Any:
    """A copy of the model's tokenizer as transformers' own, GPT-2's if it has none of its own.

    It pads with end of text, as our collator does: labels and attention masks say what is padding,
    so no token of its own is needed for it.
    """
    own = None if model is None else model.tokenizer
    if own is not None:
        fast = copy.deepcopy(own.fast)
    else:
        from transformers import GPT2TokenizerFast

        files = find_tokenizer_files()
        fast = GPT2TokenizerFast(vocab=str(files["encoder.json"]), merges=str(files["vocab.bpe"]))
    fast.pad_token = fast.eos_token
    return fast


def trainer_options(
    folder: str | Path, options: TrainOptions, batch_size: int, *, trl: bool = False
) -> dict[str, Any]:
    """Arguments for transformers' ``TrainingArguments`` that make its run the one of ``train``.

    With ``trl=True`` they are for TRL's ``SFTConfig``, whose own defaults are bfloat16, gradient
    checkpointing and cutting at 1,024 tokens. ``folder`` is where a trainer may write; it writes no
    checkpoint. Rows are taken once, in the order in which they are given, on the CPU: those of
    ``rows_of_loader`` already hold each epoch. Every step's loss is logged.

    Raises:
        ValueError: options that a trainer's own do not express in the same way; says which.
    """
    if options.schedule != "constant" or options.warmup_steps or options.precision != "float32":
        raise ValueError(
            "only a constant learning rate without warm-up, in float32, is the same there: their "
            "warm-up begins at 0 where ours begins with a part of the rate, and their bf16 rounds "
            "elsewhere. Use schedule='constant', warmup_steps=0, precision='float32'"
        )
    if options.keep_best:
        raise ValueError("keep_best needs a validation of theirs (load_best_model_at_end)")
    theirs = {
        "output_dir": str(folder),
        "learning_rate": options.learning_rate,
        "lr_scheduler_type": "constant",
        "weight_decay": options.weight_decay,
        "max_grad_norm": options.max_gradient_norm or 0.0,  # 0 is their word for none
        "num_train_epochs": 1,
        "max_steps": -1 if options.max_steps is None else options.max_steps,
        "per_device_train_batch_size": batch_size,
        "gradient_accumulation_steps": options.accumulate,
        "train_sampling_strategy": "sequential",
        "seed": options.seed,
        "logging_steps": 1,
        **QUIET_ON_CPU,
    }
    return theirs | AS_IN_FLOAT32 | {"max_length": None} if trl else theirs


QUIET_ON_CPU = {
    "use_cpu": True,
    "report_to": "none",
    "save_strategy": "no",
    "disable_tqdm": True,
    "dataloader_pin_memory": False,
}
AS_IN_FLOAT32 = {"bf16": False, "gradient_checkpointing": False}  # TRL has both on by default


def logged_losses(trainer: Any) -> list[float]:
    """The loss of each step that a trainer has logged, in nats per live target."""
    return [row["loss"] for row in trainer.state.log_history if "loss" in row]
