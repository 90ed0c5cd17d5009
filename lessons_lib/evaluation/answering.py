"""A model answers entries, and scorers score the answers: one call for both. Lessons 09 and 11."""

from collections.abc import Sequence

from torch import nn

from lessons_lib.data import Entry, PromptFormat
from lessons_lib.evaluation.scorers import EXACT, LENIENT, Scorer
from lessons_lib.evaluation.scores import Scores, score_answers
from lessons_lib.generation import generate_responses


def answer_and_score(
    model: nn.Module,
    entries: Sequence[Entry],
    prompt_format: str | PromptFormat = "alpaca",
    scorers: Sequence[Scorer] = (EXACT, LENIENT),
    *,
    families: Sequence[str] | None = None,
    **options,
) -> Scores:
    """The model's answers to entries, scored; "stopped" says which of them it ended by itself.

    ``options`` are those of ``generate_responses``.

    Raises:
        As ``generate_responses`` and ``score_answers``.
    """
    answers = generate_responses(model, entries, prompt_format, **options)
    texts, stopped = [each.text for each in answers], [each.stopped for each in answers]
    return score_answers(entries, texts, scorers, stopped=stopped, families=families)
