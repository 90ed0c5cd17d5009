"""``python -m lessons_lib lint``: files of every kind, what it prints, and how it ends."""

import io
import json
import subprocess
import sys

import pytest
import torch

from lessons_lib.__main__ import main
from lessons_lib.batching import InstructionCollator, InstructionDataset
from lessons_lib.bridges import lint_labels
from lessons_lib.bridges.label_files import find_tokenizer, read_rows_file
from lessons_lib.commands import EXPECTATIONS
from lessons_lib.data import END_OF_TEXT, get_tokenizer, load_entries
from lessons_lib.data.tokenizer_files import write_tokenizer_files
from lessons_lib.labels import EXPECT, LabelsError
from tests.helpers.llama_toys import tiny_tokenizer

EXAMPLES = InstructionDataset(load_entries()[:12]).examples
BATCH = InstructionCollator("prompt")(EXAMPLES)


def rows():
    made = []
    for example in EXAMPLES:
        ids, start = [*example.token_ids, END_OF_TEXT], example.prompt_length
        made.append({"input_ids": ids, "labels": [-100] * start + ids[start:]})
    return made


def write_lines(path, made):
    path.write_text("\n".join(map(json.dumps, made)) + "\n\n", encoding="utf-8")
    return path


def write_parquet(path, made):
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(made), path)
    return path


def save_data_set(path, made):
    import datasets

    datasets.Dataset.from_list(made).save_to_disk(str(path))
    return path


def write_json(path, made):
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def columns_of(made):
    return {name: [row[name] for row in made] for name in made[0]}


def save_tensors(path, made):
    torch.save([{name: torch.tensor(part) for name, part in row.items()} for row in made], path)
    return path


WRITERS = {
    "rows.jsonl": write_lines,
    "rows.json": write_json,
    "columns.json": lambda path, made: write_json(path, columns_of(made)),
    "rows.parquet": write_parquet,
    "rows.pt": save_tensors,
    "saved": save_data_set,
}


@pytest.mark.parametrize("name", WRITERS)
def test_files_of_every_kind(name, tmp_path, capsys):
    if name in ("rows.parquet", "saved"):
        pytest.importorskip("datasets", reason="datasets is missing: make environment")
    made = rows()
    command = ["lint", str(WRITERS[name](tmp_path / name, made)), "--tokenizer", "gpt2"]
    assert main([*command, "--expect", "response", "--shifts-inside", "yes"]) == 0
    assert "✓ nothing found in 12 rows" in capsys.readouterr().out
    made[7]["labels"][-1] = -100
    other = WRITERS[name](tmp_path / f"other-{name}", made)
    assert main(["lint", str(other), "--tokenizer", "gpt2"]) == 1
    out = capsys.readouterr().out
    column = len(made[7]["labels"]) - 1
    assert f"✗ row 7, column {column}, token '<|endoftext|>': the response counts" in out
    assert "[stop-untrained]\n  → Tell padding by" in out


def test_batches_of_the_course(tmp_path, capsys):
    path = tmp_path / "batch.pt"
    torch.save({"inputs": BATCH.inputs, "targets": BATCH.targets}, path)
    assert main(["lint", str(path), "--tokenizer", "gpt2", "--shifts-inside", "no"]) == 0
    assert main(["lint", str(path), "--tokenizer", "gpt2", "--shifts-inside", "yes"]) == 1
    assert "[shifted-twice]" in capsys.readouterr().out


def test_a_few_findings_of_a_kind_are_printed(tmp_path, capsys):
    path = write_lines(
        tmp_path / "rows.jsonl", [row | {"labels": row["input_ids"]} for row in rows()]
    )
    assert main(["lint", str(path), "--tokenizer", "gpt2", "--expect", "response"]) == 1
    out = capsys.readouterr().out
    assert out.count("✗") == 10 and "… and 7 more [prompt-trained]" in out


def test_a_sample_is_taken_and_only_that_is_parsed(tmp_path, capsys):
    lines = [json.dumps(row) for row in rows()] * 100
    broken = tmp_path / "rows.jsonl"
    broken.write_text("\n".join(lines), encoding="utf-8")
    assert main(["lint", str(broken), "--tokenizer", "gpt2", "--rows", "30"]) == 0
    assert "30 of 1,200 rows were read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.jsonl", None, "there is no such file"),
        ("rows.csv", "input_ids", "it is none of .jsonl, .json, .parquet, .pt, nor a folder"),
        ("rows.jsonl", '{"input_ids": [1]}\n{"input_', "row 1, line 2, is no JSON"),
        ("empty.jsonl", "\n \n", "there is no row"),
        ("rows.json", "[1, 2", "it cannot be read"),
        ("number.json", "7", "an object of the type int holds no rows"),
        ("texts.jsonl", '{"prompt": "a", "completion": "b"}', "not tokenized yet"),
        ("rows.pt", "no tensors", "cannot be read|or is damaged"),
        ("rows.parquet", "no table", "it cannot be read"),
    ],
)
def test_what_cannot_be_read(name, content, message, tmp_path, capsys):
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    good = write_lines(tmp_path / "good.jsonl", rows())
    assert main(["lint", str(path), str(good), "--tokenizer", "gpt2"]) == 2
    shown = capsys.readouterr()
    assert f"error: {path}: " in shown.err and "Traceback" not in shown.err
    assert any(part in shown.err for part in message.split("|"))
    assert "nothing found in 12 rows" in shown.out, "the other file is read all the same"


def test_a_file_that_could_run_code_is_not_loaded(tmp_path):
    torch.save(BATCH, tmp_path / "batch.pt")
    with pytest.raises(LabelsError, match=r"because it could run code.*torch.save\(dict\(batch\)"):
        read_rows_file(tmp_path / "batch.pt")


def test_a_folder_of_several_parts_or_of_something_else(tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is missing: make environment")
    parts = datasets.DatasetDict(train=datasets.Dataset.from_list(rows()))
    parts.save_to_disk(str(tmp_path / "parts"))
    with pytest.raises(LabelsError, match="name one of them: .*train"):
        read_rows_file(tmp_path / "parts")
    assert len(read_rows_file(tmp_path / "parts" / "train")) == 12
    with pytest.raises(LabelsError, match="it cannot be read"):
        read_rows_file(tmp_path)


def test_tokenizers_by_name_and_by_folder(tmp_path, capsys):
    assert find_tokenizer("gpt2") is get_tokenizer()
    write_tokenizer_files(tmp_path, 1024)
    assert not lint_labels(rows(), find_tokenizer(str(tmp_path)), expect="response")
    tiny_tokenizer().save(tmp_path / "tiny")
    path = str(write_lines(tmp_path / "rows.jsonl", rows()))
    assert main(["lint", path, "--tokenizer", str(tmp_path / "tiny")]) == 2
    assert "The rows were made with another tokenizer" in capsys.readouterr().err
    assert main(["lint", path, "--tokenizer", str(tmp_path / "nothing")]) == 2
    assert "give gpt2, smollm2, the folder of a model" in capsys.readouterr().err


def test_smollm2s_tokenizer_is_that_of_its_folder(tmp_path, monkeypatch):
    tiny_tokenizer().save(tmp_path)
    monkeypatch.setattr("lessons_lib.models.smollm2_files.smollm2_folder", lambda: tmp_path)
    assert find_tokenizer("smollm2").eos_token == "<|im_end|>"


def test_what_can_be_expected_is_what_the_linter_knows():
    assert EXPECTATIONS == tuple(EXPECT)


def test_nothing_that_a_terminal_obeys_comes_out(tmp_path, capsys):
    ids = get_tokenizer().encode("Say \x1b[31m a\x07b.")
    row = {"input_ids": ids, "labels": [-100, *ids[1:-2], -100, 3]}
    path = write_lines(tmp_path / "rows.jsonl", [row])
    assert main(["lint", str(path), "--tokenizer", "gpt2", "--expect", "all"]) == 1
    assert not {"\x1b", "\x07"} & set(capsys.readouterr().out)


def test_what_the_terminal_has_no_letter_for_is_spelled_out(tmp_path, monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii"))
    path = write_lines(tmp_path / "rows.jsonl", rows())
    assert main(["lint", str(path), "--tokenizer", "gpt2"]) == 0
    assert rb"\u2713 nothing found in 12 rows" in buffer.getvalue()


def test_as_it_is_typed_without_a_traceback(tmp_path):
    path = write_lines(tmp_path / "rows.jsonl", [{"input_ids": [1, 2]}])
    command = [sys.executable, "-m", "lessons_lib", "lint", str(path), "--tokenizer", "gpt2"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"error: {path}: row 0: there is no column labels")
