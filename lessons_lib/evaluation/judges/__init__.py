"""Judges: models that score answers, here or on a server, and how far to believe them.

Lesson 10 judges them on answers whose quality is known.
"""

from lessons_lib.evaluation.comparison import length_bias, same_twice
from lessons_lib.evaluation.judges.local import (
    DigitJudge,
    LikelihoodScorer,
    LocalJudge,
    parse_score,
)
from lessons_lib.evaluation.judges.server import ServerJudge
from lessons_lib.evaluation.judges.trained import TrainedJudge, finetune_judge
from lessons_lib.evaluation.judges.verdicts import available_scorers, judge_the_judges

__all__ = [
    "judge_the_judges",
    "available_scorers",
    "length_bias",
    "same_twice",
    "LocalJudge",
    "DigitJudge",
    "LikelihoodScorer",
    "ServerJudge",
    "TrainedJudge",
    "finetune_judge",
    "parse_score",
]
