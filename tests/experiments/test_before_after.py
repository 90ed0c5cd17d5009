"""Before and after: the table, its intervals, the file of figures; and the benchmark's words."""

import dataclasses

import pytest
import torch

from benchmarks import real
from lessons_lib.experiments import before_after, before_and_after
from tests.helpers.llama_toys import tiny_llama, tuning_a_tiny_llama


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A tiny Llama that learns to answer in one word, kept in a cache of its own."""
    with tuning_a_tiny_llama(tmp_path_factory.mktemp("real"), epochs=3) as (recipe, options):
        run = before_and_after(recipe, say=lambda text: None, **options)
    return run


def test_the_figures_are_those_of_the_answers(result):
    figures = result.figures()
    entries = result.after.scores.entries
    assert [e["input"] for e in entries] == ["51", "52", "53", "54", "55", "56"], "the test part"
    exact = [
        answer.strip() == entry["output"]
        for answer, entry in zip(result.after.scores.answers, entries, strict=True)
    ]
    assert figures["exact_after"] == sum(exact) / 6
    assert figures["gain"] == pytest.approx(figures["exact_after"] - figures["exact_before"])
    assert figures["rouge_after"] == result.after.scores.mean("ROUGE-L").value
    assert figures["response_loss_after"] < figures["response_loss_before"]
    assert result.tuned.history.response_loss[0] == pytest.approx(
        figures["response_loss_before"], abs=1e-4
    )
    assert figures["minutes"] == result.tuned.history.seconds / 60
    gain = result.gain("ROUGE-L")
    assert gain.low <= gain.value <= gain.high
    assert gain.value == pytest.approx(figures["rouge_after"] - figures["rouge_before"])


def test_the_table_names_before_after_and_difference(result):
    head, *rows = result.table().head, *result.table().rows
    assert head[1:] == ("before", "after", "difference")
    assert [row[0] for row in rows] == ["exact match", "stopped", "ROUGE-L", "response loss"]
    assert " points (" in rows[0][3] and "/6 = " in rows[0][1]
    assert all(line == line.rstrip() for line in str(result).splitlines())
    page = result._repr_html_()
    assert page.count("<tr>") == len(rows) + 1 and page.count("<th") == 4


@pytest.mark.parametrize(("quick", "test_entries", "asked"), [("1", None, 2), ("0", 3, 3)])
def test_fewer_entries_can_be_asked(result, monkeypatch, tmp_path, quick, test_entries, asked):
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(tmp_path))
    monkeypatch.setenv("LESSONS_LIB_QUICK", quick)
    monkeypatch.setattr(before_after, "QUICK_ENTRIES", 2)
    said = []
    again = before_and_after(
        dataclasses.replace(result.tuned.recipe, max_steps=1),
        test_entries=test_entries,
        precision="auto",
        load=lambda name: tiny_llama(dtype=torch.float32),
        device="cpu",
        progress=False,
        say=said.append,
    )
    assert len(again.after.scores.answers) == len(again.before.scores.answers) == asked
    assert again.table().rows[0][3].endswith(" points"), "too few answers for an interval"
    assert said[0] == f"Answering {asked} test entries before fine-tuning."


def test_the_benchmark_says_how_a_figure_stands_to_its_target():
    assert real.verdict("gain", 0.1) == "target >= 0.1: met"
    assert real.verdict("gain", 0.09).endswith("MISSED")
    assert real.verdict("minutes", 8.1).endswith("MISSED")
    assert real.verdict("rouge_after", 1.0) == ""


def test_the_benchmark_takes_the_books_entries_where_they_are_named(monkeypatch):
    parse = real.build_parser().parse_args
    monkeypatch.delenv("LESSONS_LIB_REAL_ENTRIES", raising=False)
    assert real.recipe_for(parse([])).entries == "bundled"
    monkeypatch.setenv("LESSONS_LIB_REAL_ENTRIES", "some.json")
    recipe = real.recipe_for(parse(["--steps", "2"]))
    assert (recipe.entries, recipe.max_steps, recipe.evaluate_every) == ("some.json", 2, 2)
    assert real.recipe_for(parse(["--entries", "bundled"])).entries == "bundled"
