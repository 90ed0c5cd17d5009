"""What a training run recorded, and its table as CSV. Taught in lesson 09.

One list for each thing measured; charts draw them, callbacks read them, a file keeps them.
"""

import csv
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

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
    """What an optimizer step measured, on its batches and before it changed the weights."""

    loss: float  # nats a live target
    accuracy: float  # share of live targets that were the likeliest token
    gradient_norm: float  # before clipping
    live_targets: int
    input_tokens: int  # without padding


@dataclass
class History:
    """What a run recorded. Losses are nats a live target; steps count optimizer steps from 1.

    Accuracies are the share of live targets that the model found likeliest, 0 … 1. The response
    loss counts the response's tokens and end of text alone, whatever mask the run trained with:
    masked and unmasked runs can be compared by it, and by no other loss here.
    """

    train_loss: list[float] = field(default_factory=list)  # one a step, of that step's batches
    validation_steps: list[int] = field(default_factory=list)  # 0 is before the first step
    validation_loss: list[float] = field(default_factory=list)
    epoch_ends: list[int] = field(default_factory=list)
    live_targets: int = 0
    seconds: float = 0.0
    train_accuracy: list[float] = field(default_factory=list)  # one a step, before that step
    learning_rates: list[float] = field(default_factory=list)  # one a step
    gradient_norms: list[float] = field(default_factory=list)  # one a step, before clipping
    validation_accuracy: list[float] = field(default_factory=list)  # one a validation step
    response_loss: list[float] = field(default_factory=list)  # as many; empty where unknown
    tokens_seen: int = 0  # input tokens trained on, padding not counted
    interrupted: bool = False  # by Ctrl-C
    stop_reason: str = ""  # what a callback said when it ended the run early
    kept_step: int = 0  # the step whose weights the model has after the run

    @property
    def steps(self) -> int:
        return len(self.train_loss)

    @property
    def best_step(self) -> int | None:
        """The validation step with the lowest validation loss, the first of equals."""
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
        """A row for each step and for the measurement before the first; None: not measured."""
        measured = {step: place for place, step in enumerate(self.validation_steps)}
        rows = []
        for step in range(0 if 0 in measured else 1, self.steps + 1):
            at, place = step - 1, measured.get(step)
            values = (
                step,
                1 + sum(end < step for end in self.epoch_ends),
                _get(self.learning_rates, at),
                _get(self.train_loss, at),
                _get(self.train_accuracy, at),
                _get(self.gradient_norms, at),
                _get(self.validation_loss, place),
                _get(self.validation_accuracy, place),
                _get(self.response_loss, place),
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
        """The history of which ``dataclasses.asdict`` made this dictionary.

        Raises:
            ValueError: these are not exactly a history's fields.
        """
        if not isinstance(values, dict) or set(values) != {each.name for each in fields(cls)}:
            raise ValueError("these are not the fields of a history")
        return cls(**values)


def _get(values: list[float], place: int | None) -> float | None:
    return values[place] if place is not None and 0 <= place < len(values) else None
