"""The sizes of the lessons' long cells, in one place.

``LESSONS_LIB_QUICK=1``, which only tests set, shrinks them, so that a lesson runs from top to
bottom in seconds; it changes nothing else. What a shrunk run shows is no result.
"""

import os
from dataclasses import dataclass, replace

from lessons_lib.model import GPTConfig


@dataclass(frozen=True)
class Recipe:
    """A training run: the model's sizes, and how it is trained."""

    model: GPTConfig
    epochs: int
    learning_rate: float
    batch_size: int = 8
    evaluate_every: int = 58
    max_steps: int | None = None


RECIPES = {
    # Lesson 09, from random weights on the responses of 935 entries: about a minute on two cores.
    "first-run": Recipe(
        GPTConfig(context_length=256, width=128, layers=2, heads=4), epochs=6, learning_rate=1e-3
    ),
}


def is_quick() -> bool:
    """Whether this is a shrunk run, whose results say nothing."""
    return os.environ.get("LESSONS_LIB_QUICK") == "1"


def get_recipe(name: str) -> Recipe:
    """The recipe of this name; shrunk to a few steps in a quick run.

    Raises:
        KeyError: there is no such recipe.
    """
    recipe = RECIPES[name]
    return replace(recipe, epochs=1, max_steps=6, evaluate_every=3) if is_quick() else recipe
