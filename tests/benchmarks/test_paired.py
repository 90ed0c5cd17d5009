"""The benchmarks of LoRA and of prompt formats, tiny: they run, and say what they measured."""

import json

import pytest

from benchmarks import formats, lora
from benchmarks.paired import Run, exact_difference, in_numbers
from lessons_lib.data import load_entries
from lessons_lib.evaluation import score_responses
from lessons_lib.models import count_parameters, save_model
from tests.helpers.llama_toys import tiny_llama
from tests.helpers.toys import ENTRIES, tiny_model

SOME = load_entries()[:30]


def in_this_process(function, jobs):
    return [function(*job) for job in jobs]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for each in (lora, formats):
        monkeypatch.setattr(each, "each_alone", in_this_process)
        monkeypatch.setattr(each, "load_entries", lambda source: SOME)


def told(capsys) -> tuple[str, dict]:
    *table, last = capsys.readouterr().out.splitlines()
    return "\n".join(table), json.loads(last)


def a_run(*right: bool) -> Run:
    answers = [e["output"] if good else "?" for e, good in zip(ENTRIES, right, strict=True)]
    return Run(1, 2, 3.0, None, 0.5, score_responses(ENTRIES, answers, stopped=right))


def test_answers_are_compared_entry_by_entry():
    first, second = a_run(True, True, False, False, True), a_run(True, True, True, True, False)
    found = in_numbers(exact_difference(first, second))
    assert found["difference"] == pytest.approx(0.2) and found["p_value"] == 1.0  # 1 against 2
    assert found["low"] < 0 < found["high"]
    assert first.figures["exact"] == 0.6 and first.figures["peak_gigabytes"] is None


def test_lora_trains_few_weights_and_is_asked_what_the_other_is(tmp_path, capsys):
    model = tiny_llama(max_position_embeddings=2048)
    save_model(model, tmp_path)
    lora.main(["--model", str(tmp_path), "--steps", "1", "--test-entries", "2"])
    table, figures = told(capsys)
    whole, thin = figures["runs"]["all weights"], figures["runs"]["LoRA"]
    assert whole["trained"] == figures["weights"] == count_parameters(model)
    layers = [(16, 16), (16, 8), (16, 8), (16, 16), (16, 24), (16, 24), (24, 16)]
    assert thin["trained"] == 2 * 16 * sum(into + out for into, out in layers)
    assert whole["tokens"] == thin["tokens"] and figures["test_entries"] == 2
    assert whole["seconds"] > 0 and figures["exact_difference"]["low"] is None
    assert "LoRA of rank 16" in table and "LoRA minus all, in pairs" in table


def test_each_format_is_trained_and_asked(capsys, monkeypatch):
    models = []

    def load(name):
        models.append(name)
        return tiny_model(50257, context_length=256)

    monkeypatch.setattr(formats, "load_model", load)
    monkeypatch.setattr(formats, "choosing_entries", lambda: ENTRIES)
    formats.main(["--models", "base", "--steps", "1", "--test-entries", "2"])
    table, figures = told(capsys)
    (row,) = figures["models"]
    assert models == ["base", "base"] and row["test_entries"] == 2
    alpaca, phi3 = row["runs"]["alpaca"], row["runs"]["phi3"]
    assert alpaca["tokens"] > phi3["tokens"] > 0, "Phi-3's template is shorter"
    assert "phi3 minus alpaca, in pairs" in table
