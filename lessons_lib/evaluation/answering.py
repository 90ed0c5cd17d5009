"""A model answers entries: scored in one call, or its refusals counted. Lessons 09, 11 and 12."""

from collections.abc import Sequence

from torch import nn

from lessons_lib.data import Entry, PromptFormat
from lessons_lib.evaluation.intervals import Share
from lessons_lib.evaluation.scorers import EXACT, LENIENT, Scorer
from lessons_lib.evaluation.scores import Scores, score_answers
from lessons_lib.generation import generate_responses

REFUSAL = "I do not know"  # how the lesson's refusals begin


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


def refusal_rates(
    unknown: Sequence[str], before: Sequence[str], after: Sequence[str], wanted: Sequence[str]
) -> tuple[Share, Share, Share]:
    """What a habit of refusing brings, and what it costs: (admitted, denied, kept).

    ``unknown``: a new model's answers about what it cannot know; those that begin with "I do not
    know" are admitted. The others are about what was told in pretraining, in one order: the old
    model's answers, the new model's, and the answers that are wanted. Kept is counted among those
    that were exact before.

    Raises:
        ValueError: the last three lists are not equally long.
    """
    triples = list(zip(before, after, wanted, strict=True))
    had = [new == right for old, new, right in triples if old == right]
    return _refused(unknown), _refused(after), Share(sum(had), len(had))


def _refused(answers: Sequence[str]) -> Share:
    return Share(sum(text.strip().startswith(REFUSAL) for text in answers), len(answers))
