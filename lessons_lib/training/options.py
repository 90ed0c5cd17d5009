"""How a model is trained: epochs, learning rate, schedule and so on, each checked. Lesson 09."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

Precision = Literal["float32", "bf16"]
Schedule = Literal["constant", "cosine"]
SCHEDULES, PRECISIONS = ("constant", "cosine"), ("float32", "bf16")


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The options of ``train``; a ``Recipe`` adds which model is trained, and on which entries.

    Raises:
        ValueError: an option out of its range.
    """

    epochs: int = 1
    learning_rate: float = 5e-5
    # Decays matrices only, not biases and norms, as GPT's training did (Radford et al. 2018).
    weight_decay: float = 0.1
    # Gradients with a larger norm are scaled down to this one; None leaves them as they are.
    max_gradient_norm: float | None = 1.0
    # "constant", or "cosine", which falls to final_share of the learning rate; either starts after
    # warmup_steps, a whole number of steps or, as a float, a share of all steps.
    schedule: Schedule = "constant"
    warmup_steps: int | float = 0
    final_share: float = 0.1
    # The number of batches that make one step; their gradient is that of one big batch.
    accumulate: int = 1
    # Validate after every so many steps, and also before the first step and at the end.
    evaluate_every: int = 50
    max_steps: int | None = None
    # Leave the model with the weights of the lowest validation loss, not with its last ones.
    keep_best: bool = False
    # Seeds PyTorch's random state, from which dropout draws. The order of batches is the loader's.
    seed: int = 123
    # "bf16" computes training losses in bfloat16 where PyTorch deems it safe; the weights and all
    # validation stay in float32.
    precision: Precision = "float32"

    def __post_init__(self):
        # A sweep may pass numpy's numbers, with which a checkpoint could not be read again.
        for name, value in vars(self).items():
            if isinstance(value, np.generic):
                object.__setattr__(self, name, value.item())
        for name in ("epochs", "accumulate", "evaluate_every"):
            if vars(self)[name] < 1:
                raise ValueError(f"{name} must be 1 or more, not {vars(self)[name]}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate >= 0):
            raise ValueError(f"learning_rate must be 0 or more, not {self.learning_rate}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is 'float32' or 'bf16', not {self.precision!r}")
        check_schedule(self.schedule, self.warmup_steps, self.final_share)

    def total_steps(self, batches: int) -> int:
        """How many optimizer steps a run takes if its loader has this many batches per epoch."""
        planned = self.epochs * math.ceil(batches / self.accumulate)
        return planned if self.max_steps is None else min(planned, self.max_steps)

    def rate_at(self, step: int, total_steps: int) -> float:
        """The learning rate of a step, counted from 1 to ``total_steps``."""
        warmup = count_warmup_steps(self.warmup_steps, total_steps)
        return learning_rate_at(
            step, total_steps, self.learning_rate, self.schedule, warmup, self.final_share
        )


def learning_rate_at(
    step: int,
    total_steps: int,
    learning_rate: float,
    schedule: Schedule = "constant",
    warmup_steps: int = 0,
    final_share: float = 0.1,
) -> float:
    """The learning rate of a step, counted from 1 to ``total_steps``.

    During warm-up it rises in equal parts and reaches ``learning_rate`` at step ``warmup_steps``.
    Then it stays there ("constant"), or falls along half a cosine and reaches ``final_share`` of
    ``learning_rate`` at the last step ("cosine").
    """
    if step <= warmup_steps:
        return learning_rate * step / warmup_steps
    if schedule == "constant":
        return learning_rate
    done = (step - warmup_steps) / (total_steps - warmup_steps)  # 0 … 1
    return learning_rate * (final_share + (1 - final_share) * (1 + math.cos(math.pi * done)) / 2)


def check_schedule(schedule: str, warmup_steps: float, final_share: float) -> None:
    """Refuse a schedule that ``learning_rate_at`` cannot follow.

    Raises:
        ValueError: an unknown schedule, a negative warm-up, a share of steps above 1, or a final
            share outside 0 … 1.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule is 'constant' or 'cosine', not {schedule!r}")
    if warmup_steps < 0 or (isinstance(warmup_steps, float) and warmup_steps > 1):
        raise ValueError(
            f"warmup_steps is a whole number of steps, or a share of them from 0.0 to 1.0, "
            f"not {warmup_steps}"
        )
    if not 0 <= final_share <= 1:
        raise ValueError(f"final_share is from 0 to 1, not {final_share}")


def count_warmup_steps(warmup_steps: int | float, total_steps: int) -> int:
    """The number of warm-up steps; a float is taken as a share of all steps."""
    return round(warmup_steps * total_steps) if isinstance(warmup_steps, float) else warmup_steps
