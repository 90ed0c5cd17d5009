"""Ways out into the ecosystem: the course's entries and batches in other people's code, and back.

Whatever a library needs that not everybody has installed is imported when it is first used.
Lesson 14.
"""

from lessons_lib.bridges.cards import RunError, how_to_publish, write_cards
from lessons_lib.bridges.lora import (
    LoRALinear,
    add_lora,
    count_trained,
    load_lora,
    merge_lora,
    save_lora,
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
    "count_trained",
    "how_to_publish",
    "in_transformers",
    "inspect_labels",
    "labelled_rows",
    "lint_labels",
    "load_lora",
    "logged_losses",
    "LoRALinear",
    "merge_lora",
    "rows_of_loader",
    "RunError",
    "save_lora",
    "tokenizer_in_transformers",
    "trainer_options",
    "write_cards",
]
