"""What differs between Stanford Alpaca's data module and the course's, counted on your entries.

The same entries go through both with the same tokenizer, and each row of the table is a convention,
theirs and ours, with what it comes to on these entries. Lesson 14.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from lessons_lib.batching import Batch, Example, InstructionDataset
from lessons_lib.batching.collator import make_collator
from lessons_lib.batching.dataset import common_prefix_length
from lessons_lib.bridges.alpaca import (
    DataCollatorForSupervisedDataset,
    SupervisedDataset,
    sources_and_targets,
    tokenize_cut,
)
from lessons_lib.data import (
    IGNORE_INDEX,
    Entry,
    LocalTokenizer,
    as_entries,
    get_prompt_format,
    split_entries,
    text_ids,
)
from lessons_lib.support import Table

FIRST = 8  # entries, whose batch is measured


def alpaca_differences(entries: Sequence[Entry], tokenizer: Any) -> Table:
    """A row for each thing that Alpaca's ``train.py`` does otherwise, with counts on the entries.

    ``tokenizer`` is a fast tokenizer of transformers; where texts are cut, its ``model_max_length``
    says. The course's side has its default options.

    Raises:
        DatasetError: an entry is faulty. ValueError: the tokenizer lacks what is needed, or the
            entries are too few to be split.
    """
    entries = as_entries(entries)
    with warnings.catch_warnings():  # what they warn of, joined tokens and empty parts, is counted
        warnings.simplefilter("ignore")
        both = _Both(entries, tokenizer)
        parts = (_preamble, _joined, _masked, _shifted, _columns, _cut, _ended, _special, _padded)
        rows = [part(both) for part in parts]
        rows.append(_validation(both))
    return Table(("what", "Alpaca's train.py", "this course", "on these entries"), tuple(rows))


@dataclass(frozen=True)
class _Both:
    """The entries after both."""

    entries: list[Entry]
    tokenizer: Any

    @property
    def count(self) -> int:
        return len(self.entries)

    @property
    def limit(self) -> int:
        """The most tokens of a row, in Alpaca's code."""
        return self.tokenizer.model_max_length

    @cached_property
    def theirs(self) -> SupervisedDataset:
        return SupervisedDataset(self.entries, self.tokenizer)

    @cached_property
    def their_rows(self) -> list[list[int]]:
        return [row.tolist() for row in self.theirs.input_ids]

    @cached_property
    def local(self) -> LocalTokenizer:
        """The same tokenizer, as the course uses it."""
        return LocalTokenizer(self.tokenizer)

    @cached_property
    def ours(self) -> list[Example]:
        return InstructionDataset(self.entries, self.local).examples

    @cached_property
    def first_batches(self) -> tuple[dict[str, Tensor], Batch]:
        their_collator = DataCollatorForSupervisedDataset(self.tokenizer)
        first = [self.theirs[i] for i in range(min(FIRST, self.count))]
        return their_collator(first), make_collator(self.local, {})(self.ours[:FIRST])


Row = tuple[str, str, str, str]


def _preamble(both: _Both) -> Row:
    given = [entry.get("input", "") for entry in both.entries]
    filled, blank = sum(map(bool, given)), sum(bool(text) and not text.strip() for text in given)
    mean_there = sum(map(len, both.their_rows)) / both.count
    mean_here = sum(len(example.token_ids) + 1 for example in both.ours) / both.count
    return (
        "preamble",
        "two: one for entries with an input, one for those without",
        "one for all; white space alone is no input",
        f"{filled:,} of {both.count:,} have an input, {blank:,} of them white space alone; a text "
        f"has {mean_there:.1f} tokens on average there, {mean_here:.1f} here",
    )


def _joined(both: _Both) -> Row:
    sources, _ = sources_and_targets(both.entries, "")
    alone = tokenize_cut(sources, both.tokenizer)
    there = sum(
        common_prefix_length(source, row) < len(source)
        for source, row in zip(alone, both.their_rows, strict=True)
    )
    prompts = [get_prompt_format("alpaca").prompt(entry) for entry in both.entries]
    here = sum(
        example.prompt_length < len(text_ids(prompt, both.local))
        for prompt, example in zip(prompts, both.ours, strict=True)
    )
    return (
        "after “### Response:”",
        "nothing; a token that joins the colon with the output's beginning is masked",
        "a line end; a joined token would count",
        f"joined on {there:,} of {both.count:,} there, whose output is learned without its "
        f"beginning; on {here:,} here",
    )


def _masked(both: _Both) -> Row:
    live = sum(int((labels != IGNORE_INDEX).sum()) for labels in both.theirs.labels)
    there = live / sum(len(row) - 1 for row in both.their_rows)
    targets = sum(len(example.token_ids) for example in both.ours)
    responses = sum(len(each.token_ids) + 1 - each.prompt_length for each in both.ours)
    return (
        "prompt",
        "always −100",
        "counts, unless instruction_mask says otherwise",
        f"{there:.1%} of the targets count there; here 100%, or {responses / targets:.1%} with "
        'instruction_mask="prompt"',
    )


def _shifted(both: _Both) -> Row:
    theirs, ours = both.first_batches
    live, counts = theirs["labels"] != IGNORE_INDEX, ours.targets != IGNORE_INDEX
    same = (theirs["labels"] == theirs["input_ids"])[live].sum()
    follows = (ours.targets[:, :-1] == ours.inputs[:, 1:])[counts[:, :-1]].sum()
    return (
        "labels",
        "not shifted: the model does it",
        "shifted by the collator, and by nothing else",
        f"in the first batch {same:,} of {live.sum():,} live labels are the input of their own "
        f"column there; {follows:,} of {counts[:, :-1].sum():,} are that of the next column here",
    )


def _columns(both: _Both) -> Row:
    theirs, ours = both.first_batches
    there, here = (" × ".join(map(str, each.shape)) for each in (theirs["labels"], ours.targets))
    return (
        "columns of a batch",
        "as many as the longest text has tokens, end of text included",
        "one fewer: nothing follows end of text",
        f"the first batch is {there} there; {here} here, where its longest text has "
        f"{ours.targets.shape[1] + 1:,}",
    )


def _cut(both: _Both) -> Row:
    limit = both.limit
    ended = [row[-1] == both.tokenizer.eos_token_id for row in both.their_rows]
    cut = sum(
        len(row) == limit and not end for row, end in zip(both.their_rows, ended, strict=True)
    )
    empty = sum(bool((labels == IGNORE_INDEX).all()) for labels in both.theirs.labels)
    lost = sum(example.prompt_length > limit for example in both.ours)
    where = f"at {limit:,} tokens" if limit < 10**9 else "without a limit"
    return (
        "long texts",
        "cut when tokenized, at model_max_length; rows with nothing left to learn stay",
        "cut in the collator, at allowed_max_length; the loader leaves such entries out",
        f"{where}: {cut:,} are cut there and {empty:,} of them have no live label; {lost:,} would "
        "be left out here",
    )


def _ended(both: _Both) -> Row:
    end = both.tokenizer.eos_token_id
    there = sum(row[-1] == end for row in both.their_rows)
    return (
        "end of text",
        "its name is added to the output, before tokenizing",
        "its id is added to the row, after tokenizing",
        f"{there:,} of {both.count:,} rows end in {both.tokenizer.eos_token} there; all that are "
        "not cut here",
    )


def _special(both: _Both) -> Row:
    special, begins = set(both.tokenizer.all_special_ids), len(both.local.begin_ids)
    there = sum(sum(token in special for token in row[begins:-1]) > 0 for row in both.their_rows)
    return (
        "names of special tokens in an entry",
        "become those tokens",
        "stay ordinary text",
        f"{there:,} of {both.count:,} entries have one",
    )


def _padded(both: _Both) -> Row:
    pad = both.tokenizer.pad_token_id
    hidden = sum(row.count(pad) for row in both.their_rows)
    return (
        "padding",
        "what equals the padding token, in the attention mask",
        "what lies beyond a row's length",
        f"{hidden:,} tokens of the texts themselves equal {both.tokenizer.pad_token} and are "
        "hidden there; none is here",
    )


def _validation(both: _Both) -> Row:
    parts = split_entries(both.entries)
    return (
        "entries to validate and test with",
        "none: eval_dataset=None",
        "two parts that are never trained on",
        f"0 of {both.count:,} there; {len(parts.validation):,} and {len(parts.test):,} here",
    )
