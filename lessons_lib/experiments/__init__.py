"""Measurements that the lessons report: a model before and after fine-tuning, saved figures.

The large experiment on masking has a room of its own, ``masking``.
"""

from lessons_lib.experiments.added_data import with_and_without
from lessons_lib.experiments.before_after import before_and_after
from lessons_lib.experiments.masking import run_masking_experiment
from lessons_lib.experiments.saved_figures import (
    efficiency_table,
    formats_table,
    gpt4_table,
    load_figures,
    lora_table,
    race_table,
    rates_table,
    real_table,
    save_figures,
)

__all__ = [
    "before_and_after",
    "with_and_without",
    "run_masking_experiment",
    "gpt4_table",
    "race_table",
    "real_table",
    "rates_table",
    "efficiency_table",
    "lora_table",
    "formats_table",
    "load_figures",
    "save_figures",
]
