"""Figures that were measured once and are shown in lessons: of races, and of long runs. Lesson 09.

``python -m benchmarks.NAME --save`` writes them; each file says on what machine.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lessons_lib.evaluation import Estimate, Share
from lessons_lib.support import Table
from lessons_lib.support.paths import MEASURED


def load_figures(name: str) -> dict[str, Any]:
    """What was saved under a name: a benchmark's figures, and "machine" in words."""
    return json.loads((MEASURED / f"{name}.json").read_text(encoding="utf-8"))


def save_figures(name: str, figures: dict[str, Any], machine: str, folder: Path = MEASURED) -> None:
    """Keep a benchmark's figures for the lessons."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, **figures}, indent=1, ensure_ascii=False) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


def race_table(names: Sequence[str] = ()) -> Table:
    """Seconds of one training step of 8 entries, and how many times as fast as the first row.

    ``names`` are the rows to show, all if there are none.
    """
    seconds = load_figures("race")["seconds_a_step"]
    shown = {name: seconds[name] for name in names or seconds}
    first = next(iter(shown.values()))
    return Table(
        ("one step of 8 entries", "seconds", "times as fast as the first"),
        tuple((name, f"{each:.2f}", f"{first / each:.2f}") for name, each in shown.items()),
    )


def real_table() -> Table:
    """The real model before and after one epoch: on the bundled entries, and on the book's."""
    runs = [load_figures(f"real-{name}") for name in ("bundled", "book")]
    rows = []
    for label, name, show in (
        ("exact match", "exact", _share),
        ("stopped by itself", "stopped", _share),
        ("ROUGE-L", "rouge", "{:.2f}".format),
        ("response loss", "response_loss", "{:.2f}".format),
    ):
        each = [show(run[f"{name}_{when}"]) for run in runs for when in ("before", "after")]
        rows.append((label, *each))
    minutes = [f"{run['minutes']:.1f}" for run in runs]
    rows.append(("minutes of training", "", minutes[0], "", minutes[1]))
    head = ("110 test answers", "bundled: before", "after", "the book's: before", "after")
    return Table(head, tuple(rows))


def rates_table(mask: str) -> Table:
    """Each start's response loss by learning rate, of runs with this mask; a star marks the lowest,
    which was chosen."""
    figures = load_figures("learning_rates")
    rows = []
    for name, losses in figures["response_loss"].items():
        start, masked = name.rsplit(", ", 1)
        if masked != mask:
            continue
        chosen = figures["best"][name]
        cells = [
            f"{rate}: {loss:.3f}" + " *" * (float(rate) == chosen) for rate, loss in losses.items()
        ]
        rows.append((start, "   ".join(cells)))
    return Table(("start", "response loss by learning rate"), tuple(rows))


def efficiency_table(entries: Sequence[int] = ()) -> Table:
    """What fine-tuning on more and more entries gives, and what it does to the prose.

    ``entries`` are the numbers of entries to show, all if there are none.
    """
    rows = [
        (
            row["model"],
            str(row["entries"]),
            f"{row['exact']:.0%} ({row['exact_low']:.0%} to {row['exact_high']:.0%})",
            f"{row['key_answer']:.0%}",
            f"{row['stopped']:.0%}",
            f"{row['prose_loss']:.2f}",
        )
        for row in load_figures("efficiency")["rows"]
        if not entries or row["entries"] in entries
    ]
    head = ("model", "entries", "exact", "key answer recalled", "stopped", "loss on prose")
    return Table(head, tuple(rows))


def gpt4_table() -> Table:
    """How far scorers rank the book's judged answers as GPT-4 did: Spearman's correlation.

    Of 100 answers by two models to the book's test entries, which GPT-4 had graded. Each row says
    whether the figure was published or measured with this course's scorers.
    """
    found = load_figures("gpt4")
    rows = [
        (name, *(f"{value:.2f}" for value in values), found["measured"]["by"])
        for name, values in found["measured"]["spearman"].items()
    ]
    for name, value in found["published"]["spearman"].items():
        rows.append((name, f"{value:.2f}", "", found["published"]["by"]))
    rows.sort(key=lambda row: -float(row[1]))
    return Table(("scorer", "first model", "second model", "figure"), tuple(rows))


def lora_table(figures: dict[str, Any] | None = None) -> Table:
    """All of SmolLM2's weights trained, and LoRA: what either costs and gives.

    ``figures`` are those of ``benchmarks.lora``, the saved ones if not given.
    """
    figures = figures or load_figures("lora")
    rows = []
    for name, run in figures["runs"].items():
        share = run["trained"] / figures["weights"]
        rows.append(
            (
                f"{name} of rank {figures['rank']}" if name == "LoRA" else name,
                f"{run['trained']:,} ({share:.1%})",
                _gigabytes(run["peak_gigabytes"]),
                f"{run['seconds']:.0f}",
                f"{run['response_loss']:.2f}",
                _share(run["exact"], figures["test_entries"]),
            )
        )
    difference = _points(figures["exact_difference"], figures["test_entries"])
    rows.append(("LoRA minus all, in pairs", "", "", "", "", difference))
    head = ("trained", "weights", "peak memory", "seconds", "response loss", "exact")
    return Table(head, tuple(rows))


def formats_table(figures: dict[str, Any] | None = None) -> Table:
    """Each model trained and asked in Alpaca's format and in Phi-3's.

    ``figures`` are those of ``benchmarks.formats``, the saved ones if not given.
    """
    rows = []
    for each in (figures or load_figures("formats"))["models"]:
        for name, run in each["runs"].items():
            rows.append(
                (
                    each["model"],
                    name,
                    f"{run['tokens']:,}",
                    f"{run['seconds']:.0f}",
                    _share(run["exact"], each["test_entries"]),
                )
            )
        difference = _points(each["exact_difference"], each["test_entries"])
        rows.append((each["model"], "phi3 minus alpaca, in pairs", "", "", difference))
    return Table(("model", "format", "tokens an epoch", "seconds", "exact"), tuple(rows))


def _gigabytes(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} GB"


def _points(found: dict[str, float | None], answers: int) -> str:
    """A difference of shares in percentage points, with its interval where it has one."""
    return Estimate(found["difference"], found["low"], found["high"], answers).in_points()


def _share(value: float, answers: int = 110) -> str:
    return str(Share(round(value * answers), answers))
