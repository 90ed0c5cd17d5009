"""Where rows of labels may come from: batches, data sets, loaders, lists; each row by its index.

Of many rows a sample is taken, the same each time, so that half a million cost no more than a few
hundred.
"""

import itertools
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lessons_lib.batching import Batch

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
class Source:
    """Rows that can be had by their index, each a mapping of columns."""

    count: int
    get: Callable[[int], Mapping[str, Any]]
    notes: tuple[str, ...] = ()


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
    raise LabelsError(f"{kind_of(given)} holds no rows. {FROM_A_TRAINER}")


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
        raise LabelsError(without("input_ids", list(columns)))
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
    borders = columns.get("cu_seq_lens_q")  # of texts in one row, for attention without padding
    if borders is not None and count == 1:
        rows["seq_lengths"] = [[int(end - start) for start, end in itertools.pairwise(borders)]]
    if "labels" not in rows and "targets" not in rows and not rows.keys() & set(MASKS):
        raise LabelsError(without("labels", list(columns)))
    return Source(count, lambda index: {name: part[index] for name, part in rows.items()})


def without(wanted: str, found: list[str]) -> str:
    """The sentence for a missing column."""
    has = f"it has {', '.join(map(str, found))}" if found else "it has none at all"
    if wanted == "input_ids" and TEXT_COLUMNS.intersection(found):
        return f"these rows are texts, not tokenized yet ({has}). {FROM_A_TRAINER}"
    masks = "" if wanted == "input_ids" else f" and none of {', '.join(MASKS)}"
    return f"there is no column {wanted}{masks} ({has}). {FROM_A_TRAINER}"


def _depth(value: Any) -> int:
    """1 for a row of numbers, 2 for rows of them; 0 for anything else."""
    if hasattr(value, "ndim"):
        return value.ndim
    if not isinstance(value, list | tuple):
        return 0
    return 1 + (_depth(value[0]) if value and not isinstance(value[0], str) else 0)


def kind_of(value: Any) -> str:
    return f"an object of the type {type(value).__name__}"
