"""Charts of one and of several runs: which lines, which numbers, which words."""

import pytest

from lessons_lib.pictures import (
    describe_history,
    draw_comparison,
    draw_history,
    draw_shares,
    small_png,
)
from lessons_lib.training import History

STEPS = [0, 2, 4]


def history(**losses) -> History:
    return History(train_loss=[4.0, 3.0, 2.0, 1.0], validation_steps=STEPS, **losses)


UNMASKED = history(validation_loss=[5.0, 2.5, 2.75], response_loss=[6.0, 3.5, 3.0])
MASKED = history(validation_loss=[6.0, 3.0, 2.0], response_loss=[6.0, 3.0, 2.0])
PLAIN = history(validation_loss=[5.5, 4.5, 3.5])


def labels(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_the_response_loss_has_a_line_where_it_is_another_loss():
    figure = draw_history(UNMASKED)
    assert labels(figure) == [
        "training, mean of 25 steps",
        "validation",
        "validation, response tokens alone",
    ]
    line = figure.axes[0].lines[3]
    assert list(line.get_xdata()) == STEPS
    assert list(line.get_ydata()) == [6.0, 3.5, 3.0]
    assert len({line.get_linestyle() for line in figure.axes[0].lines[1:]}) == 3, "not colour alone"


@pytest.mark.parametrize("drawn", [MASKED, PLAIN], ids=["masked", "unknown"])
def test_otherwise_the_response_loss_has_none(drawn):
    assert labels(draw_history(drawn)) == ["training, mean of 25 steps", "validation"]


def test_a_run_that_has_not_begun_can_be_drawn():
    start = History(validation_steps=[0], validation_loss=[4.0])
    assert list(draw_history(start).axes[0].lines[2].get_ydata()) == [4.0]
    assert "before the first step" in describe_history(start)
    assert small_png(draw_history(History()))[:4] == b"\x89PNG"


def test_the_thick_line_is_the_mean_of_the_25_last_steps():
    figure = draw_history(History(train_loss=[50.0] + [1.0] * 29))
    means = figure.axes[0].lines[1].get_ydata()
    assert means[0] == 50.0
    assert means[24] == pytest.approx(74 / 25)
    assert means[25] == 1.0


def test_several_runs_are_compared_by_their_response_loss():
    figure = draw_comparison({"whole text": UNMASKED, "responses": MASKED}, title="Masks")
    axes = figure.axes[0]
    assert labels(figure) == ["whole text", "responses"]
    assert [list(line.get_ydata()) for line in axes.lines] == [[6.0, 3.5, 3.0], [6.0, 3.0, 2.0]]
    assert all(list(line.get_xdata()) == STEPS for line in axes.lines)
    assert "response loss" in axes.get_ylabel()
    assert axes.get_title() == "Masks"


def test_without_response_losses_validation_is_compared():
    figure = draw_comparison({"one": UNMASKED, "other": PLAIN})
    assert "validation loss" in figure.axes[0].get_ylabel()
    assert list(figure.axes[0].lines[0].get_ydata()) == [5.0, 2.5, 2.75]


def test_training_losses_are_compared_as_means():
    figure = draw_comparison({"one": UNMASKED}, "train_loss")
    [line] = figure.axes[0].lines
    assert list(line.get_xdata()) == [1, 2, 3, 4]
    assert list(line.get_ydata()) == [4.0, 3.5, 3.0, 2.5]


def test_runs_are_told_apart_without_colour():
    lines = draw_comparison({str(i): UNMASKED for i in range(8)}).axes[0].lines
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == 8


@pytest.mark.parametrize(
    ("histories", "measure", "message"),
    [
        ({}, None, "no history to draw"),
        ({"one": PLAIN}, "response_loss", "'one' has no response_loss"),
        ({"one": PLAIN}, "seconds", "measure is one of response_loss"),
    ],
)
def test_what_cannot_be_compared_is_refused(histories, measure, message):
    with pytest.raises(ValueError, match=message):
        draw_comparison(histories, measure)


def test_the_words_for_a_history_name_its_numbers():
    words = describe_history(UNMASKED)
    assert "over 4 steps" in words
    assert "from 4.00 to 2.50" in words
    assert "from 5.00 to 2.75" in words and "2.50, is at step 2" in words
    assert "response tokens alone it goes from 6.00 to 3.00" in words
    assert "response" not in describe_history(MASKED)
    assert "validation" not in describe_history(History(train_loss=[1.0]))


def test_shares_have_a_line_a_name_over_a_logarithmic_axis():
    figure = draw_shares({"form": {10: 0.5, 100: 1.0}, "facts": {10: 0.1}}, "title", "entries")
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["form", "facts"]
    assert list(axes.lines[0].get_ydata()) == [50, 100]
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["10", "100"]
