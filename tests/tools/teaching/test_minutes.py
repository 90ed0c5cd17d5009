"""Running times are taken from the kernel's own reports, by section, and kept lesson by lesson."""

import json

import nbformat
import pytest

from tools.teaching import minutes


def ran(source, started, ended):
    cell = nbformat.v4.new_code_cell(source)
    moment = "2026-01-01T00:00:{:06.3f}+00:00".format
    cell.metadata["execution"] = {
        "iopub.status.busy": moment(started),
        "iopub.status.idle": moment(ended),
    }
    return cell


def test_seconds_are_added_up_by_section():
    heading = nbformat.v4.new_markdown_cell("Before.\n\n## One\n\nText.\n\n## Two")
    notebook = nbformat.v4.new_notebook(
        cells=[ran("1", 0, 0.25), heading, ran("2", 1, 2.5), ran("3", 3, 7)]
    )
    assert minutes.by_section(notebook) == {
        "Opening": {"all": 0.2, "longest": 0.2},
        "Two": {"all": 5.5, "longest": 4.0},
    }


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The file of figures, and the notebooks that were measured instead of being run."""
    measured = []

    def measure(path):
        measured.append(path.name[:2])
        return {"Opening": {"all": 1.0, "longest": 1.0}}

    monkeypatch.setattr(minutes, "SECONDS", tmp_path / "seconds.json")
    monkeypatch.setattr(minutes, "read_seconds", lambda: _read(tmp_path / "seconds.json"))
    monkeypatch.setattr(minutes, "measured", measure)
    monkeypatch.setattr(minutes, "machine", lambda: "this one")
    return tmp_path / "seconds.json", measured


def _read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def test_a_stopped_run_goes_on_with_the_next_lesson(kept):
    path, measured = kept
    minutes.main(["04", "01"])
    assert [*_read(path)] == ["01", "04"]  # in the lessons' order
    measured.clear()
    minutes.main([])
    assert "00" in measured and not {"01", "04"} & {*measured}
    assert [*_read(path)][:3] == ["00", "01", "02"]
    measured.clear()
    minutes.main([])
    assert measured == []
    minutes.main(["--all"])
    assert "04" in measured


def test_a_lesson_that_there_is_not_is_refused(kept, capsys):
    with pytest.raises(SystemExit):
        minutes.main(["99"])
    assert "among 00, 01" in capsys.readouterr().err


def test_the_machine_is_named():
    assert "cores" in minutes.machine() and "PyTorch" in minutes.machine()


def test_committed_figures_belong_to_lessons():
    for name, found in minutes.read_seconds().items():
        assert found["machine"] and found["sections"], name
