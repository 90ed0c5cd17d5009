"""Ways out into the ecosystem: the course's entries and batches in other people's code, and back.

Whatever a library needs that not everybody has installed is imported when it is first used.
Lesson 14.
"""

from lessons_lib.bridges.alpaca import (
    DataArguments,
    DataCollatorForSupervisedDataset,
    SupervisedDataset,
    make_supervised_data_module,
    preprocess,
    smart_tokenizer_and_embedding_resize,
)
from lessons_lib.bridges.alpaca_differences import alpaca_differences
from lessons_lib.bridges.double_shift import learn_to_count, losses_by_labels
from lessons_lib.bridges.messages import from_messages, to_messages
from lessons_lib.bridges.rows import (
    from_prompt_completion,
    to_alpaca,
    to_prompt_completion,
    write_rows,
)

__all__ = [
    "make_supervised_data_module",
    "SupervisedDataset",
    "DataCollatorForSupervisedDataset",
    "preprocess",
    "smart_tokenizer_and_embedding_resize",
    "DataArguments",
    "alpaca_differences",
    "losses_by_labels",
    "learn_to_count",
    "to_alpaca",
    "to_messages",
    "from_messages",
    "to_prompt_completion",
    "from_prompt_completion",
    "write_rows",
]
