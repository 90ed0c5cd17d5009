"""Losses over live targets, the loop, its checkpoints, and recipes for fine-tuning. Lesson 09.

``load_or_finetune`` saves the model that a recipe makes, so that later lessons can load it.
"""

from lessons_lib.training.checkpoints import Checkpoints
from lessons_lib.training.finetuning import Finetuned, add_entry_tokens, finetune, load_or_finetune
from lessons_lib.training.history import Callbacks, History, TrainingState
from lessons_lib.training.loop import train
from lessons_lib.training.losses import (
    batch_loss,
    evaluate_loss,
    live_losses,
    response_loss,
)
from lessons_lib.training.optimizer import make_optimizer
from lessons_lib.training.options import TrainOptions
from lessons_lib.training.recipes import RECIPES, Recipe, get_recipe

__all__ = [
    "TrainOptions",
    "train",
    "History",
    "evaluate_loss",
    "response_loss",
    "load_or_finetune",
    "finetune",
    "add_entry_tokens",
    "batch_loss",
    "live_losses",
    "Recipe",
    "get_recipe",
    "RECIPES",
    "Checkpoints",
    "make_optimizer",
    "Callbacks",
    "TrainingState",
    "Finetuned",
]
