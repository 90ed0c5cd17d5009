"""Checkpoints: whole or not there, checked when read, and a resumed run ends as a whole one."""

import itertools
import json
import multiprocessing
import os
import shutil
import signal
import warnings

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from lessons_lib.batching import InstructionDataset, create_loader
from lessons_lib.support import CheckpointError
from lessons_lib.training import Checkpoints, train
from tests.helpers.toys import ENTRIES, LetterTokenizer, tiny_model

EPOCHS = 3
IDS = {"pad_token_id": 0, "end_of_text_id": 0}


def make_loader(**options):
    data = InstructionDataset(ENTRIES, LetterTokenizer())
    return create_loader(data, 2, **{"batching": "bucketed"} | IDS | options)


def train_toy(checkpoints=None, loader=None, stop_at=None, on_step=None, width=16, **options):
    """Three epochs of five entries in batches of two, with dropout; the model and its history."""

    def stop(state):
        if state.step == stop_at:
            raise RuntimeError("the power fails")

    model = tiny_model(vocabulary_size=128, context_length=512, dropout=0.2, width=width)
    history = train(
        model,
        loader or make_loader(),
        make_loader(shuffle=False, batching="shuffled"),
        **{
            "epochs": EPOCHS,
            "learning_rate": 5e-2,
            "evaluate_every": 2,
            "schedule": "constant",
            "seed": 3,
        }
        | options,
        keep_best=True,
        progress=False,
        on_step=[stop, on_step] if on_step else stop,
        checkpoints=checkpoints,
    )
    return model, history


def run(folder, *, every=2, resume=False, decisive=None, **options):
    with Checkpoints(folder, every, resume=resume, decisive=decisive) as checkpoints:
        return train_toy(checkpoints, **options)


@pytest.fixture(scope="module")
def whole():
    """A run that was never cut off and wrote no checkpoint."""
    return train_toy()


def assert_same(run_a, run_b):
    (model_a, history_a), (model_b, history_b) = run_a, run_b
    for name, weight in model_a.state_dict().items():
        assert torch.equal(weight, model_b.state_dict()[name]), name
    a, b = vars(history_a) | {"seconds": 0}, vars(history_b) | {"seconds": 0}
    assert a == b


def test_checkpoints_do_not_change_a_run(whole, tmp_path):
    assert_same(run(tmp_path / "a", every=1), whole)
    assert whole[1].steps == 9
    assert 0 < whole[1].kept_step < 9, "the best weights are not the last: both must be kept"


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


def test_two_threads_too(tmp_path):
    """Sums over the rows of an embedding must not depend on which thread was first."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        expected = train_toy(width=64)
        with pytest.raises(RuntimeError, match="power"):
            run(tmp_path / "a", stop_at=6, width=64)
        assert_same(run(tmp_path / "a", resume=True, width=64), expected)
    finally:
        torch.set_num_threads(threads)


def test_a_loader_that_was_used_before(tmp_path):
    """Its first epoch of this run is not its first."""

    def used():
        loader = make_loader()
        list(loader)
        return loader

    expected = train_toy(loader=used())
    with pytest.raises(RuntimeError, match="power"):
        run(tmp_path / "a", loader=used(), stop_at=6)
    assert_same(run(tmp_path / "a", resume=True), expected)


def test_the_last_epochs_end_is_not_lost(whole, tmp_path):
    def fail(state):
        if state.epoch == EPOCHS:
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError, match="power"):
        run(tmp_path / "a", every=9, on_epoch=fail)
    ended = []
    assert_same(
        run(tmp_path / "a", resume=True, on_epoch=lambda state: ended.append(state.epoch)), whole
    )
    assert ended == [EPOCHS]


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def _killed_at_step(folder, step):
    """Runs in a process of its own, which is killed before it can prepare for it."""
    run(folder, every=1, on_step=lambda state: state.step == step and _die())


def _killed_at_renaming(folder, count, after):
    """Killed at the ``count``-th time that a file is put in its place: just before, or after."""
    replace, calls = os.replace, itertools.count(1)

    def replace_and_die(source, target):
        last = next(calls) == count
        if after or not last:
            replace(source, target)
        if last:
            _die()

    os.replace = replace_and_die
    run(folder, every=1)


def kill(target, *arguments):
    """Run a function in another process until it kills itself."""
    context = multiprocessing.get_context("forkserver")
    # The second is what PyTorch imports at the first step, in about a second.
    context.set_forkserver_preload([__name__, "torch._dynamo"])
    process = context.Process(target=target, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_run_killed_at_any_step_goes_on_to_the_same_weights(whole, tmp_path):
    for step in range(1, 10):
        folder = tmp_path / str(step)
        kill(_killed_at_step, folder, step)
        assert folder.exists() == (step > 1)
        assert_same(run(folder, resume=True), whole)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_run_killed_while_it_writes_goes_on_too(whole, tmp_path):
    for count, after in itertools.product((1, 2, 3, 4), (False, True)):
        folder = tmp_path / f"{count}{after}" / "checkpoints"
        kill(_killed_at_renaming, folder, count, after)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # none of this is damage
            assert_same(run(folder, resume=True), whole)
        assert not [path for path in folder.iterdir() if path.name.startswith(".")]


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


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
@pytest.mark.parametrize(
    "note", [b"[]", b"[" * 100_000, '{"step": 6}'.encode("utf-16"), b'{"sha256": 1, "decisive": 3}']
)
def test_a_damaged_note_is_skipped_too(cut_off, note):
    (cut_off / "step-0000006.json").write_bytes(note)
    with pytest.warns(UserWarning, match=r"step-0000006.pt is damaged"):
        with Checkpoints(cut_off, resume=True, every=2) as checkpoints:
            assert checkpoints.load() is not None, "that of step 4"


USERS = ("step-best.pt", "step-best.json", ".step-notes.txt", "step-6.pt", ".part-notes/mine.txt")


def test_files_of_the_user_stay(cut_off):
    for name in USERS:
        (cut_off / name).parent.mkdir(exist_ok=True)
        (cut_off / name).write_text("mine", encoding="utf-8")
    with Checkpoints(cut_off, every=2, resume=True) as checkpoints:
        assert checkpoints.newest == 6
        checkpoints.save(8, checkpoints.load())
    assert {(cut_off / name).read_text(encoding="utf-8") for name in USERS} == {"mine"}


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


FULL = {
    "system": OSError(28, "No space left on device"),
    "PyTorch": RuntimeError("PytorchStreamWriter failed: No space left on device"),
}


@pytest.mark.parametrize("error", FULL)
def test_a_full_disk_keeps_the_last_good_one(whole, tmp_path, monkeypatch, error):
    save = torch.save

    def full(state, path):
        if state["epoch"] == 2:
            path.write_bytes(b"half")
            raise FULL[error]
        save(state, path)

    monkeypatch.setattr("lessons_lib.training.checkpoints.torch.save", full)
    with pytest.raises(CheckpointError, match="step 4 cannot be written.*No space left"):
        run(tmp_path / "a", every=2)
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "step-0000002.pt",
        "step-0000002.json",
    }
    monkeypatch.undo()
    assert_same(run(tmp_path / "a", resume=True), whole)


def test_a_disk_that_is_full_from_the_start_leaves_no_folder(tmp_path, monkeypatch):
    def full(state, path):
        raise FULL["system"]

    monkeypatch.setattr("lessons_lib.training.checkpoints.torch.save", full)
    with pytest.raises(CheckpointError, match="step 2 cannot be written.*there is no earlier one"):
        run(tmp_path / "a" / "checkpoints")
    assert [path.name for path in (tmp_path / "a").iterdir()] == [".checkpoints.lock"]


def test_a_damaged_one_is_not_counted_among_those_that_are_kept(whole, cut_off):
    """Were it, the only good one could be deleted for it."""
    (cut_off / "step-0000006.pt").write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="power"):
        run(cut_off, every=1, resume=True, stop_at=6)
    assert sorted(path.stem for path in cut_off.glob("*.pt")) == ["step-0000004", "step-0000005"]
    assert_same(run(cut_off, resume=True), whole)


def test_a_run_of_another_length_is_refused(cut_off):
    with pytest.raises(CheckpointError, match="epochs was 3, is 4"):
        run(cut_off, resume=True, epochs=4)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"weight_decay": 0.0}, "weight_decay was 0.1, is 0.0"),
        ({"learning_rate": 1e-3}, "learning_rate was 0.05, is 0.001"),
        ({"seed": 7}, "seed was 3, is 7"),
        ({"loader": {"seed": 7}}, "order's seed was 123, is 7"),
        ({"loader": {"batching": "shuffled"}}, "batching was bucketed, is shuffled"),
        ({"loader": {"instruction_mask": "prompt"}}, "instruction_mask was none, is prompt"),
    ],
    ids=str,
)
def test_a_run_of_other_options_is_refused_by_their_names(cut_off, options, told):
    """Never a silent mixture: the first half of one run, the second of another."""
    if "loader" in options:
        options = {"loader": make_loader(**options["loader"])}
    with pytest.raises(CheckpointError, match=rf"other options \({told}\)"):
        run(cut_off, resume=True, **options)


def test_a_run_on_other_entries_is_refused(cut_off):
    data = InstructionDataset([*ENTRIES[:4], ENTRIES[0]], LetterTokenizer())
    loader = create_loader(data, 2, batching="bucketed", **IDS)
    with pytest.raises(CheckpointError, match="entries was 5, hash .*, is 5, hash"):
        run(cut_off, resume=True, loader=loader)


def test_another_model_is_refused(cut_off):
    with pytest.raises(CheckpointError, match="of another model"):
        run(cut_off, resume=True, width=32)


def test_a_loader_whose_order_cannot_be_set_is_refused(tmp_path):
    loader = DataLoader([1, 2, 3], shuffle=True)
    with pytest.raises(ValueError, match="needs set_epoch"):
        run(tmp_path / "a", loader=loader)


@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": np.geomspace(1e-4, 1e-2, 3)[1]},
        {"weight_decay": np.float64(0.1)},
        {"schedule": "cosine", "final_share": np.float64(0.2)},
        {"epochs": np.int64(3), "evaluate_every": np.int64(2)},
        {"max_steps": np.int64(5)},
        {"warmup_steps": np.int64(2)},
    ],
    ids=str,
)
def test_numpys_numbers_are_options_too(tmp_path, options):
    run(tmp_path / "run", **options)
    with Checkpoints(tmp_path / "run", 2, resume=True) as checkpoints, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checkpoints.load() is not None


def test_the_folder_must_be_locked(tmp_path):
    with pytest.raises(RuntimeError, match="with"):
        train_toy(Checkpoints(tmp_path / "a"))


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
