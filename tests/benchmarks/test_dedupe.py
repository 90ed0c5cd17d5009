"""The benchmark of near duplicates, at a tiny size: what it reports, and that it can refuse."""

import json

import pytest

from benchmarks import dedupe


def test_it_reports_a_ratio_and_what_was_kept(capsys):
    dedupe.main(["--instructions", "60", "--alone", "200"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["vs_all_pairs"] > 0 and figures["kept_alike"]
    assert 20 < figures["kept"] < 60 < figures["alone_kept"] < 200
    assert figures["alone_instructions"] == 200 and figures["alone_seconds"] > 0


def test_the_instructions_are_the_same_each_time_and_some_are_near_copies():
    written = dedupe.write_instructions(300)
    assert written[:100] == dedupe.write_instructions(100)
    assert 0.5 < sum(kept for kept, _, _ in dedupe.ours(written, workers=1)) / 300 < 0.95


def test_two_ways_that_keep_others_do_not_race():
    found = dedupe.all_pairs(["Name a bird.", "Name a bird!"])
    dedupe.check_equal(found, dedupe.ours(["Name a bird.", "Name a bird!"], workers=1))
    with pytest.raises(SystemExit, match="disagree"):
        dedupe.check_equal(found, [found[0], (True, *found[1][1:])])


def test_sizes_out_of_range_are_refused(capsys):
    with pytest.raises(SystemExit):
        dedupe.main(["--instructions", "5001"])
    assert "from 1 to 5000" in capsys.readouterr().err
