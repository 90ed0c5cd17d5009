"""Layouts in which rows come, what is handed over by mistake, and what faults cost."""

import io
import json
import tracemalloc
import warnings
from pathlib import Path

import datasets
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.data import (
    DatasetError,
    as_entries,
    audit_entries,
    check_entries,
    choose_entries,
    load_entries,
    split_entries,
)
from lessons_lib.data.reading import DroppedEntriesWarning, find_rows

ENTRIES = [
    {"instruction": "Name a sea.", "input": "", "output": "The Baltic Sea."},
    {"instruction": "Repeat the word.", "input": "NA", "output": "None, null, nan"},
    {"instruction": "Count, please.", "input": 'one\n"two"; 3,\tü', "output": "\U0001f600"},
]
FRAME = pandas.DataFrame(ENTRIES)
COLUMNS = {name: [entry[name] for entry in ENTRIES] for name in ENTRIES[0]}


def gives_entries(source, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_entries(source, **options) == ENTRIES


@pytest.mark.parametrize("orient", ["records", "columns", "index", "split", "table", None])
@pytest.mark.parametrize("index", [None, "id"])
def test_what_pandas_writes_as_json_is_read(tmp_path, orient, index):
    frame = FRAME if index is None else FRAME.rename_axis(index)
    frame.to_json(tmp_path / "frame.json", orient=orient)
    gives_entries(tmp_path / "frame.json")


def test_json_lines_of_pandas_are_read_under_any_name(tmp_path):
    for name in ("frame.jsonl", "frame.ndjson", "frame.json", "frame.jsonl.gz", "frame.json.gz"):
        FRAME.to_json(tmp_path / name, orient="records", lines=True)
        gives_entries(tmp_path / name)


@pytest.mark.parametrize(
    "value",
    [
        COLUMNS,
        {"data": ENTRIES},
        {"version": "1.0", "examples": ENTRIES, "count": 3},
        {"title": ["a", "b"], "rows": ENTRIES},
        {"train": ENTRIES},
        {"train": COLUMNS},
    ],
)
def test_objects_with_one_list_are_read(tmp_path, value):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    gives_entries(path)
    gives_entries(value)


def test_columns_with_names_of_their_own_are_read_with_fields():
    fields = dict(zip(COLUMNS, "abc", strict=True))
    gives_entries(dict(zip("abc", COLUMNS.values(), strict=True)), fields=fields)
    frame = FRAME.set_axis(list("abc"), axis=1)
    gives_entries(json.loads(frame.to_json()), fields=fields)


def test_one_object_that_is_an_entry_is_one_entry(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(ENTRIES[0]), encoding="utf-8")
    assert load_entries(path) == ENTRIES[:1]


def test_several_lists_are_named_and_the_advice_works(tmp_path):
    path = tmp_path / "parts.json"
    path.write_text(json.dumps({"train": ENTRIES, "test": ENTRIES[:1]}), encoding="utf-8")
    with pytest.raises(DatasetError, match="several sets.*'train', 'test'; take one: ") as caught:
        load_entries(path)
    from lessons_lib.data.reading import read_rows

    advice = str(caught.value).partition("take one: ")[2].partition(" (")[0]
    names = {"load_entries": load_entries, "read_rows": read_rows, "Path": Path}
    assert eval(advice, names) == ENTRIES


def test_parts_in_memory_are_named():
    parts = datasets.Dataset.from_list(ENTRIES).train_test_split(test_size=1)
    with pytest.raises(DatasetError, match=r"take one: load_entries\(source\['train'\]\)"):
        load_entries(parts)
    assert len(load_entries(parts["train"])) == 2
    with pytest.raises(DatasetError, match="is a stream"):
        load_entries(parts["train"].to_iterable_dataset())


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(DatasetError, match="different lengths: {'instruction': 3, .*'output': 2}"):
        load_entries(COLUMNS | {"output": ["a", "b"]})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.csv", {}),
        ("a.csv", {"index": False}),
        ("a.csv", {"index": False, "sep": ";"}),
        ("a.csv", {"index": False, "sep": "\t"}),
        ("a.csv", {"index": False, "encoding": "utf-8-sig"}),
        ("a.csv", {"index": False, "lineterminator": "\r\n"}),
        ("a.csv.gz", {"index": False}),
        ("a.tsv", {"index": False}),
        ("a.tsv", {"index": False, "sep": "\t"}),
        ("A.TSV", {"index": False, "sep": "\t"}),
    ],
)
def test_tables_as_text_are_read_and_no_cell_becomes_missing(tmp_path, name, options):
    FRAME.to_csv(tmp_path / name, **options)
    gives_entries(tmp_path / name)


def test_parquet_is_read_under_any_name(tmp_path):
    for name in ("a.parquet", "b.json"):
        FRAME.set_index(pandas.Index([5, 6, 9])).to_parquet(tmp_path / name)
        gives_entries(tmp_path / name)


def test_a_table_with_faulty_lines_names_them(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("instruction,input,output\na,b,c\n\na,b\n,,\na,b,c,d\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="row 1: has 2 cells, and the first line names 3 fields"):
        load_entries(path)
    with pytest.warns(DroppedEntriesWarning, match="dropped 2 of 3"):
        assert len(load_entries(path, on_invalid="drop")) == 1


@pytest.mark.parametrize(
    ("content", "piece"),
    [
        ("instruction,output,output\na,b,c\n", "field 'output': is named twice in the first line"),
        ('instruction,output\n"a,b\n', 'is a " left open'),
        ("Name a sea.,The Baltic.\nName a tree.,Oak.\n", "'Name a sea.', 'The Baltic.'"),
        ("instruction,output\n", "holds no entries"),
        (",,\n,,\n", "holds no entries"),
    ],
)
def test_tables_that_cannot_be_read_are_named(tmp_path, content, piece):
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        load_entries(path)
    assert piece in str(caught.value)


def test_empty_lines_before_the_names_are_skipped(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\n\ninstruction;output\na;b\n", encoding="utf-8")
    assert load_entries(path) == [{"instruction": "a", "input": "", "output": "b"}]


def test_a_text_of_a_million_letters_fits_into_a_cell(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"instruction,output\n{'a' * 1_000_000},b\n", encoding="utf-8")
    assert len(load_entries(path)[0]["instruction"]) == 1_000_000


def test_a_missing_pyarrow_is_named(tmp_path, monkeypatch):
    FRAME.to_parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(DatasetError, match="pip install pyarrow"):
        load_entries(tmp_path / "a.parquet")


def test_damaged_parquet_is_named(tmp_path):
    buffer = io.BytesIO()
    FRAME.to_parquet(buffer)
    for content in (b"PAR1", buffer.getvalue()[:-20], b"PAR1" + bytes(100)):
        (tmp_path / "a.parquet").write_bytes(content)
        with pytest.raises(DatasetError, match="damaged parquet"):
            load_entries(tmp_path / "a.parquet")


def test_tables_in_memory_are_sources():
    gives_entries(FRAME)
    gives_entries(datasets.Dataset.from_list(ENTRIES))
    gives_entries(ENTRIES)
    gives_entries(tuple(ENTRIES))
    extra = FRAME.assign(score=[1, None, 3], at="now")
    assert load_entries(extra)[1] == ENTRIES[1] | {"score": None, "at": "now"}


def test_missing_cells_of_a_frame_are_absent_inputs():
    frame = pandas.DataFrame([ENTRIES[0] | {"input": None}, ENTRIES[0] | {"input": float("nan")}])
    assert load_entries(frame) == [ENTRIES[0]] * 2


def test_a_cell_that_json_cannot_hold_is_named():
    with pytest.raises(DatasetError, match="row 0, field 'at': cannot be kept in JSON"):
        load_entries(FRAME.assign(at=pandas.Timestamp("2024-01-01")))


def test_tables_in_memory_can_be_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(tmp_path))
    assert choose_entries(FRAME) == load_entries("chosen") == ENTRIES
    renamed = [{"q": e["instruction"], "a": e["output"]} for e in ENTRIES]
    chosen = choose_entries(renamed, fields={"instruction": "q", "output": "a"})
    assert load_entries("chosen") == chosen


@pytest.mark.parametrize("nothing", [None, float("nan"), pandas.NA, pandas.NaT])
def test_an_input_that_is_missing_is_empty(nothing):
    rows = [ENTRIES[0] | {"input": nothing}]
    assert check_entries(rows) == load_entries(rows) == as_entries(rows) == ENTRIES[:1]


def test_null_and_nan_in_a_file_are_empty_inputs(tmp_path):
    for text in ("null", "NaN"):
        path = tmp_path / "a.json"
        path.write_text(f'[{{"instruction": "a", "input": {text}, "output": "b"}}]', "utf-8")
        assert load_entries(path)[0]["input"] == ""


@pytest.mark.parametrize("text", ["<noinput>", "No Input", "N/A", "none", " \n", "<No input>."])
def test_an_input_that_says_there_is_none_is_left_out_on_request(text):
    rows = [ENTRIES[0] | {"input": text}]
    assert load_entries(rows) == rows
    assert load_entries(rows, normalise_input=True) == ENTRIES[:1]


@pytest.mark.parametrize("text", ["Na", "None of them came.", "0", "n"])
def test_other_inputs_stay(text):
    rows = [ENTRIES[0] | {"input": text}]
    assert load_entries(rows, normalise_input=True) == rows


# What is handed over by mistake: a piece of the message.
WRONG = {
    "a path": (Path("my.json"), "load_entries('my.json')"),
    "a name": ("my.json", "load_entries('my.json')"),
    "the three parts": (split_entries(ENTRIES * 10), "splits.train"),
    "a DataFrame": (FRAME, "load_entries(frame)"),
    "a number": (3, "is a number; a list of entries"),
    "nothing": (None, "is null; a list of entries"),
    "one entry": (ENTRIES[0], "put the entries into a list"),
    "parts of a Hugging Face data set": ({"train": ENTRIES}, "data['train']"),
    "a list of texts": (["Name a sea."], "row 0: is text; an entry is an object"),
    "a number as output": ([ENTRIES[0] | {"output": 3}], "row 0, field 'output': is a number"),
    "no output": ([{"instruction": "x"}], "field 'output': is missing; the row has the field"),
}


@pytest.mark.parametrize("function", [as_entries, check_entries, split_entries])
@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_list_of_entries_is_one_sentence(function, case):
    wrong, piece = WRONG[case]
    with pytest.raises(DatasetError) as caught:
        function(wrong)
    assert piece in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", [c for c in WRONG if c not in ("one entry",)])
def test_what_is_no_source_or_no_parts_is_one_sentence(case):
    wrong, _ = WRONG[case]
    if case not in ("the three parts", "a DataFrame", "parts of a Hugging Face data set"):
        with pytest.raises(DatasetError):
            load_entries(wrong)
    if case != "the three parts":
        with pytest.raises(DatasetError, match=r"split_entries\(entries\)"):
            audit_entries(wrong)


def test_the_three_parts_are_no_source():
    with pytest.raises(DatasetError, match="source: is a data set in three parts"):
        load_entries(split_entries(ENTRIES * 10))


def test_the_part_with_a_fault_is_named():
    splits = split_entries(ENTRIES * 10)._replace(test=[ENTRIES[0] | {"output": 3}])
    with pytest.raises(DatasetError, match="splits.test, row 0, field 'output'"):
        audit_entries(splits)


def test_whatever_yields_entries_is_taken():
    assert as_entries(iter(ENTRIES)) == as_entries(datasets.Dataset.from_list(ENTRIES)) == ENTRIES
    assert as_entries([]) == []


def test_an_empty_list_is_named():
    for function in (check_entries, load_entries):
        with pytest.raises(DatasetError, match="holds no entries"):
            function([])


def test_five_entries_have_a_part_to_train_on_and_a_warning():
    with pytest.warns(UserWarning, match="5 entries leave nothing for test: .* test=0.2") as caught:
        splits = split_entries(ENTRIES + ENTRIES[:2])
    assert [len(part) for part in splits] == [4, 0, 1]
    assert caught[0].filename == __file__
    assert [len(part) for part in split_entries(ENTRIES[:1] * 5, train=0.6, test=0.2)] == [3, 1, 1]


def test_shuffling_by_seed_is_the_same_everywhere():
    rows = [ENTRIES[0] | {"output": str(i)} for i in range(10)]
    splits = split_entries(rows, 0.5, 0.5, shuffle_seed=123)
    order = [int(entry["output"]) for part in splits for entry in part]
    assert order == [5, 0, 1, 3, 9, 7, 2, 6, 8, 4]
    assert [entry["output"] for entry in rows] == [str(i) for i in range(10)]


@pytest.mark.parametrize("rows", [[{}] * 300_000, [{"instruction": "x"}] * 40_000])
def test_a_megabyte_of_faulty_rows_takes_little_memory(tmp_path, rows):
    path = tmp_path / "faulty.json"
    path.write_text(json.dumps([ENTRIES[0], *rows]), encoding="utf-8")
    for on_invalid, limit in (("error", 40), ("drop", 80)):
        tracemalloc.start()
        try:
            with warnings.catch_warnings(record=True), pytest.raises(DatasetError):
                load_entries(path, on_invalid=on_invalid)
                raise DatasetError("dropped")
            assert tracemalloc.get_traced_memory()[1] < limit * 1e6
        finally:
            tracemalloc.stop()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["instruction", "output", "data", "columns", "schema", "messages", "0", "Input"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(values)
def test_whatever_a_file_holds_it_is_entries_or_a_dataset_error(value):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            entries = check_entries(find_rows(value, "file"), "file")
        except DatasetError:
            return
    assert all(isinstance(e[f], str) for e in entries for f in ("instruction", "input", "output"))
