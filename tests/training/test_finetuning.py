"""Models that are made once: what decides over them, and what may go wrong with a saved one."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import threading

import pytest
import safetensors.torch
import torch

from lessons_lib.batching import BatchError, create_loader
from lessons_lib.data import split_entries
from lessons_lib.models import GPT
from lessons_lib.support import files
from lessons_lib.support.devices import describe_device
from lessons_lib.support.files import locked
from lessons_lib.training import RECIPES, Recipe, finetuning, get_recipe, load_or_finetune, train
from lessons_lib.training.finetuning import recipe_key
from tests.helpers.servers import until
from tests.helpers.toys import TINY_CONFIG, number_entries, tiny_recipe

ENTRIES = number_entries(20)  # 17 to train on, 2 to test, 1 to validate
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    """Such small models are no faster with more, and much slower on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def recipe(tmp_path) -> Recipe:
    return tiny_recipe(tmp_path, ENTRIES, epochs=2, batch_size=4, evaluate_every=3)


@pytest.fixture
def said():
    return []


@pytest.fixture
def make(cache, said):
    """``load_or_finetune``, quiet, on the CPU; what it says goes to ``said``."""

    def run(recipe, **options):
        said.clear()
        return load_or_finetune(recipe, device="cpu", progress=False, say=said.append, **options)

    return run


def same_model(one, other) -> bool:
    first, second = one.model.state_dict(), other.model.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def forbid_training(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr(finetuning, "train", refuse)


# Once made


def test_a_model_is_made_once_and_loaded_the_next_time(make, recipe, said, monkeypatch):
    made = make(recipe)
    assert not made.from_cache
    device = describe_device(CPU)
    assert said == [f"Fine-tuning by this recipe on {device}: 17 entries, 2 epoch(s)."]
    forbid_training(monkeypatch)
    loaded = make(recipe)
    assert loaded.from_cache
    seconds = f"{made.history.seconds:.0f}"
    assert said == [f"Loaded the model of this recipe, fine-tuned before in {seconds} s."]
    assert same_model(made, loaded)
    assert loaded.history == made.history
    assert loaded.splits == made.splits == split_entries(ENTRIES)
    assert loaded.recipe == recipe and loaded.key == made.key
    assert not made.model.training and not loaded.model.training


def test_entries_written_by_a_program_are_given_beside_the_recipe(make, recipe):
    named = dataclasses.replace(recipe, entries="no file of this name")
    whole = split_entries(ENTRIES)
    made = make(named, splits=whole)
    assert made.splits == whole and same_model(made, make(recipe))
    assert make(named, splits=whole).from_cache, "the entries decide, whatever they are called"
    fewer = whole._replace(train=whole.train[:8])
    assert make(named, splits=fewer).key != made.key


def test_what_is_made_is_what_train_makes_of_the_recipe(make, recipe):
    made = make(dataclasses.replace(recipe, schedule="cosine", warmup_steps=2, accumulate=2))
    torch.manual_seed(recipe.seed)
    model = GPT(TINY_CONFIG)
    loader = create_loader(
        ENTRIES[:17], 4, batching="bucketed", drop_last=True, instruction_mask="prompt"
    )
    validation = create_loader(ENTRIES[19:], shuffle=False, instruction_mask="prompt")
    history = train(
        model,
        loader,
        validation,
        epochs=2,
        learning_rate=1e-2,
        evaluate_every=3,
        schedule="cosine",
        warmup_steps=2,
        accumulate=2,
        progress=False,
    )
    assert history.learning_rates == made.history.learning_rates
    assert history.train_loss == pytest.approx(made.history.train_loss, rel=1e-5)
    assert history.validation_loss == pytest.approx(made.history.validation_loss, rel=1e-5)
    assert history.validation_loss[-1] < history.validation_loss[0]


def test_the_random_state_is_left_as_it_was_either_way(make, recipe):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    for from_cache in (False, True):
        torch.manual_seed(5)
        assert make(recipe).from_cache == from_cache
        assert torch.equal(torch.rand(3), wanted)


def test_a_pretrained_model_is_loaded_by_its_name(make, recipe):
    asked = []

    def load(name, width=8):
        asked.append(name)
        torch.manual_seed(width)
        return GPT(dataclasses.replace(TINY_CONFIG, width=width))

    recipe = dataclasses.replace(recipe, model="some-base")
    made = make(recipe, load=load)
    assert set(asked) == {"some-base"}
    assert same_model(made, make(recipe, load=load))
    other = make(recipe, load=lambda name: load(name, width=16))
    assert not other.from_cache, "other weights under the same name are another model"
    renamed = dataclasses.replace(recipe, model="copy-of-some-base")
    assert make(renamed, load=load).from_cache, "the same weights under another name are not"


def test_a_compact_vocabulary_learns_the_tokens_of_all_entries(make, recipe):
    def load(name):
        torch.manual_seed(0)
        return GPT(TINY_CONFIG, known_tokens=range(1000))

    recipe = dataclasses.replace(recipe, model="compact")
    made = make(recipe, load=load)
    known = set(made.model.token_embedding.token_ids.tolist())
    written = {
        token
        for part in made.splits
        for example in create_loader(part).dataset
        for token in example.token_ids
    }
    assert written - set(range(1000)), "some are new"
    assert written | {50_256} <= known
    loaded = make(recipe, load=load)
    assert loaded.from_cache and same_model(made, loaded)
    assert torch.equal(loaded.model.token_embedding.token_ids, made.model.token_embedding.token_ids)


def test_callbacks_see_the_run_and_nothing_of_a_loaded_model(make, recipe):
    steps, ends = [], []
    options = {"on_step": lambda s: steps.append(s.step), "on_end": lambda s: ends.append(s.step)}
    make(recipe, **options)
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8] and ends == [8]
    make(recipe, **options)
    assert len(steps) == 8


def test_a_run_that_a_callback_stopped_is_not_the_recipes_model(make, recipe, said):
    stopped = make(recipe, on_step=lambda state: state.stop("enough"))
    assert stopped.history.steps == 1 and "A run that was stopped early is not kept" in said[-1]
    whole = make(recipe)
    assert not whole.from_cache and whole.history.steps == 8


def test_entries_longer_than_the_context_are_cut_or_left_out(make, recipe, tmp_path):
    long = {"instruction": "Count.", "input": "", "output": "one two three " * 60}
    lost = {"instruction": "Count. " * 90, "input": "", "output": "one"}
    path = tmp_path / "long.json"
    path.write_text(json.dumps([long, lost, *ENTRIES]), encoding="utf-8")
    with pytest.warns(UserWarning, match=r"^1 of 18 training entries are left out \(entry 1: its"):
        made = make(dataclasses.replace(recipe, entries=str(path), drop_last=False))
    assert made.history.steps == 2 * 5  # 17 of 18 entries by 4
    path.write_text(json.dumps([*ENTRIES, lost, lost]), encoding="utf-8")
    with pytest.warns(UserWarning, match="no validation: none of 2 entries has room"):
        made = make(dataclasses.replace(recipe, entries=str(path)))
    assert made.history.steps and not made.history.validation_loss
    path.write_text(json.dumps([lost] * 3), encoding="utf-8")
    with pytest.raises(BatchError, match="none of 2 entries has room"):
        make(dataclasses.replace(recipe, entries=str(path)))


# What decides


def test_everything_that_decides_has_a_part_in_the_key(recipe, monkeypatch):
    splits, model = split_entries(ENTRIES), GPT(TINY_CONFIG)
    changed = [{**ENTRIES[0], "output": "It is one."}, *ENTRIES[1:]]
    key = recipe_key(recipe, splits, model)
    keys = {key, recipe_key(recipe, split_entries(changed), model)}
    keys.add(recipe_key(recipe, split_entries(ENTRIES, train=0.8), model))
    changes = [{"learning_rate": 2e-2}, {"epochs": 3}, {"seed": 1}, {"instruction_mask": "none"}]
    changes += [{"prompt_format": "phi3"}, {"batching": "shuffled"}, {"max_steps": 4}]
    keys |= {recipe_key(dataclasses.replace(recipe, **c), splits, model) for c in changes}
    with torch.no_grad():
        model.final_norm.bias[0] = 1e-3
    keys.add(recipe_key(recipe, splits, model))
    with torch.no_grad():
        model.final_norm.bias[0] = 0.0
    monkeypatch.setattr(finetuning, "CODE_VERSION", finetuning.CODE_VERSION + 1)
    keys.add(recipe_key(recipe, splits, model))
    assert len(keys) == 3 + len(changes) + 2
    monkeypatch.undo()
    assert recipe_key(recipe, splits, model) == key
    elsewhere = dataclasses.replace(recipe, entries="elsewhere.json")
    assert recipe_key(elsewhere, splits, model) == key, "where the entries were does not matter"


def test_known_tokens_have_a_part_in_the_key(recipe):
    splits = split_entries(ENTRIES)
    keys = []
    for known in (range(10), range(10, 20)):
        torch.manual_seed(0)
        keys.append(recipe_key(recipe, splits, GPT(TINY_CONFIG, known_tokens=known)))
    assert keys[0] != keys[1]


def test_a_quick_run_is_kept_apart_from_a_whole_one(make, monkeypatch):
    monkeypatch.setitem(RECIPES, "tiny", Recipe(TINY_CONFIG, epochs=2, learning_rate=1e-3))
    monkeypatch.setenv("LESSONS_LIB_QUICK", "1")
    quick = make("tiny")
    assert quick.history.steps == 6
    assert make("tiny").from_cache
    monkeypatch.delenv("LESSONS_LIB_QUICK")
    whole = recipe_key(get_recipe("tiny"), quick.splits, GPT(TINY_CONFIG))
    assert whole != quick.key


def test_an_unknown_recipe(make):
    with pytest.raises(KeyError, match="lesson-99"):
        make("lesson-99")


# What may go wrong


def cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def flip(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def swap(folder):
    """Whole and with a right checksum, but the weights of another model."""
    content = safetensors.torch.save(GPT(dataclasses.replace(TINY_CONFIG, width=16)).state_dict())
    (folder / "model.safetensors").write_bytes(content)
    change_notes(folder, sha256=hashlib.sha256(content).hexdigest())


def change_notes(folder, **changes):
    path = folder / "notes.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


DAMAGES = {
    "cut weights": cut,
    "one wrong bit": flip,
    "other weights": swap,
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "no notes": lambda folder: (folder / "notes.json").unlink(),
    "empty notes": lambda folder: (folder / "notes.json").write_text("", encoding="utf-8"),
    "notes are a list": lambda folder: (folder / "notes.json").write_text("[]", encoding="utf-8"),
    "no history": lambda folder: change_notes(folder, history={}),
    "an odd history": lambda folder: change_notes(folder, history=[1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_made_again(make, recipe, cache, said, damage, monkeypatch):
    made = make(recipe)
    DAMAGES[damage](cache / "models" / made.key)
    again = make(recipe)
    assert not again.from_cache
    [sentence, _] = said
    assert sentence.startswith("The saved model of this recipe cannot be used (")
    assert sentence.endswith("); it is made again.")
    assert str(cache) not in sentence and "\n" not in sentence
    assert same_model(made, again)
    forbid_training(monkeypatch)
    assert same_model(make(recipe), made)


def test_a_folder_that_cannot_be_written_does_without(tmp_path, monkeypatch, make, recipe, said):
    """Below a file no folder can be made, not even by root."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(tmp_path / "file" / "cache"))
    first, second = make(recipe), make(recipe)
    assert not first.from_cache and not second.from_cache
    assert same_model(first, second)
    assert "cannot be kept, because the cache folder cannot be written to" in said[-1]
    assert str(tmp_path) not in said[-1]


def test_a_model_in_a_folder_that_cannot_be_written_is_still_loaded(
    make, recipe, said, monkeypatch
):
    made = make(recipe)

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files, "FileLock", refuse)
    assert same_model(make(recipe), made)
    assert len(said) == 1 and said[0].startswith("Loaded")


@pytest.mark.parametrize("before", [False, True], ids=["new", "in the place of a damaged one"])
def test_a_model_is_written_whole_or_not_at_all(make, recipe, cache, said, monkeypatch, before):
    if before:
        cut(cache / "models" / make(recipe).key)
    real = os.rename

    def full(source, target):
        if os.path.basename(source) == "new":
            raise OSError(28, "No space left on device")
        return real(source, target)

    monkeypatch.setattr(files.os, "rename", full)
    made = make(recipe)
    assert "(no space left on device)" in said[-1]
    assert made.history.steps == 8, "the model is there all the same"
    left = {path.name for path in (cache / "models").iterdir() if path.suffix != ".lock"}
    assert left == ({made.key} if before else set()), "what was there stays, and nothing half-made"
    monkeypatch.setattr(files.os, "rename", real)
    assert not make(recipe).from_cache, "the damaged one is not taken for whole"


def test_what_a_killed_process_left_is_cleared(make, recipe, cache):
    made = make(recipe)
    folder = cache / "models"
    cut(folder / made.key)
    left = folder / ".part-0123456789abcdef"
    left.mkdir()
    (left / ".lock").touch()
    (left / "model.safetensors").write_bytes(b"half")
    make(recipe)
    assert not left.exists()
    assert {path.name for path in folder.iterdir()} - {f"{made.key}.lock"} == {made.key}
    assert {path.name for path in (folder / made.key).iterdir()} == {
        "model.safetensors",
        "notes.json",
    }


def test_an_interrupted_run_is_not_kept(make, recipe, cache, said, capsys):
    def press(state):
        if state.step == 5:
            raise KeyboardInterrupt

    made = make(recipe, on_step=press)
    assert made.history.interrupted and made.history.kept_step == 3
    assert "An interrupted run is not kept" in said[-1]
    assert "Interrupted after 5 of 8 steps" in capsys.readouterr().out
    assert not make(recipe).from_cache


# Several processes


def test_the_lock_lets_one_in_and_the_other_wait(cache):
    said, order = [], []

    def other():
        with locked("key", said.append):
            order.append("other")

    thread = threading.Thread(target=other)
    with locked("key"):
        thread.start()
        until(lambda: said)
        order.append("first")
    thread.join(timeout=20)
    assert order == ["first", "other"]
    assert said == ["Another process is busy with this model; waiting for it."]
    with locked("another key", said.append):
        assert len(said) == 1


SCRIPT = """
import sys
from lessons_lib.models import GPTConfig
from lessons_lib.support.devices import describe_device
from lessons_lib.training import Recipe, load_or_finetune

config = GPTConfig(context_length=64, width=8, layers=1, heads=1)
recipe = Recipe(config, epochs=6, learning_rate=1e-2, batch_size=4, entries=sys.argv[1])
made = load_or_finetune(recipe, device="cpu", progress=False, say=lambda text: None)
print(made.from_cache, made.history.train_loss[-1])
"""


def test_two_processes_make_a_model_once(cache, recipe):
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, recipe.entries]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0].split() for process in both]
    assert sorted(output[0] for output in outputs) == ["False", "True"]
    assert outputs[0][1] == outputs[1][1]
