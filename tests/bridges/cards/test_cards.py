"""A run's cards: what they say is what the run's files hold, and the rest is said to be unknown."""

import ast
import csv
import json
import re
import shutil

import huggingface_hub
import pytest
import torch
from huggingface_hub import DatasetCard, ModelCard

from lessons_lib.__main__ import main
from lessons_lib.bridges import RunError, how_to_publish, write_cards
from lessons_lib.bridges.cards.licences import (
    BOOK_TEXTS,
    bundled_hash,
    licence_of_both,
    of_entries,
    of_model,
)
from lessons_lib.bridges.cards.run_record import entries_hash, name_of, read_run
from lessons_lib.data import load_entries, split_entries
from lessons_lib.evaluation.intervals import wilson_interval
from lessons_lib.models import GPT, GPTConfig
from lessons_lib.models.loading import save_compact
from lessons_lib.run_folder import run_in_folder
from lessons_lib.support.files import sha256_of
from lessons_lib.training import Recipe
from tests.helpers.toys import number_entries


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a small run, of whose ten test answers three are made right."""
    folder = tmp_path_factory.mktemp("runs")
    torch.manual_seed(1)
    sizes = GPTConfig(context_length=128, width=16, layers=1, heads=2)
    save_compact(GPT(sizes, known_tokens=range(2_000)), folder / "tiny.safetensors")
    (folder / "numbers.json").write_text(json.dumps(number_entries(100)))
    recipe = Recipe(
        str(folder / "tiny.safetensors"),
        entries=str(folder / "numbers.json"),
        max_steps=2,
        evaluate_every=1,
        learning_rate=1e-3,
    )
    run_in_folder(recipe, folder / "my_run", progress=False, say=lambda text: None)
    answers = json.loads((folder / "my_run" / "answers.json").read_text())
    for answer in answers[:3]:
        answer["response"] = answer["output"]
    change(folder / "my_run", "answers.json", answers)
    return folder / "my_run"


@pytest.fixture
def run(made, tmp_path):
    """A copy of that folder."""
    return shutil.copytree(made, tmp_path / "my_run")


def record_of(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def change(folder, name, value):
    """Write a JSON file of a run, as if its run had written it."""
    (folder / name).write_text(json.dumps(value))
    if name != "run.json":
        record = record_of(folder)
        record["files"][name] = sha256_of(folder / name)
        change(folder, "run.json", record)


def start_from(folder, model, entries, sha256=""):
    record = record_of(folder)
    record["model"]["trained_from"] = model
    record["entries"] |= {"source": entries, "sha256": sha256}
    change(folder, "run.json", record)


def quiet(text):
    pass


# ---------------------------------------------------------------- what the cards say


def test_the_hubs_own_reader_reads_both_cards(run):
    written = write_cards(run, quiet)
    model, data = ModelCard.load(run / "README.md"), DatasetCard.load(run / "data_card/README.md")
    assert model.data.to_dict() == written[0].data.to_dict()
    assert data.data.to_dict() == written[1].data.to_dict()
    assert model.data.model_name == "my_run" and model.data.pipeline_tag == "text-generation"
    assert data.data.size_categories == "n<1K"


def test_scores_are_those_of_the_answers_with_wilsons_interval(run):
    write_cards(run, quiet)
    card = ModelCard.load(run / "README.md")
    answers = json.loads((run / "answers.json").read_text())
    right = sum(each["response"].strip() == each["output"].strip() for each in answers)
    assert (right, len(answers)) == (3, 10)
    [exact] = [each for each in card.data.eval_results if each.metric_type == "exact_match"]
    expected = wilson_interval(3, 10)
    assert exact.metric_value == 0.3 and exact.dataset_split == "test"
    assert exact.metric_args == {
        "count": 3,
        "total": 10,
        "low_95": expected.low,
        "high_95": expected.high,
    }
    [row] = [line for line in card.text.splitlines() if line.startswith("| exact")]
    assert "| 3 of 10 | 30.0% |" in row and f"{expected.low:.1%} to {expected.high:.1%}" in row
    stopped = [each for each in card.data.eval_results if each.metric_type == "stopped"]
    assert stopped[0].metric_args["count"] == sum(bool(each["stopped"]) for each in answers)


def test_losses_options_and_hashes_are_those_of_the_files(run):
    write_cards(run, quiet)
    text, record = (run / "README.md").read_text(encoding="utf-8"), record_of(run)
    with (run / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for column in ("validation_loss", "response_loss"):
        first, last = (
            f"{float(row[column]):.3f} at step {row['step']}" for row in (rows[0], rows[-1])
        )
        assert f"| {first} | {last} |" in text
    cells = dict(re.findall(r"^\| ([\w -]+) \| (.*) \|$", text, re.MULTILINE))
    options = {**record["recipe"], **record["training"]}
    for name, value in options.items():
        shown = cells[name.replace("_", " ")].replace(",", "")
        assert shown == ("none" if value is None else str(value)), name
    for package, version in record["made_with"]["packages"].items():
        assert cells[package] == version
    assert sha256_of(run / "model.safetensors") in text
    assert f"{record['model']['parameters']:,} parameters" in text
    assert "### Instruction:" in text and "85 entries to train on, 5 for validation, 10" in text


def test_the_data_card_counts_and_hashes_the_entries(run):
    write_cards(run, quiet)
    text = (run / "data_card" / "README.md").read_text(encoding="utf-8")
    assert "| train | 85 |\n| test | 10 |\n| validation | 5 |" in text
    assert entries_hash(number_entries(100)) in text and "Which number comes" not in text


def test_no_path_of_this_machine_is_written_down(made, run):
    write_cards(run, quiet)
    for path in (run / "run.json", run / "README.md", run / "data_card" / "README.md"):
        text = path.read_text(encoding="utf-8")
        assert str(made.parent) not in text and "tmp" not in text, path
    assert "`tiny.safetensors`" in (run / "README.md").read_text(encoding="utf-8")


def test_names_lose_what_is_secret_or_would_be_obeyed():
    url = "https://me:s3cret@example.org:8000/data/own.json?token=abc#x"
    assert name_of(url) == "https://example.org/data/own.json"
    assert name_of("/home/me/runs/`rm`|\n<b>.json") == "_rm____b_.json"
    assert name_of(GPTConfig()) == "random weights"


# ---------------------------------------------------------------- licences


def test_what_is_not_known_is_said_to_be_unknown(run):
    write_cards(run, quiet)
    card, data = ModelCard.load(run / "README.md"), DatasetCard.load(run / "data_card/README.md")
    front = {**card.data.to_dict(), **data.data.to_dict()}
    assert not {"license", "base_model", "language"} & {*front}
    assert "Unknown: the licence of the model that training started from" in card.text
    assert "Unknown: the licence of the entries of `numbers.json`" in data.text
    assert "Unknown: the licence of the fine-tuned weights" in card.text


def test_smollm2_on_the_bundled_entries_has_a_licence_and_a_base(run):
    start_from(run, "smollm2", "bundled", bundled_hash())
    write_cards(run, quiet)
    front = ModelCard.load(run / "README.md").data
    assert front.license == "apache-2.0" and front.language == "en"
    assert front.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert DatasetCard.load(run / "data_card/README.md").data.license == "apache-2.0"


@pytest.mark.parametrize(
    ("model", "entries", "licence"),
    [
        ("base", "bundled", "apache-2.0"),
        ("gpt2", "bundled", "mit"),
        ("smollm2", "alpaca_data.json", "cc-by-nc-4.0"),
        ("gpt2-xl", "https://example.org/tatsu-lab/alpaca", "cc-by-nc-4.0"),
        ("mine", "bundled", None),
        ("smollm2", "own.json", None),
    ],
)
def test_the_stricter_licence_counts_and_an_unknown_one_leaves_it_open(model, entries, licence):
    data = of_entries(entries, bundled_hash() if entries == "bundled" else "")
    assert licence_of_both(of_model(model), data) == licence


def test_the_bundled_entries_are_known_by_their_texts_under_any_name():
    entries = [dict(entry) for entry in load_entries()]
    splits = split_entries(entries)
    texts = entries_hash([entry for part in splits for entry in part])
    assert of_entries("copy.json", texts).bundled
    entries[0]["output"] += "!"
    assert not of_entries("bundled", entries_hash(entries)).bundled


def test_the_books_entries_are_known_and_not_to_be_published(real_entries, run):
    assert entries_hash(load_entries(real_entries)) == BOOK_TEXTS
    source = of_entries("anything.json", BOOK_TEXTS)
    assert "not yours to publish again" in source.says and source.licence is None
    start_from(run, "smollm2", "book.json", BOOK_TEXTS)
    assert "'answers.json'" in how_to_publish(run)
    start_from(run, "smollm2", "bundled", bundled_hash())
    assert "answers.json" not in how_to_publish(run)


# ---------------------------------------------------------------- what is there, and what is not


def test_a_card_that_was_corrected_is_kept(run, capsys):
    assert main(["card", str(run)]) == 0
    card = run / "README.md"
    fresh = card.read_text(encoding="utf-8")
    assert main(["card", str(run)]) == 0
    assert "nothing was written" in capsys.readouterr().out and len(list(run.glob("*.md"))) == 1
    for number in (1, 2):
        card.write_text(f"mine {number}", encoding="utf-8")
        assert main(["card", str(run)]) == 0
        assert f"kept as README.old-{number}.md" in capsys.readouterr().out
        assert (run / f"README.old-{number}.md").read_text() == f"mine {number}"
        assert card.read_text(encoding="utf-8") == fresh


def test_publishing_is_described_in_lines_that_exist_and_is_not_done(run):
    said = how_to_publish(run)
    code = "\n".join(line.strip() for line in said.splitlines() if line.startswith("    "))
    tree = ast.parse(code)
    [imported] = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert all(hasattr(huggingface_hub, name.name) for name in imported.names)
    assert hasattr(ModelCard, "push_to_hub") and "push_to_hub" in code
    assert "'checkpoints/*'" in code and "private=True" in code


def test_a_run_without_test_entries_has_no_scores(run):
    change(run, "answers.json", [])
    write_cards(run, quiet)
    card = ModelCard.load(run / "README.md")
    assert card.data.eval_results is None and "Unknown: no test entry was answered" in card.text


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: shutil.rmtree(run), "there is no folder"),
        (lambda run: (run / "run.json").unlink(), "holds a model but no run.json"),
        (lambda run: [each.unlink() for each in run.iterdir()], "holds no run: give the --out"),
        (lambda run: (run / "history.csv").unlink(), "lacks history.csv"),
        (lambda run: (run / "answers.json").write_text("[]"), "answers.json is not what the run"),
        (lambda run: (run / "model.safetensors").write_text("x"), "model.safetensors is not what"),
        (lambda run: (run / "run.json").write_text("[1]"), "cannot be read"),
        (lambda run: (run / "run.json").write_text("{"), "cannot be read"),
        (lambda run: change(run, "run.json", {"version": 1}), "cannot be read"),
        (lambda run: change(run, "run.json", record_of(run) | {"version": 9}), "version 9, not 1"),
        (lambda run: change(run, "run.json", record_of(run) | {"entries": {}}), "entries.source"),
        (lambda run: change(run, "answers.json", [{"output": "x"}]), "cannot be read"),
    ],
)
def test_what_is_no_finished_run_is_one_sentence(run, spoil, message, capsys):
    spoil(run)
    with pytest.raises(RunError, match=re.escape(message)):
        read_run(run)
    assert main(["card", str(run)]) == 1
    assert message in capsys.readouterr().err
    assert not (run / "README.md").exists()


def test_a_run_that_was_cut_off_is_named_so(run):
    for path in [each for each in run.iterdir() if each.is_file()]:
        path.unlink()
    (run / "checkpoints").mkdir()
    with pytest.raises(RunError, match="not finished.*--resume"):
        read_run(run)
