"""What the experiment's tables and sentences say, and that files keep it."""

import dataclasses

import numpy as np
import pytest

from lessons_lib.evaluation.intervals import Estimate, seeds_and_entries_interval
from lessons_lib.experiments.masking import (
    claims_table,
    committed_experiment,
    describe_differences,
    describe_modes,
    draw_differences,
    draw_modes,
)
from lessons_lib.experiments.masking.claims import CLAIMS
from lessons_lib.experiments.masking.results import MaskingExperiment
from lessons_lib.experiments.masking.runs import AnswerMarks, MaskingRun
from lessons_lib.experiments.masking.settings import search_further, setting_losses
from lessons_lib.experiments.masking.studies import (
    STUDIES,
    read_experiment,
    study_folder,
    write_experiment,
)


def answers(right, nats, count=40):
    """So many right answers of ``count``, and the same loss for each."""
    return tuple(
        AnswerMarks(int(place < right), float(place < right), 1, nats, 4) for place in range(count)
    )


@pytest.fixture
def experiment():
    """ "prompt" is better in every seed; "weight 0.1" is as good as "none"."""
    runs = [MaskingRun("none", 3, 3e-4, seed, 0.5, 0.1, answers(20, 2.0)) for seed in (1, 2)]
    runs += [MaskingRun("none", 3, 1e-4, seed, 0.6) for seed in (1, 2)]
    runs += [MaskingRun("prompt", 3, 1e-4, seed, 0.4, 0.2, answers(30, 1.0)) for seed in (1, 2)]
    runs += [MaskingRun("weight 0.1", 3, 1e-4, 1, 0.4, 0.2, answers(19, 2.0))]
    runs += [MaskingRun("weight 0.1", 3, 1e-4, 2, 0.4, 0.2, answers(21, 2.0))]
    return MaskingExperiment(runs, {"command": "made up"})


def test_the_bootstrap_over_entries_alone_agrees_with_theory():
    values = np.random.default_rng(1).normal(2.0, 1.0, size=(1, 400))
    found = seeds_and_entries_interval(values)
    assert found.value == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20
    assert found.high - found.value == pytest.approx(half, rel=0.12)
    assert found.value - found.low == pytest.approx(half, rel=0.12)


def test_seeds_that_differ_widen_the_interval():
    entries = np.random.default_rng(1).normal(0.0, 1.0, size=(1, 400))
    alike = np.repeat(entries, 5, axis=0)
    apart = alike + np.array([-0.5, -0.2, 0.0, 0.2, 0.5])[:, None]
    narrow, wide = map(seeds_and_entries_interval, (alike, apart))
    assert narrow.value == pytest.approx(wide.value)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_a_loss_a_token_is_a_ratio_of_sums():
    nats, tokens = np.array([[2.0, 4.0], [4.0, 8.0]]), np.array([1.0, 3.0])
    found = seeds_and_entries_interval(nats, tokens)
    assert found.value == pytest.approx((2 + 4 + 4 + 8) / 2 / 4)
    assert found.low <= found.value <= found.high and found.count == 4
    assert found == seeds_and_entries_interval(nats, tokens), "the same draws each time"


def test_an_interval_says_whether_it_holds_zero():
    for bounds, excludes in (
        ((1.0, 0.5, 1.5), True),
        ((-1.0, -1.5, -0.5), True),
        ((0.1, -0.2, 0.4), False),
        ((0.0, 0.0, 0.0), False),
        ((1.0, None, None), False),
    ):
        assert Estimate(*bounds, 9).excludes_zero is excludes
    assert Estimate(0.123, 0.1, 0.15, 9).format("+.1f", 100) == "+12.3 (+10.0 to +15.0)"


def test_entries_without_rouge_are_left_out_of_it_and_counted(experiment, tmp_path):
    runs = [
        dataclasses.replace(
            run,
            answers=tuple(
                a._replace(rouge_l=None) if i < 9 else a for i, a in enumerate(run.answers)
            ),
        )
        for run in experiment.runs
    ]
    found = MaskingExperiment(runs, experiment.about)
    assert found.interval("none", "rouge_l").value == pytest.approx(11 / 31)
    assert found.interval("none", "rouge_l").count == 2 * 31
    assert found.table().rows[0][4].endswith(", 9 left out")
    assert found.difference("none", "prompt", "rouge_l").count == 2 * 31
    write_experiment(found, tmp_path)
    assert read_experiment(tmp_path) == found
    empty = [
        dataclasses.replace(run, answers=tuple(a._replace(rouge_l=None) for a in run.answers))
        for run in experiment.runs
    ]
    nothing = MaskingExperiment(empty)
    assert nothing.table().rows[0][4] == "–" and nothing.seed_means("none", "rouge_l") == []
    assert draw_modes(nothing, ("rouge_l",)) and "–" in describe_modes(nothing, ("rouge_l",))


def test_means_are_over_seeds_and_entries(experiment):
    assert experiment.interval("none", "exact").value == 0.5
    assert experiment.interval("prompt", "test_loss").value == pytest.approx(1.0 / 4)
    assert experiment.seed_means("weight 0.1", "exact") == [19 / 40, 21 / 40]
    assert experiment.gap("prompt") == pytest.approx((0.2, 0.25, 0.05))
    assert (experiment.seeds, experiment.entries) == (2, 40)


def test_differences_are_paired(experiment):
    found = experiment.difference("none", "prompt", "exact")
    assert found.value == pytest.approx(0.25) and found.excludes_zero
    opposite = experiment.difference("prompt", "none", "exact")
    assert opposite.value == pytest.approx(-0.25)
    # All entries have the same loss in a mode: nothing is uncertain.
    assert experiment.difference("none", "prompt", "test_loss")[:3] == pytest.approx((-0.25,) * 3)


def test_of_many_comparisons_each_has_a_wider_interval(experiment):
    one = experiment.difference("none", "weight 0.1", "exact")
    many = experiment.difference("none", "weight 0.1", "exact", comparisons=6)
    assert many.value == one.value
    assert many.low < one.low and one.high < many.high


def test_every_pair_of_modes_is_compared_once(experiment):
    rows = {row[0]: row[1:] for row in experiment.pairs_table().rows}
    modes = experiment.modes
    assert len(rows) == len(modes) * (len(modes) - 1) / 2
    exact, loss = rows["'prompt' minus 'none'"]
    wide = experiment.difference("none", "prompt", "exact", comparisons=len(rows))
    assert exact == wide.format("+.1f", 100) + " points *" and wide.excludes_zero
    assert loss.startswith("-0.250 (") and loss.endswith(" *")
    assert not rows["'weight 0.1' minus 'none'"][0].endswith("*"), "its interval contains 0"


def test_the_sentence_says_what_the_interval_allows(experiment):
    sentence = experiment.verdict("none", "prompt")
    assert "'prompt' minus 'none': +25.0 (" in sentence
    assert sentence.endswith("2 seeds, 40 entries. 'prompt' did better here.")
    assert experiment.verdict("prompt", "none").endswith("'prompt' did better here.")
    lower = experiment.verdict("none", "prompt", "test_loss")
    assert lower.endswith("'prompt' did better here."), "a lower loss is better"
    assert experiment.verdict("none", "weight 0.1").endswith(
        "No difference shown: the interval contains 0."
    )


def test_tables_have_a_row_a_mode(experiment):
    assert [row[0] for row in experiment.table().rows] == ["none", "prompt", "weight 0.1"]
    assert experiment.table().rows[0][1:3] == ("3", "0.0003")
    assert [row[0] for row in experiment.differences_table().rows] == ["prompt", "weight 0.1"]
    assert experiment.differences_table().head[0] == "minus 'none'"
    assert experiment.rates_table().rows == (
        ("none", "3", "0.6000", "0.5000 *"),
        ("prompt", "3", "0.4000 *", "–"),
        ("weight 0.1", "3", "0.4000 *", "–"),
    )


def test_rates_are_compared_on_the_seeds_that_all_were_tried_with():
    runs = [MaskingRun("none", 3, 1e-4, seed, 0.1 * seed) for seed in (1, 2)]
    runs += [MaskingRun("none", 3, 2e-4, seed, 0.2 * seed) for seed in (1, 2, 3)]
    found = setting_losses(runs)["none"]
    assert found == pytest.approx({(3, 1e-4): 0.15, (3, 2e-4): 0.3})


def test_a_search_goes_on_where_its_best_lies_at_an_edge():
    tried = {"epochs": [3], "learning rate": [3e-4, 1e-4, 6e-4]}
    assert search_further(tried, {"epochs": 3, "learning rate": 6e-4}) == {
        "learning rate": "higher"
    }
    assert search_further(tried, {"epochs": 3, "learning rate": 1e-4}) == {"learning rate": "lower"}
    assert search_further(tried, {"epochs": 3, "learning rate": 3e-4}) == {}


def test_epochs_have_rows_of_their_own():
    runs = [MaskingRun("none", 1, 1e-4, 1, 0.5), MaskingRun("none", 4, 2e-4, 1, 0.7)]
    runs.append(MaskingRun("none", 4, 1e-4, 1, 0.4, 0.1, answers(20, 2.0)))
    found = MaskingExperiment(runs)
    assert found.setting("none") == (4, 1e-4)
    assert found.rates_table().rows == (
        ("none", "1", "0.5000", "–"),
        ("none", "4", "0.4000 *", "0.7000"),
    )


def test_modes_and_measures_that_are_not_there_are_refused(experiment):
    with pytest.raises(KeyError, match="the modes are none, prompt, weight 0.1, not 'half'"):
        experiment.interval("half", "exact")
    with pytest.raises(KeyError, match="the measures are exact"):
        experiment.interval("none", "beauty")
    with pytest.raises(KeyError, match="was not run with seed 9"):
        experiment.cell("none", 9)
    fewer = MaskingExperiment(
        [run for run in experiment.runs if (run.mode, run.seed) != ("none", 2)]
    )
    with pytest.raises(ValueError, match="other seeds"):
        fewer.difference("none", "prompt", "exact")


def test_files_keep_an_experiment(experiment, tmp_path):
    experiment.runs[1] = dataclasses.replace(experiment.runs[1], learning_rate=1e-4 / 3)
    write_experiment(experiment, tmp_path / "new")
    assert read_experiment(tmp_path / "new") == experiment


def test_a_damaged_file_is_named(experiment, tmp_path):
    write_experiment(experiment, tmp_path)
    lines = (tmp_path / "runs.csv").read_text().splitlines()
    (tmp_path / "runs.csv").write_text("\n".join(["mode;rate", *lines[1:]]))
    with pytest.raises(ValueError, match=r"runs\.csv has the columns"):
        read_experiment(tmp_path)
    (tmp_path / "runs.csv").write_text("\n".join([lines[0], lines[1].replace("0.5", "half")]))
    with pytest.raises(ValueError, match="half"):
        read_experiment(tmp_path)
    write_experiment(experiment, tmp_path)
    (tmp_path / "about.json").write_text("{")
    with pytest.raises(ValueError, match="holds no experiment"):
        read_experiment(tmp_path)
    text = (tmp_path / "answers.csv").read_text()
    (tmp_path / "answers.csv").write_text(text[: text.rindex(",")])
    with pytest.raises(ValueError, match="holds no experiment"):
        read_experiment(tmp_path)
    (tmp_path / "answers.csv").unlink()
    with pytest.raises(OSError, match="answers"):
        read_experiment(tmp_path)


def test_pictures_and_their_words(experiment):
    figure = draw_modes(experiment)
    assert [axes.get_xlabel() for axes in figure.axes][0] == "exact match, %"
    words = describe_modes(experiment)
    assert "prompt 75.0 (" in words and "none 50.0 (" in words
    draw_differences({"toy": experiment})
    words = describe_differences({"toy": experiment})
    assert "toy, prompt +25.0 (" in words and "toy, weight 0.1" in words


def test_an_interval_that_misses_its_value_by_a_rounding_is_drawn():
    alike = (AnswerMarks(1, 0.4, 1, 1.0, 3),) * 3
    runs = [MaskingRun("none", 3, 1e-4, seed, 0.5, 0.1, alike) for seed in (1, 2)]
    assert "0.400" in describe_modes(MaskingExperiment(runs), ("rouge_l",))
    draw_modes(MaskingExperiment(runs), ("rouge_l",))


def test_a_few_entries_show_no_difference():
    runs = [
        MaskingRun(mode, 3, 1e-4, 1, 0.5, 0.1, (AnswerMarks(right, 1.0, 1, 1.0, 3),) * 4)
        for right, mode in enumerate(("none", "prompt"))
    ]
    told = MaskingExperiment(runs).verdict("none", "prompt")
    assert "'none': +100.0 points; " in told
    assert told.endswith("No difference shown: too few entries for an interval.")


def test_each_paper_has_a_row_with_what_was_found_here(experiment):
    rows = claims_table({"toy": experiment}).rows
    assert len(rows) == len(CLAIMS) == 3
    assert "toy, 'none' minus 'prompt': exact -25.0 (" in rows[0][3]
    only = MaskingExperiment([run for run in experiment.runs if run.mode != "weight 0.1"])
    assert claims_table({"toy": only}).rows[1][3] == "–"


STUDY_MODES = {"epochs": ["none", "prompt"], "book": ["none", "keep-header", "prompt"]}


@pytest.mark.parametrize("name", STUDIES)
def test_the_large_experiments_are_whole(name):
    found = committed_experiment(name)
    modes = STUDY_MODES.get(name, ["none", "keep-header", "prompt", "weight 0.1"])
    assert found.modes == modes
    sizes = {
        "bundled": (5, 300),
        "epochs": (5, 300),
        "longer": (5, 300),
        "long": (5, 110),
        "book": (2, 110),
    }
    seeds, entries = sizes[name]
    for mode in modes:
        runs = found.chosen_runs(mode)
        assert (len(runs), {len(run.answers) for run in runs}) == (seeds, {entries})
        losses = setting_losses(found.runs)[mode]
        assert found.setting(mode) == min(losses, key=losses.get)
        assert len({setting.epochs for setting in losses}) == (4 if name == "epochs" else 1)
    assert found.about["recipe"]["entries"] == name
    assert found.about["command"].endswith(name) and found.about["machine"]


def test_no_entry_of_the_book_is_in_the_files():
    for path in study_folder("book").iterdir():
        longest = max(path.read_text(encoding="utf-8").replace("\n", ",").split(","), key=len)
        assert len(longest) < 90, longest
    with pytest.raises(KeyError, match="the experiments are"):
        study_folder("other")
