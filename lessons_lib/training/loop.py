"""The training loop: AdamW on the loss over live targets, with a history. Taught in lesson 09.

The loop reads from top to bottom. What a step does and what a checkpoint holds is in ``run_state``,
the gradient of the mean over all live targets of a step in ``optimizer``, and what can be chosen in
``options``.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from tqdm.auto import tqdm

from lessons_lib.batching import Batch
from lessons_lib.levers.memory import keep_freed_memory
from lessons_lib.models import LanguageModel
from lessons_lib.models.protocol import check_model
from lessons_lib.support.devices import limit_threads, pick_device
from lessons_lib.training.checkpoints import Checkpoints
from lessons_lib.training.history import Callbacks, History, as_list
from lessons_lib.training.options import TrainOptions
from lessons_lib.training.run_state import Run, call


@keep_freed_memory()
def train(
    model: LanguageModel,
    loader: Iterable[Batch],
    validation_loader: Iterable[Batch] | None = None,
    options: TrainOptions | None = None,
    *,
    device: str | torch.device | None = None,
    checkpoints: Checkpoints | None = None,
    progress: bool = True,
    on_step: Callbacks = None,
    on_eval: Callbacks = None,
    on_epoch: Callbacks = None,
    on_end: Callbacks = None,
    **changes: Any,
) -> History:
    """Train the model in place with AdamW and return what happened.

    Keyword arguments (``changes``) override ``options``: ``train(model, loader, epochs=3)``. With
    ``device`` ("auto" or a name) the model is moved there first and stays there. Each callback
    argument is one function or several, which take a ``TrainingState``. If its ``checkpoints`` are
    to be resumed, a run goes on from the newest and ends as it would have without the break. After
    Ctrl-C the model has its best weights if it was validated after a step, otherwise its present
    ones. A loss or gradient that is not finite ends the run with a warning; the model then has its
    best weights or, if the run has no validation, its last sound ones.

    Raises:
        BatchError: a batch has no live target. ValueError: an option out of its range, or rows of
            several texts, which the model cannot keep apart. TypeError: not a ``LanguageModel``,
            or an unknown option. CheckpointError: as ``Checkpoints``. Also what a callback raises.
    """
    check_model(model)
    options = replace(options or TrainOptions(), **changes)
    on_step, on_eval, on_epoch, on_end = map(as_list, (on_step, on_eval, on_epoch, on_end))
    limit_threads()
    if device is not None:
        model.to(pick_device(device))
    run = Run(model, loader, validation_loader, options, on_eval, checkpoints)
    state = run.state
    model.train()
    try:
        if not run.resumed:
            run.validator.validate()
        bar = tqdm(
            desc="training",
            unit="step",
            total=state.total_steps,
            initial=state.step,
            disable=not progress,
        )
        with bar:
            while not run.over:
                for batches in run.steps_of_epoch():
                    run.take_step(batches)
                    if run.diverged:
                        break
                    bar.update()
                    bar.set_postfix(loss=f"{state.history.train_loss[-1]:.3f}")
                    call(on_step, state)
                    run.end_step()
                run.end_epoch()
                call(on_epoch, state)
        if not run.diverged:
            run.validator.validate()
    except KeyboardInterrupt:
        state.history.interrupted = True
    run.settle()
    call(on_end, state)
    return state.history
