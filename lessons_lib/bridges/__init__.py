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

__all__ = [
    "make_supervised_data_module",
    "SupervisedDataset",
    "DataCollatorForSupervisedDataset",
    "preprocess",
    "smart_tokenizer_and_embedding_resize",
    "DataArguments",
]
