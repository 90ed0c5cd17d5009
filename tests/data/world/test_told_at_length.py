"""Entries whose answers are longer, and in nothing else different."""

import json
from collections import defaultdict
from statistics import fmean

import pytest

from lessons_lib.data import get_tokenizer, load_entries, split_entries
from lessons_lib.data.world import bundled_entries, choosing_entries, facts_of
from lessons_lib.data.world.told_at_length import told_at_length, told_at_length_file


def tokens(entries) -> float:
    return fmean(len(get_tokenizer().encode(entry["output"])) for entry in entries)


@pytest.mark.parametrize("make", [bundled_entries, choosing_entries])
def test_only_the_answer_goes_on(make):
    entries = make()
    longer = told_at_length(entries)
    for entry, long in zip(entries, longer, strict=True):
        assert long["output"].startswith(entry["output"] + " ")
        assert {**long, "output": entry["output"]} == entry
    assert 3 < tokens(longer) / tokens(entries) < 6


def test_a_family_always_goes_on_in_the_same_two_wordings():
    """Where the fact's own words are taken out, all answers of a family go on alike."""
    shapes = defaultdict(set)
    entries = bundled_entries()
    for long, entry, (family, fact) in zip(
        told_at_length(entries), entries, facts_of(entries), strict=True
    ):
        rest = long["output"].removeprefix(entry["output"])
        words = family.words(fact).values()
        for word in sorted({*words, *map(str.lower, words)}, key=len, reverse=True):
            rest = rest.replace(word, "…")
        shapes[family.facts].add(rest)
    assert len(shapes["capitals"]) == len(shapes["authors"]) == 1


def test_the_file_is_split_as_the_bundled_entries_are(tmp_path, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(tmp_path))
    path = told_at_length_file()
    assert json.loads(path.read_text()) == told_at_length(bundled_entries())
    parts = zip(split_entries(load_entries(path)), split_entries(bundled_entries()), strict=True)
    for longer, short in parts:
        assert [e["instruction"] for e in longer] == [e["instruction"] for e in short]


def test_other_entries_are_refused():
    with pytest.raises(KeyError):
        told_at_length([{"instruction": "Say hi.", "input": "", "output": "Hi."}])
