"""Still pictures show what is in the batch, and arrive in the notebook small and described."""

import io

import matplotlib
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from lessons_lib.batching import InstructionCollator, collate_steps
from lessons_lib.batching.cells import Kind, padded_kinds, target_kinds
from lessons_lib.data import get_tokenizer
from lessons_lib.labels import read_labels
from lessons_lib.pictures import (
    STYLES,
    draw_history,
    draw_lengths,
    draw_shape,
    draw_tokens,
    draw_waste,
    notebook,
)
from lessons_lib.pictures.spelling import spell_token
from lessons_lib.pictures.tokens import draw_labels, label_windows
from lessons_lib.training import History
from tests.helpers.label_toys import encode, entry_row, packed_row
from tests.helpers.toys import ENTRIES, EXAMPLES

STAGES = ["2.3", "2.4", "2.5", "final"]
HISTORY = History(
    train_loss=[4.0, 3.0, 2.5, 2.2, 2.0, 1.9],
    validation_steps=[0, 3, 6],
    validation_loss=[4.1, 2.6, 2.1],
    epoch_ends=[3, 6],
)


@pytest.fixture(scope="module")
def steps():
    return collate_steps(ENTRIES[:3], instruction_mask="prompt")


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would be given to display."""
    calls = []
    monkeypatch.setattr(notebook, "display", lambda *a, **options: calls.append((*a, options)))
    return calls


def cells(figure: Figure) -> list[FancyBboxPatch]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def legend_names(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.legends[0].get_texts()}


# Token by token


def test_padded_rows_have_one_cell_for_each_column(steps):
    figure = draw_tokens(steps, stage="2.3")
    assert isinstance(figure, Figure)
    assert len(cells(figure)) == 3 * 14
    # Two texts a cell, a name for each row, a number for each column.
    assert len(words(figure)) == 2 * 3 * 14 + 3 + 14
    assert {"#0", "#1", "#2"} <= set(words(figure))


@pytest.mark.parametrize("stage", STAGES[1:])
def test_from_the_shift_on_targets_stand_below_the_inputs(steps, stage):
    figure = draw_tokens(steps, columns=range(5), stage=stage)
    assert len(cells(figure)) == 2 * 3 * 5
    assert len(words(figure)) == 2 * 2 * 3 * 5 + 2 * 3 + 5
    assert words(figure).count("targets") == 3
    assert words(figure)[-5:] == list("01234")


def test_by_default_the_last_columns_are_drawn(steps):
    width = steps.inputs.shape[1]
    assert words(draw_tokens(steps))[-1] == str(width - 1)
    assert words(draw_tokens(steps, stage="2.3"))[-1] == str(width), "padded rows are one longer"


@pytest.mark.parametrize("stage", STAGES[1:])
def test_a_bar_below_every_target_that_counts(steps, stage):
    targets = {"2.4": steps.shifted, "2.5": steps.padding_masked, "final": steps.targets}[stage]
    columns = range(30, targets.shape[1])
    drawn = targets[:, columns.start :]
    ignored = int((drawn == -100).sum())
    figure = draw_tokens(steps, columns, stage)
    bars = [line for line in figure.axes[0].lines if line.get_linewidth() > 2]
    struck = [line for line in figure.axes[0].lines if line.get_linewidth() < 1]
    assert len(bars) == drawn.numel() - ignored
    assert len(struck) == ignored
    assert words(figure).count("−100") == ignored


def test_cells_have_the_colour_of_their_kind(steps):
    columns = range(30, steps.inputs.shape[1])
    drawn = [to_hex(cell.get_facecolor()) for cell in cells(draw_tokens(steps, columns, "final"))]
    expected = []
    for above, below in zip(padded_kinds(steps), target_kinds(steps), strict=True):
        for column in columns:
            expected += [STYLES[above[column]][0], STYLES[below[column]][0]]
    assert drawn == expected


def test_cells_show_the_token_and_its_id(steps):
    kinds = [kind for row in padded_kinds(steps) for kind in row]
    texts = words(draw_tokens(steps, range(steps.padded.shape[1]), "2.3"))
    assert texts.count("Paris") == 1
    assert texts.count("40313") == 1, "its id, below"
    assert "␣that" in texts
    assert texts.count("■ end") == 3
    assert texts.count("pad") == kinds.count(Kind.PADDING) > 0


def test_the_legend_names_what_is_in_the_picture(steps):
    assert legend_names(draw_tokens(steps, stage="2.3")) == {
        "prompt",
        "response",
        "end of text",
        "padding",
    }
    assert {"−100 on padding", "−100 on the prompt", "counts in the loss"} < legend_names(
        draw_tokens(steps, stage="final")
    )


def test_kinds_differ_by_more_than_colour():
    looks = [(hatch, line) for _, _, _, hatch, line in STYLES.values()]
    assert len(set(looks)) >= 4, "hatch and line style tell ignored and padding apart"
    response = draw_tokens(InstructionCollator().steps(EXAMPLES), stage="2.3")
    roundings = {str(cell.get_boxstyle().rounding_size) for cell in cells(response)}
    assert len(roundings) == 2, "responses are round"


@pytest.mark.parametrize("draw", [draw_tokens, draw_shape])
def test_an_unknown_stage_is_refused_with_the_known_ones(steps, draw):
    with pytest.raises(ValueError, match=r"2\.3, 2\.4, 2\.5, final, not '2\.6'"):
        draw(steps, stage="2.6")


def test_text_that_matplotlib_would_take_for_a_formula_is_drawn_as_it_is():
    entry = {"instruction": "Raise $$x_$$ to 5^$$.", "input": "", "output": "$$5^$$"}
    texts = draw_tokens(collate_steps([entry]), range(16, 34)).axes[0].texts
    formulas = [text for text in texts if "$$" in text.get_text()]
    assert formulas
    assert not any(text.get_parse_math() for text in formulas)


def test_spaces_and_line_ends_are_visible():
    assert spell_token(" a\n\tb") == "␣a↵⇥b"


def test_half_characters_are_shown_as_bytes():
    entry = {"instruction": "Draw a bird.", "input": "", "output": "🦜"}
    steps = collate_steps([entry])
    texts = words(draw_tokens(steps, range(steps.prompt_lengths[0], steps.inputs.shape[1]), "2.3"))
    assert {"⟨F0 9F⟩", "⟨A6⟩", "⟨9C⟩"} <= set(texts)


# From afar


@pytest.mark.parametrize("stage", STAGES)
def test_a_strip_for_each_run_of_one_kind(steps, stage):
    rows = {
        "2.3": padded_kinds(steps),
        "2.4": target_kinds(steps, steps.shifted),
        "2.5": target_kinds(steps, steps.padding_masked),
        "final": target_kinds(steps),
    }[stage]
    runs = sum(1 + sum(a != b for a, b in zip(row, row[1:], strict=False)) for row in rows)
    patches = draw_shape(steps, stage).axes[0].patches
    assert len(patches) == runs
    assert sum(patch.get_width() for patch in patches) == len(rows) * len(rows[0])


def test_the_widest_response_strip_is_as_long_as_the_response(steps):
    patches = draw_shape(steps).axes[0].patches
    color = STYLES[Kind.RESPONSE][0]
    widths = [p.get_width() for p in patches if to_hex(p.get_facecolor()) == color]
    lengths = [len(e.token_ids) - e.prompt_length for e in steps.examples]
    assert widths == lengths


# Charts


def test_a_bar_for_each_way_to_batch():
    axes = draw_waste({"static": 0.944, "dynamic": 0.19, "packed": 0.021}).axes[0]
    assert [round(bar.get_width(), 1) for bar in axes.patches] == [94.4, 19.0, 2.1]
    assert [text.get_text() for text in axes.texts] == ["94.4 %", "19.0 %", "2.1 %"]


def test_a_bar_for_each_length():
    axes = draw_lengths([3, 3, 5, 8]).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [2, 0, 1, 0, 0, 1]


def test_one_long_entry_makes_no_bar_for_each_length_below_it():
    bars = draw_lengths([50] * 9 + [100_000]).axes[0].patches
    assert len(bars) <= 201 and [bars[0].get_height(), bars[-1].get_height()] == [9, 1]


def test_curves_of_a_history():
    axes = draw_history(HISTORY, title="First run").axes[0]
    each, mean, validation, epoch = axes.lines
    assert list(each.get_ydata()) == HISTORY.train_loss
    assert mean.get_ydata()[-1] == pytest.approx(sum(HISTORY.train_loss) / 6)
    assert list(validation.get_xdata()) == [0, 3, 6]
    assert list(epoch.get_xdata()) == [3, 3], "only where an epoch ends within the run"
    assert axes.get_title() == "First run"
    assert axes.get_ylim()[0] == 0


def test_a_history_without_validation():
    assert len(draw_history(History(train_loss=[2.0, 1.0], epoch_ends=[2])).axes[0].lines) == 2


# In a notebook


@pytest.mark.parametrize(
    "draw",
    [
        lambda steps: draw_tokens(steps, stage="2.3"),
        lambda steps: draw_tokens(steps, stage="final"),
        lambda steps: draw_shape(steps),
        lambda steps: draw_waste({"static": 0.944, "dynamic": 0.19}),
        lambda steps: draw_lengths(list(range(30, 90)) * 9),
        lambda steps: draw_history(HISTORY),
    ],
    ids=["padded", "targets", "shape", "waste", "lengths", "history"],
)
def test_show_makes_a_small_png_with_a_text_alternative(steps, shown, draw):
    assert notebook.show(draw(steps), alt="Three rows of tokens.") is None
    [(bundle, options)] = shown
    image = Image.open(io.BytesIO(bundle["image/png"]))
    assert image.format == "PNG"
    assert image.mode == "P"
    assert image.width > 300
    assert len(image.getcolors()) > 5, "the picture is not blank"
    assert len(bundle["image/png"]) <= 80_000
    assert options["metadata"]["image/png"]["alt"] == "Three rows of tokens."
    assert "Three rows of tokens." in bundle["text/plain"]
    assert options["raw"]


def test_show_of_a_whole_batch_of_eight_stays_small(shown):
    steps = collate_steps([*ENTRIES, *ENTRIES[:3]], instruction_mask="prompt")
    notebook.show(draw_tokens(steps, columns=range(30, 44)), alt="Eight rows.")
    assert len(shown[0][0]["image/png"]) <= 80_000


def test_pictures_do_not_pile_up_in_pyplot(steps):
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    draw_tokens(steps)
    draw_shape(steps)
    assert pyplot.get_fignums() == before


def test_the_same_picture_gives_the_same_bytes(steps, shown):
    for _ in range(2):
        notebook.show(draw_tokens(steps, range(36, 40)), alt="x")
    assert shown[0][0]["image/png"] == shown[1][0]["image/png"]


def test_thin_hatches():
    assert matplotlib.rcParams["hatch.linewidth"] == 0.4


def test_show_source_prints_the_code(shown):
    notebook.show_source(spell_token)
    assert "def spell_token(text: str)" in str(shown[0][0])


def test_side_by_side_never_runs_its_texts_as_html(shown):
    notebook.side_by_side({"<b>one": "<script>alert(1)</script>", "two": "a & b"})
    bundle = shown[0][0]
    assert "<script>" not in bundle["text/html"]
    assert "&lt;script&gt;" in bundle["text/html"]
    assert "<b>one" not in bundle["text/html"].replace("<b>&lt;b&gt;one", "")
    assert bundle["text/plain"].startswith("[<b>one]\n<script>")


def test_a_row_of_labels_is_shown_where_it_changes():
    short, long, packed = read_labels(
        [entry_row("Red."), entry_row("Blue. " * 90, pad=50), packed_row(["Red. " * 30, "No."])],
        get_tokenizer(),
    ).rows
    assert [t for window in label_windows(short) for t in window] == list(
        range(len(short.input_ids))
    )
    for row in (long, packed):
        windows = label_windows(row)
        shown = {t for window in windows for t in window}
        live = [t for t, target in enumerate(row.targets) if target != -100]
        assert len(windows) <= 3 and {len(window) for window in windows} == {14}
        assert {live[0] - 1, live[0], live[-1], live[-1] + 1} <= shown
    assert packed.segments.index(2) in shown


def test_a_picture_of_labels_strikes_what_does_not_count():
    row = entry_row("Red.", pad=2)
    batch = read_labels([row], get_tokenizer())
    figure = draw_labels(batch.rows[0], batch.tokens)
    texts = [text.get_text() for text in figure.axes[0].texts]
    live = len(encode("Red.<|endoftext|>"))
    assert texts.count("−100") == len(row["labels"]) - live
    assert texts.count("pad") == 2 and texts.count("Red") == 2
    named = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"counts in the loss", "−100 elsewhere", "−100 on the prompt"} <= named
