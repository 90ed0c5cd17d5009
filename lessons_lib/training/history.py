"""What a training run records, and the callbacks that run along. Taught in lesson 09.

There is a list for each quantity measured; charts draw the lists, callbacks read them, a file keeps
them.
"""

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch

from lessons_lib.models.protocol import LanguageModel, evaluation_mode

COLUMNS = (
    "step",
    "epoch",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "gradient_norm",
    "validation_loss",
    "validation_accuracy",
    "response_loss",
)


class Step(NamedTuple):
    """What an optimizer step measured on its batches, before it changed the weights."""

    loss: float  # nats per live target
    accuracy: float  # share of live targets that the model found likeliest
    gradient_norm: float  # before clipping
    live_targets: int
    input_tokens: int  # without padding

    @property
    def is_finite(self) -> bool:
        """Whether loss and gradient norm are finite: NaN and infinity can teach nothing."""
        return math.isfinite(self.loss) and math.isfinite(self.gradient_norm)


@dataclass
class History:
    """What a run recorded. Losses are in nats per live target; steps are optimizer steps, from 1.

    Accuracy is the share of live targets that the model found likeliest, 0 … 1. The response loss
    counts only the response's tokens and end of text, whatever mask the run trained with: it is the
    one loss here by which masked and unmasked runs can be compared.
    """

    train_loss: list[float] = field(default_factory=list)  # one per step, of that step's batches
    validation_steps: list[int] = field(default_factory=list)  # 0 is before the first step
    validation_loss: list[float] = field(default_factory=list)
    epoch_ends: list[int] = field(default_factory=list)
    live_targets: int = 0
    seconds: float = 0.0
    train_accuracy: list[float] = field(default_factory=list)  # one per step, before its update
    learning_rates: list[float] = field(default_factory=list)  # one per step
    gradient_norms: list[float] = field(default_factory=list)  # one per step, before clipping
    validation_accuracy: list[float] = field(default_factory=list)  # one per validation step
    response_loss: list[float] = field(default_factory=list)  # likewise; empty where unknown
    tokens_seen: int = 0  # input tokens trained on, without padding
    interrupted: bool = False  # by Ctrl-C
    stop_reason: str = ""  # what a callback said when it ended the run early
    kept_step: int = 0  # the step whose weights the model has after the run

    @property
    def steps(self) -> int:
        return len(self.train_loss)

    @property
    def best_step(self) -> int | None:
        """The step with the lowest validation loss; of equals, the first."""
        if not self.validation_loss:
            return None
        best = min(range(len(self.validation_loss)), key=self.validation_loss.__getitem__)
        return self.validation_steps[best]

    def record(self, step: Step, learning_rate: float) -> None:
        """Add an optimizer step."""
        self.learning_rates.append(learning_rate)
        self.train_accuracy.append(step.accuracy)
        self.gradient_norms.append(step.gradient_norm)
        self.live_targets += step.live_targets
        self.tokens_seen += step.input_tokens
        self.train_loss.append(step.loss)

    def rows(self) -> list[dict[str, float | int | None]]:
        """A row for each step and for the validation before the first; None means not measured."""
        measured = {step: index for index, step in enumerate(self.validation_steps)}
        rows = []
        for step in range(0 if 0 in measured else 1, self.steps + 1):
            at, index = step - 1, measured.get(step)
            values = (
                step,
                1 + sum(end < step for end in self.epoch_ends),
                _get(self.learning_rates, at),
                _get(self.train_loss, at),
                _get(self.train_accuracy, at),
                _get(self.gradient_norms, at),
                _get(self.validation_loss, index),
                _get(self.validation_accuracy, index),
                _get(self.response_loss, index),
            )
            rows.append(dict(zip(COLUMNS, values, strict=True)))
        return rows

    def write_csv(self, path: str | Path) -> None:
        """Write ``rows`` as a CSV file in UTF-8; what was not measured is an empty field."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows())

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "History":
        """The history from which ``dataclasses.asdict`` made this dictionary.

        Raises:
            ValueError: these are not exactly a history's fields.
        """
        if not isinstance(values, dict) or set(values) != {each.name for each in fields(cls)}:
            raise ValueError("these are not the fields of a history")
        return cls(**values)


def _get(values: list[float], index: int | None) -> float | None:
    return values[index] if index is not None and 0 <= index < len(values) else None


@dataclass
class TrainingState:
    """Where a run stands. Callbacks may read it, and may do one thing to the run: ``stop`` it."""

    model: LanguageModel
    total_steps: int  # planned
    history: History = field(default_factory=History)
    epoch: int = 0  # from 1; 0 before the first
    stopped: bool = False
    epochs: int = 1  # planned

    @property
    def step(self) -> int:
        """Optimizer steps taken."""
        return self.history.steps

    @property
    def done(self) -> bool:
        """Whether no further step will be taken."""
        return self.stopped or self.step >= self.total_steps

    def stop(self, reason: str = "a callback asked for it") -> None:
        """End the run now: no further step is taken, only the last validation."""
        self.stopped = True
        self.history.stop_reason = self.history.stop_reason or reason


Callback = Callable[[TrainingState], object]
Callbacks = Callback | Iterable[Callback] | None


def as_list(callbacks: Callbacks) -> list[Callback]:
    """The callbacks as a list, be they one, several or none."""
    if callbacks is None:
        return []
    return [callbacks] if callable(callbacks) else list(callbacks)


class EarlyStop:
    """Ends a run when the loss has not improved in ``patience`` validations; for ``on_eval``.

    ``min_improvement`` is how many nats lower a loss must be to count as an improvement. The
    ``measure`` is the validation loss or, to compare runs with different masks, the response loss.
    The validation before the first step is the first one to improve on.
    """

    def __init__(
        self,
        patience: int = 3,
        min_improvement: float = 0.0,
        measure: Literal["validation_loss", "response_loss"] = "validation_loss",
    ):
        if patience < 1:
            raise ValueError(f"patience must be 1 or more, not {patience}")
        if measure not in ("validation_loss", "response_loss"):
            raise ValueError(f"measure is 'validation_loss' or 'response_loss', not {measure!r}")
        self.patience, self.min_improvement, self.measure = patience, min_improvement, measure

    def __call__(self, state: TrainingState) -> None:
        history = state.history
        if self.measure == "validation_loss":
            losses = history.validation_loss
        else:
            losses = history.response_loss
        if not losses:
            raise ValueError(f"this run records no {self.measure}, so EarlyStop cannot watch it")
        # Found in the history each time, so that one object can serve several runs.
        best = 0
        for index, loss in enumerate(losses):
            if loss < losses[best] - self.min_improvement:
                best = index
        if len(losses) - 1 - best >= self.patience:
            name = self.measure.replace("_", " ")
            state.stop(
                f"the {name} has not improved since step {history.validation_steps[best]}, "
                f"where it was {losses[best]:.3f}"
            )


class SampleAnswers:
    """Prints answers to the same few entries as a model learns; for ``on_eval`` or ``on_epoch``.

    ``answer(model, entry)`` returns the text, as ``respond`` from ``lessons_lib.generation`` does.
    The answers stay in ``answers``, by step. Asking does not change the run: the model's mode and
    PyTorch's random state are restored.
    """

    def __init__(
        self,
        entries: Sequence[Mapping[str, str]],
        answer: Callable[[LanguageModel, Mapping[str, str]], str],
        say: Callable[[str], object] = print,
    ):
        self.entries, self.answer, self.say = list(entries), answer, say
        self.answers: dict[int, list[str]] = {}

    def __call__(self, state: TrainingState) -> None:
        with torch.random.fork_rng(), evaluation_mode(state.model):
            answers = [self.answer(state.model, entry) for entry in self.entries]
        self.answers[state.step] = answers
        self.say(f"answers after {state.step} steps:")
        for entry, answer in zip(self.entries, answers, strict=True):
            question = " ".join(filter(None, (entry["instruction"], entry.get("input"))))
            self.say(f"  {question} → {answer!r}")
