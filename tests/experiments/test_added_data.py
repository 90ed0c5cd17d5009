"""Without and with added entries: which runs are made, what they are asked, what the table says."""

import pytest

from lessons_lib.experiments import with_and_without
from tests.helpers.llama_toys import tuning_a_tiny_llama

ADDED = [{"instruction": "Say no.", "input": f"{i}", "output": "no, never"} for i in range(20)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Runs of a tiny Llama, the same runs asked for again, and what was said of them."""
    folder, said = tmp_path_factory.mktemp("added"), []
    with tuning_a_tiny_llama(folder, epochs=2) as (recipe, options):
        options["say"] = said.append
        run = with_and_without(ADDED, recipe, **options)
        again = with_and_without(ADDED, recipe, as_many_steps=False, **options)
    return run, again, said


def test_the_added_entries_join_the_training_part_alone(made):
    splits = {name: each.splits for name, each in made[0].tuned.items()}
    assert list(splits) == ["without", "with", "without, as many steps"]
    assert splits["with"].train == [*splits["without"].train, *ADDED]
    assert splits["without, as many steps"] == splits["without"]
    assert splits["with"].test == splits["without"].test
    assert splits["with"].validation == splits["without"].validation


def test_the_third_run_takes_as_many_steps_as_the_one_with_more_entries(made):
    steps = {name: each.history.steps for name, each in made[0].tuned.items()}
    assert steps == {"without": 2 * 12, "with": 2 * 17, "without, as many steps": 2 * 17}


def test_all_are_asked_the_test_part(made):
    for each in made[0].measured.values():
        assert [entry["input"] for entry in each.scores.entries] == [str(i) for i in range(51, 57)]


def test_a_change_is_from_the_other_run_to_the_one_with_them(made):
    exact = {name: each.scores.mean("exact").value for name, each in made[0].measured.items()}
    for since in ("without", "without, as many steps"):
        assert made[0].change("exact", since).value == pytest.approx(exact["with"] - exact[since])
    with pytest.raises(KeyError):
        made[0].change("exact", "nowhere")


def test_the_table_has_a_row_for_each_run_and_each_change(made):
    rows = made[0].table().rows
    runs = ["without", "with", "without, as many steps"]
    assert [row[0] for row in rows] == [*runs, *(f"with, less {runs[i]}" for i in (0, 2))]
    assert [row[1:3] for row in rows[:3]] == [("51", "24"), ("71", "34"), ("51", "34")]
    assert "6 = " in rows[0][3] and rows[3][3].endswith("points") or "points (" in rows[3][3]


def test_what_was_made_comes_from_the_cache(made):
    _, again, said = made
    assert list(again.measured) == ["without", "with"], "no third run is asked for"
    assert all(each.from_cache for each in again.tuned.values())
    assert sum("Fine-tuning" in text for text in said) == 3


def test_nothing_added_is_refused():
    with pytest.raises(ValueError, match="no entry is added"):
        with_and_without([])
