"""The learning rate at each step: warm-up, then constant or along half a cosine. Lesson 09.

Sources: Goyal et al. 2017, "Accurate, Large Minibatch SGD" (warm-up); Loshchilov and Hutter 2017,
"SGDR" (the cosine, here without restarts).
"""

import math
from typing import Literal

Schedule = Literal["constant", "cosine"]
SCHEDULES = ("constant", "cosine")


def learning_rate_at(
    step: int,
    total_steps: int,
    learning_rate: float,
    schedule: Schedule = "constant",
    warmup_steps: int = 0,
    final_share: float = 0.1,
) -> float:
    """The learning rate of a step, counted from 1 to ``total_steps``.

    Warm-up rises in equal parts and reaches ``learning_rate`` at step ``warmup_steps``. After it
    the rate stays ("constant"), or falls along half a cosine to ``final_share`` of
    ``learning_rate``, which the last step has ("cosine").
    """
    if step <= warmup_steps:
        return learning_rate * step / warmup_steps
    if schedule == "constant":
        return learning_rate
    done = (step - warmup_steps) / (total_steps - warmup_steps)  # 0 … 1
    return learning_rate * (final_share + (1 - final_share) * (1 + math.cos(math.pi * done)) / 2)


def check_schedule(schedule: str, warmup_steps: float, final_share: float) -> None:
    """Refuse what ``learning_rate_at`` cannot follow.

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
    """Steps of warm-up: a whole number is one already, a float is a share of all steps."""
    return round(warmup_steps * total_steps) if isinstance(warmup_steps, float) else warmup_steps
