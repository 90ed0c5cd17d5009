"""Rows for other programs: there and back again exactly, or a sentence that says why not."""

import dataclasses
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lessons_lib.bridges import (
    from_messages,
    from_prompt_completion,
    to_alpaca,
    to_messages,
    to_prompt_completion,
    write_rows,
)
from lessons_lib.data import (
    PROMPT_FORMATS,
    DatasetError,
    PromptFormat,
    check_entries,
    load_entries,
)
from tests.helpers.toys import ENTRIES, RANDOM_ENTRIES

WHOLE = [{"input": "", **entry} for entry in ENTRIES]
NO_INPUTS = [entry for entry in WHOLE if not entry["input"]]
USER, ASSISTANT = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
SYSTEM = {"role": "system", "content": "Be brief."}


def sound(entry):
    try:
        return check_entries([entry])
    except DatasetError:
        return assume(False)


def test_alpacas_rows_have_all_three_fields_and_nothing_else(tmp_path):
    rows = to_alpaca([{**ENTRIES[0], "id": 7}, ENTRIES[3]])
    assert rows == [WHOLE[0], WHOLE[3]]
    assert load_entries(write_rows(tmp_path / "alpaca_data.json", rows)) == rows


def test_messages_are_the_users_and_the_assistants():
    (row,) = to_messages([ENTRIES[2]], system="Be brief.")
    assert row == {
        "messages": [
            SYSTEM,
            {"role": "user", "content": "Add.\n\n### Input:\n2 and 3"},
            {"role": "assistant", "content": "5"},
        ]
    }
    assert [turn["role"] for turn in to_messages(ENTRIES)[0]["messages"]] == ["user", "assistant"]


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize("system", [None, "Be brief."])
def test_messages_come_back_from_a_file(tmp_path, suffix, system):
    path = write_rows(tmp_path / f"rows{suffix}", to_messages(ENTRIES, system))
    assert from_messages(path, leave_out_system=system is not None) == WHOLE
    assert from_messages(str(path), leave_out_system=True) == WHOLE


def test_openais_file_has_one_object_a_line_in_plain_utf8(tmp_path):
    entries = [{"instruction": "Name a river.", "input": "", "output": "Žitava\u2028or 黄河"}]
    path = write_rows(tmp_path / "train.jsonl", to_messages(entries + ENTRIES))
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    assert len(lines) == 1 + len(ENTRIES) and "Žitava" in lines[0]
    assert all(set(json.loads(line)) == {"messages"} for line in lines)
    assert from_messages(path) == entries + WHOLE


def test_one_row_alone_comes_back_from_a_file_too(tmp_path):
    path = write_rows(tmp_path / "one.jsonl", to_messages(ENTRIES[1:2]))
    assert from_messages(path) == WHOLE[1:2]
    path = write_rows(tmp_path / "two.jsonl", to_prompt_completion(ENTRIES[1:2]))
    assert from_prompt_completion(path) == WHOLE[1:2]


def test_all_bundled_entries_come_back():
    entries = load_entries()
    assert to_alpaca(entries) == entries
    assert from_messages(to_messages(entries)) == entries
    for name in ("alpaca", "alpaca-stanford"):
        assert from_prompt_completion(to_prompt_completion(entries, name), name) == entries


def test_all_of_the_books_entries_come_back(real_entries):
    entries = load_entries(real_entries)
    assert from_messages(to_messages(entries)) == entries
    assert from_prompt_completion(to_prompt_completion(entries)) == entries


@given(RANDOM_ENTRIES)
def test_any_entry_comes_back_from_messages_or_is_refused(entry):
    entries = sound(entry)
    try:
        rows = to_messages(entries)
    except DatasetError as error:
        assert error.field == "instruction" and "### Input:" in entry["instruction"]
    else:
        assert from_messages(rows) == entries


@given(RANDOM_ENTRIES, st.sampled_from(sorted(PROMPT_FORMATS)))
def test_any_entry_comes_back_from_prompt_and_completion_or_is_refused(entry, name):
    (entry,) = sound(entry)
    rows = to_prompt_completion([entry], name)
    entry["input"] = entry["input"] if entry["input"].strip() else ""
    try:
        assert from_prompt_completion(rows, name) == [entry]
    except DatasetError as error:
        assert "could be of" in error.problem
        assert name == "phi3" or "### Input:" in "".join(entry.values())


def test_an_instruction_that_would_be_cut_is_refused_and_another_header_helps():
    entry = {"instruction": "Explain:\n\n### Input:", "input": "x", "output": "It is a header."}
    with pytest.raises(DatasetError, match="entries, row 1, field 'instruction'"):
        to_messages([ENTRIES[0], entry])
    rows = to_messages([entry], input_header="\n\nText: ")
    assert from_messages(rows, input_header="\n\nText: ") == [entry]


def test_a_format_that_joins_the_two_is_turned_back_where_that_can_be_told():
    rows = to_prompt_completion(NO_INPUTS, "phi3")
    assert from_prompt_completion(rows, "phi3") == NO_INPUTS
    with pytest.raises(DatasetError, match="row 1, field 'prompt': could be of 2 entries"):
        from_prompt_completion(to_prompt_completion(ENTRIES, "phi3"), "phi3")


def test_a_dataset_of_datasets_there_and_back(tmp_path):
    datasets = pytest.importorskip("datasets", reason="pip install datasets")
    chats = datasets.Dataset.from_list(to_messages(ENTRIES, "Be brief."))
    assert from_messages(chats, leave_out_system=True) == WHOLE
    pairs = datasets.Dataset.from_list(to_prompt_completion(ENTRIES))
    assert from_prompt_completion(pairs) == WHOLE
    assert load_entries(datasets.Dataset.from_list(to_alpaca(ENTRIES))) == WHOLE
    pairs.to_parquet(tmp_path / "pairs.parquet")
    assert from_prompt_completion(tmp_path / "pairs.parquet") == WHOLE


def test_null_where_datasets_fills_missing_fields_is_nothing():
    turn = {"name": None, "tool_calls": None, "weight": None}
    row = {"messages": [USER | turn, ASSISTANT | turn], "tools": None, "id": 3}
    assert from_messages([row]) == [{"id": 3, "instruction": "Hi", "input": "", "output": "Hello"}]


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        {"prompt": [USER], "completion": [ASSISTANT]},
        {"messages": [USER | {"content": [{"type": "text", "text": "Hi"}]}, ASSISTANT]},
        {"messages": [USER, ASSISTANT | {"weight": 1}]},
        {"messages": [USER, ASSISTANT], "tools": []},
    ],
)
def test_conversations_in_other_peoples_shapes_are_read(row):
    assert from_messages([row]) == [{"instruction": "Hi", "input": "", "output": "Hello"}]


def test_conversations_that_load_entries_refuses_it_leads_here(tmp_path):
    path = write_rows(tmp_path / "chats.jsonl", to_messages(ENTRIES[:2]))
    with pytest.raises(DatasetError, match="from_messages from lessons_lib.bridges takes those"):
        load_entries(path)
    assert from_messages(path) == WHOLE[:2]


TOOL_CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        ({"messages": [USER, ASSISTANT, USER, ASSISTANT]}, "messages", "user, assistant, user, as"),
        ({"messages": [USER]}, "messages", "but user; leave such rows out"),
        ({"messages": [ASSISTANT, USER]}, "messages", "assistant, user"),
        ({"messages": []}, "messages", "no turn"),
        ({"messages": [SYSTEM, USER, ASSISTANT]}, "messages", "leave_out_system=True"),
        ({"messages": [USER, ASSISTANT], "tools": [{}]}, "tools", "describes tools"),
        (
            {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}]},
            "messages",
            "message 1 has the field 'tool_calls'",
        ),
        ({"messages": [USER, {"role": "tool", "content": "4"}]}, "messages", "the role 'tool'"),
        ({"messages": [USER, {"role": 3, "content": "4"}]}, "messages", "the role a number"),
        ({"messages": [USER, {"role": "assistant", "content": 4}]}, "messages", "is a number"),
        ({"messages": [USER, ASSISTANT | {"weight": 0}]}, "messages", "weight 0"),
        ({"messages": ["Hi", "Hello"]}, "messages", "message 0 is text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, ASSISTANT]},
            "messages",
            "its content is a list",
        ),
        ({"instruction": "Hi", "output": "Hello"}, None, "load_entries reads rows"),
        ({"prompt": [USER], "chosen": [ASSISTANT]}, "prompt", "but user"),
        ({"messages": [USER, {"role": "assistant", "content": " "}]}, "output", "is blank"),
    ],
)
def test_what_is_no_entry_is_named(tmp_path, row, field, said):
    path = write_rows(tmp_path / "rows.jsonl", [*to_messages(ENTRIES[:2]), row])
    with pytest.raises(DatasetError) as raised:
        from_messages(path)
    error = raised.value
    assert (error.file, error.row, error.field) == (path, 2, field)
    assert said in error.problem


def test_the_advice_on_a_system_message_works_when_followed():
    rows = [{"messages": [{"role": "developer", "content": "Be brief."}, USER, ASSISTANT]}]
    with pytest.raises(DatasetError, match=r"from_messages\(source, leave_out_system=True\)"):
        from_messages(rows)
    assert from_messages(rows, leave_out_system=True)[0]["output"] == "Hello"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"messages": [], "messages": []}', "is named twice"),
        ('{"messages": [{"role": "user", "role": "user", "content": "x"}]}', "'role' is named"),
        ("5", "is a number; a row is an object"),
        ('{"messages": [', "is not JSON"),
    ],
)
def test_a_file_with_a_faulty_line_is_named(tmp_path, line, said):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"messages": [USER, ASSISTANT]}) + "\n" + line, encoding="utf-8")
    with pytest.raises(DatasetError, match=said) as raised:
        from_messages(path)
    assert (raised.value.file, raised.value.row) == (path, 1)


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"prompt": "Hi"}, "prompt", "is not written in the phi3 format"),
        ({"completion": "Hello"}, "completion", "does not end in '<|end|>'"),
        ({"completion": None}, "completion", "is null; text is expected"),
    ],
)
def test_a_row_of_another_format_is_named(change, field, said):
    rows = to_prompt_completion(NO_INPUTS, "phi3")
    rows[1] |= change
    with pytest.raises(DatasetError) as raised:
        from_prompt_completion(rows, "phi3")
    assert (raised.value.row, raised.value.field) == (1, field) and said in raised.value.problem


def test_a_missing_completion_is_named_and_an_unknown_format_too():
    with pytest.raises(DatasetError, match="field 'completion': is missing; the row has the field"):
        from_prompt_completion([{"prompt": "Hi"}])
    with pytest.raises(ValueError, match="no prompt format 'llama'"):
        from_prompt_completion([{"prompt": "Hi"}], "llama")


def test_a_format_whose_words_cannot_be_taken_off_says_so():
    turned = PromptFormat("turned", lambda e: f"{e.get('input')} {e['instruction']}", "\n")
    with pytest.raises(ValueError, match="turned format's own words cannot be taken off"):
        from_prompt_completion(to_prompt_completion(WHOLE, turned), turned)
    shouting = dataclasses.replace(turned, question=lambda e: e["instruction"].upper())
    with pytest.raises(ValueError, match="cannot be taken off"):
        from_prompt_completion(to_prompt_completion(WHOLE, shouting), shouting)


def test_rows_that_json_cannot_hold_are_named_and_nothing_is_written(tmp_path):
    with pytest.raises(DatasetError, match="rows, row 1, field 'b': holds NaN"):
        write_rows(tmp_path / "rows.jsonl", [{"a": 1}, {"a": 1, "b": float("nan")}])
    with pytest.raises(DatasetError, match=r"must end in \.jsonl or \.json"):
        write_rows(tmp_path / "rows.csv", [{"a": 1}])
    with pytest.raises(DatasetError, match="rows: holds no entries"):
        write_rows(tmp_path / "rows.json", [])
    assert not list(tmp_path.iterdir())
