"""What fields are called in other data sets: read, refused, or told; never lost in silence."""

import json
import re
import warnings
from pathlib import Path

import pytest

from lessons_lib.data import DatasetError, check_entries, load_entries
from lessons_lib.data.reading import DroppedEntriesWarning, FieldNamesWarning, read_rows
from lessons_lib.self_instruct import flatten, load_seed_tasks

ENTRY = {"instruction": "Summarize.", "input": "The mill dates from 1786.", "output": "A mill."}


def write(folder: Path, *rows: dict) -> Path:
    path = folder / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def quietly(load, *arguments, **options):
    """What comes back without a single warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load(*arguments, **options)


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "Summarize.", "context": ENTRY["input"], "response": "A mill."},
        {"prompt": "Summarize.", "input": ENTRY["input"], "completion": "A mill."},
        {"prompt": "Summarize.", "input": ENTRY["input"], "response": "A mill."},
        {"question": "Summarize.", "input": ENTRY["input"], "answer": "A mill."},
        {"instruction": "Summarize.", "input": ENTRY["input"], "response": "A mill."},
    ],
)
def test_names_of_well_known_sets_are_read(tmp_path, row):
    extra = {"category": "closed_qa"}
    assert quietly(load_entries, write(tmp_path, row | extra)) == [ENTRY | extra]


@pytest.mark.parametrize(
    "renamed",
    [
        {"input": "Input"},
        {"input": "input "},
        {"input": "inputs"},
        {"input": "context"},
        {"input": " INPUTS"},
        {"instruction": "Instruction", "output": "OUTPUT"},
        {"instruction": "instructions", "output": "outputs"},
        {"instruction": "Question", "output": "Answer "},
        {"instruction": "\ufeffinstruction"},
    ],
)
@pytest.mark.parametrize("load", [load_entries, check_entries])
def test_near_misses_are_read_and_told(renamed, load):
    row = {renamed.get(field, field): text for field, text in ENTRY.items()}
    with pytest.warns(FieldNamesWarning) as caught:
        assert load([row]) == [ENTRY]
    (warning,) = caught
    for field, name in renamed.items():
        assert f"{name!r} as {field}" in str(warning.message)
    assert warning.filename == __file__


@pytest.mark.parametrize("name", ["imput", "Input text", "input_text", "inpt"])
def test_what_resembles_an_input_is_kept_and_told(tmp_path, name):
    path = write(tmp_path, {"instruction": "Summarize.", name: ENTRY["input"], "output": "A mill."})
    with pytest.warns(FieldNamesWarning, match="unread") as caught:
        (entry,) = load_entries(path)
    assert entry["input"] == "" and entry[name] == ENTRY["input"]
    followed = eval(re.search(r"load_entries\(.*\)", str(caught[0].message))[0])
    assert followed == [ENTRY]


@pytest.mark.parametrize(
    "extra",
    [{"system": "Be brief."}, {"history": [["Hi", "Hello"]]}, {"question": "Which mill?"}],
)
def test_parts_of_a_prompt_that_are_not_read_are_told(extra):
    with pytest.warns(FieldNamesWarning, match=next(iter(extra))):
        assert load_entries([ENTRY | extra]) == [ENTRY | extra]


@pytest.mark.parametrize("extra", [{"system": ""}, {"history": []}, {"id": 1}, {"text": "all"}])
def test_other_extra_fields_are_kept_without_a_word(extra):
    assert quietly(load_entries, [ENTRY | extra]) == [ENTRY | extra]


@pytest.mark.filterwarnings("ignore::lessons_lib.data.reading.fields.FieldNamesWarning")
@pytest.mark.parametrize("name", ["context", "inputs", "Input", "input "])
def test_two_names_of_one_field_must_agree(name):
    with pytest.raises(DatasetError, match=f"'input' and as {name!r}") as caught:
        load_entries([ENTRY, ENTRY | {name: "Another text."}])
    assert (caught.value.row, caught.value.field) == (1, "input")
    with pytest.warns(FieldNamesWarning):
        assert load_entries([ENTRY | {name: ENTRY["input"]}]) == [ENTRY]
    with pytest.warns(FieldNamesWarning):
        assert load_entries([ENTRY | {"input": None, name: ENTRY["input"]}]) == [ENTRY]
    with pytest.warns(DroppedEntriesWarning):
        assert load_entries([ENTRY, ENTRY | {name: "Another text."}], on_invalid="drop") == [ENTRY]
    chosen = quietly(load_entries, [ENTRY | {name: "Another."}], fields={"input": "input"})
    assert chosen == [ENTRY | {name: "Another."}]


def test_fields_says_what_a_file_calls_them(tmp_path):
    row = {"prompt": "Summarize.", "context": ENTRY["input"], "answer": "A mill.", "id": 7}
    fields = {"instruction": "prompt", "input": "context", "output": "answer"}
    assert quietly(load_entries, write(tmp_path, row), fields=fields) == [ENTRY | {"id": 7}]


def test_fields_may_swap_names():
    row = {"instruction": "A mill.", "output": "Summarize.", "input": ENTRY["input"]}
    fields = {"instruction": "output", "output": "instruction"}
    assert load_entries([row], fields=fields) == [ENTRY]


def test_a_field_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(DatasetError, match="no field 'reply'; .* 'instruction', 'input', 'output'"):
        load_entries([ENTRY], fields={"output": "reply"})


def test_fields_the_wrong_way_round_are_turned():
    with pytest.raises(ValueError, match="did you mean fields={'output': 'answer'}"):
        load_entries([ENTRY], fields={"answer": "output"})


@pytest.mark.parametrize(
    "row",
    [
        {"q": "Name a sea.", "a": "The Baltic."},
        {"query": "Name a sea.", "reply": "The Baltic."},
        {"prompt": "Name a sea.", "chosen": "The Baltic.", "rejected": "Paris."},
        {"prompt": "Name a sea.", "response": "The Baltic.", "answer": "The North Sea."},
        {"input": "Name a sea.", "output": "The Baltic."},
        {"frage": "Name a sea.", "antwort": "The Baltic."},
        {"id": 3, "task": "Name a sea.", "Solution": "The Baltic."},
    ],
)
def test_other_names_are_listed_and_the_advice_works(tmp_path, row):
    path = write(tmp_path, row)
    with pytest.raises(DatasetError) as caught:
        load_entries(path)
    message = str(caught.value)
    assert all(repr(name) in message for name in row)
    (entry,) = eval(re.search(r"load_entries\(.*\)", message)[0])
    assert (entry["instruction"], entry["output"]) == ("Name a sea.", "The Baltic.")


def test_without_two_texts_there_is_no_advice_but_the_fields():
    with pytest.raises(DatasetError, match="the row has the field 'text'; .* both of them texts"):
        load_entries([{"text": "### Human: Hi ### Assistant: Hello"}])


def test_a_row_that_lacks_a_field_lists_what_it_has():
    with pytest.raises(DatasetError, match="row 1.*the row has the fields 'prompt', 'reply'"):
        load_entries([{"prompt": "a", "completion": "b"}, {"prompt": "a", "reply": "b"}])


def test_a_fault_in_a_renamed_field_says_what_the_file_calls_it():
    with pytest.raises(DatasetError, match=r"'output': is blank \(the file .*'completion'\)"):
        load_entries([{"prompt": "a", "completion": " "}])


TURNS = [
    {"role": "user", "content": "Name a sea."},
    {"role": "assistant", "content": "The Baltic."},
]
SHAREGPT = [{"from": "human", "value": "Name a sea."}, {"from": "gpt", "value": "The Baltic."}]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"messages": TURNS}, "messages"),
        ({"messages": [{"role": "system", "content": "Be brief."}, *TURNS]}, "messages"),
        ({"conversations": SHAREGPT, "id": "x"}, "conversations"),
        ({"dialog": SHAREGPT}, "dialog"),
        ({"prompt": TURNS[:1], "completion": TURNS[1:]}, "prompt"),
    ],
)
def test_conversations_are_named_and_the_advice_works(tmp_path, row, field):
    for path in (write(tmp_path, row, row), tmp_path / "one.json"):
        path.write_text(json.dumps(row if path.name == "one.json" else [row]), encoding="utf-8")
        with pytest.raises(DatasetError, match="not read yet") as caught:
            load_entries(path)
        assert caught.value.field == field
        advice = re.search(r"load_entries\(.*\]\)", str(caught.value))[0]
        names = {"load_entries": load_entries, "read_rows": read_rows, "Path": Path}
        if path.name == "one.json":  # a single object: the advice is for a list of them
            names["read_rows"] = lambda path: [read_rows(path)]
        (entry,) = eval(advice, names)
        assert entry == {"instruction": "Name a sea.", "input": "", "output": "The Baltic."}


def test_seed_tasks_are_refused_and_the_advice_reads_them(tmp_path):
    seed_task = {
        "id": "seed_task_0",
        "name": "sea",
        "instruction": "Name a sea.",
        "instances": [{"input": "", "output": "The Baltic."}],
        "is_classification": False,
    }
    path = tmp_path / "seed_tasks.jsonl"
    path.write_text(f"{json.dumps(seed_task)}\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="load_seed_tasks and flatten from") as caught:
        load_entries(path)
    assert (caught.value.row, caught.value.field) == (0, "instances")
    advice = re.search(r"flatten\(.*\)\)", str(caught.value))[0]
    (entry,) = eval(advice, {"flatten": flatten, "load_seed_tasks": load_seed_tasks})
    assert entry == {"instruction": "Name a sea.", "input": "", "output": "The Baltic."}
    with pytest.raises(DatasetError, match=r"flatten\(load_seed_tasks\(FILE\)\)"):
        load_entries([seed_task])


def test_one_conversation_as_a_list_is_named():
    with pytest.raises(DatasetError, match="turns of a conversation"):
        load_entries(TURNS)


@pytest.mark.parametrize(
    "row",
    [
        {"conversation": [{"human": "a", "assistant": "b"}]},
        {"messages": []},
        TURNS,
        {"prompt": TURNS},
    ],
)
def test_conversations_of_other_kinds_are_named(row):
    with pytest.raises(DatasetError, match="conversation.*not read yet"):
        load_entries([row])
