"""Stanford Alpaca's data module: its data set, collator and new tokens, under their own names.

Its code for training is where much of the field began, and its conventions differ from this
course's. Here they are kept, the odd ones too, so that lesson 14 can lay both side by side;
``alpaca_differences`` counts what differs. All of it is written anew.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from lessons_lib.data import IGNORE_INDEX, PROMPT_FORMATS, load_entries

DEFAULT_PAD_TOKEN = "[PAD]"
_FORMAT = PROMPT_FORMATS["alpaca-stanford"]
# The two prompts, with gaps in which ``format_map`` puts an entry's fields.
PROMPT_DICT = {
    "prompt_input": _FORMAT.prompt({"instruction": "{instruction}", "input": "{input}"}),
    "prompt_no_input": _FORMAT.prompt({"instruction": "{instruction}", "input": ""}),
}


@dataclass
class DataArguments:
    """Where the training data are: a JSON file, or whatever else ``load_entries`` reads."""

    data_path: Any = None


def make_supervised_data_module(tokenizer: Any, data_args: DataArguments) -> dict[str, Any]:
    """``train_dataset``, ``eval_dataset`` and ``data_collator``, as Trainer's arguments.

    There is no evaluation set: ``eval_dataset`` is None, and all entries are trained on.

    Raises:
        DatasetError, ValueError: as ``SupervisedDataset``.

    Source: Taori et al. 2023, Stanford Alpaca, ``train.py``.
    """
    return {
        "train_dataset": SupervisedDataset(data_args.data_path, tokenizer),
        "eval_dataset": None,
        "data_collator": DataCollatorForSupervisedDataset(tokenizer),
    }


class SupervisedDataset(Dataset):
    """Entries as ``input_ids`` and ``labels``, two int64 tensors (length,), the labels unshifted.

    An entry whose ``input`` is not empty gets the preamble that speaks of an input, even where the
    input is white space alone. Nothing stands between "### Response:" and the output, and the text
    of the tokenizer's end-of-text token is appended. ``data_path`` is read as ``load_entries``
    does, so what is wrong with a file is said with row and field.

    Raises:
        DatasetError: the data cannot be read. ValueError: the tokenizer is not one of
            transformers', or lacks its token for the end of a text or for padding.
    """

    def __init__(self, data_path: Any, tokenizer: Any):
        _check_tokenizer(tokenizer)
        entries = load_entries(data_path)
        sources, targets = sources_and_targets(entries, tokenizer.eos_token)
        data = preprocess(sources, targets, tokenizer)
        self.input_ids, self.labels = data["input_ids"], data["labels"]

    def __len__(self) -> int:
        return len(self.input_ids)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"input_ids": self.input_ids[index], "labels": self.labels[index]}


def sources_and_targets(
    entries: Sequence[Mapping[str, str]], eos_token: str
) -> tuple[list[str], list[str]]:
    """What the model is given and what it should write, as texts; the second end with eos."""
    sources = [
        PROMPT_DICT["prompt_input" if entry.get("input") else "prompt_no_input"].format_map(entry)
        for entry in entries
    ]
    return sources, [entry["output"] + eos_token for entry in entries]


def preprocess(
    sources: Sequence[str], targets: Sequence[str], tokenizer: Any
) -> dict[str, list[Tensor]]:
    """Token ids of source + target, and labels that are −100 on the source; (length,) each.

    Both are as long as the text, cut to the tokenizer's ``model_max_length``. Labels are the ids
    of the same column: whoever trains on them shifts, as the models of transformers do.

    How long the source is, is counted on the source tokenized *alone*. Where a token joins its last
    characters with the target's first, as GPT-2's `:"` does, that token stands in the source's last
    place and is masked, so the beginning of the output is never learned. Tokens equal to the
    padding token are not counted. Both are kept as they are in Alpaca's code; the course's own
    ``make_example`` takes the common start of the two instead.

    Source: Taori et al. 2023, Stanford Alpaca, ``train.py``.
    """
    together = [source + target for source, target in zip(sources, targets, strict=True)]
    rows, source_rows = tokenize_cut(together, tokenizer), tokenize_cut(sources, tokenizer)
    pad_token_id = tokenizer.pad_token_id
    input_ids, labels = [], []
    for row, source_row in zip(rows, source_rows, strict=True):
        source_length = len(source_row) - source_row.count(pad_token_id)
        input_ids.append(torch.tensor(row, dtype=torch.int64))  # (length,)
        labels.append(input_ids[-1].clone())
        labels[-1][:source_length] = IGNORE_INDEX
    return {"input_ids": input_ids, "labels": labels}


@dataclass
class DataCollatorForSupervisedDataset:
    """Pads rows on the right to the longest: (batch, length) each, nothing shifted, nothing cut.

    ``input_ids`` are padded with the padding token, ``labels`` with −100. ``attention_mask`` is
    False wherever a token *is* the padding token: where end of text pads, it hides the text's own.
    """

    tokenizer: Any

    def __call__(self, instances: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        padding = {"input_ids": self.tokenizer.pad_token_id, "labels": IGNORE_INDEX}
        batch = {
            name: pad_sequence([each[name] for each in instances], True, value)  # (batch, length)
            for name, value in padding.items()
        }
        return batch | {"attention_mask": batch["input_ids"].ne(padding["input_ids"])}


def smart_tokenizer_and_embedding_resize(
    special_tokens_dict: Mapping[str, str], tokenizer: Any, model: Any
) -> int:
    """Add special tokens to a tokenizer, and rows for them to its model; returns how many are new.

    A new row is the mean of all old ones, in the input embedding and in the output head, so that
    its logit is their mean. Rows near zero have logits near zero: where a model's others lie far
    below, as GPT-2's do, it would write its new tokens at once.

    Source: Taori et al. 2023, Stanford Alpaca, ``train.py``; Hewitt 2021, "Initializing New Word
    Embeddings for Pretrained Language Models".
    """
    new = tokenizer.add_special_tokens(dict(special_tokens_dict))
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    if not new:
        return 0
    tables = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    with torch.no_grad():
        means = [table[:-new].mean(dim=0) for table in tables]  # (width,); one table if tied
        for table, mean in zip(tables, means, strict=True):
            table[-new:] = mean
    return new


def tokenize_cut(texts: Sequence[str], tokenizer: Any) -> list[list[int]]:
    """Each text's token ids, cut on the right to the longest that the tokenizer says."""
    # A tokenizer without a limit says 10**30, which is no number for the code that cuts.
    limit = min(tokenizer.model_max_length, sys.maxsize)
    return tokenizer(list(texts), truncation=True, max_length=limit)["input_ids"]


def _check_tokenizer(tokenizer: Any) -> None:
    """Raise a ValueError that says what a tokenizer lacks, if something is missing."""
    if not callable(tokenizer):
        raise ValueError(
            f"{type(tokenizer).__name__} is no tokenizer of transformers; give what "
            "AutoTokenizer.from_pretrained(folder) returns, or load_model(…).tokenizer.fast"
        )
    if tokenizer.eos_token is None:
        raise ValueError(
            "the tokenizer has no token that ends a text, and every output needs one: "
            'tokenizer.eos_token = "…", with one of its own tokens'
        )
    if tokenizer.pad_token_id is None:
        raise ValueError(
            "the tokenizer has no padding token; add one, and a row for it to the model: "
            'smart_tokenizer_and_embedding_resize({"pad_token": "[PAD]"}, tokenizer, model)'
        )
