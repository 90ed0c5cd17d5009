"""Tables in a terminal and in a notebook."""

import pytest

from lessons_lib.support import Table
from lessons_lib.support.table import html_table


def test_a_table_is_aligned_and_never_runs_as_html():
    table = Table(("a", "b"), (("<b>x</b>", "1"), ("y", "22")))
    assert str(table).splitlines() == ["a         b", "<b>x</b>  1", "y         22"]
    assert "&lt;b&gt;x" in table._repr_html_() and "<b>x" not in table._repr_html_()


def test_nothing_in_a_table_is_taken_for_a_formula():
    assert 'class="mathjax_ignore' in html_table([("price",), ("$5 and 4 % of $6",)])


def test_what_a_terminal_would_obey_is_spelled_out_in_lines():
    table = Table(("answer",), (("\x1b]0;owned\x07",), ("\u202egnp.exe",), ("tab\tand 🦋",)))
    assert str(table).splitlines()[1:] == [
        "⟨U+001B⟩]0;owned⟨U+0007⟩",
        "⟨U+202E⟩gnp.exe",
        "tab\tand 🦋",
    ]


def test_a_table_can_be_cut_to_the_columns_that_are_looked_at():
    table = Table(("mode", "a", "b", "c"), (("x", "1", "2", "3"), ("y", "4", "5", "6")))
    assert table.columns("c", "a") == Table(("mode", "c", "a"), (("x", "3", "1"), ("y", "6", "4")))
    with pytest.raises(ValueError, match="no column 'd'; there are: mode, a, b, c"):
        table.columns("a", "d")
