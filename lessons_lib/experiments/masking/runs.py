"""One run of the masking experiment: fine-tune with one mask, then measure. Lesson 11.

Everything a run makes is kept in the cache folder, so that no run is made twice: the model as
``load_or_finetune`` keeps it, what was measured beside it.
"""

import dataclasses
import hashlib
import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from torch import nn

from lessons_lib.batching import INSTRUCTION_MASKS, InstructionDataset
from lessons_lib.data import Entry, get_prompt_format, tokenizer_of
from lessons_lib.evaluation import ROUGE_L, answer_and_score
from lessons_lib.evaluation.key_answers import split_sentences
from lessons_lib.evaluation.scorers import EXACT
from lessons_lib.generation import log_likelihood
from lessons_lib.support import cache_folder, write_whole
from lessons_lib.support.files import explain
from lessons_lib.support.processes import Report
from lessons_lib.training import Finetuned, Recipe, TrainingState, load_or_finetune, response_loss

Mode = str | float  # an instruction mask, or the weight of the prompt's targets
TRAIN_ENTRIES = 200  # of the training part, for the loss on what was learned from
TRAINING_SHARE = 0.8  # of the progress bar; the rest is for measuring


def mode_name(mode: Mode) -> str:
    """What to call a mode in tables and files: "none", "prompt", "weight 0.1".

    Raises:
        ValueError: it is neither a mask nor a weight from 0 to 1.
    """
    if isinstance(mode, str):
        if mode not in INSTRUCTION_MASKS:
            known = ", ".join(map(repr, INSTRUCTION_MASKS))
            raise ValueError(f"a mode is one of {known}, or a weight from 0 to 1, not {mode!r}")
        return mode
    if not 0 <= mode <= 1:
        raise ValueError(f"the weight of the prompt's targets is from 0 to 1, not {mode}")
    return f"weight {mode:g}"


def with_mode(recipe: Recipe, mode: Mode) -> Recipe:
    """The recipe with this mask, or with this weight for the prompt's targets."""
    mode_name(mode)  # refuses what is no mode
    if isinstance(mode, str):
        return dataclasses.replace(recipe, instruction_mask=mode, prompt_loss_weight=None)
    return dataclasses.replace(recipe, instruction_mask="none", prompt_loss_weight=float(mode))


class AnswerMarks(NamedTuple):
    """What a run made of one test entry."""

    exact: int  # 1 where its greedy answer is the entry's output
    rouge_l: float | None  # of that answer, 0 … 1; None where the output has no word
    stopped: int  # 1 where it ended by itself
    nats: float  # loss of the output's tokens and end of text together
    tokens: int  # how many those are
    # The share of the output's sentences that stand in the answer; None where it was not measured.
    sentences: float | None = None


@dataclass(frozen=True)
class Job:
    """A run to make: the recipe says how; ``test`` holds the entries to measure, if any.

    ``choosing`` holds the entries of its validation loss, if not the recipe's own validation part.
    """

    mode: str  # its name
    recipe: Recipe
    test: tuple[Entry, ...] = ()
    choosing: tuple[Entry, ...] = ()
    train_entries: int = TRAIN_ENTRIES
    max_new_tokens: int = 64
    device: str = "cpu"


@dataclass(frozen=True)
class MaskingRun:
    """What a run measured; losses are nats per response token, end of text included.

    The validation loss of a run that diverged is infinite.
    """

    mode: str
    epochs: int
    learning_rate: float
    seed: int
    validation_loss: float  # of the response, on the entries by which settings are chosen
    train_loss: float | None = None  # after the run, on the first training entries
    answers: tuple[AnswerMarks, ...] = ()  # one a test entry; none where test was not measured

    @property
    def test_loss(self) -> float:
        """Over all test entries, each token counting the same."""
        return sum(marks.nats for marks in self.answers) / sum(a.tokens for a in self.answers)


def make_run(job: Job, report: Report = lambda share: None) -> MaskingRun:
    """Fine-tune by the job's recipe, or load what was made before, and measure.

    Raises:
        KeyboardInterrupt: the run was interrupted; nothing of it is kept. ValueError: there is no
            validation entry for which the model has room, or a run that is to be measured diverged.
            Else as ``load_or_finetune`` and ``answer_and_score``.
    """
    step = TRAINING_SHARE if job.test else 1.0

    def on_step(state: TrainingState) -> None:
        report(step * state.step / state.total_steps)

    quiet = {"progress": False, "say": lambda text: None}
    tuned = load_or_finetune(job.recipe, device=job.device, on_step=on_step, **quiet)
    if tuned.history.interrupted:
        raise KeyboardInterrupt
    recipe, stopped = job.recipe, tuned.history.stop_reason
    losses = tuned.history.response_loss
    # A stopped run's model has the last good weights, of an unfinished run.
    if stopped or losses and not math.isfinite(losses[-1]):
        which = f"mode {job.mode!r}, {recipe.epochs} epoch(s), seed {recipe.seed}"
        which += f", learning rate {recipe.learning_rate:g}"
        if job.test:
            raise ValueError(
                f"the run of {which} diverged and cannot be measured: leave this rate out of "
                f"learning_rates. ({stopped or 'Its validation loss is no number.'})"
            )
        return MaskingRun(job.mode, recipe.epochs, recipe.learning_rate, recipe.seed, math.inf)
    if not losses:
        raise ValueError("the experiment needs validation entries for which the model has room")
    loss = losses[-1]
    if job.choosing:
        loss = response_loss(tuned.model, list(job.choosing), prompt_format=recipe.prompt_format)
    run = MaskingRun(job.mode, recipe.epochs, recipe.learning_rate, recipe.seed, loss)
    if not job.test:
        return run
    train_loss, answers = _load_kept(tuned, job) or _measure(tuned, job)
    report(1.0)
    return dataclasses.replace(run, train_loss=train_loss, answers=answers)


def _measure(tuned: Finetuned, job: Job) -> tuple[float, tuple[AnswerMarks, ...]]:
    """Loss on training entries, marks on the test entries; kept for the next time."""
    model, written, test = tuned.model, job.recipe.prompt_format, list(job.test)
    train = tuned.splits.train[: job.train_entries]
    train_loss = response_loss(model, train, prompt_format=written)
    options = {"max_new_tokens": job.max_new_tokens, "batch_size": 64}
    answered = answer_and_score(model, test, written, (EXACT, ROUGE_L), **options)
    columns = (answered.scores[name] for name in ("exact", "ROUGE-L", "stopped"))
    pairs = zip(test, answered.answers, strict=True)
    sentences = [share_of_sentences(entry["output"], answer) for entry, answer in pairs]
    losses = entry_losses(model, test, written)
    marks = tuple(
        AnswerMarks(
            int(exact),
            None if rouge is None else round(rouge, 4),
            int(stopped),
            round(nats, 4),
            tokens,
            round(told, 4),
        )
        for exact, rouge, stopped, (nats, tokens), told in zip(
            *columns, losses, sentences, strict=True
        )
    )
    text = json.dumps({"train_loss": train_loss, "answers": marks})
    write_whole(_kept_file(tuned, job), lambda path: path.write_text(text, encoding="utf-8"))
    return train_loss, marks


def share_of_sentences(wanted: str, answer: str) -> float:
    """How many of the wanted sentences the answer has, to the letter and in whatever order; 0 … 1.

    So a long answer that is right but for one fact does not count as wholly wrong. An empty text is
    wanted as a whole.
    """
    parts, told = split_sentences(wanted), split_sentences(answer)
    return fmean(part in told for part in parts) if parts else float(not told)


def entry_losses(
    model: nn.Module, entries: Sequence[Entry], prompt_format: str
) -> list[tuple[float, int]]:
    """Of each entry the loss of its response's tokens and end of text together, in nats, and how
    many they are."""
    written = get_prompt_format(prompt_format)
    prompts = [written.prompt(entry) for entry in entries]
    outputs = [written.response(entry) for entry in entries]
    sums = log_likelihood(model, prompts, outputs, with_end=True)
    examples = InstructionDataset(
        entries, tokenizer_of(model), prompt_format=prompt_format
    ).examples
    counts = [len(example.token_ids) + 1 - example.prompt_length for example in examples]
    return [(-total, count) for total, count in zip(sums, counts, strict=True)]


def _load_kept(tuned: Finetuned, job: Job) -> tuple[float, tuple[AnswerMarks, ...]] | None:
    """What ``_measure`` kept of this model on the same entries; None where there is nothing.

    A damaged file is warned of, and counts as nothing.
    """
    path = _kept_file(tuned, job)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        marks = tuple(AnswerMarks(*marks) for marks in kept["answers"])
        if len(marks) != len(job.test):
            raise ValueError(f"{len(marks)} answers to {len(job.test)} entries")
        for number in (kept["train_loss"], *(value for each in marks for value in each)):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{number} is not finite")
        if kept["train_loss"] is None or any(None in each._replace(rouge_l=0.0) for each in marks):
            raise ValueError("a number is missing")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        warnings.warn(
            f"{path} cannot be used ({explain(error)}); the run is measured again.", stacklevel=3
        )
        return None
    return kept["train_loss"], marks


def _kept_file(tuned: Finetuned, job: Job) -> Path:
    """Where a run's measurements are: named by its model, the entries and how it answered."""
    asked = json.dumps([job.test, job.train_entries, job.max_new_tokens])
    digest = hashlib.sha256(asked.encode()).hexdigest()[:16]
    return cache_folder() / "experiments" / f"{tuned.key}-{digest}.json"
