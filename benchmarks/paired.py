"""Two fine-tunings side by side, each in a process of its own, their answers compared in pairs."""

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from torch import nn

from lessons_lib.data import Splits, get_prompt_format, text_ids, tokenizer_of
from lessons_lib.evaluation import Scores
from lessons_lib.evaluation.comparison import Difference, paired_difference
from lessons_lib.experiments.before_after import measure
from lessons_lib.training import Recipe, add_entry_tokens, finetune


@dataclass(frozen=True)
class Run:
    """What one fine-tuning came to."""

    trained: int  # weights
    tokens: int  # of the training texts in one epoch, ends of text among them
    seconds: float  # of training, validations included: only a quiet machine tells them
    peak_gigabytes: float | None  # of the process, until training was over; None on Windows
    response_loss: float  # of the validation entries, nats a token
    scores: Scores

    @property
    def figures(self) -> dict[str, Any]:
        """The run in numbers, rounded."""
        memory = self.peak_gigabytes
        return {
            "trained": self.trained,
            "tokens": self.tokens,
            "seconds": round(self.seconds, 1),
            "peak_gigabytes": None if memory is None else round(memory, 2),
            "response_loss": round(self.response_loss, 4),
            "exact": round(self.scores.share("exact").value, 4),
            "stopped": round(self.scores.share("stopped").value, 4),
        }


def train_and_ask(model: nn.Module, recipe: Recipe, splits: Splits) -> Run:
    """Fine-tune a model in place by a recipe, and have it answer the test entries."""
    add_entry_tokens(model, recipe, splits)
    written, tokenizer = get_prompt_format(recipe.prompt_format), tokenizer_of(model)
    tokens = sum(len(text_ids(written.text(entry), tokenizer)) + 1 for entry in splits.train)
    history = finetune(model, recipe, splits, progress=False)
    memory = peak_gigabytes()
    model.eval()
    measured = measure(model, splits, recipe)
    return Run(
        sum(each.numel() for each in model.parameters() if each.requires_grad),
        tokens,
        history.seconds,
        memory,
        measured.response_loss,
        measured.scores,
    )


def peak_gigabytes() -> float | None:
    """The most memory that this process has had; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20


def each_alone(function: Callable[..., Run], jobs: Sequence[tuple]) -> list[Run]:
    """Call the function for one job after the other, each in a fresh process."""
    runs = []
    for job in jobs:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            runs.append(process.submit(function, *job).result())
        print(f"{job[0]}: {runs[-1].figures}", file=sys.stderr, flush=True)
    return runs


def exact_difference(first: Run, second: Run) -> Difference:
    """By how much more of the same entries the second answers exactly, with its interval."""
    return paired_difference(first.scores.scores_of("exact"), second.scores.scores_of("exact"))


def in_numbers(difference: Difference) -> dict[str, float | None]:
    """A difference of shares with its interval and McNemar's p-value."""
    found = difference.difference
    return {
        "difference": round(found.value, 4),
        "low": None if found.low is None else round(found.low, 4),
        "high": None if found.high is None else round(found.high, 4),
        "p_value": round(difference.p_value, 4),
    }
