"""The training loop: AdamW on the loss over live targets, a history to plot. Taught in lesson 09.

A target is live where it is not the ignore index. Losses and gradients are divided by the live
targets of the step, or by the sum of their weights. Knows models only by ``hidden`` and ``head``,
and by ``token_losses`` where they have it.
"""

import math
import time
from collections.abc import Iterable

import torch
from torch import nn
from tqdm.auto import tqdm

from lessons_lib.batching import Batch
from lessons_lib.support.devices import limit_threads, pick_device
from lessons_lib.support.memory import keep_freed_memory
from lessons_lib.training.checkpoints import Checkpoints
from lessons_lib.training.history import (
    Callbacks,
    EarlyStop,
    History,
    SampleAnswers,
    TrainingState,
    as_list,
)
from lessons_lib.training.losses import (
    Evaluation,
    LiveLosses,
    batch_loss,
    evaluate,
    evaluate_loss,
    live_losses,
    response_loss,
    summed_loss,
    target_losses,
)
from lessons_lib.training.optimizer import (
    Precision,
    Schedule,
    check_schedule,
    count_warmup_steps,
    learning_rate_at,
    make_optimizer,
    optimizer_step,
)
from lessons_lib.training.run_state import Run, Validator, call

__all__ = [
    "Checkpoints",
    "EarlyStop",
    "Evaluation",
    "History",
    "LiveLosses",
    "SampleAnswers",
    "TrainingState",
    "batch_loss",
    "evaluate",
    "evaluate_loss",
    "live_losses",
    "make_optimizer",
    "response_loss",
    "summed_loss",
    "target_losses",
    "train",
]


@keep_freed_memory()
def train(
    model: nn.Module,
    loader: Iterable[Batch],
    validation_loader: Iterable[Batch] | None = None,
    *,
    epochs: int = 1,
    learning_rate: float = 5e-5,
    weight_decay: float = 0.1,
    max_gradient_norm: float | None = 1.0,
    schedule: Schedule = "constant",
    warmup_steps: int | float = 0,
    final_share: float = 0.1,
    accumulate: int = 1,
    evaluate_every: int = 50,
    max_steps: int | None = None,
    keep_best: bool = False,
    seed: int = 123,
    device: str | torch.device | None = None,
    precision: Precision = "float32",
    progress: bool = True,
    on_step: Callbacks = None,
    on_eval: Callbacks = None,
    on_epoch: Callbacks = None,
    on_end: Callbacks = None,
    checkpoints: Checkpoints | None = None,
) -> History:
    """Train the model in place with AdamW and return what happened.

    The validation loss is measured before the first step, every ``evaluate_every`` steps and at
    the end, and beside it the response loss where the loader knows its examples. ``seed`` sets
    PyTorch's random state, which dropout uses; the order of the batches is the loader's own
    matter. Weight decay is applied to matrices only, as GPT-2's training did.

    ``accumulate`` batches make one step; their gradient is that of one big batch, and the last
    ones of an epoch make a step of their own. ``schedule``, ``warmup_steps`` (a whole number, or
    a float: a share of all steps) and ``final_share`` are those of ``learning_rate_at``. With
    ``device`` ("auto" or a name) the model is moved there first and stays there; without it,
    training runs where the model is. ``precision="bf16"`` computes training losses in bfloat16
    where PyTorch deems it safe; weights, and all validation, stay float32.

    After the run the model has its last weights; with ``keep_best``, those of the step with the
    lowest validation loss. Ctrl-C ends a run but loses nothing: the model has its best weights
    if it was validated after a step, else its present ones, and the history says so.
    Callbacks, one or several each, take a ``TrainingState``; ``history`` has some.
    ``checkpoints`` are written as the run goes, and a run goes on from the newest of them if they
    are to be resumed; it ends as it would have without the break.

    Raises:
        BatchError: a batch has no live target. ValueError: an option out of its range, or rows of
            several texts, which the model cannot keep apart. Whatever a callback raises.
    """
    _check(epochs, accumulate, evaluate_every, precision, keep_best, validation_loader)
    check_schedule(schedule, warmup_steps, final_share)
    # A checkpoint holds Python's own numbers; numpy's, as in a sweep of rates, it could not read.
    learning_rate, weight_decay, final_share = map(
        float, (learning_rate, weight_decay, final_share)
    )
    epochs, accumulate, evaluate_every = map(int, (epochs, accumulate, evaluate_every))
    max_steps = None if max_steps is None else int(max_steps)
    limit_threads()
    if device is not None:
        model.to(pick_device(device))
    torch.manual_seed(seed)
    optimizer = make_optimizer(model, learning_rate, weight_decay)
    if not len(loader):
        raise ValueError("the loader has no batch: are there fewer entries than one batch takes?")
    total_steps = epochs * math.ceil(len(loader) / accumulate)
    total_steps = total_steps if max_steps is None else min(total_steps, max_steps)
    warmup = int(count_warmup_steps(warmup_steps, total_steps))
    state = TrainingState(model, total_steps, epochs=epochs)
    on_step, on_epoch = as_list(on_step), as_list(on_epoch)
    validator = Validator(state, validation_loader, as_list(on_eval))
    run = Run(state, optimizer, validator, loader, exact=checkpoints is not None)
    resumed = checkpoints is not None and run.restore(checkpoints.load())
    history = state.history
    started = time.perf_counter() - history.seconds
    model.train()
    try:
        if not resumed:
            validator.validate()
        with tqdm(
            total=total_steps,
            initial=state.step,
            desc="training",
            unit="step",
            disable=not progress,
        ) as bar:
            while not run.over:
                for batches in run.steps_of_epoch(accumulate):
                    rate = learning_rate_at(
                        state.step + 1, total_steps, learning_rate, schedule, warmup, final_share
                    )
                    for group in optimizer.param_groups:
                        group["lr"] = rate
                    step = optimizer_step(model, optimizer, batches, max_gradient_norm, precision)
                    history.record(step, rate)
                    bar.update()
                    bar.set_postfix(loss=f"{step.loss:.3f}")
                    call(on_step, state)
                    if not state.done and state.step % evaluate_every == 0:
                        validator.validate()
                    if checkpoints is not None and state.step % checkpoints.every == 0:
                        history.seconds = time.perf_counter() - started
                        checkpoints.save(state.step, run.snapshot())
                run.end_epoch()
                call(on_epoch, state)
        validator.validate()
    except KeyboardInterrupt:
        history.interrupted = True
    history.seconds = time.perf_counter() - started
    _settle(state, validator, keep_best)
    call(as_list(on_end), state)
    return history


def _settle(state: TrainingState, validator: Validator, keep_best: bool) -> None:
    """After the last step: which weights the model keeps, and a word where it was interrupted."""
    history, best = state.history, validator.best
    history.kept_step = state.step
    validated = any(step > 0 for step in history.validation_steps)
    if best is not None and (validated if history.interrupted else keep_best):
        validator.restore()
    if state.step and history.epoch_ends[-1:] != [state.step]:
        history.epoch_ends.append(state.step)
    if not history.interrupted:
        return
    kept = "its present weights"
    if best is not None and validated:
        kept = f"its best weights, of step {best.step} (validation loss {best.loss:.3f})"
    print(f"Interrupted after {state.step} of {state.total_steps} steps; the model has {kept}.")


def _check(epochs, accumulate, evaluate_every, precision, keep_best, validation_loader) -> None:
    counts = {"epochs": epochs, "accumulate": accumulate, "evaluate_every": evaluate_every}
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be 1 or more, not {count}")
    if precision not in ("float32", "bf16"):
        raise ValueError(f"precision is 'float32' or 'bf16', not {precision!r}")
    if keep_best and validation_loader is None:
        raise ValueError("keep_best needs a validation_loader: by what is the best to be known?")
