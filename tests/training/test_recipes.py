"""The sizes of long cells, and the one switch that shrinks them."""

import dataclasses
import json

import pytest

from lessons_lib.batching import create_loader
from lessons_lib.models import GPTConfig
from lessons_lib.support import is_quick
from lessons_lib.training import RECIPES, get_recipe
from lessons_lib.training.options import check_schedule
from tests.helpers.toys import ENTRIES

QUICK = "LESSONS_LIB_QUICK"


@pytest.mark.parametrize("name", RECIPES)
def test_without_the_switch_a_recipe_is_as_it_is_written(monkeypatch, name):
    monkeypatch.delenv(QUICK, raising=False)
    assert not is_quick()
    assert get_recipe(name) is RECIPES[name]


@pytest.mark.parametrize("name", RECIPES)
def test_the_switch_shrinks_a_run_and_leaves_the_model(monkeypatch, name):
    monkeypatch.setenv(QUICK, "1")
    assert is_quick()
    quick, whole = get_recipe(name), RECIPES[name]
    assert quick.epochs == 1
    assert quick.max_steps <= 10
    assert 1 <= quick.evaluate_every <= quick.max_steps, "the history still has points to plot"
    assert (quick.model, quick.learning_rate) == (whole.model, whole.learning_rate)
    assert quick.instruction_mask == whole.instruction_mask


@pytest.mark.parametrize("value", ["0", "", "yes", "true"])
def test_nothing_but_1_is_quick(monkeypatch, value):
    monkeypatch.setenv(QUICK, value)
    assert not is_quick()


def test_the_switch_is_read_at_every_call(monkeypatch):
    monkeypatch.setenv(QUICK, "1")
    assert get_recipe("lesson-09").max_steps
    monkeypatch.delenv(QUICK)
    assert get_recipe("lesson-09").max_steps is None


def test_an_unknown_recipe():
    with pytest.raises(KeyError, match="second-run"):
        get_recipe("second-run")


def test_recipes_cannot_be_changed_by_a_lesson():
    with pytest.raises(dataclasses.FrozenInstanceError):
        get_recipe("lesson-09").epochs = 100


def test_lesson_09_starts_from_the_pretrained_model_and_learns_responses():
    recipe = RECIPES["lesson-09"]
    assert recipe.model == "base"
    assert recipe.instruction_mask == "prompt"


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_followed_and_written_down(name):
    recipe = RECIPES[name]
    check_schedule(recipe.schedule, recipe.warmup_steps, recipe.final_share)
    create_loader(
        ENTRIES * 2,
        recipe.batch_size,
        batching=recipe.batching,
        drop_last=recipe.drop_last,
        prompt_format=recipe.prompt_format,
        instruction_mask=recipe.instruction_mask,
        prompt_loss_weight=recipe.prompt_loss_weight,
    )
    written = json.loads(json.dumps(dataclasses.asdict(recipe)))
    if not isinstance(recipe.model, str):
        written["model"] = GPTConfig(**written["model"])
    assert type(recipe)(**written) == recipe
