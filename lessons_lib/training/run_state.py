"""Where a training run stands, beside its callbacks' state: validation, best weights, resuming.

``loop`` steps; this keeps what a checkpoint must hold. Taught in lesson 09.
"""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lessons_lib.batching import Batch
from lessons_lib.support import CheckpointError
from lessons_lib.training.checkpoints import random_state, set_random_state
from lessons_lib.training.history import Callback, History, TrainingState
from lessons_lib.training.losses import evaluate, evaluate_loss, response_batches
from lessons_lib.training.optimizer import in_groups


class Best(NamedTuple):
    """The weights with the lowest validation loss so far."""

    step: int
    loss: float
    weights: dict[str, Tensor]  # on the CPU


class Validator:
    """Measures a run's validation losses, and keeps a copy of the weights that had the lowest."""

    def __init__(self, state: TrainingState, loader: Iterable[Batch] | None, callbacks: list):
        self.state, self.loader, self.callbacks = state, loader, callbacks
        self.best: Best | None = None
        self.responses = None if loader is None else response_batches(loader)
        collator = getattr(loader, "collate_fn", None)
        collator = getattr(collator, "collator", collator)
        # With this mask the validation loss is the response loss; why measure it twice?
        self.same = getattr(collator, "masked_until", None) == "prompt_length"

    def validate(self) -> None:
        """Measure now, unless that was done after this very step."""
        model, step, history = self.state.model, self.state.step, self.state.history
        if self.loader is None or history.validation_steps[-1:] == [step]:
            return
        loss, accuracy = evaluate(model, self.loader)
        if self.responses:
            measure = loss if self.same else evaluate_loss(model, self.responses)
            history.response_loss.append(measure)
        history.validation_steps.append(step)
        history.validation_loss.append(loss)
        history.validation_accuracy.append(accuracy)
        if loss < (math.inf if self.best is None else self.best.loss):
            weights = model.state_dict().items()
            copies = {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights}
            self.best = Best(step, loss, copies)
        call(self.callbacks, self.state)

    def restore(self) -> None:
        """Give the model its best weights."""
        self.state.model.load_state_dict(self.best.weights)
        self.state.history.kept_step = self.best.step


class Run:
    """What a checkpoint holds of a run, and how the run goes on from there.

    Raises:
        ValueError: ``exact`` is asked for and the loader's order cannot be set again.
    """

    def __init__(
        self,
        state: TrainingState,
        optimizer: torch.optim.Optimizer,
        validator: Validator,
        loader: Iterable[Batch],
        exact: bool = False,
    ):
        self.state, self.optimizer, self.validator = state, optimizer, validator
        self.loader = loader
        self.in_epoch = 0  # steps taken in the present epoch; 0 between epochs
        self.first_epoch = getattr(loader, "epoch", 0)  # of the loader's own count
        if exact and isinstance(loader, DataLoader) and not hasattr(loader, "set_epoch"):
            raise ValueError(
                "a run can go on from a checkpoint only if its loader can: it needs set_epoch, as "
                "create_loader's have it"
            )

    @property
    def over(self) -> bool:
        """Whether nothing is left to do, the present epoch's end included."""
        planned = self.state.epoch >= self.state.epochs
        return not self.in_epoch and (self.state.done or planned)

    def steps_of_epoch(self, accumulate: int) -> Iterator[list[Batch]]:
        """Begin an epoch: its groups of batches from the one that is next, while the run lasts."""
        passed, self.state.epoch = self.in_epoch, self.state.epoch + 1
        groups = in_groups(self.loader, accumulate)
        for index in itertools.count():
            if self.state.done or (batches := next(groups, None)) is None:
                return
            if index >= passed:
                self.in_epoch = index + 1
                yield batches

    def end_epoch(self) -> None:
        """Note the end of an epoch."""
        self.in_epoch = 0
        self.state.history.epoch_ends.append(self.state.step)

    def snapshot(self) -> dict[str, Any]:
        """All that the rest of the run depends on."""
        best = self.validator.best
        return {
            "model": self.state.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "history": asdict(self.state.history),
            "total_steps": self.state.total_steps,
            "first_epoch": self.first_epoch,
            "epoch": self.state.epoch,
            "in_epoch": self.in_epoch,
            "stopped": self.state.stopped,
            "random_state": random_state(),
            "best": None if best is None else best._asdict(),
        }

    def restore(self, saved: dict[str, Any] | None) -> bool:
        """Go on from a checkpoint; False where there is none.

        Raises:
            CheckpointError: it is of a longer or shorter run, or of another model.
        """
        if saved is None:
            return False
        if saved["total_steps"] != self.state.total_steps:
            raise CheckpointError(
                f"the checkpoint is of a run of {saved['total_steps']} steps, this one has "
                f"{self.state.total_steps}: use the same entries and options, or another folder"
            )
        try:
            self.state.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise CheckpointError(f"the checkpoint is of another model: {error}") from error
        self.state.history = History.from_dict(saved["history"])
        # The epoch is begun again, and what was done of it is passed over.
        self.state.epoch, self.in_epoch = saved["epoch"] - 1, saved["in_epoch"]
        self.state.stopped = saved["stopped"]
        self.validator.best = None if saved["best"] is None else Best(**saved["best"])
        self.first_epoch = saved["first_epoch"]
        set_random_state(saved["random_state"])
        if hasattr(self.loader, "set_epoch"):
            self.loader.set_epoch(self.first_epoch + self.state.epoch)
        return True


def call(callbacks: list[Callback], state: TrainingState) -> None:
    """Each in its turn."""
    for callback in callbacks:
        callback(state)
