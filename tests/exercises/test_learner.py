"""The learner's folder: progress, predictions and functions that were kept; and what goes wrong."""

import json
import subprocess
import sys

import pytest

from lessons_lib.exercises import (
    EXERCISES,
    check,
    hint,
    keep,
    my_or_library,
    predict,
    predictions,
    progress,
    recall,
    reveal,
)
from lessons_lib.exercises.records import change_record, read_record
from lessons_lib.exercises.registry import declared
from tests.exercises.batching.variants import END

KEPT = """
import torch
from torch import Tensor
from torch.nn.functional import pad as widen

from lessons_lib.batching import Example
from lessons_lib.exercises import keep

FILLER = 50256
rows = [1, 2, 3]


def ended(example: Example, width: int) -> Tensor:
    row = torch.tensor(example.token_ids)
    return widen(row, (0, width - len(row)), value=FILLER)


def my_collate(examples: list[Example]) -> tuple[Tensor, Tensor]:
    width = max(len(example.token_ids) for example in examples) + 1
    rows = torch.stack([ended(example, width) for example in examples])
    inputs, targets = rows[:, :-1], rows[:, 1:].clone()
    for target, example in zip(targets, examples):
        target[len(example.token_ids):] = -100
        target[: example.prompt_length - 1] = -100
    return inputs, targets


print(keep(my_collate))
"""


def states():
    return {row[1]: row[3] for row in progress().rows}


def test_progress_is_kept(work):
    check("pad", EXERCISES["pad"].attempt)
    assert not work.exists() and states()["pad"] == "○ not attempted yet"
    check("pad", lambda rows, pad_token_id=END: rows)
    hint("pad", 2)
    assert states()["pad"] == "✗ not right yet (2 hints)"
    check("pad", EXERCISES["pad"].answer)
    reveal("pad", sure=True)
    assert states()["pad"] == "✓ passed (2 attempts, 2 hints, solution seen)"
    assert states()[""] == f"1 of {len(declared())} done"
    check("pad", lambda rows, pad_token_id=END: rows)
    assert states()["pad"].startswith("✓ passed")


def test_the_solution_is_shown_only_to_who_is_sure(work):
    assert "padded" not in str(reveal("pad")) and not work.exists()
    assert "def my_pad(" in str(reveal("pad", sure=True))


def test_names_and_hints_that_do_not_exist_are_refused(work):
    with pytest.raises(ValueError, match="no exercise 'mask-promt'; did you mean 'mask-prompt'"):
        check("mask-promt", print)
    with pytest.raises(ValueError, match="numbered from 1 to 3; there is no number 4"):
        hint("pad", 4)


@pytest.mark.parametrize("text", ["{", "[]", '{"pad": 3}', "\x00"])
def test_a_damaged_file_is_put_aside(work, text):
    work.mkdir()
    (work / "progress.json").write_text(text, encoding="utf-8")
    assert states()["pad"] == "○ not attempted yet"
    result = check("pad", EXERCISES["pad"].answer)
    assert result.passed and "was damaged" in result.sentences[-1]
    (aside,) = work.glob("progress.damaged-*.json")
    assert aside.read_text(encoding="utf-8") == text
    assert states()["pad"] == "✓ passed"


def test_a_folder_that_cannot_be_written_is_one_sentence(work):
    work.write_text("a file where the folder should be", encoding="utf-8")
    result = check("pad", EXERCISES["pad"].answer)
    assert result.passed and "could not be saved in my_work/progress.json" in str(result)
    assert "could not be saved" in str(predict("p", 3)) + str(hint("pad"))
    assert "could not be saved" in str(keep(my_shift_targets))


def my_shift_targets(padded):
    return padded[:, :-1], padded[:, 1:]


def my_format_input(entry):
    return EXERCISES["format-input"].library(entry)


TWO_KERNELS = """
from lessons_lib.exercises.records import change_record
for _ in range(25):
    change_record("progress.json", lambda r: r.setdefault("pad", {}).update(
        attempts=r.get("pad", {}).get("attempts", 0) + 1))
"""


def test_two_kernels_lose_nothing_of_each_others(work):
    kernels = [subprocess.Popen([sys.executable, "-c", TWO_KERNELS]) for _ in range(2)]
    assert [kernel.wait(120) for kernel in kernels] == [0, 0]
    assert read_record("progress.json") == {"pad": {"attempts": 50}}


def test_predictions_are_met_again(work):
    assert "Not predicted yet" in str(predict("06-third", ...)) and not work.exists()
    assert "did not predict" in str(recall("06-third", 1.1))
    assert str(predict("06-third", 0.8)) == "Noted: 0.8."
    assert str(predict("06-third", 1)) == "Noted: 1."
    said = "You predicted 1; it is 1.127. Yours was 0.1269 too low."
    assert str(recall("06-third", 1.1269)) == said
    assert "your first prediction stays: 1" in str(predict("06-third", 1.1269))
    assert str(recall("06-third", 1.1269)) == said


def test_choices_and_sentences_are_predictions_too(work):
    choices = ("higher", "the same", "lower")
    assert "Choose one of these: higher" in str(predict("c", "up", choices=choices))
    predict("c", "the same", choices=choices)
    assert "You were right." in str(recall("c", "the same"))
    predict("s", "It will repeat itself.")
    assert "“It will repeat itself.”; it is “yes”." in str(recall("s", "yes"))
    assert "a number that JSON can hold" in str(predict("n", float("nan")))


def test_choices_can_be_clicked(work):
    choices = ("higher", "the same", "lower")
    question = predict("c", ..., choices)
    assert 'three dots: "higher" · "the same" · "lower".' in str(question) and not work.exists()
    buttons, said = question.form().children
    assert buttons.value is None and buttons.options == choices
    buttons.value = "lower"
    assert said.value == "Noted: “lower”." and "You were right." in str(recall("c", "lower"))
    buttons, said = question.form().children
    assert buttons.value == "lower", "what was chosen before"
    buttons.value = "higher"
    assert "your first prediction stays: “lower”" in said.value


def test_a_choice_that_is_not_offered_any_more_is_no_fault(work):
    predict("c", "up")
    buttons, _ = predict("c", ..., ("higher", "lower")).form().children
    assert buttons.value is None


def test_a_form_stands_below_its_words(work, monkeypatch):
    shown = []
    monkeypatch.setattr(predictions, "display", lambda each, raw=False: shown.append(each))
    predict("c", ..., ("a", "b"))._ipython_display_()
    assert "Choose one" in shown[0]["text/markdown"] and len(shown[1].children) == 2


def run_code(path, code):
    path.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_kept_function_is_loaded_in_another_kernel(work, tmp_path, capsys):
    assert "Kept as collate.py" in run_code(tmp_path / "cells.py", KEPT)
    function = my_or_library("collate")
    assert "Your own my_collate, from collate.py." in capsys.readouterr().out
    assert function.__module__.startswith("my_work") and EXERCISES["collate"].check(function).passed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No my_collate of yours was kept"),
        ("def my_collate(", "SyntaxError"),
        ("x = 1", "KeyError"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("raise SystemExit", "it does not end"),
        ("def my_collate(examples): return 1", "not right yet"),
        ("def my_collate(examples): raise NotImplementedError", "not attempted yet"),
    ],
)
def test_the_courses_own_replaces_what_does_not_work(work, capsys, text, said):
    if text is not None:
        (work / "functions").mkdir(parents=True)
        (work / "functions" / "collate.py").write_text(text, encoding="utf-8")
    assert my_or_library("collate") is EXERCISES["collate"].library
    out = capsys.readouterr().out
    assert said in out and out.count("\n") == 1 and "the course's own" in out


def test_only_what_passes_and_stands_alone_is_kept(work):
    def my_pad(rows, pad_token_id=END):
        return rows

    assert "only a function that passes is kept. ✗ Pad a batch" in str(keep(my_pad))
    assert "no exercise asks for a function 'run_code'" in str(keep(run_code))
    assert "uses EXERCISES, a value of the notebook's" in str(keep(my_format_input))
    assert "written with def" in str(keep(print))
    assert not work.exists() or not list(work.rglob("*.py"))


def test_what_is_kept_is_readable(work):
    change_record("progress.json", lambda record: record.update(pad={"attempts": 1}))
    text = (work / "progress.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"pad": {"attempts": 1}} and "\n" in text
