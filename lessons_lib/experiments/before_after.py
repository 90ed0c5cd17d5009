"""A real model before and after fine-tuning, on the same test entries. Lesson 09, its last part.

``before_and_after`` answers the test entries, fine-tunes, answers them again, and puts both into
one table whose differences have intervals.
"""

import csv
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import torch
from torch import nn

from lessons_lib.data import Splits, load_entries, split_entries
from lessons_lib.evaluation import (
    Estimate,
    Scores,
    bootstrap_interval,
    rouge_l_of,
    score_responses,
)
from lessons_lib.evaluation.scores import STOPPED
from lessons_lib.generation import generate_responses
from lessons_lib.models import load_model
from lessons_lib.support import Table, is_quick
from lessons_lib.support.devices import has_fast_bf16, pick_device
from lessons_lib.support.quick_run import QUICK_ENTRIES
from lessons_lib.training import (
    Callbacks,
    Finetuned,
    Recipe,
    get_recipe,
    load_or_finetune,
    response_loss,
)
from lessons_lib.training.optimizer import Precision

ANSWER_TOKENS = 64  # few of the wanted answers are longer
HEAD = ("", "before", "after", "difference")


@dataclass(frozen=True)
class Measured:
    """What a model makes of the test entries, and of the validation entries' responses."""

    scores: Scores  # marks "exact", "lenient" and "stopped", and the answers
    rouge_l: list[float]  # one an answer, 0 … 1
    response_loss: float  # nats a token, on the validation entries
    seconds: float

    def values(self, mark: str) -> list[float]:
        """A mark's value of each answer, 0 … 1: "rouge_l", or a mark of the scores."""
        if mark == "rouge_l":
            return self.rouge_l
        return [float(bool(value)) for value in self.scores.marks[mark]]


@dataclass(frozen=True)
class BeforeAndAfter:
    """A model before and after fine-tuning: a table in a terminal and in Jupyter."""

    before: Measured
    after: Measured
    tuned: Finetuned

    def gain(self, mark: str) -> float:
        """By how much the mean of a mark ("exact", "rouge_l", "stopped") rose."""
        return fmean(self._differences(mark))

    def gain_interval(self, mark: str) -> Estimate:
        """That gain with its interval; the two answers to an entry are drawn together."""
        return bootstrap_interval(self._differences(mark))

    def figures(self) -> dict[str, float]:
        """The numbers by name; "gain" is that of the exact matches, "minutes" the training's."""
        figures: dict[str, float] = {}
        for name, mark in (("exact", "exact"), ("rouge", "rouge_l"), ("stopped", STOPPED)):
            figures[f"{name}_before"] = fmean(self.before.values(mark))
            figures[f"{name}_after"] = fmean(self.after.values(mark))
        figures["gain"] = self.gain("exact")
        figures["response_loss_before"] = self.before.response_loss
        figures["response_loss_after"] = self.after.response_loss
        figures["minutes"] = self.tuned.history.seconds / 60
        return figures

    def table(self) -> Table:
        """What is shown; each interval is one of 95 %."""
        losses = self.before.response_loss, self.after.response_loss
        rows = (
            *(self._share_row(*pair) for pair in (("exact match", "exact"), ("stopped", STOPPED))),
            self._rouge_row(),
            ("response loss", *(f"{loss:.2f}" for loss in losses), f"{losses[1] - losses[0]:+.2f}"),
        )
        return Table(HEAD, rows)

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def write_csv(self, path: str | Path, **about: Any) -> None:
        """One line of figures under their names, no entry and no answer among them.

        ``about`` comes first, such as ``entries="bundled"``.
        """
        figures = {name: round(value, 4) for name, value in self.figures().items()}
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*about, *figures], lineterminator="\n")
            writer.writeheader()
            writer.writerow({**about, **figures})

    def _differences(self, mark: str) -> list[float]:
        pairs = zip(self.before.values(mark), self.after.values(mark), strict=True)
        return [after - before for before, after in pairs]

    def _share_row(self, name: str, mark: str) -> tuple[str, ...]:
        shares = self.before.scores.share(mark), self.after.scores.share(mark)
        found = self.gain_interval(mark)
        gain = f"{100 * found.value:+.1f} points"
        if found.low is not None:
            gain += f" ({100 * found.low:+.0f} to {100 * found.high:+.0f})"
        return (name, *map(str, shares), gain)

    def _rouge_row(self) -> tuple[str, ...]:
        means = (bootstrap_interval(each.rouge_l) for each in (self.before, self.after))
        return ("ROUGE-L", *map(str, means), self.gain_interval("rouge_l").format("+.2f"))


def before_and_after(
    recipe: str | Recipe = "lesson-09-real",
    *,
    precision: Precision | Literal["auto"] | None = None,
    test_entries: int | None = None,
    load: Callable[[str], nn.Module] = load_model,
    device: str | torch.device = "auto",
    progress: bool = True,
    say: Callable[[str], object] = print,
    **callbacks: Callbacks,
) -> BeforeAndAfter:
    """Answer the test entries, fine-tune by the recipe, answer them again.

    The tuned model is kept in the cache as ``load_or_finetune`` keeps it. ``precision`` replaces
    the recipe's; "auto" is bf16 where the device has it, else float32. ``test_entries`` asks only
    so many of them; a shrunk run (``LESSONS_LIB_QUICK``) asks six. ``callbacks`` are those of
    ``train``.

    Raises:
        CheckpointError: the model's package is not installed; its message says how to. Else as
            ``load_or_finetune``.
    """
    recipe = get_recipe(recipe) if isinstance(recipe, str) else recipe
    device = pick_device(device)
    if precision == "auto":
        precision = "bf16" if has_fast_bf16(device) else "float32"
    if precision is not None:
        recipe = replace(recipe, precision=precision)
    splits = split_entries(load_entries(recipe.entries))
    if is_quick():
        test_entries = QUICK_ENTRIES
        splits = splits._replace(validation=splits.validation[:QUICK_ENTRIES])
    splits = splits._replace(test=splits.test[:test_entries])
    say(f"Answering {len(splits.test)} test entries before fine-tuning.")
    before = measure(load(recipe.model).to(device), splits, recipe)
    tuned = load_or_finetune(
        recipe, load=load, device=device, progress=progress, say=say, **callbacks
    )
    say("Answering the same entries after it.")
    return BeforeAndAfter(before, measure(tuned.model, splits, recipe), tuned)


def measure(model: nn.Module, splits: Splits, recipe: Recipe) -> Measured:
    """A model's greedy answers to the test entries, marked, and its validation response loss."""
    began = time.perf_counter()
    entries, written = splits.test, recipe.prompt_format
    answers = generate_responses(model, entries, written, max_new_tokens=ANSWER_TOKENS)
    texts = [answer.text for answer in answers]
    scores = score_responses(entries, texts, [answer.stopped for answer in answers])
    loss = response_loss(model, splits.validation, prompt_format=written)
    return Measured(scores, rouge_l_of(entries, texts), loss, time.perf_counter() - began)
