"""Recipes: how the lessons' models are trained, on which entries and for how long. Lesson 09."""

from dataclasses import dataclass, replace

from lessons_lib.batching import InstructionMask
from lessons_lib.batching.loaders import Batching
from lessons_lib.models import GPTConfig
from lessons_lib.support import is_quick
from lessons_lib.training.options import TrainOptions


@dataclass(frozen=True)
class Recipe(TrainOptions):
    """A training run: the model, the entries, and the options of ``train``.

    ``model`` is the name or path of a pretrained model, or the sizes of one that starts from
    random weights. ``entries`` is what ``load_entries`` takes. The fields below are options
    of ``create_loader``; a prompt format is given by name, so that a recipe can be written down.
    """

    model: str | GPTConfig
    entries: str = "bundled"
    prompt_format: str = "alpaca"
    instruction_mask: InstructionMask = "prompt"
    prompt_loss_weight: float | None = None
    batch_size: int = 8
    batching: Batching = "bucketed"
    share_prefix: bool = False
    drop_last: bool = True


RECIPES = {
    # Lesson 00: a part of an epoch, so that a run takes seconds on two cores.
    "lesson-00": Recipe(
        "base",
        entries="chosen",
        epochs=1,
        max_steps=80,
        learning_rate=4e-4,
        schedule="cosine",
        warmup_steps=0.05,
        evaluate_every=80,
        share_prefix=True,
    ),
    # Lesson 09 and later ones: the pretrained base model, on the reader's choice of entries.
    "lesson-09": Recipe(
        "base",
        entries="chosen",
        epochs=3,
        learning_rate=2e-4,
        schedule="cosine",
        warmup_steps=0.05,
        evaluate_every=58,
    ),
    # Lesson 09's last part: a real model, one epoch of 117 steps.
    "lesson-09-real": Recipe(
        "smollm2",
        entries="chosen",
        epochs=1,
        learning_rate=5e-5,
        evaluate_every=59,
        drop_last=False,
        share_prefix=True,
    ),
}


def get_recipe(name: str) -> Recipe:
    """The recipe of this name; in a quick run, shrunk to a few steps.

    Raises:
        KeyError: there is no such recipe.
    """
    recipe = RECIPES[name]
    return shrunk(recipe) if is_quick() else recipe


def shrunk(recipe: Recipe) -> Recipe:
    """The recipe for a quick run, of a few steps or, for a real model, one."""
    if recipe.model == "smollm2":  # a real model's steps and validations take seconds each
        return replace(recipe, epochs=1, max_steps=1, evaluate_every=1, batch_size=2)
    return replace(recipe, epochs=1, max_steps=6, evaluate_every=3)
