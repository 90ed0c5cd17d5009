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
from lessons_lib.bridges.cards import RunError, how_to_publish, write_cards
from lessons_lib.bridges.double_shift import learn_to_count, losses_by_labels
from lessons_lib.bridges.lora import (
    LoRALinear,
    add_lora,
    count_trained,
    load_lora,
    merge_lora,
    save_lora,
)
from lessons_lib.bridges.messages import from_messages, to_messages
from lessons_lib.bridges.rows import (
    from_prompt_completion,
    to_alpaca,
    to_prompt_completion,
    write_rows,
)
from lessons_lib.bridges.trainers import (
    in_transformers,
    labelled_rows,
    logged_losses,
    rows_of_loader,
    tokenizer_in_transformers,
    trainer_options,
)
from lessons_lib.labels import lint_labels
from lessons_lib.widgets import inspect_labels

__all__ = [
    "add_lora",
    "alpaca_differences",
    "count_trained",
    "DataArguments",
    "DataCollatorForSupervisedDataset",
    "from_messages",
    "from_prompt_completion",
    "how_to_publish",
    "in_transformers",
    "inspect_labels",
    "labelled_rows",
    "learn_to_count",
    "lint_labels",
    "load_lora",
    "logged_losses",
    "LoRALinear",
    "losses_by_labels",
    "make_supervised_data_module",
    "merge_lora",
    "preprocess",
    "rows_of_loader",
    "RunError",
    "save_lora",
    "smart_tokenizer_and_embedding_resize",
    "SupervisedDataset",
    "to_alpaca",
    "to_messages",
    "to_prompt_completion",
    "tokenizer_in_transformers",
    "trainer_options",
    "write_cards",
    "write_rows",
]
