"""The interactive parts of the lessons: the batch inspector and its relatives.

Their front ends are in ``assets/front_end``; in an exported page, all but the chat run without a
kernel.
"""

from lessons_lib.widgets.annotated import LossInspector, show_token_losses, token_losses
from lessons_lib.widgets.answers import AnswerTable, show_answers
from lessons_lib.widgets.chat import ChatBox, show_chat
from lessons_lib.widgets.comparison import (
    BatchComparison,
    PaddingRace,
    compare_batches,
    race_padding,
)
from lessons_lib.widgets.funnel import FunnelView, show_funnel
from lessons_lib.widgets.inspector import BatchInspector, inspect_batch
from lessons_lib.widgets.labels import LabelInspector, inspect_labels
from lessons_lib.widgets.payload import InspectorError

__all__ = [
    "BatchInspector",
    "inspect_batch",
    "BatchComparison",
    "compare_batches",
    "LossInspector",
    "show_token_losses",
    "token_losses",
    "PaddingRace",
    "race_padding",
    "AnswerTable",
    "show_answers",
    "FunnelView",
    "show_funnel",
    "LabelInspector",
    "inspect_labels",
    "ChatBox",
    "show_chat",
    "InspectorError",
]
