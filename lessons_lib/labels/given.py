"""What was given, as rows of plain numbers, each column checked.

Nothing is judged here except whether it can be read at all.
"""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lessons_lib.data import IGNORE_INDEX
from lessons_lib.labels.sources import (
    COLUMNS,
    FROM_A_TRAINER,
    MASKS,
    OTHER_NAMES,
    LabelsError,
    find_rows,
    kind_of,
    sample,
    without,
)
from lessons_lib.labels.tokens import TokenReader


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

    @property
    def packed(self) -> bool:
        """Whether its columns say where texts begin."""
        return self.positions is not None or self.segments is not None


@dataclass(frozen=True)
class Given:
    """All rows that were read, or a sample of them."""

    rows: list[GivenRow]
    total: int
    names: str  # what the columns' names suggest: "labels" (shifted inside) or "targets" (before)
    notes: list[str] = field(default_factory=list)


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
                f"row {index} is {kind_of(columns)}, not a dictionary with input_ids and labels. "
                f"{FROM_A_TRAINER}"
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


def _read_row(index: int, columns: Mapping[str, Any], found: list[str]) -> list[GivenRow]:
    """The row in plain numbers; several where texts share a start (``batching.share_prefix``)."""
    for name in ("input_ids", "labels"):
        if name not in columns and (name == "input_ids" or not columns.keys() & set(MASKS)):
            raise LabelsError(f"row {index}: {without(name, found)}")
    numbers = {
        name: _numbers(value, name, index) for name, value in columns.items() if name != "weights"
    }
    if "weights" in columns:
        numbers["weights"] = list(map(bool, _plain(columns["weights"])))
    if "seq_lengths" in numbers:  # of the texts, one after the other: positions, from 0 in each
        lengths = numbers["seq_lengths"]
        numbers["seq_lengths"] = [place for length in lengths for place in range(length)]
    ids = numbers["input_ids"]
    for name, part in numbers.items():
        if len(part) != len(ids):
            raise LabelsError(
                f"row {index}: input_ids has {len(ids)} tokens, but {name} has {len(part)}. Cut, "
                "pad and mask them together, so that both keep one length"
            )
    if not ids:
        raise LabelsError(f"row {index} is empty: leave it out")
    row = _made(index, numbers)
    return _unshared(row) if row.segments is not None and min(row.segments) < 0 else [row]


def _made(index: int, numbers: dict[str, list[int]]) -> GivenRow:
    """The row of columns of one length, with the labels that follow from its masks."""
    ids = numbers["input_ids"]
    masks = [numbers[name] for name in MASKS if name in numbers]
    response = [int(all(parts)) for parts in zip(*masks, strict=True)] if masks else None
    labels, counts = numbers.get("labels"), numbers.get("weights", [1] * len(ids))
    if labels is None:
        labels, counts = ids, response
    starts = numbers.get("seq_lengths")
    if starts is not None and "position_ids" not in numbers:
        # Rows before TRL's collator, which masks each text's first label: nothing predicts it.
        counts = [
            count and (start or token != label)
            for count, start, token, label in zip(counts, starts, ids, labels, strict=True)
        ]
    return GivenRow(
        index,
        ids,
        [label if count else IGNORE_INDEX for label, count in zip(labels, counts, strict=True)],
        numbers.get("attention_mask"),
        response,
        numbers.get("position_ids", starts),
        numbers.get("segments"),
    )


def refuse_strange_ids(row: GivenRow, tokens: TokenReader) -> None:
    """Raise a LabelsError that names row and column if an id cannot be a token's."""
    for name, values in (("input_ids", row.input_ids), ("labels", row.labels)):
        for column, value in enumerate(values):
            if name == "labels" and value == IGNORE_INDEX:
                continue
            if value < 0:
                advice = (
                    f"only {IGNORE_INDEX} marks a label that does not count; set it where the "
                    "labels are made"
                    if name == "labels"
                    else "token ids count from 0"
                )
                raise LabelsError(f"row {row.index}, column {column}: {name} is {value}; {advice}")
            if tokens.size is not None and value >= tokens.size:
                raise LabelsError(
                    f"row {row.index}, column {column}: {name} is {value}, beyond the vocabulary "
                    f"of {tokens.name}, which has {tokens.size:,} ids. The rows were made with "
                    "another tokenizer, or tokens were added to it since; give that one"
                )


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
