"""Files and folders are written whole or not at all; what a killed process left is cleared."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from filelock import FileLock
from safetensors import SafetensorError

from lessons_lib.support import write_all_whole, write_whole
from lessons_lib.support.files import part_folder, read_json, replace_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_leaves_the_old_files_and_nothing_else(tmp_path):
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("old", encoding="utf-8")

    def fail(path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_all_whole({first: lambda path: path.write_bytes(b"new"), second: fail})
    assert first.read_bytes() == b"old" and names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [SafetensorError("No space left"), Exception("No space left")])
def test_libraries_that_tell_of_a_full_disk_in_their_own_way_are_translated(tmp_path, error):
    def fail(path):
        raise error

    with pytest.raises(OSError, match="a.txt cannot be written: No space left"):
        write_whole(tmp_path / "a.txt", fail)
    with pytest.raises(OSError, match="folder cannot be written: No space left"):
        replace_folder(tmp_path / "folder", fail)
    assert names(tmp_path) == []


def test_another_error_stays_what_it_is(tmp_path):
    def fail(path):
        raise KeyError("x")

    with pytest.raises(KeyError):
        write_whole(tmp_path / "a.txt", fail)


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    for name in ("old", "new"):
        replace_folder(tmp_path / "folder", lambda part, name=name: (part / name).touch())
    assert names(tmp_path) == ["folder"] and names(tmp_path / "folder") == ["new"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_what_a_killed_process_left_is_cleared_and_what_is_in_use_stays(tmp_path):
    if not (child := os.fork()):
        write_whole(tmp_path / "a.txt", lambda path: os.kill(os.getpid(), signal.SIGKILL))
    os.waitpid(child, 0)
    [left] = tmp_path.iterdir()
    (tmp_path / ".part-mine").mkdir()
    (tmp_path / ".part-0123456789abcdef").mkdir()  # no lock in it: not ours
    with part_folder(tmp_path) as used:
        write_whole(tmp_path / "a.txt", lambda path: path.write_bytes(b"new"))
        assert used.is_dir() and not left.exists()
    assert names(tmp_path) == [".part-0123456789abcdef", ".part-mine", "a.txt"]


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
def test_json_that_is_nested_too_deeply_is_a_valueerror(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(ValueError, match=r"deep.json is nested too deeply"):
        read_json(path)


@pytest.mark.parametrize("moment", ["before the lock", "while waiting for it"])
def test_a_folder_that_is_cleared_before_it_is_locked_is_made_again(tmp_path, monkeypatch, moment):
    acquire, cleared = FileLock.acquire, []

    def late(lock, *arguments, **options):
        """What another process that clears up does in between."""
        if cleared:
            return acquire(lock, *arguments, **options)
        cleared.append(Path(lock.lock_file).parent)
        if moment == "before the lock":
            shutil.rmtree(cleared[0])
            raise FileNotFoundError(lock.lock_file)
        held = acquire(lock, *arguments, **options)
        shutil.rmtree(cleared[0])
        return held

    monkeypatch.setattr(FileLock, "acquire", late)
    with part_folder(tmp_path) as part:
        assert part.is_dir() and part != cleared[0]
    assert names(tmp_path) == []
