"""How likely a model finds an answer: the log-likelihood of its tokens after a prompt. Lesson 10.

Works for every model of the course, with its own tokenizer.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lessons_lib.batching import Example, InstructionCollator
from lessons_lib.batching.dataset import common_prefix_length
from lessons_lib.data import (
    IGNORE_INDEX,
    Tokenizer,
    end_of_text_of,
    row_end_ids,
    text_ids,
    tokenizer_of,
)
from lessons_lib.models import LanguageModel
from lessons_lib.models.protocol import evaluation_mode
from lessons_lib.support.devices import device_of
from lessons_lib.training import live_losses


def log_likelihood(
    model: LanguageModel,
    prompts: Sequence[str],
    answers: Sequence[str],
    *,
    per_token: bool = False,
    with_end: bool = False,
    batch_size: int = 16,
    tokenizer: Tokenizer | None = None,
    on_batch: Callable[[int], object] = lambda count: None,
) -> list[float]:
    """The natural logarithm of each answer's probability after its prompt, 0 or less.

    ``per_token`` divides it by the number of the answer's tokens, so that long answers can be
    compared with short ones; ``with_end`` counts the end of text after the answer as well. A token
    that straddles prompt and answer counts as the answer's. An empty prompt stands for the start
    of a text, which a model knows as what follows the token that begins texts, or, where there is
    none, an end of text. The tokenizer is the model's own, if not given. ``on_batch(count)`` is
    called after each batch with how many answers it held. The model is left in the mode in which
    it came.

    Raises:
        ValueError: prompts and answers differ in number, an answer is empty (without ``with_end``),
            or a pair is longer than the model's context. TypeError: one text instead of a list.
    """
    if isinstance(prompts, str) or isinstance(answers, str):
        raise TypeError("prompts and answers are lists of texts; put a single one into [ ]")
    if len(prompts) != len(answers):
        raise ValueError(
            f"{len(prompts)} prompts and {len(answers)} answers; each prompt needs one"
        )
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, not {batch_size}")
    tokenizer = tokenizer or tokenizer_of(model)
    pairs = zip(prompts, answers, strict=True)
    examples = [_example(i, *pair, tokenizer) for i, pair in enumerate(pairs)]
    for example in examples:
        _check(example, model, with_end)
    collator = InstructionCollator("prompt", **row_end_ids(tokenizer))
    by_length = sorted(examples, key=lambda example: len(example.token_ids))
    found = [0.0] * len(examples)
    with evaluation_mode(model):
        for start in range(0, len(by_length), batch_size):
            rows = by_length[start : start + batch_size]
            sums, counts = _of_batch(model, collator, rows, with_end)
            values = (sums / counts if per_token else sums).tolist()
            for row, value in zip(rows, values, strict=True):
                found[row.index] = value
            on_batch(len(rows))
    return found


def _example(index: int, prompt: str, answer: str, tokenizer: Tokenizer) -> Example:
    """Prompt and answer as one row, with at least one token before the answer."""
    token_ids = text_ids(prompt + answer, tokenizer)
    prompt_length = common_prefix_length(text_ids(prompt, tokenizer), token_ids)
    if prompt_length == 0:
        token_ids, prompt_length = [end_of_text_of(tokenizer), *token_ids], 1
    return Example(token_ids, prompt_length, prompt_length, index)


def _check(example: Example, model: LanguageModel, with_end: bool) -> None:
    length = len(example.token_ids)
    if length == example.prompt_length and not with_end:
        raise ValueError(f"answer {example.index} is empty: there is no token to measure")
    if length > model.context_length:
        raise ValueError(
            f"prompt and answer {example.index} have {length} tokens together; this model reads "
            f"{model.context_length} at most"
        )


def _of_batch(
    model: LanguageModel, collator: InstructionCollator, rows: list[Example], with_end: bool
) -> tuple[Tensor, Tensor]:
    """For each row the sum of its answer's log-probabilities, and their number: (rows,) twice."""
    batch = collator(rows)  # inputs and targets: (rows, length)
    if not with_end:
        ends = [len(row.token_ids) - 1 for row in rows]  # where a row predicts its end of text
        batch.targets[torch.arange(len(rows)), ends] = IGNORE_INDEX
    losses, _, _ = live_losses(model, batch.to(device_of(model)))  # (n,), row by row
    row_of = (batch.targets != IGNORE_INDEX).nonzero()[:, 0]  # (n,)
    sums = torch.zeros(len(rows), dtype=torch.float64)
    sums.index_add_(0, row_of, -losses.cpu().double())
    return sums, row_of.bincount(minlength=len(rows))
