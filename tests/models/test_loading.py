"""Saving and loading the course's own model files; damage is named, never half-loaded."""

import pytest
import torch

from lessons_lib.models import GPT, GPTConfig, keep_model, load_model, read_about
from lessons_lib.models.loading import (
    BUNDLED_MODELS,
    DamagedModelError,
    read_model,
    save_compact,
    write_model,
)
from lessons_lib.support import CheckpointError
from lessons_lib.support.paths import models_folder

CONFIG = GPTConfig(vocabulary_size=50, context_length=16, width=8, layers=1, heads=2)
INPUTS = torch.tensor([[3, 9, 4, 11]])


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(1)
    model = GPT(CONFIG, known_tokens=[3, 4, 7]).eval()
    path = tmp_path / "models" / "small.safetensors"
    save_compact(model, path, {"seed": 5})
    return model, path


def test_the_learners_own_model_is_found_by_name(saved, work, capsys):
    with pytest.raises(CheckpointError, match="no model 'mine'.*lesson 00 makes yours"):
        load_model("mine")
    keep_model(saved[0])
    assert 'Kept as my_work/my_model.safetensors; load_model("mine")' in capsys.readouterr().out
    torch.testing.assert_close(load_model("mine")(INPUTS), saved[0](INPUTS), atol=2e-3, rtol=0)


def test_a_model_that_cannot_be_kept_is_one_sentence(saved, work, capsys):
    work.write_text("a file where the folder should be", encoding="utf-8")
    keep_model(saved[0])
    assert "could not be kept in my_work/my_model.safetensors" in capsys.readouterr().out


def test_a_model_comes_back_in_half_precision(saved):
    model, path = saved
    loaded = load_model(path)
    assert not loaded.training and loaded.config == CONFIG
    torch.testing.assert_close(loaded(INPUTS), model(INPUTS), atol=2e-3, rtol=0)
    assert {weight.dtype for weight in loaded.parameters()} == {torch.float32}
    assert read_about(path) == {"seed": 5}


def test_weights_that_fit_half_precision_come_back_exactly(saved, tmp_path):
    model = saved[0].half().float()
    save_compact(model, tmp_path / "exact.safetensors")
    assert torch.equal(load_model(tmp_path / "exact.safetensors")(INPUTS), model(INPUTS))


def test_added_tokens_keep_their_rows(saved, tmp_path):
    model = saved[0].half().float()
    model.add_tokens([1, 9])
    with torch.no_grad():
        model.token_embedding.weight[-2] = 1  # token 9's
    save_compact(model, tmp_path / "grown.safetensors")
    assert torch.equal(load_model(tmp_path / "grown.safetensors")(INPUTS), model(INPUTS))


def test_a_full_vocabulary_is_kept_too(tmp_path):
    model = GPT(CONFIG).half().float()
    save_compact(model, tmp_path / "full.safetensors")
    assert torch.equal(load_model(tmp_path / "full.safetensors")(INPUTS), model(INPUTS))


def test_a_missing_model_says_what_to_do(tmp_path):
    with pytest.raises(CheckpointError, match="'base', 'base-without-facts'.*or the path"):
        load_model(tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize(
    ("name", "command"),
    [("base", "`make base`"), ("base-without-facts", "`make base BASE_FLAGS=--without-facts`")],
)
def test_a_missing_base_says_how_to_make_it(tmp_path, monkeypatch, name, command):
    monkeypatch.setitem(BUNDLED_MODELS, name, tmp_path / "base.safetensors")
    with pytest.raises(CheckpointError, match=command):
        load_model(name)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_cut_off_file_is_refused_by_name(saved, keep):
    _, path = saved
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="small.safetensors is damaged"):
        load_model(path)


def test_a_file_of_something_else_is_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="no model of this course"):
        load_model(path)


def test_weights_that_do_not_fit_the_header_are_refused(saved):
    import json

    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    _, path = saved
    with safe_open(path, "pt") as file:
        header = file.metadata()
    header["config"] = json.dumps(json.loads(header["config"]) | {"layers": 2})
    save_file(load_file(path), path, header)
    with pytest.raises(CheckpointError, match="does not fit its own header"):
        load_model(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(saved, monkeypatch):
    model, path = saved
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("lessons_lib.models.loading.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_compact(model, path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.fixture
def kept(cache):
    write_model("key", {"weight": torch.ones(2)}, {"note": 1})
    assert read_model("key").notes["note"] == 1
    return models_folder() / "key"


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
@pytest.mark.parametrize("notes", [b"[]", b"{}", b"[" * 100_000, "{}".encode("utf-16"), b'"x"'])
def test_damaged_notes_of_a_kept_model_are_told(kept, notes):
    (kept / "notes.json").write_bytes(notes)
    with pytest.raises(DamagedModelError):
        read_model("key")


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
def test_a_header_of_another_form_is_refused(saved):
    from safetensors.torch import load_file, save_file

    _, path = saved
    for config in ("[" * 100_000, "[]", "3", '{"width": 8, "depth": 3}'):
        save_file(load_file(path), path, {"config": config})
        with pytest.raises(CheckpointError, match="small.safetensors is damaged or is no model"):
            load_model(path)


def test_token_ids_of_another_form_are_refused(saved):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    _, path = saved
    with safe_open(path, "pt") as file:
        header = file.metadata()
    for token_ids in ([3, 4, 50], [3, 4, 4], [-1, 3, 4], [[3], [4], [7]], 3):
        save_file(load_file(path) | {"token_ids": torch.tensor(token_ids)}, path, header)
        with pytest.raises(CheckpointError, match="small.safetensors"):
            load_model(path)
