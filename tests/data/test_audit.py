"""The audit counts duplicates, near duplicates, leaks, lengths and fields that nobody uses."""

import warnings

import pytest

from lessons_lib.data import Splits, audit_entries, load_entries, split_entries
from lessons_lib.data.audit import NEAR_DUPLICATE, Location, SortedEntriesWarning


def entry(instruction: str, input: str = "", output: str = "Yes.", **extra) -> dict:
    return {"instruction": instruction, "input": input, "output": output, **extra}


def common_subsequence(first: str, second: str) -> int:
    """Length of the longest common subsequence, by the textbook's table."""
    row = [0] * (len(second) + 1)
    for letter in first:
        above = row[:]
        for j, other in enumerate(second, 1):
            row[j] = above[j - 1] + 1 if letter == other else max(above[j], row[j - 1])
    return row[-1]


def test_the_real_entries(real_entries):
    audit = audit_entries(split_entries(load_entries(real_entries)))
    assert audit.counts == {"train": 935, "test": 110, "validation": 55}
    assert audit.empty_inputs == 775
    assert audit.unique_instructions == 954
    assert audit.unique_tasks == 1075
    assert len(audit.duplicates) == 1100 - 1075
    assert {part: len(found) for part, found in audit.leaks.items()} == {"test": 2, "validation": 4}
    assert audit.unused_fields == {}


def test_the_bundled_entries_do_not_repeat_or_leak():
    audit = audit_entries(split_entries(load_entries()))
    assert audit.unique_tasks == sum(audit.counts.values()) == 1100
    assert audit.duplicates == []
    assert audit.leaks == {"test": [], "validation": []}


def test_a_task_is_instruction_and_input():
    audit = audit_entries(
        Splits(
            train=[entry("Add.", "1 2", "3"), entry("Add.", "2 2", "4"), entry("Add.", "1 2", "3")],
            test=[entry("Name a tree."), entry("Add.", "1 2", "three")],
            validation=[entry("Add.", "2 2", "4"), entry("Name a tree.")],
        )
    )
    assert audit.counts == {"train": 3, "test": 2, "validation": 2}
    assert audit.unique_instructions == 2
    assert audit.unique_tasks == 3
    assert audit.empty_inputs == 2
    assert audit.duplicates == [
        (Location("train", 0), Location("train", 2)),
        (Location("train", 0), Location("test", 1)),
        (Location("train", 1), Location("validation", 0)),
        (Location("test", 0), Location("validation", 1)),
    ]
    assert audit.leaks == {"test": [1], "validation": [0]}, "from train only, not from test"


def test_an_empty_input_and_a_missing_one_are_the_same():
    audit = audit_entries(Splits([{"instruction": "Hi.", "output": "Ho."}], [entry("Hi.")], []))
    assert audit.empty_inputs == 2
    assert audit.leaks["test"] == [0]


def test_near_duplicates_differ_in_a_few_letters():
    base = "Describe the colors of the sky at sunset in one sentence"
    splits = Splits(
        [entry(base + "."), entry("Name the capital of the country that was meant.")],
        [entry(base + "s?!"), entry(base.upper())],
        [],
    )
    found = audit_entries(splits).near_duplicates
    assert found == [
        (Location("train", 0), Location("test", 0)),
        (Location("train", 0), Location("test", 1)),
        (Location("test", 0), Location("test", 1)),
    ]


def test_near_duplicates_are_compared_as_whole_entries():
    question = "Rewrite the sentence so that it says the same in other words."
    same_question = [entry(question, "It is raining cats and dogs.", "It rains very hard.")]
    other = [entry(question, "My brother sold that old green car.", "The car was sold by him.")]
    assert audit_entries(Splits(same_question, other, [])).near_duplicates == []


def test_the_same_task_twice_is_a_duplicate_and_not_a_near_one():
    audit = audit_entries(Splits([entry("Say hello."), entry("Say hello.")], [], []))
    assert len(audit.duplicates) == 1
    assert audit.near_duplicates == []


def test_near_duplicates_are_those_that_a_table_of_all_pairs_finds():
    """Similarity is twice the longest common subsequence, as a share of both lengths."""
    entries = [e for e in load_entries() if e["instruction"].startswith("What")][:40]
    texts = [" ".join(e.values()).lower() for e in entries]
    texts = [" ".join("".join(c if c.isalnum() else " " for c in t).split()) for t in texts]
    expected = [
        (Location("train", i), Location("train", j))
        for i in range(len(texts))
        for j in range(i + 1, len(texts))
        if 200 * common_subsequence(texts[i], texts[j]) / len(texts[i] + texts[j]) >= NEAR_DUPLICATE
    ]
    assert expected, "choose entries among which some are near duplicates"
    assert sorted(audit_entries(Splits(entries, [], [])).near_duplicates) == expected


def test_words_are_fewest_median_most():
    audit = audit_entries(
        Splits([entry("One.", "", "a b c"), entry("One two.", "x\ny", "a")], [entry("1 2 3")], [])
    )
    assert audit.words == {"instruction": (1, 2, 3), "input": (0, 0, 2), "output": (1, 1, 3)}


def test_fields_that_are_not_used_are_counted():
    audit = audit_entries(Splits([entry("a", id=1), entry("b", id=2, by="me")], [], []))
    assert audit.unused_fields == {"id": 2, "by": 1}


def test_no_entries_at_all_can_be_audited():
    audit = audit_entries(Splits([], [], []))
    assert audit.counts == {"train": 0, "test": 0, "validation": 0}
    assert audit.words["output"] == (0, 0, 0)
    assert str(audit)


@pytest.mark.parametrize(
    "line",
    [
        "entries 3",
        "train 1",
        "test 1",
        "validation 1",
        "with an empty input 2",
        "different instructions 2",
        "different (instruction, input) pairs 2",
        "entries whose task came before 1",
        "nearly the same entry, in pairs 0",
        "leaks from train into test 1",
        "leaks from train into validation 0",
        "words of output: fewest, median, most 1, 1, 1",
        "field not used: id 1",
    ],
)
def test_the_printed_table_has_a_line_for_each_figure(line):
    audit = audit_entries(
        Splits([entry("Say hello.")], [entry("Say hello.", id=1)], [entry("Add.", "7 8", "15")])
    )
    assert line in [" ".join(row.split()) for row in str(audit).splitlines()]


def twins(*changed: dict) -> Splits:
    """One task in train, and others in test."""
    task = entry("What is the capital of Norway?", "Answer at once.", "Oslo.")
    return Splits([task], [task | fields for fields in changed], [])


@pytest.mark.parametrize(
    "fields",
    [
        {"instruction": "what is the CAPITAL of norway"},
        {"instruction": " What  is the\ncapital of Norway ?"},
        {"instruction": "What is the\u00a0capital of Norway\uff1f"},
        {"instruction": "What is the ca\u200bpital of \u201cNorway\u201d?"},
        {"input": "Answer at once"},
        {"output": "It is Oslo, which was founded about the year 1040 by King Harald Hardrada."},
    ],
)
def test_leaks_are_found_across_spellings_of_a_task(fields):
    assert audit_entries(twins(fields)).leaks["test"] == [0]


@pytest.mark.parametrize("text", ["", " ", "<noinput>", "No input", "N/A"])
def test_inputs_that_say_there_is_none_are_the_same(text):
    splits = Splits([entry("Name a sea.")], [entry("Name a sea.", text)], [])
    audit = audit_entries(splits)
    assert audit.leaks["test"] == [0]
    assert audit.stated_no_input == bool(text)
    assert ("with an input that says there is none" in str(audit)) == bool(text)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("3 - 2", "3 + 2"),
        ("3-2", "32"),
        ("+", "-"),
        ("?", "!"),
        ("-5", "5"),
        ("C++", "C"),
        ("a", "b"),
    ],
)
def test_signs_that_make_another_task_are_kept(first, second):
    splits = Splits([entry("Compute.", first)], [entry("Compute.", second)], [])
    assert audit_entries(splits).leaks["test"] == []


def test_near_duplicates_across_parts_come_first_with_their_texts():
    base = "Describe the colors of the sky at sunset in one long and beautiful sentence, please"
    splits = Splits([entry(base + "."), entry(base + "!!")], [entry(base + "s")], [])
    audit = audit_entries(splits)
    assert len(audit.near_duplicates) == 3
    assert list(audit.near_leaks) == [
        (Location("train", 0), Location("test", 0)),
        (Location("train", 1), Location("test", 0)),
    ]
    lines = str(audit).splitlines()
    across = next(i for i, line in enumerate(lines) if "in two parts, in pairs" in line)
    assert "nearly the same entry, in pairs" in lines[across + 1]
    assert lines[-4].startswith("  train 0: Describe the colors") and lines[-4].endswith("…")
    assert lines[-3].startswith("  test 0: Describe the colors")


@pytest.mark.parametrize("real", [False, True])
def test_a_sorted_file_is_told_and_a_mixed_one_is_not(request, real):
    entries = load_entries(request.getfixturevalue("real_entries") if real else "bundled")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert audit_entries(split_entries(entries)).sorted_by == []
    for field in ("instruction", "output"):
        in_order = sorted(entries, key=lambda e, field=field: e[field])
        with pytest.warns(SortedEntriesWarning, match="shuffle_seed=123"):
            audit = audit_entries(split_entries(in_order))
        assert field in audit.sorted_by
        assert "split_entries(entries, shuffle_seed=123)" in str(audit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert audit_entries(split_entries(in_order, shuffle_seed=123)).sorted_by == []


def test_labels_in_order_are_told():
    labels = ["positive"] * 150 + ["negative"] * 150
    rows = [entry("Classify.", f"Film {i}", label) for i, label in enumerate(labels)]
    with pytest.warns(SortedEntriesWarning, match="output"):
        audit_entries(split_entries(rows))


def test_few_entries_and_mixed_ones_raise_no_false_alarm():
    entries = load_entries()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for count in (1, 20, 45, 120, 300):
            for start in (0, 250, 500):
                audit_entries(Splits(entries[start : start + count], [], []))
