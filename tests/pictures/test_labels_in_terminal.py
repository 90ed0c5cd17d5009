"""Labels as text: aligned, within the width, every mark without colour, nothing to be obeyed."""

import re

import pytest

from lessons_lib.data import get_tokenizer
from lessons_lib.labels import read_labels
from lessons_lib.pictures.labels_in_terminal import wants_color, write_row, write_rows
from tests.helpers.hostile import HOSTILE
from tests.helpers.label_toys import entry_row, packed_row

TOKENIZER = get_tokenizer()
ANSI = re.compile(r"\x1b\[[\d;]*m")


def lines_of(row, width=400, **options):
    batch = read_labels([row], TOKENIZER, **options)
    return write_row(batch.rows[0], batch.tokens, width)


def test_each_target_stands_below_the_token_after_which_it_is_predicted():
    title, inputs, targets, below = lines_of(
        entry_row("Dark red.", "Say a colour:\n\n### Response:\n")
    )
    assert title.startswith("row 0: 4 of ")
    place = inputs.index("Dark")
    assert targets[place:].startswith("␣red") and below[place:].startswith("━━━━")
    assert targets[: place - 1].rstrip().endswith("Dark")  # predicted after the header's end
    assert targets.rstrip().endswith("−100") and "■<|endoftext|>" in targets
    assert re.search(r"^ +prompt·* header·* ━", below) and "last" in below


def test_long_runs_are_shortened_and_padding_is_called_so():
    lines = lines_of(entry_row("word " * 500, pad=300), width=100)
    assert max(map(len, lines)) <= 100 and len(lines) < 60
    assert any("⋯ 284 more ⋯" in line or "⋯ 283 more ⋯" in line for line in lines)
    assert any(re.search(r"pad +pad +pad", line) for line in lines)


def test_the_texts_of_a_packed_row_are_apart():
    lines = lines_of(packed_row(["Red.", "Blue."]))
    assert [line for line in lines if line.startswith("──")] == [
        "── text 1 ".ljust(40, "─"),
        "── text 2 ".ljust(40, "─"),
    ]
    assert any("segment" in line for line in lines)


def test_a_target_that_does_not_follow_is_marked():
    row = entry_row("Dark red and blue.")
    row["labels"] = [*row["labels"][1:], -100]
    lines = lines_of(row, shifts_inside=True)
    assert any("≠␣red" in line for line in lines)


def test_colour_only_repeats_what_marks_say():
    batch = read_labels([entry_row("Red.", pad=4), packed_row(["No.", "Yes."])], TOKENIZER)
    plain = write_rows(batch, batch.rows, 90)
    coloured = write_rows(batch, batch.rows, 90, color=True)
    assert "\x1b" not in plain and "\x1b[" in coloured
    assert ANSI.sub("", coloured) == plain
    assert max(map(len, plain.splitlines())) <= 90


def test_nothing_in_a_text_moves_the_cursor():
    texts = [text for entry in HOSTILE for text in entry.values() if text]
    batch = read_labels([entry_row(text[:200]) for text in texts], TOKENIZER)
    text = write_rows(batch, batch.rows, 100)
    assert "⟨U+001B⟩" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]", text)


@pytest.mark.parametrize(
    ("terminal", "variables", "expected"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colour_is_for_terminals_whose_user_wants_it(monkeypatch, terminal, variables, expected):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    assert wants_color() is expected
