"""Checkpoints: whole or not there, checked when read, and a resumed run ends as a whole one."""

import json
import multiprocessing
import os
import shutil
import signal
import warnings

import pytest
import torch

from lessons_lib.batching import InstructionDataset
from lessons_lib.checkpoints import CheckpointError
from lessons_lib.loaders import create_loader
from lessons_lib.resuming import Checkpoints
from lessons_lib.training import train
from tests.toys import ENTRIES, LetterTokenizer, tiny_model

EPOCHS = 3


def run(folder, *, every=2, resume=False, stop_at=None, decisive=None, on_step=None, **options):
    """Three epochs of five entries in batches of two, with dropout; the model and its history."""
    model = tiny_model(vocabulary_size=128, context_length=512, dropout=0.2)
    data = InstructionDataset(ENTRIES, LetterTokenizer())
    ids = {"pad_token_id": 0, "end_of_text_id": 0}
    loader = create_loader(data, 2, batching="bucketed", **ids)
    validation = create_loader(data, 2, shuffle=False, **ids)

    def stop(state):
        if state.step == stop_at:
            raise RuntimeError("the power fails")

    with Checkpoints(folder, every, resume=resume, decisive=decisive) as checkpoints:
        history = train(
            model,
            loader,
            validation,
            **{"epochs": EPOCHS, "learning_rate": 1e-2, "schedule": "cosine"} | options,
            evaluate_every=4,
            keep_best=True,
            progress=False,
            on_step=[stop, on_step] if on_step else stop,
            checkpoints=checkpoints,
        )
    return model, history


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never cut off, and wrote checkpoints all the same."""
    return run(tmp_path_factory.mktemp("whole") / "checkpoints")


def assert_same(run_a, run_b):
    (model_a, history_a), (model_b, history_b) = run_a, run_b
    for name, weight in model_a.state_dict().items():
        assert torch.equal(weight, model_b.state_dict()[name]), name
    a, b = vars(history_a) | {"seconds": 0}, vars(history_b) | {"seconds": 0}
    assert a == b


def test_checkpoints_do_not_change_a_run(whole, tmp_path):
    assert_same(run(tmp_path / "a", every=1), whole)
    assert whole[1].steps == 9


@pytest.mark.parametrize("stop_at", range(1, 10))
def test_a_run_cut_off_at_any_step_ends_as_one_that_was_not(whole, tmp_path, stop_at):
    with pytest.raises(RuntimeError, match="power"):
        run(tmp_path / "a", stop_at=stop_at)
    assert_same(run(tmp_path / "a", resume=True), whole)


def test_twice_cut_off(whole, tmp_path):
    for stop_at in (3, 6):
        with pytest.raises(RuntimeError, match="power"):
            run(tmp_path / "a", every=1, resume=True, stop_at=stop_at)
    assert_same(run(tmp_path / "a", every=1, resume=True), whole)


def test_accumulated_steps_too(tmp_path):
    expected = run(tmp_path / "whole", accumulate=2)
    with pytest.raises(RuntimeError, match="power"):
        run(tmp_path / "a", every=1, stop_at=4, accumulate=2)
    assert_same(run(tmp_path / "a", resume=True, accumulate=2), expected)


def _killed(folder, step):
    """Runs in a process of its own and kills it, as nobody can prepare for."""

    def kill(state):
        if state.step == step:
            os.kill(os.getpid(), signal.SIGKILL)

    run(folder, every=1, on_step=kill)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("step", [2, 5])
def test_a_killed_run_goes_on_to_the_same_weights(whole, tmp_path, step):
    process = multiprocessing.get_context("spawn").Process(
        target=_killed, args=(tmp_path / "a", step)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert list((tmp_path / "a").glob("step-*.pt"))
    assert_same(run(tmp_path / "a", resume=True), whole)


def test_resume_without_a_checkpoint_starts_afresh(whole, tmp_path):
    assert_same(run(tmp_path / "nothing", resume=True), whole)


def test_the_folder_is_made_with_the_first_checkpoint_and_keeps_two(tmp_path):
    folder = tmp_path / "out" / "checkpoints"
    with Checkpoints(folder, 1) as checkpoints:
        assert not folder.exists()
        for step in (1, 2, 3):
            checkpoints.save(step, {"step": step})
    names = {path.name for path in folder.iterdir()}
    assert names == {f"step-000000{n}.{kind}" for n in (2, 3) for kind in ("pt", "json")}


@pytest.fixture
def cut_off(tmp_path):
    with pytest.raises(RuntimeError, match="power"):
        run(tmp_path / "a", every=2, stop_at=7)
    return tmp_path / "a"


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "empty": lambda path: path.write_bytes(b""),
    "one bit": lambda path: path.write_bytes(
        path.read_bytes()[:5_000]
        + bytes([path.read_bytes()[5_000] ^ 1])
        + path.read_bytes()[5_001:]
    ),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_one_is_skipped_with_a_warning(whole, cut_off, damage):
    DAMAGES[damage](cut_off / "step-0000006.pt")
    with pytest.warns(UserWarning, match=r"step-0000006.pt is damaged"):
        resumed = run(cut_off, resume=True)
    assert_same(resumed, whole)


def test_a_checkpoint_without_its_note_never_was_whole(whole, cut_off):
    (cut_off / "step-0000006.json").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(run(cut_off, resume=True), whole)


def test_all_damaged_is_an_error(cut_off):
    for path in cut_off.glob("*.pt"):
        path.write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(CheckpointError, match="all checkpoints"):
        run(cut_off, resume=True)


def test_a_run_is_not_overwritten_by_accident(cut_off):
    before = {path.name: path.read_bytes() for path in cut_off.iterdir()}
    with pytest.raises(CheckpointError, match="holds the checkpoints of a run"):
        run(cut_off)
    assert {path.name: path.read_bytes() for path in cut_off.iterdir()} == before


def test_other_options_are_named(tmp_path):
    with pytest.raises(RuntimeError, match="power"):
        run(tmp_path / "a", stop_at=5, decisive={"seed": 1, "mask": "prompt"})
    with pytest.raises(CheckpointError, match=r"\(seed 1, not 2\)"):
        run(tmp_path / "a", resume=True, decisive={"seed": 2, "mask": "prompt"})


def test_two_runs_in_one_folder(tmp_path):
    with Checkpoints(tmp_path / "a"), pytest.raises(CheckpointError, match="another run"):
        with Checkpoints(tmp_path / "a"):
            pass
    with Checkpoints(tmp_path / "a"):  # free again
        pass


def test_a_full_disk_keeps_the_last_good_one(whole, tmp_path, monkeypatch):
    save = torch.save

    def full(state, path):
        if state["epoch"] == 2:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        save(state, path)

    monkeypatch.setattr("lessons_lib.resuming.torch.save", full)
    with pytest.raises(CheckpointError, match="step 4 cannot be written.*No space left"):
        run(tmp_path / "a", every=2)
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "step-0000002.pt",
        "step-0000002.json",
    }
    monkeypatch.undo()
    assert_same(run(tmp_path / "a", resume=True), whole)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CheckpointError, match="file"):
        run(tmp_path / "file" / "checkpoints")


def test_every_must_be_positive(tmp_path):
    with pytest.raises(ValueError, match="every must be 1 or more"):
        Checkpoints(tmp_path, 0)


def test_a_moved_folder_goes_on(whole, cut_off, tmp_path):
    shutil.move(cut_off, tmp_path / "b")
    assert json.loads((tmp_path / "b" / "step-0000006.json").read_text())["step"] == 6
    assert_same(run(tmp_path / "b", resume=True), whole)
