"""Look a data set over before training on it: duplicates, leaks, order, lengths. Lesson 01.

A leak is an entry of the test or validation part that the model has already seen in training:
its score then says how well the model remembers, not how well it follows instructions.
"""

import re
import statistics
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz, process

from lessons_lib.data.draw import Draw
from lessons_lib.data.entries import says_no_input
from lessons_lib.data.reading import DatasetError, Entry, Splits, as_entries
from lessons_lib.data.reading.rows import warn_caller

NEAR_DUPLICATE = 90  # per cent of characters that two entries share, in order, to count as near
SHOWN_PAIRS = 5
# At the edges of words these do not make another task; "-", "+", "*", "<" and the like may.
EDGES = ".,;:!?…\"'()[]{}¿¡`"
ONE_FORM = str.maketrans("’‘“”«»–—", '\'\'""""--')
BLOCKS = 20  # of the validation part's usual size, 5 %


class SortedEntriesWarning(UserWarning):
    """Entries that begin alike stand together, so that the parts ask about different things."""


class Location(NamedTuple):
    """Where an entry stands: the part's name, and its index in that part."""

    part: str
    index: int


@dataclass(frozen=True)
class Audit:
    """What ``audit_entries`` found. Pairs name the earlier entry first."""

    counts: dict[str, int]  # entries in each part
    empty_inputs: int
    stated_no_input: int  # inputs such as "<noinput>" or "N/A", or of white space alone
    unique_instructions: int
    unique_tasks: int  # different (instruction, input) pairs
    duplicates: list[tuple[Location, Location]]  # the same task again
    near_duplicates: list[tuple[Location, Location]]  # not the same task, but nearly the same entry
    near_leaks: dict[tuple[Location, Location], tuple[str, str]]  # those across parts; their texts
    leaks: dict[str, list[int]]  # part → indices of entries whose task stands in train
    sorted_by: list[str]  # what stands together: "instruction", "output", or nothing
    words: dict[str, tuple[int, float, int]]  # field → fewest, median, most words
    unused_fields: dict[str, int]  # extra field → in how many entries

    def __str__(self) -> str:
        rows = [("entries", sum(self.counts.values()))]
        rows += [(f"  {part}", count) for part, count in self.counts.items()]
        rows.append(("with an empty input", self.empty_inputs))
        if self.stated_no_input:
            rows.append(("with an input that says there is none", self.stated_no_input))
        rows += [
            ("different instructions", self.unique_instructions),
            ("different (instruction, input) pairs", self.unique_tasks),
            ("entries whose task came before", len(self.duplicates)),
            ("nearly the same entry in two parts, in pairs", len(self.near_leaks)),
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
        lines = [f"{name:<{width}}  {value:>6}" for name, value in rows]
        if self.near_leaks:
            lines.append(f"nearly the same in two parts, the first {SHOWN_PAIRS} pairs at most:")
        for pair, texts in list(self.near_leaks.items())[:SHOWN_PAIRS]:
            for (part, index), text in zip(pair, texts, strict=True):
                lines.append(f"  {part} {index}: {text}")
        if self.sorted_by:
            lines.append(_advise(self.sorted_by))
        return "\n".join(lines)


def audit_entries(splits: Splits) -> Audit:
    """Count what deserves a second look in the three parts of a data set.

    A leak is the same task in other capitals, spacing, punctuation or forms of characters, too.
    Near duplicates are compared as whole entries, in lower case and without punctuation. A file
    whose entries stand sorted gets a warning. About half a second for 1,100 entries; the time grows
    with the square of their number.

    Raises:
        DatasetError: no ``Splits``, or a part that is no list of entries.
    """
    if not isinstance(splits, Splits):
        wanted = "wants the three parts of a data set; cut it first: split_entries(entries)"
        raise DatasetError(wanted, "audit_entries")
    parts = {name: as_entries(part, f"splits.{name}") for name, part in splits._asdict().items()}
    located = [(Location(part, i), e) for part, rows in parts.items() for i, e in enumerate(rows)]
    entries = [entry for _, entry in located]
    first_seen: dict[tuple[str, str], Location] = {}
    duplicates = []
    for location, entry in located:
        earlier = first_seen.setdefault(_task(entry), location)
        if earlier != location:
            duplicates.append((earlier, location))
    near_duplicates = _near_duplicates(located)
    trained = {_folded_task(entry) for entry in parts["train"]}
    used = {"instruction", "input", "output"}
    sorted_by = _sorted_by(entries)
    if sorted_by:
        warn_caller(_advise(sorted_by), SortedEntriesWarning)
    return Audit(
        counts={part: len(rows) for part, rows in parts.items()},
        empty_inputs=sum(not entry.get("input") for entry in entries),
        stated_no_input=sum(
            bool(t) and says_no_input(t) for t in (e.get("input") for e in entries)
        ),
        unique_instructions=len({entry["instruction"] for entry in entries}),
        unique_tasks=len(first_seen),
        duplicates=duplicates,
        near_duplicates=near_duplicates,
        near_leaks={
            pair: tuple(_shortened(parts[part][index]) for part, index in pair)
            for pair in near_duplicates
            if pair[0].part != pair[1].part
        },
        leaks={
            part: [i for i, entry in enumerate(parts[part]) if _folded_task(entry) in trained]
            for part in ("test", "validation")
        },
        sorted_by=sorted_by,
        words={field: _word_counts(entries, field) for field in ("instruction", "input", "output")},
        unused_fields=dict(Counter(name for e in entries for name in e if name not in used)),
    )


def _task(entry: Entry) -> tuple[str, str]:
    """What makes two entries the same task: instruction and input."""
    return entry["instruction"], entry.get("input", "")


def _folded_task(entry: Entry) -> tuple[str, str]:
    """The task without case, spacing, punctuation around words and compatibility forms."""
    instruction, text = _task(entry)
    return _folded(instruction), "" if says_no_input(text) else _folded(text)


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold().translate(ONE_FORM)
    text = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf"
    )
    words = [word.strip(EDGES) for word in text.split()]
    return " ".join(filter(None, words)) or text.strip()


def _shortened(entry: Entry) -> str:
    text = " ".join(" | ".join(filter(None, (*_task(entry), entry["output"]))).split())
    return text if len(text) <= 90 else f"{text[:89]}…"


def _word_counts(entries: list[Entry], field: str) -> tuple[int, float, int]:
    counts = [len(entry.get(field, "").split()) for entry in entries] or [0]
    return min(counts), statistics.median(counts), max(counts)


def _near_duplicates(
    located: list[tuple[Location, Entry]],
) -> list[tuple[Location, Location]]:
    """Pairs of entries whose texts agree in ``NEAR_DUPLICATE`` per cent, without equal tasks."""
    texts = [
        re.sub(r"\W+", " ", " ".join((*_task(entry), entry["output"])).casefold())
        for _, entry in located
    ]
    pairs = []
    for i, text in enumerate(texts[:-1]):
        rest = texts[i + 1 :]
        # fuzz.ratio: share of characters kept by the best alignment (indel distance), 0 … 100
        for _, _, offset in process.extract_iter(
            text, rest, scorer=fuzz.ratio, processor=None, score_cutoff=NEAR_DUPLICATE
        ):
            j = i + 1 + offset
            if _task(located[i][1]) != _task(located[j][1]):
                pairs.append((located[i][0], located[j][0]))
    return pairs


def _sorted_by(entries: list[Entry]) -> list[str]:
    """The fields by whose first two words the entries stand sorted, as far as one can tell."""
    found = []
    for field in ("instruction", "output"):
        labels = [" ".join(entry[field].casefold().split()[:2]) for entry in entries]
        if _are_clustered(labels):
            found.append(field)
    return found


def _are_clustered(labels: list[str]) -> bool:
    """Whether equal labels share a block of the list far more often than after shuffling.

    True where the share is half as much again as chance would have it, and at least three times as
    far from chance as the farthest of 20 shuffled lists. The book's entries and the bundled ones,
    which are mixed, differ from chance by a tenth; sorted by topic it is eleven times chance.
    """
    blocks = min(BLOCKS, len(labels) // 10)
    if blocks < 4:
        return False
    sizes = Counter(i * blocks // len(labels) for i in range(len(labels))).values()
    chance = sum(n * (n - 1) for n in sizes) / (len(labels) * (len(labels) - 1))
    draw = Draw(0)
    farthest = max(abs(_share(draw.shuffled(labels), blocks) - chance) for _ in range(20))
    share = _share(labels, blocks)
    return share > 1.5 * chance and share - chance > 3 * farthest


def _share(labels: list[str], blocks: int) -> float:
    """How many of the entries with its label share an entry's block, on average, from 0 to 1."""
    counts = {label: count for label, count in Counter(labels).items() if count >= 5}
    together = Counter((label, i * blocks // len(labels)) for i, label in enumerate(labels))
    pairs = ((n, counts[label]) for (label, _), n in together.items() if label in counts)
    return sum(n * (n - 1) / (count - 1) for n, count in pairs) / max(1, sum(counts.values()))


def _advise(fields: list[str]) -> str:
    return (
        f"Entries whose {' and '.join(fields)} begin alike stand together: the file is sorted, and "
        "its parts ask about different things. Mix it: split_entries(entries, shuffle_seed=123)"
    )
