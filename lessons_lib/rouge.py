"""ROUGE-L: how much of a wanted text an answer has in the same order of words. Lesson 10.

For answers that can be worded in many ways, where an exact match asks too much.
"""

from collections.abc import Sequence

from lessons_lib.reading import Entry


def rouge_l(wanted: Sequence[str], answers: Sequence[str]) -> list[float]:
    """ROUGE-L's F measure of each answer, 0 … 1: 1 where all words agree, in their order.

    Words are runs of letters a to z and digits, in lower case, not stemmed; all else is passed
    over. Of texts in another script nothing is left, and two empty texts score 0.

    Raises:
        ValueError: not one answer a wanted text. ImportError: rouge-score is not installed.

    Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004; as computed by
    the package rouge-score.
    """
    from rouge_score.rouge_scorer import RougeScorer

    if len(wanted) != len(answers):
        raise ValueError(f"{len(wanted)} wanted texts and {len(answers)} answers: one each")
    scorer = RougeScorer(["rougeL"])
    return [
        float(scorer.score(text, answer)["rougeL"].fmeasure)
        for text, answer in zip(wanted, answers, strict=True)
    ]


def rouge_l_of(entries: Sequence[Entry], answers: Sequence[str]) -> list[float]:
    """ROUGE-L of each answer to an entry, against the entry's output."""
    return rouge_l([entry["output"] for entry in entries], answers)
