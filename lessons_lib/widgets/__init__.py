"""What a person sees and touches: the batch inspector, its relatives, a chat. Lessons 02 to 12.

Nothing of the library imports this package.
"""

from lessons_lib.widgets.answers import AnswerTable, show_answers
from lessons_lib.widgets.chat import ChatBox, show_chat
from lessons_lib.widgets.comparison import BatchComparison, compare_batches
from lessons_lib.widgets.inspector import BatchInspector, inspect_batch
from lessons_lib.widgets.losses import LossInspector, show_token_losses, token_losses
from lessons_lib.widgets.payload import InspectorError
from lessons_lib.widgets.race import PaddingRace, race_padding

__all__ = [
    "AnswerTable",
    "BatchComparison",
    "BatchInspector",
    "ChatBox",
    "InspectorError",
    "LossInspector",
    "PaddingRace",
    "compare_batches",
    "inspect_batch",
    "race_padding",
    "show_answers",
    "show_chat",
    "show_token_losses",
    "token_losses",
]
