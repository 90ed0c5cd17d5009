"""What a check says: in words for a terminal, as a small page in a notebook, never by colour alone.

Where a batch is wrong and made of real entries, the inspector stands below the message, opened at
the first wrong cell.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from IPython.display import display
from torch import Tensor

from lessons_lib.pictures import spell_text
from lessons_lib.widgets.annotated import CheckedInspector


class Verdict(StrEnum):
    """What a check found, in the words of ``progress()``."""

    PASSED = "passed"
    NOT_ATTEMPTED = "not attempted yet"
    KNOWN_MISTAKE = "not right yet, and here is why"
    WRONG = "not right yet"
    CHANGED_ARGUMENT = "changes an argument"
    ERROR = "stops with an error"
    TOO_SLOW = "does not end"
    NOT_CALLABLE = "cannot be called"


@dataclass(frozen=True)
class Evidence:
    """One call that went wrong: what went in, what should have come out, and what did.

    ``place`` is (row, column) of the first wrong cell where the results are tables of one shape.
    ``aligned`` are arguments, lists of one length, to be read below each other.
    """

    call: str
    expected: Any
    got: Any
    part: str = ""
    place: tuple[int, int] | None = None
    aligned: dict[str, list] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """The result of a check. Printed it is text; as a cell's value it is a page."""

    title: str
    verdict: Verdict
    sentences: tuple[str, ...] = ()
    evidence: Evidence | None = None
    inspector: CheckedInspector | None = None

    @property
    def passed(self) -> bool:
        return self.verdict == Verdict.PASSED

    @property
    def headline(self) -> str:
        mark = {Verdict.PASSED: "✓", Verdict.NOT_ATTEMPTED: "○"}.get(self.verdict, "✗")
        return f"{mark} {self.title}: {self.verdict}."

    def __str__(self) -> str:
        lines = [self.headline, *self.sentences]
        if self.evidence:
            lines += evidence_lines(self.evidence)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        body = "".join(f"<p>{html.escape(each)}</p>" for each in self.sentences)
        body += evidence_html(self.evidence) if self.evidence else ""
        head = f"<p><strong>{html.escape(self.headline)}</strong></p>"
        passed = "ex-passed" if self.passed else "ex-open"
        classes = f"ex {passed} mathjax_ignore tex2jax_ignore"
        return f'<style>{STYLE}</style><div class="{classes}" role="status">{head}{body}</div>'

    def _ipython_display_(self) -> None:
        display({"text/plain": str(self), "text/html": self._repr_html_()}, raw=True)
        if self.inspector:
            display(self.inspector)


def evidence_lines(evidence: Evidence) -> list[str]:
    """The call, and expected above got; of a table the first wrong row, its wrong cells marked."""
    lines = [f"  call      {evidence.call}"]
    if evidence.aligned:
        lines += below_each_other(aligned_rows(evidence.aligned))
    if evidence.place is None:
        return [
            *lines,
            *([f"  compared  {evidence.part}"] if evidence.part else []),
            f"  expected  {in_short(evidence.expected)}",
            f"  got       {in_short(evidence.got)}",
        ]
    columns, expected, got, wrong = wrong_row(evidence)
    marks = ["^" if each else "" for each in wrong]
    names = (f"{evidence.part} row {evidence.place[0]}".strip() + ", column", "expected", "got", "")
    return lines + below_each_other(list(zip(names, (columns, expected, got, marks), strict=True)))


def aligned_rows(aligned: dict[str, list]) -> list[tuple[str, Sequence]]:
    """The arguments by name, and above them the numbers of their columns."""
    length = len(next(iter(aligned.values())))
    return [("column", range(length)), *aligned.items()]


def below_each_other(rows: Sequence[tuple[str, Sequence]]) -> list[str]:
    """One line for each row, (name, cells), with the cells of a column under each other."""
    texts = [list(map(str, cells)) for _, cells in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    side = max(len(name) for name, _ in rows)
    return [
        f"  {name:<{side}}  "
        + "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for (name, _), cells in zip(rows, texts, strict=True)
    ]


def wrong_row(evidence: Evidence) -> tuple[list[int], list, list, list[bool]]:
    """Up to 12 columns of the first wrong row: their numbers, expected, got, and which differ."""
    row, column = evidence.place
    expected, got = evidence.expected[row].tolist(), evidence.got[row].tolist()
    start = min(max(0, column - 6), max(0, len(expected) - 12))
    columns = list(range(start, min(len(expected), start + 12)))
    expected, got = ([values[c] for c in columns] for values in (expected, got))
    return columns, expected, got, [one != other for one, other in zip(expected, got, strict=True)]


def evidence_html(evidence: Evidence) -> str:
    """The same as a table; a wrong cell has a cross and a frame, and can be scrolled to by key."""
    call = f"<p>Called as <code>{html.escape(evidence.call)}</code></p>"
    if evidence.aligned:
        call += aligned_html(evidence.aligned)
    if evidence.place is None:
        rows = [("compared", evidence.part)] if evidence.part else []
        rows += [("expected", in_short(evidence.expected)), ("got", in_short(evidence.got))]
        cells = "".join(
            f'<tr><th scope="row">{name}</th><td><pre>{html.escape(text)}</pre></td></tr>'
            for name, text in rows
        )
        return f'{call}<div class="ex-scroll" tabindex="0" {LABEL}><table>{cells}</table></div>'
    columns, expected, got, wrong = wrong_row(evidence)
    name = f"{evidence.part} row {evidence.place[0]}".strip()
    head = "".join(f'<th scope="col">{c}</th>' for c in columns)
    above = "".join(f"<td>{html.escape(str(each))}</td>" for each in expected)
    below = "".join(
        f'<td class="ex-wrong">✗ {html.escape(str(each))}</td>' if bad else f"<td>{each}</td>"
        for each, bad in zip(got, wrong, strict=True)
    )
    return (
        f'{call}<div class="ex-scroll" tabindex="0" {LABEL}><table>'
        f'<tr><th scope="row">{html.escape(name)}, column</th>{head}</tr>'
        f'<tr><th scope="row">expected</th>{above}</tr>'
        f'<tr><th scope="row">got</th>{below}</tr></table></div>'
    )


def aligned_html(aligned: dict[str, list]) -> str:
    """Arguments below each other, with the numbers of their columns above them."""
    (name, columns), *rows = aligned_rows(aligned)
    head = "".join(f'<th scope="col">{c}</th>' for c in columns)
    lines = "".join(
        f'<tr><th scope="row">{html.escape(each)}</th>'
        + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells)
        + "</tr>"
        for each, cells in rows
    )
    label = 'role="group" aria-label="What it was called with, column by column"'
    return (
        f'<div class="ex-scroll" tabindex="0" {label}><table>'
        f'<tr><th scope="row">{name}</th>{head}</tr>{lines}</table></div>'
    )


def in_short(value: Any, most: int = 300) -> str:
    """A value in little room, with nothing invisible; a tensor as nested lists with its dtype."""
    if isinstance(value, Tensor):
        text = f"tensor({value.tolist()}, {str(value.dtype).removeprefix('torch.')})"
        if value.dtype.is_floating_point or len(text) > most:
            text = f"{' '.join(str(value).split())} of shape {tuple(value.shape)}"
    elif isinstance(value, tuple) and type(value) is tuple:
        text = "(" + ", ".join(in_short(each, most) for each in value) + ")"
    else:
        text = repr(value)
    text = spell_text(text)
    return text if len(text) <= most else f"{text[:most]} …"


def call_text(name: str, parameters: Sequence[str], arguments: tuple) -> str:
    """How a function was called, in little room: ``mask_prompt(targets=…, prompt_lengths=…)``."""
    names = [*parameters, *[""] * len(arguments)]
    given = [
        (f"{each}=" if each else "") + in_short(value, 160)
        for each, value in zip(names, arguments, strict=False)
    ]
    return f"{name}({', '.join(given)})"


LABEL = 'role="group" aria-label="Expected above got"'
STYLE = """
.ex { border-left: 4px solid #b97700; padding: 2px 12px; max-width: 100%; text-align: left;
  color: #1b1f24; background: #f4f6f8; font: 14px/1.5 var(--jp-content-font-family, sans-serif); }
.ex-passed { border-left: 8px double #0072b2; }
.ex p { margin: 6px 0; } .ex code, .ex pre { background: none; color: inherit; margin: 0;
  overflow-wrap: anywhere; white-space: pre-wrap; text-align: left; }
.ex-scroll { overflow-x: auto; max-width: 100%; }
.ex-scroll:focus-visible { outline: 3px solid #0072b2; }
.ex table { border-collapse: collapse; margin: 6px 0; }
.ex tr, .ex tr:nth-child(odd), .ex tr:hover { background: none !important; }
.ex th, .ex td { border: 1px solid #8a949e; color: inherit; padding: 2px 8px; text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.ex th { font-weight: 600; text-align: left; }
.ex-wrong { font-weight: 700; outline: 3px double currentColor; outline-offset: -4px; }
[data-jp-theme-light="false"] .ex, .vscode-dark .ex, html[theme="dark"] .ex {
  color: #eef1f4; background: #23272e; border-left-color: #e69f00; }
[data-jp-theme-light="false"] .ex-passed, .vscode-dark .ex-passed,
html[theme="dark"] .ex-passed { border-left-color: #56b4e9; }
""".replace("\n", " ")
