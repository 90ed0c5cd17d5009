"""Texts to be shown: a table in a terminal or a notebook, a text that no terminal obeys. Lesson 01.

What a model or a server writes is somebody's text: control characters in it are spelled out, or
they could move the cursor, colour the screen or retitle the window.
"""

import html
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A head and rows of text, shown as aligned lines or, in a notebook, as a table.

    In lines, what a terminal would obey and not show is spelled out; see ``printable``.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        lines = [[printable(cell) for cell in line] for line in (self.head, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table([self.head, *self.rows])

    def columns(self, *names: str) -> "Table":
        """The first column and those of these names, in this order.

        Raises:
            ValueError: there is no such column; the message names all.
        """
        if missing := [name for name in names if name not in self.head]:
            raise ValueError(f"no column {missing[0]!r}; there are: {', '.join(self.head)}")
        kept = [0, *map(self.head.index, names)]
        head, *rows = (tuple(line[place] for place in kept) for line in (self.head, *self.rows))
        return Table(head, tuple(rows))


def printable(text: str) -> str:
    """The text, with every character spelled out that a terminal would obey and not show."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character)[0] != "C"
        else f"⟨U+{ord(character):04X}⟩"
        for character in text
    )


def html_table(lines: Iterable[Sequence[str]]) -> str:
    """Rows of text as an HTML table, the first as its header; every text is escaped.

    Its classes tell JupyterLab not to look for formulas: it would take "$5 or $6" for one.
    """
    rows = []
    for number, cells in enumerate(lines):
        tag = "td" if number else "th"
        style = f'{tag} style="text-align: left; white-space: pre-wrap"'
        rows.append("".join(f"<{style}>{html.escape(cell)}</{tag}>" for cell in cells))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<table class="mathjax_ignore tex2jax_ignore">{body}</table>'
