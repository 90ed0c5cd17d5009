"""A table of texts: aligned lines in a terminal, HTML in a notebook. Used from lesson 01 on."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A header and rows of text, shown as aligned lines or, in a notebook, as an HTML table."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table([self.head, *self.rows])


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
