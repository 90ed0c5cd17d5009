"""Look a data set over before training on it: duplicates, leaks, lengths. Taught in lesson 01.

A leak is an entry of the test or validation part that the model has already seen in training:
its score then says how well the model remembers, not how well it follows instructions.
"""

import re
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz, process

from lessons_lib.data.checks import Entry, Splits

NEAR_DUPLICATE = 90  # per cent of characters that two entries share, in order, to count as near


class Place(NamedTuple):
    """Where an entry stands: the part's name, and its index in that part."""

    part: str
    index: int


@dataclass(frozen=True)
class Audit:
    """What ``audit_entries`` found. Pairs of places name the earlier entry first."""

    counts: dict[str, int]  # entries in each part
    empty_inputs: int
    unique_instructions: int
    unique_tasks: int  # different (instruction, input) pairs
    duplicates: list[tuple[Place, Place]]  # the same task again
    near_duplicates: list[tuple[Place, Place]]  # not the same task, but nearly the same entry
    leaks: dict[str, list[int]]  # part → indices of entries whose task stands in train
    words: dict[str, tuple[int, float, int]]  # field → fewest, median, most words
    unused_fields: dict[str, int]  # extra field → in how many entries

    def __str__(self) -> str:
        rows = [("entries", sum(self.counts.values()))]
        rows += [(f"  {part}", count) for part, count in self.counts.items()]
        rows += [
            ("with an empty input", self.empty_inputs),
            ("different instructions", self.unique_instructions),
            ("different (instruction, input) pairs", self.unique_tasks),
            ("entries whose task came before", len(self.duplicates)),
            ("nearly the same entry, in pairs", len(self.near_duplicates)),
        ]
        rows += [
            (f"leaks from train into {part}", len(found)) for part, found in self.leaks.items()
        ]
        rows += [
            (f"words of {field}: fewest, median, most", f"{low}, {middle:g}, {high}")
            for field, (low, middle, high) in self.words.items()
        ]
        rows += [(f"field not used: {name}", n) for name, n in self.unused_fields.items()]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value:>6}" for name, value in rows)


def audit_entries(splits: Splits) -> Audit:
    """Count what deserves a second look in the three parts of a data set.

    Near duplicates are compared as whole entries, in lower case and without punctuation.
    About half a second for 1,100 entries; the time grows with the square of their number.
    """
    parts = splits._asdict()
    placed = [(Place(part, i), e) for part, rows in parts.items() for i, e in enumerate(rows)]
    entries = [entry for _, entry in placed]
    first_seen: dict[tuple[str, str], Place] = {}
    duplicates = []
    for place, entry in placed:
        earlier = first_seen.setdefault(_task(entry), place)
        if earlier != place:
            duplicates.append((earlier, place))
    trained = {_task(entry) for entry in splits.train}
    used = {"instruction", "input", "output"}
    return Audit(
        counts={part: len(rows) for part, rows in parts.items()},
        empty_inputs=sum(not entry.get("input") for entry in entries),
        unique_instructions=len({entry["instruction"] for entry in entries}),
        unique_tasks=len(first_seen),
        duplicates=duplicates,
        near_duplicates=_near_duplicates(placed),
        leaks={
            part: [i for i, entry in enumerate(parts[part]) if _task(entry) in trained]
            for part in ("test", "validation")
        },
        words={field: _word_counts(entries, field) for field in ("instruction", "input", "output")},
        unused_fields=dict(Counter(name for e in entries for name in e if name not in used)),
    )


def _task(entry: Entry) -> tuple[str, str]:
    """What makes two entries the same task: instruction and input."""
    return entry["instruction"], entry.get("input", "")


def _word_counts(entries: list[Entry], field: str) -> tuple[int, float, int]:
    counts = [len(entry.get(field, "").split()) for entry in entries] or [0]
    return min(counts), statistics.median(counts), max(counts)


def _near_duplicates(placed: list[tuple[Place, Entry]]) -> list[tuple[Place, Place]]:
    """Pairs of entries whose texts agree in ``NEAR_DUPLICATE`` per cent, without equal tasks."""
    texts = [
        re.sub(r"\W+", " ", " ".join((*_task(entry), entry["output"])).casefold())
        for _, entry in placed
    ]
    pairs = []
    for i, text in enumerate(texts[:-1]):
        rest = texts[i + 1 :]
        # fuzz.ratio: share of characters kept by the best alignment (indel distance), 0 … 100
        for _, _, offset in process.extract_iter(
            text, rest, scorer=fuzz.ratio, processor=None, score_cutoff=NEAR_DUPLICATE
        ):
            j = i + 1 + offset
            if _task(placed[i][1]) != _task(placed[j][1]):
                pairs.append((placed[i][0], placed[j][0]))
    return pairs
