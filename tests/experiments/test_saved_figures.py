"""Saved figures and their tables: what stands in the files is what a lesson shows."""

import json

import pytest

from lessons_lib.experiments import saved_figures


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_figures, "MEASURED", tmp_path)
    return tmp_path


def test_saved_figures_come_back_with_the_machine(folder):
    saved_figures.save_figures("race", {"ratio": 2.5}, "two cores", folder)
    assert saved_figures.load_figures("race") == {"machine": "two cores", "ratio": 2.5}


def test_the_race_is_told_in_seconds_and_as_ratios_to_the_first(folder):
    seconds = {"the book's": 4.0, "ours": 1.6}
    saved_figures.save_figures("race", {"seconds_a_step": seconds}, "two cores", folder)
    assert saved_figures.race_table().rows == (
        ("the book's", "4.00", "1.00"),
        ("ours", "1.60", "2.50"),
    )
    assert saved_figures.race_table(["ours"]).rows == (("ours", "1.60", "1.00"),)


def test_the_real_models_figures_have_intervals(folder):
    names = ("exact", "stopped", "rouge", "response_loss")
    figures = {f"{name}_{when}": 0.5 for name in names for when in ("before", "after")}
    for entries in ("bundled", "book"):
        saved_figures.save_figures(
            f"real-{entries}", figures | {"minutes": 5.25}, "two cores", folder
        )
    rows = {row[0]: row[1:] for row in saved_figures.real_table().rows}
    assert rows["exact match"] == ("55/110 = 50.0% (41% to 59%)",) * 4
    assert rows["response loss"] == ("0.50",) * 4
    assert rows["minutes of training"] == ("", "5.2", "", "5.2")


def test_each_figure_beside_gpt4_says_whether_it_was_published_or_measured():
    table = saved_figures.gpt4_table()
    by = {row[0]: row[-1] for row in table.rows}
    published = {name for name, source in by.items() if source.startswith("published")}
    assert published == {"Llama-3 8B, prompted"}
    assert all("measured" in by[name] for name in by.keys() - published)
    assert [row[1] for row in table.rows] == sorted((row[1] for row in table.rows), reverse=True)


@pytest.mark.parametrize("name", ["gpt4", "race", "real-bundled", "real-book"])
def test_what_is_committed_says_on_what_machine_and_holds_no_entry(name):
    text = (saved_figures.MEASURED / f"{name}.json").read_text(encoding="utf-8")
    assert len(json.loads(text)["machine"]) > 20
    assert len(text) < 3_000 and '"instruction"' not in text


def test_of_each_start_the_lowest_loss_has_a_star(folder):
    losses = {"base, prompt": {"0.0001": 0.2, "0.0002": 0.1234}, "base, none": {"0.0003": 0.3}}
    best = {"base, prompt": 0.0002, "base, none": 0.0003}
    figures = {"response_loss": losses, "best": best}
    saved_figures.save_figures("learning_rates", figures, "two cores", folder)
    assert saved_figures.rates_table("prompt").rows == (
        ("base", "0.0001: 0.200   0.0002: 0.123 *"),
    )
    assert saved_figures.rates_table("none").rows == (("base", "0.0003: 0.300 *"),)


def test_entries_and_what_they_give(folder):
    row = {"model": "base", "entries": 10, "exact": 0.5, "exact_low": 0.4, "exact_high": 0.6}
    row |= {"key_answer": 0.25, "stopped": 1.0, "prose_loss": 0.987}
    saved_figures.save_figures("efficiency", {"rows": [row]}, "two cores", folder)
    assert saved_figures.efficiency_table().rows == (
        ("base", "10", "50% (40% to 60%)", "25%", "100%", "0.99"),
    )
    assert saved_figures.efficiency_table((30,)).rows == ()
    assert len(saved_figures.efficiency_table((10, 30)).rows) == 1
