"""Mask the prompt or not: the experiment of lesson 11, from single runs to studies and charts.

Every run is seeded and kept, so an experiment that was cut off continues where it stopped.
"""

from lessons_lib.experiments.masking.changes import change_between
from lessons_lib.experiments.masking.charts import (
    describe_differences,
    describe_modes,
    draw_differences,
    draw_modes,
)
from lessons_lib.experiments.masking.claims import claims_table
from lessons_lib.experiments.masking.experiment import run_masking_experiment
from lessons_lib.experiments.masking.step_times import step_times_table, time_steps
from lessons_lib.experiments.masking.studies import committed_experiment, rerun_cell, run_study

__all__ = [
    "run_masking_experiment",
    "committed_experiment",
    "run_study",
    "rerun_cell",
    "describe_differences",
    "describe_modes",
    "draw_differences",
    "draw_modes",
    "claims_table",
    "change_between",
    "time_steps",
    "step_times_table",
]
