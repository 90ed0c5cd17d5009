"""The chart that grows while a model trains, in a notebook and elsewhere."""

import base64
import io

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from lessons_lib.pictures import LivePlot, describe_history, notebook
from lessons_lib.pictures.notebook import in_notebook
from lessons_lib.training import History, TrainingState
from tests.helpers.toys import tiny_model


class Clock:
    """A clock that moves only when it is told to."""

    now = 100.0

    def monotonic(self):
        return self.now


class Screen:
    """Stands in for the notebook: what it was given to show, in the order given."""

    def __init__(self):
        self.shown, self.updates = [], []

    def display(self, bundle, **options):
        assert options.pop("display_id") is True
        self.shown.append((bundle, options))
        return self

    def update(self, bundle, **options):
        self.updates.append((bundle, options))


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(notebook, "time", clock)
    return clock


@pytest.fixture
def screen(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(notebook, "display", screen.display)
    monkeypatch.setattr(notebook, "in_notebook", lambda: True)
    return screen


@pytest.fixture
def state():
    history = History(
        train_loss=[3.0, 2.0], validation_steps=[0, 2], validation_loss=[3.5, 2.5], epoch_ends=[2]
    )
    return TrainingState(tiny_model(), 10, history)


def test_the_chart_is_shown_once_and_then_replaced_at_most_every_second(clock, screen, state):
    plot = LivePlot()
    for second in (0, 0.5, 0.9, 1.0, 1.1, 1.9, 2.5):
        clock.now = 100.0 + second
        plot(state)
    assert len(screen.shown) == 1
    assert len(screen.updates) == 2


def test_slow_drawing_takes_a_tenth_of_the_time_at_most(clock, screen, state):
    def draw(history, title):
        clock.now += 0.5  # that long takes a chart
        return notebook.draw_history(history, title)

    plot = LivePlot(draw=draw)
    plot(state)  # until 100.5
    for now in (101.6, 104.9):
        clock.now = now
        plot(state)
    assert screen.updates == []
    clock.now = 105.0
    plot(state)
    assert len(screen.updates) == 1


def test_the_chart_is_a_small_png_with_a_text_alternative(clock, screen, state):
    LivePlot(title="First run")(state)
    [(bundle, options)] = screen.shown
    alt = describe_history(state.history)
    assert options == {"raw": True, "metadata": {"image/png": {"alt": alt}}}
    assert len(alt) > 20 and bundle["text/plain"] == f"[picture: {alt}]"
    assert Image.open(io.BytesIO(bundle["image/png"])).width > 300
    assert len(bundle["image/png"]) < 80_000


def test_the_end_is_always_drawn_and_the_next_run_has_a_chart_of_its_own(clock, screen, state):
    plot = LivePlot()
    plot(state)
    state.history.train_loss.append(1.0)
    plot.finish(state)
    [(bundle, _)] = screen.updates
    assert "over 3 steps" in bundle["text/plain"]
    plot(state)
    assert len(screen.shown) == 2, "at once, though no second has passed"


def test_outside_notebooks_it_does_nothing(monkeypatch, capsys, state):
    def refuse(*arguments, **options):
        raise AssertionError("drawn")

    monkeypatch.setattr(notebook, "display", refuse)
    assert not in_notebook()
    plot = LivePlot(draw=refuse)
    plot(state)
    plot.finish(state)
    assert capsys.readouterr() == ("", "")


CELL = """
import torch
from lessons_lib.batching import Batch
from lessons_lib.pictures import LivePlot
from lessons_lib.models import GPT, GPTConfig
from lessons_lib.training import train

batch = Batch(torch.tensor([[1, 2, 3]]), torch.tensor([[2, 3, 4]]))
model = GPT(GPTConfig(vocabulary_size=8, context_length=8, width=8, layers=1, heads=1))
plot = LivePlot(every=0.0)
history = train(model, [batch] * 8, [batch], progress=False, **plot.callbacks())
"""


def test_in_a_kernel_one_picture_stays(kernel_environment):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(env=kernel_environment)
    [output] = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert "over 8 steps" in output.metadata["image/png"]["alt"], "the last chart, not the first"
    png = base64.b64decode(output.data["image/png"])
    assert Image.open(io.BytesIO(png)).format == "PNG"
