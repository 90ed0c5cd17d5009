"""Where a training run stands: its optimizer, its place in the data, validation, best weights.

``loop`` decides what happens when; this file takes the steps and keeps what a checkpoint must hold.
Taught in lesson 09.
"""

import itertools
import math
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lessons_lib.batching import Batch
from lessons_lib.batching.loaders import InstructionLoader, response_batches
from lessons_lib.models import LanguageModel
from lessons_lib.support import CheckpointError
from lessons_lib.training.checkpoints import Checkpoints, random_state, set_random_state
from lessons_lib.training.history import Callback, History, TrainingState
from lessons_lib.training.losses import evaluate, evaluate_loss
from lessons_lib.training.optimizer import in_groups, make_optimizer, optimizer_step
from lessons_lib.training.options import TrainOptions


class Weights(NamedTuple):
    """A copy of a model's weights, on the CPU."""

    step: int
    loss: float  # the validation loss; NaN where none was measured
    tensors: dict[str, Tensor]


def copy_weights(state: TrainingState, loss: float = math.nan) -> Weights:
    """The model's weights as they are now."""
    weights = state.model.state_dict().items()
    tensors = {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights}
    return Weights(state.step, loss, tensors)


class Validator:
    """Measures a run's validation losses, and keeps a copy of the weights that had the lowest."""

    def __init__(self, state: TrainingState, loader: Iterable[Batch] | None, callbacks: list):
        self.state, self.loader, self.callbacks = state, loader, callbacks
        self.best: Weights | None = None
        self.responses: list[Batch] = []
        self.same = False
        if isinstance(loader, InstructionLoader):
            self.responses = response_batches(loader)
            # With this mask the validation loss is the response loss: no need to measure it twice.
            self.same = loader.collator.mask == "prompt"

    def validate(self) -> None:
        """Measure now, unless it was already done after this step."""
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
            self.best = copy_weights(self.state, loss)
        call(self.callbacks, self.state)


class Run:
    """A training run: how a step is taken, what a checkpoint holds, how the run goes on or ends.

    Raises:
        ValueError: the loader is empty, ``keep_best`` lacks a validation loader, or there are
            checkpoints and a loader whose order cannot be restored. CheckpointError: as
            ``Checkpoints.load`` and ``restore``.
    """

    def __init__(
        self,
        model: LanguageModel,
        loader: Iterable[Batch],
        validation_loader: Iterable[Batch] | None,
        options: TrainOptions,
        on_eval: list[Callback],
        checkpoints: Checkpoints | None,
    ):
        if not len(loader):
            raise ValueError(
                "the loader has no batch: are there fewer entries than fill one batch?"
            )
        if options.keep_best and validation_loader is None:
            raise ValueError(
                "keep_best needs a validation_loader: the best weights are those with the lowest "
                "validation loss"
            )
        if checkpoints and isinstance(loader, DataLoader):
            if not isinstance(loader, InstructionLoader):
                raise ValueError(
                    "a run can resume from a checkpoint only if its loader can: the loader needs "
                    "set_epoch, as those of create_loader have it"
                )
        torch.manual_seed(options.seed)
        self.loader, self.options, self.checkpoints = loader, options, checkpoints
        self.optimizer = make_optimizer(
            model, options.learning_rate, options.weight_decay, options.precision
        )
        total_steps = options.total_steps(len(loader))
        self.state = TrainingState(model, total_steps, epochs=options.epochs)
        self.validator = Validator(self.state, validation_loader, on_eval)
        self.in_epoch = 0  # steps taken in the present epoch; 0 between epochs
        self.first_epoch = loader.epoch if isinstance(loader, InstructionLoader) else 0
        self.sound: Weights | None = None  # the last copy with which the loss was finite
        self.diverged = False
        self.resumed = checkpoints is not None and self.restore(checkpoints.load())
        self.started = time.perf_counter() - self.state.history.seconds

    @property
    def over(self) -> bool:
        """Whether nothing is left to do, not even the end of the present epoch."""
        planned = self.state.epoch >= self.state.epochs
        return not self.in_epoch and (self.state.done or planned)

    def steps_of_epoch(self) -> Iterator[list[Batch]]:
        """Begin an epoch (or go on with one): its groups of batches, as long as the run lasts."""
        passed, self.state.epoch = self.in_epoch, self.state.epoch + 1
        groups = in_groups(self.loader, self.options.accumulate)
        for index in itertools.count():
            if self.state.done or (batches := next(groups, None)) is None:
                return
            if index >= passed:
                self.in_epoch = index + 1
                yield batches

    def take_step(self, batches: list[Batch]) -> None:
        """Take and record an optimizer step; end the run if its loss or gradient is not finite."""
        state, options = self.state, self.options
        copy = None
        if self.validator.loader is None and state.step % options.evaluate_every == 0:
            copy = copy_weights(state)  # sound once this step finds a finite loss with it
        rate = options.rate_at(state.step + 1, state.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        step = optimizer_step(
            state.model, self.optimizer, batches, options.max_gradient_norm, options.precision
        )
        if step.is_finite:
            state.history.record(step, rate)
            self.sound = copy or self.sound
            return
        self.diverged = True
        kept = self.validator.best or self.sound
        where = "that it started with" if kept is None or kept.step == 0 else f"of step {kept.step}"
        reason = (
            f"step {state.step + 1} of {state.total_steps} has a loss of {step.loss:.3g} and a "
            f"gradient of norm {step.gradient_norm:.3g}, at a learning rate of {rate:.3g}. The run "
            f"ends here; the model has the weights {where}. Try a lower learning rate, warm-up "
            "steps or max_gradient_norm=1.0"
        )
        state.stop(reason)
        warnings.warn(reason, RuntimeWarning, stacklevel=4)  # at the call of train

    def end_step(self) -> None:
        """Validate and write a checkpoint after a step, if they are due."""
        step = self.state.step
        if not self.state.done and step % self.options.evaluate_every == 0:
            self.validator.validate()
        if self.checkpoints is not None and step % self.checkpoints.every == 0:
            self.state.history.seconds = time.perf_counter() - self.started
            self.checkpoints.save(step, self.snapshot())

    def end_epoch(self) -> None:
        """Note the end of an epoch."""
        self.in_epoch = 0
        self.state.history.epoch_ends.append(self.state.step)

    def settle(self) -> None:
        """Choose, after the last step, which weights the model keeps; report an interruption."""
        state, history, best = self.state, self.state.history, self.validator.best
        history.seconds = time.perf_counter() - self.started
        history.kept_step = state.step
        validated = any(step > 0 for step in history.validation_steps)
        keep = None
        if self.diverged:
            keep = best or self.sound
        elif history.interrupted and validated or self.options.keep_best:
            keep = best
        if keep is not None:
            state.model.load_state_dict(keep.tensors)
            history.kept_step = keep.step
        if state.step and history.epoch_ends[-1:] != [state.step]:
            history.epoch_ends.append(state.step)
        if history.interrupted:
            kept = "its present weights"
            if keep is not None:
                kept = f"its best weights, of step {keep.step} (validation loss {keep.loss:.3f})"
            done = f"{state.step} of {state.total_steps} steps"
            print(f"Interrupted after {done}; the model has {kept}.")

    def snapshot(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        best = self.validator.best
        return {
            "model": self.state.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "history": asdict(self.state.history),
            "options": self._described(),
            "first_epoch": self.first_epoch,
            "epoch": self.state.epoch,
            "in_epoch": self.in_epoch,
            "stopped": self.state.stopped,
            "random_state": random_state(),
            "best": None if best is None else best._asdict(),
        }

    def _described(self) -> dict[str, Any]:
        """The options that determine the run, the loader's included."""
        options = asdict(self.options) | {"total_steps": self.state.total_steps}
        if isinstance(self.loader, InstructionLoader):
            options |= self.loader.describe()
        return options

    def restore(self, saved: dict[str, Any] | None) -> bool:
        """Go on from a checkpoint; False where there is none.

        Raises:
            CheckpointError: it is from a run with other options or entries, or of another model.
        """
        if saved is None:
            return False
        before, now = saved["options"], self._described()
        other = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        if other:
            told = "; ".join(f"{name} was {before.get(name)}, is {now.get(name)}" for name in other)
            raise CheckpointError(
                f"the checkpoint is from a run with other options ({told}): use the same entries "
                "and options to go on, or another folder to start afresh"
            )
        try:
            self.state.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise CheckpointError(f"the checkpoint is of another model: {error}") from error
        self.state.history = History.from_dict(saved["history"])
        # The epoch begins again, and the steps already taken in it are skipped.
        self.state.epoch, self.in_epoch = saved["epoch"] - 1, saved["in_epoch"]
        self.state.stopped = saved["stopped"]
        self.validator.best = None if saved["best"] is None else Weights(**saved["best"])
        self.first_epoch = saved["first_epoch"]
        set_random_state(saved["random_state"])
        if isinstance(self.loader, InstructionLoader):
            self.loader.set_epoch(self.first_epoch + self.state.epoch)
        return True


def call(callbacks: list[Callback], state: TrainingState) -> None:
    """Call each callback in turn."""
    for callback in callbacks:
        callback(state)
