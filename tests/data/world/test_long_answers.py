"""The second set of entries: as large as the bundled one, cut by fact, with long outputs."""

import re
from functools import cache
from statistics import mean

from lessons_lib.data import audit_entries, get_tokenizer, load_entries, split_entries
from lessons_lib.data.world import load_facts
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.long_answers import (
    ASKED,
    FACTS_AN_ENTRY,
    SIZES,
    long_answer_entries,
    long_answers_file,
)

ENTRIES = long_answer_entries()
PARTS = split_entries(ENTRIES)


@cache
def plain_statements():
    """Of each family every one."""
    return {
        family.output.format_map(family.words(fact))
        for family in FAMILIES.values()
        for fact in load_facts(family.facts)
    }


def sentences(entry):
    """The entry's output, cut into the facts that it tells."""
    rest, found = entry["output"], []
    while rest:
        told = max((s for s in plain_statements() if rest.startswith(s)), key=len)
        found.append(told)
        rest = rest.removeprefix(told).lstrip()
    return found


def test_it_has_the_sizes_of_the_bundled_set():
    assert [len(part) for part in PARTS] == list(SIZES.values())
    assert len({(e["instruction"], e["input"]) for e in ENTRIES}) == len(ENTRIES)


def test_every_family_without_input_is_asked_for():
    assert list(ASKED) == [name for name, family in FAMILIES.items() if not family.input]


def test_every_output_tells_four_true_facts():
    for entry in ENTRIES[::25]:
        assert len(sentences(entry)) == FACTS_AN_ENTRY, entry


def test_no_part_knows_anothers_facts():
    told = [{s for entry in part for s in sentences(entry)} for part in PARTS]
    assert not told[0] & told[1] and not told[0] & told[2] and not told[1] & told[2]


def test_each_test_fact_is_asked_once():
    told = [s for entry in PARTS.test for s in sentences(entry)]
    assert len(told) == len(set(told)) == FACTS_AN_ENTRY * len(PARTS.test)


def test_outputs_are_longer_than_instructions():
    count = get_tokenizer().encode
    asked = mean(len(count(entry["instruction"])) for entry in ENTRIES)
    told = mean(len(count(entry["output"])) for entry in ENTRIES)
    assert told > 2 * asked
    assert max(len(count(entry["output"])) for entry in ENTRIES) < 128


def test_no_gap_is_left_open_and_nothing_doubled():
    for entry in ENTRIES:
        assert not re.search(r"[{}]|  |\b(a|an|the) (a|an|the)\b", entry["instruction"]), entry


def test_the_file_loads_as_any_other(tmp_path, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(tmp_path))
    assert load_entries(long_answers_file()) == ENTRIES
    assert not any(audit_entries(PARTS).leaks.values())
