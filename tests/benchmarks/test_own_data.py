"""The figures of lesson 13's runs: those that come with the course, and one made with a toy."""

import json

from benchmarks import own_data
from lessons_lib.self_instruct import load_funnel, recorded_run


def told(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_it_counts_the_recorded_runs(capsys):
    own_data.main([])
    figures = told(capsys)
    one, other = figures["self-instruct"], figures["magpie"]
    assert one["blocks"] > one["parsed"] > one["kept"] > other["kept"] == figures["compared"]
    assert one["seconds_per_kept"] > 0 and 0 < other["nearest"] < 1


def test_it_makes_both_runs_in_the_folder_magpies_half_as_long(capsys, tmp_path, monkeypatch):
    asked = {}

    def noting(name):
        def made(*_, folder, wanted, prompts_per_request, **__):
            asked[folder] = wanted, prompts_per_request
            return load_funnel(recorded_run(name))

        return made

    monkeypatch.setattr(own_data, "LocalTeacher", lambda batch_size: None)
    monkeypatch.setattr(own_data, "generate_tasks", noting("self-instruct"))
    monkeypatch.setattr(own_data, "generate_magpie", noting("magpie"))
    own_data.main(["--out", str(tmp_path), "--wanted", "40"])
    assert asked == {tmp_path / "self-instruct": (40, 20), tmp_path / "magpie": (20, 20)}
    assert told(capsys)["self-instruct"]["kept"] > 0
