"""What a class got right and wrong: a table, a CSV file, and a chart for the next morning."""

import csv
import io
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from lessons_lib.batching.cells import Kind
from lessons_lib.exercises.grading.grading import Mark
from lessons_lib.exercises.grading.notebook import (
    KILLED,
    KNOWN_ONLY,
    NAMED_MISTAKE,
    NO_CODE,
    RIGHT,
    UNREADABLE,
    WRITTEN,
)
from lessons_lib.exercises.results import Verdict
from lessons_lib.pictures.style import STYLES, small_png
from lessons_lib.support import Table, write_whole

COLUMNS = ("student", "file", "lesson", "exercise", "mark", "mistake", "fresh", "note", "said")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute
MOST_BARS = 15
WIDTH = 62  # characters of a bar's label
ANOTHER = {  # how a mark without a named mistake is counted
    str(Verdict.WRONG): "wrong in a way without a name",
    str(Verdict.ERROR): "stops with an error",
    str(Verdict.TOO_SLOW): "does not end",
    str(Verdict.CHANGED_ARGUMENT): "changes an argument",
    str(Verdict.NOT_CALLABLE): "cannot be called as the exercise asks",
    KNOWN_ONLY: "right on the lesson's inputs alone",
    NO_CODE: "its cells cannot be run",
    KILLED: "stopped at a limit",
}


def table(marks: Sequence[Mark]) -> Table:
    """A line for each notebook with how many are right, and one for each exercise that is not."""
    rows = []
    for (student, file), own in _by_notebook(marks).items():
        graded = [each for each in own if each.exercise and each.mark != WRITTEN]
        right = sum(each.mark == RIGHT for each in graded)
        notes = dict.fromkeys(note for each in own if not each.exercise and (note := each.note))
        count = f"{right} of {len(graded)} right" if graded else UNREADABLE
        seen = _first_line(next((each.said for each in own if not each.exercise), ""))
        notes |= dict.fromkeys(each.note for each in own if each.note and each.note not in notes)
        rows.append((student, file, count, "; ".join([*filter(None, [seen]), *notes])))
        for each in own:
            if each.exercise and each.mark not in (RIGHT, str(Verdict.NOT_ATTEMPTED)):
                seen = each.mistake or ("" if each.mark == WRITTEN else _first_line(each.said))
                rows.append(("", f"  {each.exercise}", each.mark, seen))
        skipped = [each.exercise for each in own if each.mark == str(Verdict.NOT_ATTEMPTED)]
        if skipped:
            rows.append(("", "", str(Verdict.NOT_ATTEMPTED), ", ".join(skipped)))
    return Table(("student", "notebook, exercise", "mark", "what was seen"), tuple(rows))


def _by_notebook(marks: Sequence[Mark]) -> dict[tuple[str, str], list[Mark]]:
    found: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        found.setdefault((mark.student, mark.file), []).append(mark)
    return found


def _first_line(text: str) -> str:
    return textwrap.shorten(text.split("\n")[0], 100, placeholder=" …")


def csv_text(marks: Sequence[Mark], seed: int) -> str:
    """All marks as CSV, with the seed of the fresh inputs.

    What a spreadsheet would take for a formula has an apostrophe before it.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*COLUMNS, "seed"])
    for mark in marks:
        values = [str(vars(mark)[name]) for name in COLUMNS]
        writer.writerow([_no_formula(value) for value in values] + [seed])
    return file.getvalue()


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def wrong_counts(marks: Sequence[Mark]) -> Counter[tuple[str, str]]:
    """How many students made each mistake: by (exercise, what went wrong), the most frequent first.

    A student who handed in twice counts once.
    """
    seen = {
        (mark.student, mark.exercise, mark.mistake or ANOTHER[mark.mark])
        for mark in marks
        if mark.exercise and (mark.mark == NAMED_MISTAKE or mark.mark in ANOTHER)
    }
    counts = Counter((exercise, wrong) for _, exercise, wrong in seen)
    return Counter(dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))))


def draw_wrong(marks: Sequence[Mark]) -> Figure:
    """A bar for each mistake, as long as the number of students who made it; hatched if unnamed."""
    counts = list(wrong_counts(marks).items())[:MOST_BARS]
    labels = [textwrap.fill(f"{name}: {wrong}", WIDTH) for (name, wrong), _ in counts]
    lines = sum(label.count("\n") + 1 for label in labels)
    figure = Figure(figsize=(9, 1.1 + 0.14 * lines + 0.2 * len(labels)), layout="constrained")
    axes = figure.subplots()
    students = len({mark.student for mark in marks})
    axes.set_title(f"What went wrong, and for how many of {students} who handed in", loc="left")
    for place, ((_, wrong), count) in enumerate(counts):
        unnamed = wrong in ANOTHER.values()
        style = STYLES[Kind.PADDING if unnamed else Kind.RESPONSE]
        bar = axes.barh(place, count, color=style.fill, edgecolor=style.edge, hatch=style.hatch)
        axes.bar_label(bar, padding=4)
    axes.set_yticks(range(len(labels)), labels, fontsize=9, parse_math=False)
    axes.set_xlabel("students (hatched: no mistake that has a name)")
    axes.set_xlim(0, max([count for _, count in counts], default=1) * 1.1)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def describe_wrong(marks: Sequence[Mark]) -> str:
    """The chart in words."""
    counts = list(wrong_counts(marks).items())[:MOST_BARS]
    if not counts:
        return "Nothing went wrong in what was attempted."
    return "\n".join(f"{count} × {name}: {wrong}" for (name, wrong), count in counts)


def write_report(marks: Sequence[Mark], seed: int, out: Path) -> list[Path]:
    """Write ``marks.csv`` and the chart ``mistakes.png`` into a folder; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    sheet, chart = out / "marks.csv", out / "mistakes.png"
    # The mark at the beginning tells Excel that this is UTF-8.
    write_whole(
        sheet, lambda part: part.write_text(csv_text(marks, seed), encoding="utf-8-sig", newline="")
    )
    picture = small_png(draw_wrong(marks))
    write_whole(chart, lambda part: part.write_bytes(picture))
    return [sheet, chart]
