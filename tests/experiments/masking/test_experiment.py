"""The masking experiment: how it chooses, that it goes on where it was, that it repeats itself."""

import dataclasses
import json
import math

import pytest
import torch

from lessons_lib.experiments.masking import experiment, run_masking_experiment, runs
from lessons_lib.experiments.masking.runs import (
    AnswerMarks,
    Job,
    MaskingRun,
    entry_losses,
    make_run,
    mode_name,
    share_of_sentences,
    with_mode,
)
from lessons_lib.experiments.masking.settings import Setting
from lessons_lib.training import Recipe, load_or_finetune, response_loss
from tests.helpers.toys import number_entries, tiny_model, tiny_recipe

ENTRIES = number_entries(40)  # 34 to train on, 4 to test, 2 to validate
pytestmark = pytest.mark.usefixtures("cache")
TINY = {"max_new_tokens": 4, "workers": 1, "progress": False}


@pytest.fixture
def recipe(tmp_path) -> Recipe:
    return tiny_recipe(tmp_path, ENTRIES, epochs=1, evaluate_every=9)


@pytest.fixture
def trained(monkeypatch):
    """The recipes of all models that were trained, none from the cache."""
    made = []
    real = runs.load_or_finetune

    def noting(recipe, **options):
        tuned = real(recipe, **options)
        if not tuned.from_cache:
            made.append((recipe.instruction_mask, recipe.learning_rate, recipe.seed))
        return tuned

    monkeypatch.setattr(runs, "load_or_finetune", noting)
    return made


def test_each_mode_is_measured_with_all_seeds_at_its_chosen_rate(recipe, trained):
    rates = (1e-3, 1e-2)
    found = run_masking_experiment(
        ("none", "prompt"), (1, 2, 3), rates, recipe=recipe, selection_seeds=2, **TINY
    )
    assert found.modes == ["none", "prompt"]
    for mode in found.modes:
        tried = [run for run in found.runs if run.mode == mode]
        assert len(tried) == 2 * 2 + 1, "two seeds at each rate, and the third at the chosen one"
        chosen = found.chosen_runs(mode)
        assert [run.seed for run in chosen] == [1, 2, 3]
        assert {len(run.answers) for run in chosen} == {4}
        losses = {
            rate: sum(r.validation_loss for r in tried if r.learning_rate == rate and r.seed < 3)
            for rate in rates
        }
        assert found.rate(mode) == min(losses, key=losses.get)
    assert len(trained) == len(set(trained)) == 10, "no run is made twice"


def test_epochs_are_chosen_as_rates_are_by_the_entries_given(recipe, trained):
    rates, epochs, choosing = (1e-3, 1e-2), (1, 3), ENTRIES[:5]
    found = run_masking_experiment(
        ("none", "prompt"), (1,), rates, recipe=recipe, epochs=epochs, choosing=choosing, **TINY
    )
    assert found.about["epochs"] == [1, 3] and found.about["choosing_entries"] == 5
    for mode in found.modes:
        tried = {Setting.of(run): run.validation_loss for run in found.runs if run.mode == mode}
        assert set(tried) == {(number, rate) for number in epochs for rate in rates}
        assert found.setting(mode) == min(tried, key=tried.get)
        chosen = with_mode(
            dataclasses.replace(recipe, **found.setting(mode)._asdict(), seed=1), mode
        )
        tuned = load_or_finetune(chosen, device="cpu", progress=False)
        assert tuned.from_cache, "trained for as many epochs"
        assert tried[found.setting(mode)] == response_loss(tuned.model, choosing)
    assert len(trained) == 8


def test_test_entries_are_measured_for_chosen_runs_alone(recipe, monkeypatch):
    measured = []
    real = runs._measure

    def noting(tuned, job):
        measured.append((tuned.recipe.learning_rate, tuned.recipe.seed))
        return real(tuned, job)

    monkeypatch.setattr(runs, "_measure", noting)
    found = run_masking_experiment(("prompt",), (1, 2), (1e-3, 1e-2), recipe=recipe, **TINY)
    assert measured == [(found.rate("prompt"), 1), (found.rate("prompt"), 2)]


def test_cut_off_it_goes_on_where_it_was(recipe, trained, monkeypatch):
    arguments = (("none", "prompt"), (1, 2), (1e-2,))
    real, calls = runs.make_run, []

    def cut_off(job, report):
        calls.append(job)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(job, report)

    monkeypatch.setattr(experiment, "make_run", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run_masking_experiment(*arguments, recipe=recipe, **TINY)
    assert len(trained) == 2
    monkeypatch.setattr(experiment, "make_run", real)
    went_on = run_masking_experiment(*arguments, recipe=recipe, **TINY)
    assert len(trained) == 4, "the two finished runs were not made again"
    trained.clear()
    monkeypatch.setattr(runs, "_measure", lambda tuned, job: pytest.fail("measured again"))
    assert run_masking_experiment(*arguments, recipe=recipe, **TINY) == went_on
    assert not trained


def test_an_interrupted_run_is_not_taken_for_a_result(recipe, cache):
    def stop_early(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_run(Job("prompt", recipe, tuple(ENTRIES[:2])), stop_early)
    assert not list(cache.glob("models/*/model.safetensors"))
    assert not (cache / "experiments").exists()


def test_two_processes_give_the_numbers_of_one(recipe, tmp_path, monkeypatch):
    arguments = (("none", 0.1), (1,), (1e-3, 1e-2))
    options = {**TINY, "recipe": recipe, "threads": 1}
    alone = run_masking_experiment(*arguments, **options)
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(tmp_path / "other"))
    assert run_masking_experiment(*arguments, **{**options, "workers": 2}) == alone


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:40],
        lambda text: "[]",
        lambda text: "null",
        lambda text: "[" * 100_000,
        lambda text: '{"train_loss": 1.0, "answers": [[1, 1.0, 1, 1.0, 4]]}',
        lambda text: text.replace("[1, ", '["1", ').replace("[0, ", '["0", '),
        lambda text: json.dumps(json.loads(text) | {"train_loss": "0.5"}),
        lambda text: json.dumps(json.loads(text) | {"train_loss": math.nan}),
        lambda text: json.dumps(json.loads(text) | {"train_loss": None}),
        lambda text: text.encode("utf-16"),
    ],
)
def test_a_damaged_measurement_is_told_and_measured_again(recipe, cache, damage):
    job = Job("prompt", recipe, tuple(ENTRIES[:2]), max_new_tokens=4)
    first = make_run(job)
    (kept,) = (cache / "experiments").iterdir()
    damaged = damage(kept.read_text())
    kept.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    with pytest.warns(UserWarning, match=f"{kept.name} cannot be used .* measured again"):
        assert make_run(job) == first
    assert json.loads(kept.read_text())["train_loss"] == first.train_loss


def test_other_test_entries_are_measured_anew(recipe):
    few, more = (
        make_run(Job("prompt", recipe, tuple(ENTRIES[:count]), max_new_tokens=4))
        for count in (2, 3)
    )
    assert [len(run.answers) for run in (few, more)] == [2, 3]
    for one, other in zip(few.answers, more.answers[:2], strict=True):
        # A batch of three is summed in another order than one of two, and the loss is kept with
        # four decimals: the last of them may be rounded the other way.
        assert one._replace(nats=0.0) == other._replace(nats=0.0)
        assert one.nats == pytest.approx(other.nats, rel=0, abs=1.01e-4)


def test_entry_losses_add_up_to_the_response_loss():
    torch.manual_seed(0)
    model = tiny_model(50_257, context_length=64)
    losses = entry_losses(model, ENTRIES, "alpaca")
    mean = sum(nats for nats, _ in losses) / sum(tokens for _, tokens in losses)
    assert mean == pytest.approx(response_loss(model, ENTRIES), rel=1e-5)


def test_a_runs_test_loss_counts_each_token_the_same():
    answers = (AnswerMarks(1, 1.0, 1, 2.0, 1), AnswerMarks(0, 0.5, 1, 4.0, 3))
    assert MaskingRun("none", 1, 1e-3, 1, 0.5, 0.2, answers).test_loss == 6 / 4


@pytest.mark.parametrize(
    ("mode", "name", "mask", "weight"),
    [
        ("none", "none", "none", None),
        ("keep-header", "keep-header", "keep-header", None),
        (0.1, "weight 0.1", "none", 0.1),
        (0, "weight 0", "none", 0.0),
    ],
)
def test_a_mode_is_a_mask_or_a_weight(recipe, mode, name, mask, weight):
    base = dataclasses.replace(recipe, instruction_mask="none", prompt_loss_weight=0.5)
    changed = with_mode(base, mode)
    assert (changed.instruction_mask, changed.prompt_loss_weight) == (mask, weight)
    assert mode_name(mode) == name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modes": ("half",)}, "a mode is one of 'none', 'keep-header', 'prompt', or a weight"),
        ({"modes": (1.5,)}, "from 0 to 1, not 1.5"),
        ({"modes": ()}, "there are no modes"),
        ({"modes": ("none", "none")}, "the modes name one twice: none, none"),
        ({"seeds": ()}, "there are no seeds"),
        ({"seeds": (1, 1)}, "the seeds name one twice: 1, 1"),
        ({"learning_rates": ()}, "there are no learning rates of 'prompt'"),
        ({"learning_rates": {"none": [1e-3]}}, "learning_rates names no rate for 'prompt'"),
        ({"epochs": ()}, "there are no numbers of epochs"),
        ({"epochs": (2, 2)}, "the numbers of epochs name one twice: 2, 2"),
        ({"selection_seeds": 0}, "selection_seeds must be 1 or more"),
        ({"test": []}, "there is no test entry"),
        ({"workers": 0}, "1 or more"),
    ],
)
def test_faulty_options_are_refused_before_anything_is_trained(recipe, trained, changes, message):
    options = {"modes": ("prompt",), "seeds": (1,), "learning_rates": (1e-3,), **TINY}
    with pytest.raises(ValueError, match=message):
        run_masking_experiment(recipe=recipe, **{**options, **changes})
    assert not trained


def test_a_shrunk_run_measures_six_entries_and_is_no_result(recipe, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_QUICK", "1")
    options = {**TINY, "recipe": recipe, "test": ENTRIES[:6]}
    found = run_masking_experiment(("prompt",), (1,), (1e-3,), **{**options, "test": ENTRIES})
    assert found.entries == 6
    monkeypatch.delenv("LESSONS_LIB_QUICK")
    measured = []
    monkeypatch.setattr(runs, "response_loss", lambda *_, **__: measured.append(1) or 0.5)
    run_masking_experiment(("prompt",), (1,), (1e-3,), **options)
    assert measured, "measured anew, on more of the training entries"


@pytest.mark.parametrize("rates", [(1e30, 1e-2), (1e-2, 1e30)])
def test_a_rate_at_which_training_diverges_is_not_chosen(recipe, rates):
    with pytest.warns(UserWarning, match="not chosen: 'prompt' at 1e\\+30, 1 .*, seed 1$"):
        found = run_masking_experiment(("prompt",), (1,), rates, recipe=recipe, **TINY)
    assert found.rate("prompt") == 1e-2
    (diverged,) = [run for run in found.runs if run.learning_rate == 1e30]
    assert diverged.validation_loss == math.inf and not diverged.answers
    assert "diverged" in str(found.rates_table())


@pytest.mark.filterwarnings("ignore")
def test_where_every_rate_diverges_none_is_chosen(recipe):
    with pytest.raises(
        ValueError, match=r"'prompt' diverged at every learning rate .*1e\+30.*lower"
    ):
        run_masking_experiment(("prompt",), (1,), (1e29, 1e30), recipe=recipe, **TINY)


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_diverged_is_not_measured(recipe, cache):
    with pytest.raises(
        ValueError, match=r"'prompt', 1 epoch\(s\), seed 3, learning rate 1e\+30 diverged"
    ):
        run_masking_experiment(("prompt",), (3,), (1e30,), recipe=recipe, **TINY)
    assert not (cache / "experiments").exists()


def test_sentences_count_one_by_one_in_whatever_order():
    wanted = "Oslo is in Norway. Rome is in Italy. Bern is in Peru."
    assert share_of_sentences(wanted, wanted) == 1
    told = "Rome is in Italy. Oslo is in Norway. Bern is in Chile."
    assert share_of_sentences(wanted, told) == pytest.approx(2 / 3)
    assert share_of_sentences("a, b", "a, b") == 1
    assert share_of_sentences("", "") == 1 and share_of_sentences("", "Oslo.") == 0
