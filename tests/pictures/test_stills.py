"""What the inspector leaves as a still: the right columns, and the colours of its own views."""

import warnings

import pytest
from matplotlib.colors import to_hex

from lessons_lib.batching import collate_steps
from lessons_lib.batching.cells import Kind
from lessons_lib.data import END_OF_TEXT, PROMPT_FORMATS
from lessons_lib.pictures import STYLES, stills
from tests.helpers.hostile import HOSTILE
from tests.helpers.toys import ENTRIES

WITH_INPUT = {"instruction": "Correct it.", "input": "Ocassion", "output": "Occasion"}


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were made into PNGs."""
    figures = []
    monkeypatch.setattr(stills, "small_png", lambda figure: figures.append(figure) or b"")
    return figures


def pieces(figure):
    """The texts of substep 2.1, each with its box and weight."""
    return {text.get_text(): text for text in figure.texts}


def fill(text):
    return to_hex(text.get_bbox_patch().get_facecolor())


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_the_whole_prompt_has_one_colour_and_the_response_another(drawn, name):
    prompt_format = PROMPT_FORMATS[name]
    steps = collate_steps([WITH_INPUT], prompt_format=prompt_format)
    stills.draw_png(steps, "2.1", prompt_format)
    figure = drawn[0]
    prompt, response = STYLES[Kind.PROMPT][0], STYLES[Kind.RESPONSE][0]
    fills = [fill(text) for text in figure.texts]
    first = fills.index(response)
    assert set(fills[:first]) == {prompt} and set(fills[first:]) == {response}
    after = "".join(text.get_text() for text in figure.texts[first:])
    assert after == prompt_format.response(WITH_INPUT)
    own = [text for text in figure.texts if text.get_weight() == "bold"]
    assert [text.get_text() for text in own] == [*WITH_INPUT.values()]


def test_own_words_differ_from_the_template_by_more_than_colour(drawn):
    stills.draw_png(collate_steps([WITH_INPUT]), "2.1", PROMPT_FORMATS["alpaca"])
    found = pieces(drawn[0])
    looks = {
        name: (
            found[name].get_weight(),
            to_hex(found[name].get_bbox_patch().get_edgecolor()),
            found[name].get_bbox_patch().get_linestyle(),
        )
        for name in ("### Instruction:↵", "Correct it.", "Ocassion", "### Response:↵")
    }
    assert len(set(looks.values())) == 4


def test_what_stands_in_one_line_is_drawn_in_one_line(drawn):
    prompt_format = PROMPT_FORMATS["phi3"]
    stills.draw_png(collate_steps([WITH_INPUT], prompt_format=prompt_format), "2.1", prompt_format)
    output, closing = drawn[0].texts[-2:]
    assert [output.get_text(), closing.get_text()] == ["Occasion", "<|end|>"]
    assert output.get_position()[1] == closing.get_position()[1]
    assert output.get_window_extent().x1 < closing.get_window_extent().x0


def test_long_texts_are_broken_into_lines_and_cut_at_the_foot(drawn):
    long = {"instruction": "one two " * 40, "input": "", "output": "three\n" * 60}
    stills.draw_png(collate_steps([long]), "2.1", PROMPT_FORMATS["alpaca"])
    texts = [text.get_text() for text in drawn[0].texts]
    assert max(map(len, texts)) <= stills.LINE_LENGTH
    lines = {text.get_position()[1] for text in drawn[0].texts}
    assert texts[-1] == "… and more" and len(lines) == stills.MOST_LINES + 1


def test_scripts_that_the_font_lacks_are_drawn_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stills.draw_png(collate_steps(HOSTILE), "2.1", PROMPT_FORMATS["alpaca"])


def columns(figure):
    """The numbers above the columns."""
    return [int(text.get_text()) for text in figure.axes[0].texts if text.get_va() == "bottom"]


@pytest.mark.parametrize("substep", ["2.3", "2.4", "2.5"])
def test_the_last_columns_are_in_the_picture(drawn, substep):
    """Padded rows have a column more than inputs and targets; without it an end of text is lost."""
    steps = collate_steps([ENTRIES[0], {**ENTRIES[0], "output": "It is Paris."}])
    stills.draw_png(steps, substep, PROMPT_FORMATS["alpaca"])
    shown = steps.padded if substep == "2.3" else steps.inputs
    assert columns(drawn[0])[-1] == shown.shape[1] - 1
    assert len(columns(drawn[0])) == 14
    if substep == "2.3":
        words = [text.get_text() for text in drawn[0].axes[0].texts]
        assert words.count("■ end") == 2
        assert words.count(str(END_OF_TEXT)) == int((steps.padded == END_OF_TEXT).sum())


def test_at_2_2_the_end_of_the_shortest_text_is_shown(drawn):
    steps = collate_steps(ENTRIES[:2])
    stills.draw_png(steps, "2.2", PROMPT_FORMATS["alpaca"])
    assert columns(drawn[0])[-1] == min(map(len, steps.token_ids)) - 1
