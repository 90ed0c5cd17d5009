"""Exercises of lesson 14: labels for models that shift them, a linter, Alpaca's labels, LoRA.

Each file holds one exercise; the linter has its rows and its functions in two more.
"""

from lessons_lib.exercises.bridges.alpaca_preprocess import ALPACA_PREPROCESS
from lessons_lib.exercises.bridges.labels_that_shift import LABELS_THAT_SHIFT
from lessons_lib.exercises.bridges.lora_by_hand import LORA_BY_HAND
from lessons_lib.exercises.bridges.name_the_fault import NAME_THE_FAULT

__all__ = ["LABELS_THAT_SHIFT", "NAME_THE_FAULT", "ALPACA_PREPROCESS", "LORA_BY_HAND"]
