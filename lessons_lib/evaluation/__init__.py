"""How good are the answers? Scorers, tables, intervals and comparisons of two models. Lesson 10.

Judges, scorers that ask a language model, have a room of their own, ``judges``.
"""

from lessons_lib.evaluation.answering import answer_and_score, refusal_rates
from lessons_lib.evaluation.comparison import compare
from lessons_lib.evaluation.embeddings import SemanticScorer, load_embedder
from lessons_lib.evaluation.intervals import Estimate, Share
from lessons_lib.evaluation.key_answers import key_answer
from lessons_lib.evaluation.report import write_csv, write_report
from lessons_lib.evaluation.scorers import (
    ROUGE_L,
    STATISTICAL,
    RankAverage,
    Scorer,
    matches_exactly,
    names_key_answer,
)
from lessons_lib.evaluation.scores import Scores, score_answers, score_responses

__all__ = [
    "score_responses",
    "Scores",
    "score_answers",
    "answer_and_score",
    "refusal_rates",
    "compare",
    "Share",
    "Estimate",
    "STATISTICAL",
    "ROUGE_L",
    "RankAverage",
    "Scorer",
    "matches_exactly",
    "names_key_answer",
    "key_answer",
    "SemanticScorer",
    "load_embedder",
    "write_report",
    "write_csv",
]
