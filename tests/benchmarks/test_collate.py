"""The race against the book's collate function runs, and says what it measured."""

import json
import runpy
import sys

import pytest

from benchmarks import collate
from benchmarks.entries import ENTRIES_VARIABLE

KEYS = {
    "vs_llms_from_scratch",
    "collator_none_vs_llms_from_scratch",
    "collator_prompt_vs_llms_from_scratch",
    "entries",
    "source",
}


@pytest.fixture
def peer():
    reason = f"the book's code is missing: {collate.INSTALL}"
    return pytest.importorskip("llms_from_scratch.ch07", reason=reason)


def last_line(text: str) -> dict:
    return json.loads(text.splitlines()[-1])


@pytest.mark.usefixtures("peer")
def test_the_race_on_the_bundled_entries(monkeypatch, capsys):
    monkeypatch.delenv(ENTRIES_VARIABLE, raising=False)
    collate.main(["--rounds", "1"])
    out = capsys.readouterr().out
    result = last_line(out)
    assert set(result) == KEYS
    assert (result["entries"], result["source"]) == (1100, "bundled")
    assert all(value > 0 for key, value in result.items() if key.endswith("scratch"))
    assert "1,100 bundled entries in 138 batches of 8; 1 rounds" in out
    assert out.count("×") == 3


@pytest.mark.usefixtures("peer")
def test_the_race_on_the_real_entries_as_a_command(monkeypatch, capsys, real_entries):
    monkeypatch.setenv(ENTRIES_VARIABLE, str(real_entries))
    monkeypatch.setattr(sys, "argv", ["benchmarks.collate", "--rounds", "1"])
    monkeypatch.delitem(sys.modules, "benchmarks.collate")
    runpy.run_module("benchmarks.collate", run_name="__main__")
    assert last_line(capsys.readouterr().out)["source"] == "real"


def test_without_the_books_code_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "llms_from_scratch.ch07", None)
    with pytest.raises(SystemExit, match="pip install --no-deps .*llms-from-scratch"):
        collate.main(["--rounds", "1"])


def test_no_race_between_functions_that_disagree():
    with pytest.raises(SystemExit, match="disagree"):
        collate.check_equal(lambda rows: collate.custom_collate_fn(rows, 7), [[[1, 2], [3]]])


@pytest.mark.parametrize("rounds", ["0", "-3", "many"])
def test_rounds_must_be_a_positive_number(rounds, capsys):
    with pytest.raises(SystemExit):
        collate.main(["--rounds", rounds])
    assert "--rounds" in capsys.readouterr().err


def test_each_round_has_both_and_they_take_turns_at_going_first():
    order = []
    ours = (lambda batch: order.append("ours"), [[1]])
    theirs = (lambda batch: order.append("book"), [[1]])
    times = collate.race(theirs, ours, rounds=3)
    assert order == ["book", "ours", "ours", "book", "book", "ours"]
    assert [len(each) for each in times] == [3, 3]
