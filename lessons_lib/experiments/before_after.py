"""A real model before and after fine-tuning, on the same test entries. Lesson 09, its last part.

``before_and_after`` answers the test entries, fine-tunes, answers them again, and puts both into
one table whose differences have intervals.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from torch import nn

from lessons_lib.data import Splits, load_entries, split_entries
from lessons_lib.evaluation import ROUGE_L, Estimate, Scores, answer_and_score, compare
from lessons_lib.evaluation.comparison import Comparison
from lessons_lib.evaluation.scorers import EXACT, LENIENT
from lessons_lib.evaluation.scores import STOPPED
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
SCORERS = EXACT, LENIENT, ROUGE_L


class Measurement(NamedTuple):
    """How well a model answers the test entries, and its loss on the validation entries."""

    scores: Scores  # "exact", "lenient", "ROUGE-L" and "stopped", and the answers
    response_loss: float  # nats per token


@dataclass(frozen=True)
class BeforeAndAfter:
    """A model before and after fine-tuning: a table in a terminal and in Jupyter."""

    before: Measurement
    after: Measurement
    tuned: Finetuned

    @cached_property
    def comparison(self) -> Comparison:
        """The answers before and after, compared entry by entry."""
        return compare(self.before.scores, self.after.scores, ("before", "after"))

    def gain(self, score: str) -> Estimate:
        """By how much the mean of a score rose: "exact", "lenient", "ROUGE-L", "stopped".

        Without a value where no entry has such a score, as ROUGE-L where no output has a word.

        Raises:
            KeyError: there is no such score.
        """
        found = self.comparison.differences[score]
        return Estimate(None, None, None, 0) if found is None else found.difference

    def figures(self) -> dict[str, float]:
        """The numbers by name; "gain" is that of the exact matches, "minutes" the training's.

        A score that no entry has is not among them.
        """
        figures: dict[str, float] = {}
        for name, score in (("exact", "exact"), ("rouge", "ROUGE-L"), ("stopped", STOPPED)):
            found = self.comparison.differences[score]
            if found is None:
                continue
            figures[f"{name}_before"], figures[f"{name}_after"] = found.first, found.second
        figures["gain"] = self.gain("exact").value
        figures["response_loss_before"] = self.before.response_loss
        figures["response_loss_after"] = self.after.response_loss
        figures["minutes"] = self.tuned.history.seconds / 60
        return figures

    def table(self) -> Table:
        """What is shown; each interval is one of 95 %."""
        both = self.before, self.after
        rouge = [each.scores.mean_text("ROUGE-L") for each in both]
        losses = [f"{each.response_loss:.2f}" for each in both]
        fall = f"{self.after.response_loss - self.before.response_loss:+.2f}"
        rows = (
            self._share_row("exact match", "exact"),
            self._share_row("stopped", STOPPED),
            ("ROUGE-L", *rouge, self.gain("ROUGE-L").format("+.2f")),
            ("response loss", *losses, fall),
        )
        return Table(("", "before", "after", "difference"), rows)

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def _share_row(self, name: str, mark: str) -> tuple[str, ...]:
        shares = (str(each.scores.share(mark)) for each in (self.before, self.after))
        return (name, *shares, self.gain(mark).in_points())


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
    the first so many; a shrunk run (``LESSONS_LIB_QUICK``) asks six. ``callbacks`` are those of
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
    splits = few_if_quick(splits._replace(test=splits.test[:test_entries]))
    say(f"Answering {len(splits.test)} test entries before fine-tuning.")
    before = measure(load(recipe.model).to(device), splits, recipe)
    tuned = load_or_finetune(
        recipe, load=load, device=device, progress=progress, say=say, **callbacks
    )
    say("Answering the same entries after it.")
    return BeforeAndAfter(before, measure(tuned.model, splits, recipe), tuned)


def few_if_quick(splits: Splits) -> Splits:
    """The splits, in a shrunk run with the first few test and validation entries alone."""
    if not is_quick():
        return splits
    few = splits.validation[:QUICK_ENTRIES]
    return splits._replace(test=splits.test[:QUICK_ENTRIES], validation=few)


def measure(model: nn.Module, splits: Splits, recipe: Recipe) -> Measurement:
    """A model's greedy answers to the test entries, scored, and its validation response loss."""
    written = recipe.prompt_format
    scores = answer_and_score(model, splits.test, written, SCORERS, max_new_tokens=ANSWER_TOKENS)
    return Measurement(scores, response_loss(model, splits.validation, prompt_format=written))
