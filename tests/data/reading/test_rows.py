"""Files that are not as they should be: each fault is a DatasetError that says where it is."""

import bz2
import gzip
import json
import lzma
import os
import pickle
import tracemalloc
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.data import DatasetError, check_entries, load_entries
from lessons_lib.data.reading import DroppedEntriesWarning, read_rows, sift_entries

pytestmark = pytest.mark.usefixtures("garbage_waits")  # brackets in brackets

GOOD = {"instruction": "Name a color.", "input": "", "output": "Red."}
GOOD_JSON = json.dumps(GOOD)


def write(folder: Path, name: str, content: bytes | str | list) -> Path:
    """A file in ``folder``: bytes as they are, text in UTF-8, a list as JSON."""
    if isinstance(content, list):
        content = json.dumps(content)
    if isinstance(content, str):
        content = content.encode("utf-8")
    path = folder / name
    path.write_bytes(content)
    return path


def listed(**fields) -> bytes:
    """A file of two entries: a good one, then (row 1) a good one with ``fields`` changed."""
    return json.dumps([GOOD, {k: v for k, v in (GOOD | fields).items() if v is not ...}]).encode()


def fault_of(path: Path) -> DatasetError:
    """The error that loading the file raises, after looking at what every such error must have."""
    with pytest.raises(DatasetError) as caught:
        load_entries(path)
    fault = caught.value
    assert type(fault) is DatasetError
    assert fault.file == path
    assert str(fault).startswith(str(path)), "the message begins with the file"
    assert str(fault).endswith(fault.problem)
    return fault


# name of the case: (file name, content, a piece of the message)
WHOLE_FILES = {
    "empty file": ("a.json", b"", "is empty"),
    "white space alone": ("a.json", b" \r\n\t\n", "is empty"),
    "empty jsonl file": ("a.jsonl", b"\n\n", "is empty"),
    "byte-order mark alone": ("a.json", b"\xef\xbb\xbf", "is not JSON"),
    "byte-order mark alone, jsonl": ("a.jsonl", b"\xef\xbb\xbf\n", "holds no entries"),
    "empty list": ("a.json", b"[]", "holds no entries"),
    "another object": ("a.json", b'{"name": "x"}', "put the entries into a list"),
    "one object, a field repeated": ("a.json", b'{"a": 1, "a": 2}', "put the entries into a list"),
    "entries inside an object": ("a.json", b'{"data": []}', "holds no entries"),
    "a string": ("a.json", b'"instruction"', "holds text"),
    "a number": ("a.json", b"1100", "holds a number"),
    "a fraction": ("a.json", b"0.85", "holds a number"),
    "true": ("a.json", b"true", "holds true or false"),
    "null": ("a.json", b"null", "holds null"),
    "UTF-16": ("a.json", listed().decode().encode("utf-16"), "is encoded in UTF-16"),
    "UTF-16, big-endian": (
        "a.json",
        b"\xfe\xff" + listed().decode().encode("utf-16-be"),
        "is encoded in UTF-16",
    ),
    "UTF-16 without a mark": ("a.json", listed().decode().encode("utf-16-le"), "is not JSON"),
    "Latin-1": ("a.json", '[\n{"instruction": "café"'.encode("latin-1"), "not UTF-8 (line 2)"),
    "a surrogate as bytes": ("a.json", b'[{"instruction": "\xed\xa0\x80"}]', "not UTF-8 (line 1)"),
    "cut off after a comma": ("a.json", listed()[:-1] + b",", "was it cut off?"),
    "cut off in a key": ("a.json", listed()[:-20], "is not JSON"),
    "cut off without the bracket": ("a.json", listed()[:-1], "was it cut off?"),
    "cut off in a text": ("a.json", b'[{"instruction": "Name a', "is not JSON"),
    "text behind the list": ("a.json", listed() + b" and more", "is not JSON: Extra data"),
    "comma behind the last": ("a.json", listed()[:-1] + b",]", "is not JSON"),
    "single quotes": ("a.json", b"[{'instruction': 'x'}]", "is not JSON"),
    "a comment": ("a.json", b"// entries\n" + listed(), "is not JSON"),
    "NUL bytes alone": ("a.json", b"\0" * 512, "is not JSON"),
    "a NUL byte in a text": ("a.json", b'[{"instruction": "a\0b"}]', "is not JSON"),
    "a line break in a text": ("a.json", b'[{"instruction": "a\nb"}]', "is not JSON"),
    "an integer of 5,000 digits": ("a.json", b'[{"id": ' + b"7" * 5000 + b"}]", "is not JSON"),
    "a web page": ("a.json", b"<!DOCTYPE html>\n<html><body>404</body></html>", "is not JSON"),
    "gzip": ("a.json", gzip.compress(listed(), mtime=0), "packed with gzip; let its name end"),
    "random bytes": ("a.json", bytes(range(128, 256)), "is not UTF-8"),
    "lists, a million deep": ("a.json", b"[" * 1_000_000, "nested too deeply"),
    "wrong suffix": ("a.txt", b"instruction,input,output\n", "must end in .json or .jsonl"),
    "no suffix": ("entries", listed(), "must end in .json or .jsonl"),
}


UNPACKED = GOOD_JSON.encode()
# What a file is that is not what its name says: its content, and what the message says.
OTHER_KINDS = {
    "Git LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "git lfs pull",
    ),
    "web page": (b"\xef\xbb\xbf \n<!DOCTYPE html><p>404</p>", "a web page"),
    "XML": (b'<?xml version="1.0"?><a/>', "XML"),
    "gzip": (gzip.compress(UNPACKED), "gzip; let its name end in .gz"),
    "bzip2": (bz2.compress(UNPACKED), "bunzip2"),
    "xz": (lzma.compress(UNPACKED), "unxz"),
    "zstd": (b"\x28\xb5\x2f\xfd\x04\x00", "unzstd"),
    "zip": (b"PK\x03\x04\x14\x00", "zip archive"),
    "pickle": (pickle.dumps([GOOD], protocol=4), "pickle"),
    "UTF-32 with a mark": (GOOD_JSON.encode("utf-32"), "UTF-32; save it as UTF-8"),
    "UTF-32, little": (GOOD_JSON.encode("utf-32-le"), "UTF-32; save it as UTF-8"),
    "UTF-32, big": (GOOD_JSON.encode("utf-32-be"), "UTF-32; save it as UTF-8"),
    "UTF-16, little": (GOOD_JSON.encode("utf-16-le"), "UTF-16; save it as UTF-8"),
    "UTF-16, big": (GOOD_JSON.encode("utf-16-be"), "UTF-16; save it as UTF-8"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01", "binary data"),
    "empty": (b"", "is empty"),
}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv", "a.parquet", "a.json.gz"])
@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_a_file_of_another_kind_is_named_for_what_it_is(tmp_path, kind, name):
    content, piece = OTHER_KINDS[kind]
    if name.endswith(".gz"):
        content = gzip.compress(content)
    problem = fault_of(write(tmp_path, name, content)).problem
    assert piece in problem
    assert "cut off" not in problem


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", listed()[:-1]),
        ("a.json", listed()[:-1] + b","),
        ("a.json", listed()[:-20]),
        ("a.json", b'[{"instruction": "Name a'),
        ("a.json", b'[{"instruction": "Name a \\u00'),
        ("a.json", b'[{"instruction": "x", "id": tr'),
        ("a.json", b'[{"instruction": "x", "id": -'),
        ("a.json", b"["),
        ("a.jsonl", UNPACKED + b"\n" + UNPACKED[:-5]),
    ],
)
def test_what_breaks_off_is_said_to(tmp_path, name, content):
    assert "was it cut off?" in fault_of(write(tmp_path, name, content)).problem


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", listed()[:-1] + b",]"),
        ("a.json", listed() + b"]"),
        ("a.json", b"not JSON at all"),
        ("a.json", b"[{'instruction': 'x'}]"),
        ("a.json", b'[{"instruction": "\\x41"}]'),
        ("a.jsonl", UNPACKED[:-5] + b"\n" + UNPACKED),
        ("a.json", b"\xef\xbb\xbf"),
        ("a.json", b"instruction,output\na,b\n"),
    ],
)
def test_what_does_not_break_off_is_not_said_to(tmp_path, name, content):
    assert "cut off" not in fault_of(write(tmp_path, name, content)).problem


def test_a_table_under_the_name_of_json_is_named(tmp_path):
    path = write(tmp_path, "a.json", b"instruction,output\na,b\n")
    assert "ends in .csv or .tsv" in fault_of(path).problem


def test_gzip_that_breaks_off_is_named(tmp_path):
    path = write(tmp_path, "a.json.gz", gzip.compress(listed())[:-9])
    assert "its end is missing" in fault_of(path).problem
    path = write(tmp_path, "a.json.gz", gzip.compress(listed())[:20] + bytes(40))
    assert "packed with gzip" in fault_of(path).problem


def test_a_gzip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("lessons_lib.data.reading.rows.READ_LIMIT", 10_000)
    path = write(tmp_path, "a.json.gz", gzip.compress(b"[" + b" " * 10_000_000 + b"]"))
    tracemalloc.start()
    try:
        assert "more than 10,000 bytes, the limit" in fault_of(path).problem
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


def test_json_lines_in_a_json_file_are_read(tmp_path):
    path = write(tmp_path, "a.json", f"{GOOD_JSON}\n\n{GOOD_JSON}\n")
    assert load_entries(path) == [GOOD, GOOD]
    path = write(tmp_path, "a.json", f"{GOOD_JSON}\n{{\n")
    assert (fault_of(path).row, "line 2" in fault_of(path).problem) == (1, True)


@pytest.mark.parametrize("case", WHOLE_FILES)
def test_a_file_that_is_no_list_of_entries_is_named(tmp_path, case):
    name, content, piece = WHOLE_FILES[case]
    fault = fault_of(write(tmp_path, name, content))
    assert piece in fault.problem
    assert (fault.row, fault.field) == (None, None)


# Depths that one version of Python parses and another does not: never anything but DatasetError.
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000, b'[{"a":' * 100_000],
    ids=["lists", "closed lists", "objects", "both"],
)
def test_deep_nesting_is_a_dataset_error(tmp_path, name, content):
    fault_of(write(tmp_path, name, content))


# name of the case: (content of a .json file, row, field, a piece of the message)
ROWS = {
    "null": (b"[null]", 0, None, "is null"),
    "text": (f'[{GOOD_JSON}, "instruction"]', 1, None, "is text"),
    "number": (f"[{GOOD_JSON}, 5]", 1, None, "is a number"),
    "true": (f"[{GOOD_JSON}, true]", 1, None, "is true or false"),
    "list": (f"[{GOOD_JSON}, []]", 1, None, "is a list"),
    "empty object": (f"[{GOOD_JSON}, {{}}]", 1, "instruction", "is missing"),
    "no instruction": (listed(instruction=...), 1, "instruction", "is missing"),
    "no output": (listed(output=...), 1, "output", "is missing"),
    "null instruction": (listed(instruction=None), 1, "instruction", "is null"),
    "NaN as instruction": (listed(instruction=float("nan")), 1, "instruction", "is NaN"),
    "minus infinity": (listed(output=-float("inf")), 1, "output", "is -Infinity"),
    "NaN in an extra field": (listed(score=float("nan")), 1, "score", "holds NaN"),
    "NaN deep in an extra field": (listed(meta={"a": [float("nan")]}), 1, "meta", "holds NaN"),
    "a hundred lists in an extra field": (
        b'[{"instruction": "x", "output": "y", "tags": ' + b"[" * 101 + b"]" * 101 + b"}]",
        0,
        "tags",
        "nested too deeply",
    ),
    "1e999 in an extra field": (
        b'[{"instruction": "x", "output": "y", "score": 1e999}]',
        0,
        "score",
        "infinity",
    ),
    "lone surrogate in an extra field": (listed(by="\ud800"), 1, "by", "lone surrogate"),
    "lone surrogate in an extra name": (listed(**{"\ud800": 1}), 1, "\ud800", "lone surrogate"),
    "null output": (listed(output=None), 1, "output", "is null"),
    "number as output": (listed(output=42), 1, "output", "is a number"),
    "fraction as input": (listed(input=0.5), 1, "input", "is a number"),
    "true as output": (listed(output=True), 1, "output", "is true or false"),
    "list as input": (listed(input=["a", "b"]), 1, "input", "is a list"),
    "object as instruction": (listed(instruction={"text": "x"}), 1, "instruction", "is an object"),
    "object with a repeated field as instruction": (
        b'[{"instruction": {"x": 1, "x": 2}, "output": "y"}]',
        0,
        "instruction",
        "is an object",
    ),
    "empty instruction": (listed(instruction=""), 1, "instruction", "is blank"),
    "blank output": (listed(output=" \t\n"), 1, "output", "is blank"),
    "no-break space alone": (listed(output="\u00a0"), 1, "output", "is blank"),
    "zero-width characters alone": (
        listed(instruction="\u200b\u200d\ufeff\u2060\u00ad"),
        1,
        "instruction",
        "is blank",
    ),
    "control characters alone": (listed(output="\x07\x1b"), 1, "output", "is blank"),
    "escaped NUL": (listed(output="a\0b"), 1, "output", "NUL"),
    "escaped NUL in the input": (listed(input="\0"), 1, "input", "NUL"),
    "escaped NUL alone": (listed(output="\0"), 1, "output", "NUL"),
    "lone surrogate": (listed(instruction="Say \ud800."), 1, "instruction", "lone surrogate"),
    "lone surrogate in the input": (listed(input="\udfff"), 1, "input", "lone surrogate"),
    "lone surrogate alone": (listed(output="\udc80"), 1, "output", "lone surrogate"),
    "repeated field": (
        b'[{"instruction": "x", "output": "y", "output": "z"}]',
        0,
        "output",
        "is named twice",
    ),
    "repeated extra field": (
        b'[{"instruction": "x", "output": "y", "id": 1, "id": 1}]',
        0,
        "id",
        "is named twice",
    ),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_faulty_row_is_named_with_its_field(tmp_path, case):
    content, row, field, piece = ROWS[case]
    fault = fault_of(write(tmp_path, "entries.json", content))
    assert piece in fault.problem
    assert (fault.row, fault.field) == (row, field)
    assert f"row {row}" in str(fault)
    assert field is None or repr(field) in str(fault)


@pytest.mark.parametrize(
    ("line", "piece"),
    [
        ('{"instruction": "x", "outp', "(line 4, column"),
        ("[" * 1_000_000, "nested too deeply"),
        (GOOD_JSON + GOOD_JSON, "Extra data"),
        (f"[{GOOD_JSON}]", "is a list"),
        ("{", "is not JSON"),
        ("\0", "is not JSON"),
    ],
    ids=["cut off", "deep", "two objects", "a list", "brace", "NUL"],
)
def test_a_broken_line_is_named_by_row(tmp_path, line, piece):
    """Rows are counted without blank lines, lines with them, as an editor does."""
    path = write(tmp_path, "a.jsonl", f"{GOOD_JSON}\n\n{GOOD_JSON}\n{line}\n{GOOD_JSON}\n")
    fault = fault_of(path)
    assert piece in fault.problem
    assert (fault.row, fault.field) == (2, None)


def test_an_indented_list_in_a_jsonl_file_is_an_error(tmp_path):
    path = write(tmp_path, "a.jsonl", json.dumps([GOOD, GOOD], indent=1))
    assert "is not JSON" in fault_of(path).problem


def test_a_missing_file_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="does not exist") as caught:
        load_entries("nowhere.json")
    assert str(tmp_path) in str(caught.value)


def test_a_missing_file_in_a_missing_folder(tmp_path):
    assert "does not exist" in fault_of(tmp_path / "no" / "such" / "folder.json").problem


@pytest.mark.parametrize("name", ["a\0b.json", "x" * 5000 + ".json", "\ud800.json"])
def test_a_name_that_no_file_can_have(name):
    with pytest.raises(DatasetError):
        load_entries(name)


def test_a_folder_is_an_error(tmp_path):
    folder = tmp_path / "entries.json"
    folder.mkdir()
    assert "is a folder" in fault_of(folder).problem


def test_a_folder_without_a_suffix_is_an_error(tmp_path):
    fault_of(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes")
def test_a_named_pipe_is_refused_without_waiting_for_it(tmp_path, monkeypatch):
    pipe = tmp_path / "entries.json"
    os.mkfifo(pipe)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("would wait for ever"))
    assert "is no ordinary file" in fault_of(pipe).problem


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = write(tmp_path, "entries.json", [GOOD])
    path.chmod(0)
    if os.access(path, os.R_OK):  # root, or Windows: there is no such file, so make believe

        def refuse(self):
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "read_bytes", refuse)
    fault = fault_of(path)
    assert "cannot be read" in fault.problem
    assert "Permission denied" in fault.problem


def test_the_first_fault_is_the_one_raised(tmp_path):
    path = write(tmp_path, "a.json", [GOOD, {"instruction": "x"}, None])
    assert fault_of(path).row == 1


@pytest.mark.parametrize("text", ["caf\u00e9 \U0001f680", "\ue000", "\U0001fae9", "\u0301", "0"])
def test_what_can_be_seen_is_not_blank(text):
    """Also characters newer than this Python's tables, or of a font's own."""
    assert check_entries([GOOD | {"output": text}])[0]["output"] == text


def test_a_byte_order_mark_is_accepted(tmp_path):
    for name, text in (("a.json", f"[{GOOD_JSON}]"), ("a.jsonl", GOOD_JSON)):
        path = write(tmp_path, name, text.encode("utf-8-sig"))
        assert load_entries(path) == [GOOD], name


def test_json_and_jsonl_hold_the_same(tmp_path):
    entries = [GOOD | {"output": f"answer {i} ü \U0001f600"} for i in range(5)]
    lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    assert load_entries(write(tmp_path, "a.jsonl", lines)) == entries
    assert load_entries(write(tmp_path, "a.json", entries)) == entries
    assert load_entries(write(tmp_path, "B.JSON", entries)) == entries, "suffix in capitals"


def test_lines_may_end_as_on_windows_and_the_last_without_a_break(tmp_path):
    path = write(tmp_path, "a.jsonl", f"{GOOD_JSON}\r\n\r\n{GOOD_JSON}")
    assert load_entries(path) == [GOOD, GOOD]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x7f"])
def test_other_line_separators_stay_inside_their_text(tmp_path, character):
    entry = GOOD | {"output": f"one{character}two"}
    path = write(tmp_path, "a.jsonl", json.dumps(entry, ensure_ascii=False) + "\n" + GOOD_JSON)
    assert load_entries(path) == [entry, GOOD]


def test_a_surrogate_pair_is_one_character(tmp_path):
    path = write(tmp_path, "a.json", b'[{"instruction": "x", "output": "\\ud83d\\ude00"}]')
    assert load_entries(path)[0]["output"] == "\U0001f600"


def test_a_missing_input_becomes_an_empty_one(tmp_path):
    path = write(tmp_path, "a.json", [{"output": "Red.", "instruction": "Name a color."}])
    (entry,) = load_entries(path)
    assert entry == GOOD
    assert type(entry) is dict


def test_extra_fields_are_kept(tmp_path):
    extra = {"id": 7, "tags": ["a", None], "meta": {"by": "me", "score": 0.5}, "": True}
    entries = load_entries(write(tmp_path, "a.json", [GOOD | extra]))
    assert entries == [GOOD | extra]


def test_inside_an_extra_field_a_repeated_name_loses_nothing_else(tmp_path):
    path = write(
        tmp_path,
        "a.json",
        b'[{"instruction": "x", "output": "y", "meta": {"a": 1, "b": 2, "b": 3}}]',
    )
    assert load_entries(path)[0]["meta"] == {"a": 1, "b": 3}


def test_the_rows_that_were_given_stay_as_they_are():
    row = {"instruction": "x", "output": "y"}
    check_entries([row])
    assert row == {"instruction": "x", "output": "y"}


FAULTY = [
    GOOD,
    {"instruction": "x"},
    GOOD | {"instruction": " "},
    {"instruction": "y", "input": ""},
    GOOD,
    None,
]


def test_drop_says_how_many_and_why(tmp_path):
    path = write(tmp_path, "a.json", FAULTY)
    with pytest.warns(DroppedEntriesWarning) as caught:
        entries = load_entries(path, on_invalid="drop")
    assert entries == [GOOD, GOOD]
    (warning,) = caught
    assert str(warning.message) == (
        f"{path}: dropped 4 of 6 entries (2 × output: is missing; 1 × instruction: is blank; "
        "1 × entry: is null; an entry is an object with fields). Rows: 1, 2, 3, 5"
    )
    assert warning.filename == __file__, "the warning points at the line that loads"


def test_drop_names_ten_rows_and_no_more():
    rows = [{"instruction": str(i)} for i in range(11)] + [GOOD]
    with pytest.warns(DroppedEntriesWarning) as caught:
        assert check_entries(rows, on_invalid="drop") == [GOOD]
    message = str(caught[0].message)
    assert message == (
        "entries: dropped 11 of 12 entries (11 × output: is missing). "
        "Rows: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 …"
    )


def test_drop_says_nothing_where_nothing_is_wrong(tmp_path):
    path = write(tmp_path, "a.json", [GOOD])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_entries(path, on_invalid="drop") == [GOOD]


def test_drop_does_not_leave_an_empty_list(tmp_path):
    path = write(tmp_path, "a.json", [{"instruction": "x"}, None])
    with pytest.raises(DatasetError) as caught:
        load_entries(path, on_invalid="drop")
    assert (caught.value.row, caught.value.field) == (0, "output")


@pytest.mark.parametrize("content", [b"[]", b"{}", b"[" * 1_000_000, b"[nul"])
def test_drop_does_not_save_a_file_that_is_no_list(tmp_path, content):
    with pytest.raises(DatasetError):
        load_entries(write(tmp_path, "a.json", content), on_invalid="drop")


def test_sift_gives_back_both_kinds():
    entries, faults = sift_entries(FAULTY, file="rows")
    assert entries == [GOOD, GOOD]
    assert [fault.row for fault in faults] == [1, 2, 3, 5]


def test_the_message_of_an_error_without_a_place():
    assert str(DatasetError("is odd")) == "is odd"
    assert str(DatasetError("is odd", "a.json", 3, "input")) == (
        "a.json, row 3, field 'input': is odd"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["instruction", "input", "output", "id"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_json_holds_it_is_entries_or_a_dataset_error(value):
    try:
        entries = check_entries(value)
    except DatasetError:
        return
    assert len(entries) == len(value)
    for entry in entries:
        assert all(isinstance(entry[field], str) for field in ("instruction", "input", "output"))
        assert entry["instruction"].strip() and entry["output"].strip()


@given(st.data())
def test_a_damaged_file_is_entries_or_a_dataset_error(tmp_path_factory, data):
    content = bytearray(listed(input="caf\u00e9"))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(start + 8, len(content))))
        content[start:end] = data.draw(st.binary(max_size=4))
    suffix = data.draw(st.sampled_from([".json", ".jsonl"]))
    path = write(tmp_path_factory.getbasetemp(), f"damaged{suffix}", bytes(content))
    try:
        check_entries(read_rows(path), path)
    except DatasetError as fault:
        assert fault.file == path
