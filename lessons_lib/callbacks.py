"""What may be called while a model trains: to stop early, to see answers grow. Taught in lesson 09.

A callback is any function that takes the one ``TrainingState`` of its run. ``train`` calls it
after a step (``on_step``), a validation (``on_eval``), an epoch (``on_epoch``) or the run's end
(``on_end``). What a callback raises ends the run.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn

from lessons_lib.history import History


@dataclass
class TrainingState:
    """Where a run stands. Callbacks read it; ``stop`` is the one thing they may do to the run."""

    model: nn.Module
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
        """Whether no further step is to be taken."""
        return self.stopped or self.step >= self.total_steps

    def stop(self, reason: str = "a callback asked for it") -> None:
        """End the run now: no further step, then the last validation."""
        self.stopped = True
        self.history.stop_reason = self.history.stop_reason or reason


Callback = Callable[[TrainingState], object]
Callbacks = Callback | Iterable[Callback] | None


def as_list(callbacks: Callbacks) -> list[Callback]:
    """One callback, several, or none."""
    if callbacks is None:
        return []
    return [callbacks] if callable(callbacks) else list(callbacks)


class EarlyStop:
    """Ends a run when validation has not improved for ``patience`` validations: ``on_eval``.

    ``min_improvement`` is how many nats lower a loss must be to count as an improvement. The
    measure is the validation loss, or the response loss where masks differ between runs. The
    first validation, before the first step, is the one to improve on at first.
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
        losses = getattr(state.history, self.measure)
        if not losses:
            raise ValueError(f"this run records no {self.measure}, so EarlyStop cannot watch it")
        # Found anew from the history each time: one object can then serve several runs.
        best = 0
        for place, loss in enumerate(losses):
            if loss < losses[best] - self.min_improvement:
                best = place
        if len(losses) - 1 - best >= self.patience:
            name = self.measure.replace("_", " ")
            state.stop(
                f"the {name} has not improved since step {state.history.validation_steps[best]}, "
                f"where it was {losses[best]:.3f}"
            )


class SampleAnswers:
    """Prints a model's answers to the same few entries as it learns: ``on_eval`` or ``on_epoch``.

    ``answer(model, entry)`` gives the text, ``respond`` of ``lessons_lib.generation`` for one.
    The answers stay in ``answers``, by step. Asking does not change the run: the model's mode and
    PyTorch's random state are put back.
    """

    def __init__(
        self,
        entries: Sequence[Mapping[str, str]],
        answer: Callable[[nn.Module, Mapping[str, str]], str],
        say: Callable[[str], object] = print,
    ):
        self.entries, self.answer, self.say = list(entries), answer, say
        self.answers: dict[int, list[str]] = {}

    def __call__(self, state: TrainingState) -> None:
        training = state.model.training
        state.model.eval()
        try:
            with torch.random.fork_rng(), torch.no_grad():
                answers = [self.answer(state.model, entry) for entry in self.entries]
        finally:
            state.model.train(training)
        self.answers[state.step] = answers
        self.say(f"answers after {state.step} steps:")
        for entry, answer in zip(self.entries, answers, strict=True):
            question = " ".join(filter(None, (entry["instruction"], entry.get("input"))))
            self.say(f"  {question} → {answer!r}")
