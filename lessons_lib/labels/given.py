"""Whatever holds labels, as rows of plain numbers: batches, data sets, loaders, lists of rows.

Nothing is judged here except whether it can be read at all. Of many rows a sample is taken, the
same each time, so that half a million cost no more than a few hundred.
"""

import itertools
import operator
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lessons_lib.batching import Batch
from lessons_lib.data import IGNORE_INDEX

SEED = 123
TEXT_COLUMNS = frozenset(
    "text messages prompt completion instruction input output conversations chosen".split()
)
MASKS = ("completion_mask", "assistant_masks")  # TRL's: 1 where the response is
COLUMNS = (
    *("input_ids", "labels", "attention_mask", *MASKS),
    *("position_ids", "seq_lengths", "weights", "segments"),
)
OTHER_NAMES = {"inputs": "input_ids", "targets": "labels", "positions": "position_ids"}
FROM_A_TRAINER = (
    "Give what the model is trained on: next(iter(trainer.get_train_dataloader())), or a batch "
    "that your collator made"
)


class LabelsError(ValueError):
    """Labels cannot be read; the message names the row and says what to do."""


@dataclass(frozen=True)
class GivenRow:
    """One row as it was given, each column a list of the same length, or None."""

    index: int
    input_ids: list[int]
    labels: list[int]
    attention: list[int] | None = None  # 1 where a token may be looked at
    response: list[int] | None = None  # 1 where a mask of TRL's says that the response is
    positions: list[int] | None = None
    segments: list[int] | None = None  # the course's own numbers of texts


@dataclass(frozen=True)
class Given:
    """All rows that were read, or a sample of them."""

    rows: list[GivenRow]
    total: int
    names: str  # what the columns' names suggest: "labels" (shifted inside) or "targets" (before)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """Rows that can be had by their index, each a mapping of columns."""

    count: int
    get: Callable[[int], Mapping[str, Any]]
    notes: tuple[str, ...] = ()


def read_given(batch_or_dataset: Any, most_rows: int) -> Given:
    """At most ``most_rows`` rows of whatever was given.

    Raises:
        LabelsError: there are no rows, no labels, or numbers that cannot be token ids.
    """
    source = find_rows(batch_or_dataset, most_rows)
    if source.count == 0:
        raise LabelsError("there is no row: the batch or data set is empty")
    indices = sample(source.count, most_rows)
    notes = list(source.notes)
    if len(indices) < source.count:
        notes.append(
            f"{len(indices):,} of {source.count:,} rows were read, evenly over all of them and the "
            "same ones each time; most_rows reads more."
        )
    raw = [source.get(index) for index in indices]
    rows, used = [], set()
    for index, columns in zip(indices, raw, strict=True):
        if not isinstance(columns, Mapping):
            raise LabelsError(
                f"row {index} is {_kind(columns)}, not a dictionary of columns with input_ids and "
                f"labels. {FROM_A_TRAINER}"
            )
        named = {
            OTHER_NAMES.get(name, name): value
            for name, value in columns.items()
            if value is not None and (name in COLUMNS or name in OTHER_NAMES)
        }
        used |= named.keys()
        rows += _read_row(index, named, list(columns))
    names = "targets" if "targets" in raw[0] else "labels"
    if "labels" not in used:
        masks = " and ".join(name for name in MASKS if name in used)
        notes.append(f"There is no column labels: a token counts where {masks} says so.")
    if len(rows) > len(indices):
        notes.append("Texts that share their start stand in a row each here.")
        return Given(rows, len(rows), names, notes)
    return Given(rows, source.count, names, notes)


def sample(count: int, most: int) -> list[int]:
    """Indices of at most ``most`` of ``count`` rows, one at random of each equal part of them."""
    if count <= most:
        return list(range(count))
    draw = random.Random(SEED)
    edges = [count * part // most for part in range(most + 1)]
    return [draw.randrange(start, end) for start, end in itertools.pairwise(edges)]


def find_rows(given: Any, most_rows: int) -> Source:
    """Rows by index, however they were given."""
    if isinstance(given, Batch):
        columns = given._asdict() | {"position_ids": given.positions}
        return _columns({name: part for name, part in columns.items() if part is not None})
    if isinstance(given, Mapping):
        return _columns(given)
    if isinstance(given, tuple | list) and len(given) == 2:
        if all(_depth(part) == 2 for part in given):
            return _columns({"inputs": given[0], "targets": given[1]})
    if isinstance(given, str | bytes):
        raise LabelsError("a text has no labels; python -m lessons_lib lint FILE reads a file")
    if hasattr(given, "column_names") and hasattr(given, "with_format"):  # of datasets
        given = given.with_format(None)  # rows as plain lists
        if not hasattr(given, "__len__"):
            return _stream(given, most_rows)
    if hasattr(given, "__getitem__") and hasattr(given, "__len__"):
        return Source(len(given), given.__getitem__)
    if isinstance(given, Iterable):
        return _stream(given, most_rows)
    raise LabelsError(f"{_kind(given)} holds no rows. {FROM_A_TRAINER}")


def _stream(given: Iterable, most_rows: int) -> Source:
    """The first batch of a loader, or the first rows of a stream of rows."""
    items = iter(given)
    try:
        first = next(items)
    except StopIteration:
        return Source(0, lambda index: {})
    is_row = isinstance(first, Mapping) and _depth(_first_of(first)) == 1
    if not is_row:
        found = find_rows(first, most_rows)
        note = "Only the first batch of what was given is read."
        return Source(found.count, found.get, (*found.notes, note))
    rows = [first, *itertools.islice(items, most_rows - 1)]
    notes = (f"Only the first {len(rows):,} rows of a stream are read.",)
    return Source(len(rows), rows.__getitem__, notes if len(rows) == most_rows else ())


def _first_of(columns: Mapping[str, Any]) -> Any:
    return columns.get("input_ids", columns.get("inputs"))


def _columns(columns: Mapping[str, Any]) -> Source:
    """A batch: each column holds all rows; a single row counts as a batch of one."""
    if columns and all(hasattr(part, "column_names") for part in columns.values()):
        parts = ", ".join(map(repr, columns))
        raise LabelsError(f"this is a data set of several parts; give one of them: {parts}")
    ids = _first_of(columns)
    if ids is None:
        raise LabelsError(_without("input_ids", list(columns)))
    if _depth(ids) == 1:
        return Source(1 if len(ids) else 0, lambda index: columns)
    if _depth(ids) != 2:
        raise LabelsError("input_ids must be rows of token ids, (batch, length)")
    count = len(ids)
    rows = {}
    for name, part in columns.items():
        if name not in COLUMNS and name not in OTHER_NAMES or part is None:
            continue
        if name in ("position_ids", "attention_mask") and _depth(part) != 2:
            continue  # of other models: one position for each axis of a picture, a whole matrix
        if len(part) != count:
            raise LabelsError(f"input_ids has {count} rows, but {name} has {len(part)}")
        rows[name] = part
    if "labels" not in rows and "targets" not in rows and not rows.keys() & set(MASKS):
        raise LabelsError(_without("labels", list(columns)))
    return Source(count, lambda index: {name: part[index] for name, part in rows.items()})


def _without(wanted: str, found: list[str]) -> str:
    """The sentence for a missing column."""
    has = f"it has {', '.join(map(str, found))}" if found else "it has none at all"
    if wanted == "input_ids" and TEXT_COLUMNS.intersection(found):
        return f"these rows are texts, not tokenized yet ({has}). {FROM_A_TRAINER}"
    masks = "" if wanted == "input_ids" else f" and none of {', '.join(MASKS)}"
    return f"there is no column {wanted}{masks} ({has}). {FROM_A_TRAINER}"


def _read_row(index: int, columns: Mapping[str, Any], found: list[str]) -> list[GivenRow]:
    """The row in plain numbers; several where texts share a start (``batching.share_prefix``)."""
    if "input_ids" not in columns:
        raise LabelsError(f"row {index}: {_without('input_ids', found)}")
    ids = _numbers(columns["input_ids"], "input_ids", index)
    masks = [_numbers(columns[name], name, index) for name in MASKS if name in columns]
    response = [int(all(parts)) for parts in zip(*masks, strict=False)] if masks else None
    if "labels" in columns:
        labels = _numbers(columns["labels"], "labels", index)
    elif masks:
        labels = [token if m else IGNORE_INDEX for token, m in zip(ids, response, strict=False)]
    else:
        raise LabelsError(f"row {index}: {_without('labels', found)}")
    if "weights" in columns:
        weights = _plain(columns["weights"])
        labels = [x if w else IGNORE_INDEX for x, w in zip(labels, weights, strict=True)]
    lists = {"attention": "attention_mask", "positions": "position_ids", "segments": "segments"}
    parts = {
        ours: _numbers(columns[theirs], theirs, index)
        for ours, theirs in lists.items()
        if theirs in columns
    }
    if "seq_lengths" in columns:
        lengths = _numbers(columns["seq_lengths"], "seq_lengths", index)
        parts["positions"] = [place for length in lengths for place in range(length)]
    parts["response"] = response
    named = {"labels": labels, **{name: part for name, part in parts.items() if part is not None}}
    for name, part in named.items():
        if len(part) != len(ids):
            raise LabelsError(
                f"row {index}: input_ids has {len(ids)} tokens, but {lists.get(name, name)} has "
                f"{len(part)}. Cut, pad and mask them together, so that both keep one length"
            )
    if not ids:
        raise LabelsError(f"row {index} is empty: leave it out")
    row = GivenRow(index, ids, labels, **parts)
    if parts.get("segments") and min(parts["segments"]) < 0:
        return _unshared(row)
    return [row]


def _unshared(row: GivenRow) -> list[GivenRow]:
    """Each text of a row whose texts share their start, with that start, as a row of its own."""
    texts = sorted({segment for segment in row.segments if segment > 0})
    rows = []
    for number, text in enumerate(texts):
        kept = [t for t, segment in enumerate(row.segments) if segment in (-1, text)]
        ids, labels = ([part[t] for t in kept] for part in (row.input_ids, row.labels))
        rows.append(GivenRow(number, ids, labels))
    return rows


def _numbers(value: Any, name: str, index: int) -> list[int]:
    """A column of one row as whole numbers.

    Raises:
        LabelsError: something in it is none; names row and column.
    """
    values = _plain(value)
    try:
        return list(map(operator.index, values))
    except TypeError:
        pass
    for column, each in enumerate(values):
        try:
            operator.index(each)
        except TypeError:
            raise LabelsError(
                f"row {index}, column {column}: {name} holds {each!r}, which is not a whole "
                "number. Token ids and labels are int64"
            ) from None
    raise AssertionError("one of them was refused")


def _plain(value: Any) -> Sequence:
    """A tensor, an array or a list as a list."""
    values = value.tolist() if hasattr(value, "tolist") else value
    return values if isinstance(values, list | tuple) else [values]


def _depth(value: Any) -> int:
    """1 for a row of numbers, 2 for rows of them; 0 for anything else."""
    if hasattr(value, "ndim"):
        return value.ndim
    if not isinstance(value, list | tuple):
        return 0
    return 1 + (_depth(value[0]) if value and not isinstance(value[0], str) else 0)


def _kind(value: Any) -> str:
    return f"an object of the type {type(value).__name__}"
