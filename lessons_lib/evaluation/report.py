"""Scored answers as files to keep and to pass on: one HTML page, and CSV. Lesson 10.

The page needs no network and no other file. Texts of entries and answers are data in it: they are
escaped, and no script of theirs runs.
"""

import csv
import html
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lessons_lib.evaluation.comparison import Comparison
from lessons_lib.evaluation.ranks import Score
from lessons_lib.evaluation.scores import Scores
from lessons_lib.support import write_whole

SPELLED = "backslashreplace"  # an answer may hold half a character, which UTF-8 cannot write
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1200px; padding: 16px; }
h1 { font-size: 22px; } h2 { font-size: 17px; margin-top: 28px; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #8a949e; padding: 4px 8px; text-align: left; vertical-align: top;
  white-space: pre-wrap; overflow-wrap: anywhere; min-width: 4em; }
th { position: sticky; top: 0; background: Canvas; }
form { display: flex; flex-wrap: wrap; gap: 12px; margin: 12px 0; }
label { display: flex; gap: 6px; align-items: center; }
select, input { font: inherit; }
"""
# The rows are in the page already; the script only hides and sorts them.
SCRIPT = """
const form = document.querySelector("form"), body = document.querySelector("#answers tbody");
const rows = [...body.rows], shown = document.querySelector("#shown");
function value(row, by) {
  const text = row.dataset[by];
  return text === undefined || text === "" ? null : Number(text);
}
function show() {
  const family = form.family.value, by = form.by.value, words = form.words.value.toLowerCase();
  const sign = form.order.value === "lowest" ? 1 : -1;
  let count = 0;
  for (const row of rows) {
    const inFamily = form.family.selectedIndex === 0 || row.dataset.family === family;
    row.hidden = !inFamily || !row.textContent.toLowerCase().includes(words);
    count += !row.hidden;
  }
  const ordered = by === "index" ? rows : [...rows].sort((a, b) => {
    const one = value(a, by), other = value(b, by);
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * (one - other);
  });
  body.append(...ordered);
  shown.textContent = `${count} of ${rows.length} answers`;
}
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{parts}
</main>
<script>{script}</script>
</body>
</html>
"""
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_report(
    path: str | Path,
    scored: Scores,
    comparison: Comparison | None = None,
    title: str = "Evaluation",
) -> None:
    """Write one HTML page: the scores with their intervals, then every answer to browse.

    Answers can be chosen by family and words and sorted by any score or by disagreement: how far
    apart the scorers rank an answer. A comparison, one of whose two tables is ``scored``,
    adds its table, and the other model's answer beside each answer.

    Raises:
        ValueError: neither side of the comparison has these answers.
        OSError: the file cannot be written; an old one stays as it was.
    """
    other = None if comparison is None else _other_answers(scored, comparison)
    parts = ["<h2>Scores, with intervals of 95 %</h2>", scored.table()._repr_html_()]
    if comparison is not None:
        parts += ["<h2>Comparison, paired</h2>", comparison.table()._repr_html_()]
    parts += ["<h2>Answers</h2>", _controls(scored), _answers(scored, other)]
    page = PAGE.format(title=html.escape(title), style=STYLE, parts="\n".join(parts), script=SCRIPT)
    write_whole(Path(path), lambda part: part.write_text(page, encoding="utf-8", errors=SPELLED))


def write_csv(path: str | Path, scored: Scores) -> None:
    """Write one line per answer: family, texts, each score, disagreement, in UTF-8.

    Where there is no score, the cell is empty. A text that a spreadsheet would take for a formula
    gets an apostrophe in front.

    Raises:
        OSError: the file cannot be written; an old one stays as it was.
    """
    head = ["family", "instruction", "input", "output", "answer", *scored.scores, "disagreement"]

    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="utf-8", errors=SPELLED) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(map(_no_formula, head))
            for index, gap in enumerate(scored.disagreement()):
                texts = map(_no_formula, (_family(scored, index), *_texts(scored, index)))
                scores = [scores[index] for scores in scored.scores.values()]
                writer.writerow([*texts, *map(_number, [*scores, gap])])

    write_whole(Path(path), write)


class _Other(NamedTuple):
    """The second column of answers, and what both columns are called."""

    heads: tuple[str, str]
    answers: list[str]


def _other_answers(scored: Scores, comparison: Comparison) -> _Other:
    for one, other, names in (
        (comparison.first, comparison.second, comparison.names),
        (comparison.second, comparison.first, comparison.names[::-1]),
    ):
        if one.entries == scored.entries and one.answers == scored.answers:
            return _Other(tuple(f"answer, {name}" for name in names), other.answers)
    raise ValueError("the comparison is about other answers than this table of scores")


def _texts(scored: Scores, index: int) -> tuple[str, str, str, str]:
    entry = scored.entries[index]
    given = entry["instruction"], entry.get("input", ""), entry["output"]
    return *given, scored.answers[index]


def _family(scored: Scores, index: int) -> str:
    return scored.families[index] if scored.families else ""


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _number(score: Score) -> str:
    return "" if score is None else f"{score:.4g}"


def _options(names: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f'<option value="{html.escape(value)}">{html.escape(name)}</option>'
        for value, name in names
    )


def _controls(scored: Scores) -> str:
    families = sorted(set(scored.families or []))
    orders = [("index", "data set"), ("gap", "disagreement")]
    orders += [(f"score{number}", name) for number, name in enumerate(scored.scores)]
    return (
        f'<form><label>family <select name="family">'
        f"{_options([('', 'all'), *zip(families, families, strict=True)])}</select></label>"
        f'<label>sort by <select name="by">{_options(orders)}</select></label>'
        f'<label>first the <select name="order">'
        f"{_options([('highest', 'highest'), ('lowest', 'lowest')])}</select></label>"
        f'<label>with the words <input name="words" type="search"></label>'
        f'<output id="shown" aria-live="polite"></output></form>'
    )


def _answers(scored: Scores, other: _Other | None) -> str:
    answered = ("answer",) if other is None else other.heads
    head = ["family", "instruction", "input", "wanted", *answered, *scored.scores, "disagreement"]
    lines = ["".join(f"<th>{html.escape(name)}</th>" for name in head)]
    lines = [f"<thead><tr>{lines[0]}</tr></thead><tbody>"]
    for index, gap in enumerate(scored.disagreement()):
        scores = [scores[index] for scores in scored.scores.values()]
        family = _family(scored, index)
        data = "".join(f' data-score{i}="{_number(score)}"' for i, score in enumerate(scores))
        texts = [*_texts(scored, index), *([other.answers[index]] if other else [])]
        cells = [family, *texts, *map(_number, [*scores, gap])]
        cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        attributes = f'data-family="{html.escape(family)}" data-gap="{_number(gap)}"{data}'
        lines.append(f"<tr {attributes}>{cells}</tr>")
    return f'<table id="answers">{"".join(lines)}</tbody></table>'
