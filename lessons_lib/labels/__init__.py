"""Anybody's labels: read from any trainer's batch, and judged by a linter. Lesson 14.

What is read here is shown by the inspector of labels in ``widgets``; ``bridges`` offers both.
"""

from lessons_lib.labels.findings import OUT_OF_REACH, Finding, Findings
from lessons_lib.labels.linter import EXPECT, lint_labels
from lessons_lib.labels.rows import (
    REASONS,
    LabelledBatch,
    LabelledRow,
    LabelsError,
    read_labels,
)

__all__ = [
    "EXPECT",
    "OUT_OF_REACH",
    "REASONS",
    "Finding",
    "Findings",
    "LabelledBatch",
    "LabelledRow",
    "LabelsError",
    "lint_labels",
    "read_labels",
]
