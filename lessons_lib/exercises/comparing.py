"""Compares what a function returned with what it should have returned, and says what differs.

What a right solution could give is accepted: a tuple or a list, a NumPy number or an int, a tensor
on any device. Values are compared first, then types, so that "the numbers are right" can be said.
"""

import math
import numbers
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lessons_lib.batching import Batch


@dataclass(frozen=True)
class Difference:
    """What differs, in a sentence, and the first place in it where that can be said."""

    sentence: str
    part: int | None = None  # of a tuple of results
    row: int | None = None
    column: int | None = None


def plain(value: Any) -> Any:
    """The value as nested lists, numbers and texts, whatever held them."""
    if isinstance(value, Batch):  # of which an exercise makes inputs and targets alone
        value = (value.inputs, value.targets)
    if isinstance(value, Tensor):
        return value.detach().cpu().tolist()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def same_values(one: Any, other: Any) -> bool:
    """Whether two values hold the same, apart from containers and rounding."""
    return _same(plain(one), plain(other))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, numbers.Real) and isinstance(other, numbers.Real):
        both_nan = math.isnan(one) and math.isnan(other)
        return both_nan or math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-8)
    return type(one) is type(other) and bool(one == other)


def first_difference(expected: Any, got: Any, parts: tuple[str, ...] = ()) -> Difference | None:
    """What is wrong with ``got``, or None if it is right; ``parts`` names a tuple's members."""
    if isinstance(expected, tuple):
        return _difference_of_parts(expected, got, parts)
    return _difference(expected, got)


def _difference_of_parts(expected: tuple, got: Any, parts: tuple[str, ...]) -> Difference | None:
    if isinstance(got, Batch):
        got = (got.inputs, got.targets)
    names = " and ".join(parts)
    if got is None:
        return _difference(expected, got)
    if not isinstance(got, list | tuple):
        return Difference(f"Return {len(expected)} things, {names}; yours returns {a(got)}.")
    if len(got) != len(expected):
        return Difference(f"Return {len(expected)} things, {names}; yours returns {len(got)}.")
    for index, (one, other) in enumerate(zip(expected, got, strict=True)):
        found = _difference(one, other)
        if found:
            sentence = f"{parts[index]}: {found.sentence}"
            return Difference(sentence, index, found.row, found.column)
    return None


def _difference(expected: Any, got: Any) -> Difference | None:
    if got is None and expected is not None:
        return Difference("It returns None. Is the `return` missing, or inside the loop?")
    if isinstance(expected, Tensor):
        return _difference_of_tensors(expected, got)
    if same_values(expected, got):
        return None
    wanted, found = plain(expected), plain(got)
    if isinstance(wanted, list) and not isinstance(found, list):
        return Difference(f"Return {a(expected)}; yours returns {a(got)}.")
    if isinstance(wanted, list) and len(wanted) != len(found):
        return Difference(f"The right number of items is {len(wanted)}; yours is {len(found)}.")
    if isinstance(expected, str) and isinstance(got, str):
        at = len(os.path.commonprefix([expected, got]))
        return Difference(f"The texts differ from character {at} on.", column=at)
    if type(plain(expected)) is not type(plain(got)) and not isinstance(got, numbers.Real):
        return Difference(f"Return {a(expected)}; yours returns {a(got)}.")
    if isinstance(wanted, dict) and isinstance(found, dict):
        return Difference(_difference_of_dictionaries(wanted, found))
    return Difference("The values differ.")


def _difference_of_dictionaries(expected: dict, got: dict) -> str:
    """Which key is missing, which is one too many, or at which key the values differ."""
    missing = [key for key in expected if key not in got]
    if missing:
        return f"{missing[0]!r} is missing."
    added = [key for key in got if key not in expected]
    if added:
        return f"{added[0]!r} should not be in it."
    key = next(key for key in expected if not _same(expected[key], got[key]))
    one, other = expected[key], got[key]
    if isinstance(one, numbers.Real) and isinstance(other, numbers.Real):
        return f"{key!r}: expected {one}, got {other}."
    return f"{key!r}: the values differ."


def _difference_of_tensors(expected: Tensor, got: Any) -> Difference | None:
    if not isinstance(got, Tensor):
        right = " Its numbers are right." if same_values(expected, got) else ""
        return Difference(f"Return {a(expected)}; yours returns {a(got)}.{right}")
    if got.shape != expected.shape:
        return Difference(
            f"The shape must be {tuple(expected.shape)}; yours is {tuple(got.shape)}."
        )
    if not same_values(expected, got):
        index = first_wrong(expected, got)
        if len(index) != 2:
            return Difference("The values differ.", column=index[-1] if index else None)
        row, column = index
        wanted, found = (_number(each[row, column]) for each in (expected, got))
        values = f"expected {wanted}, got {found}"
        return Difference(f"row {row}, column {column}: {values}.", None, row, column)
    if got.is_floating_point() != expected.is_floating_point() or (
        not expected.is_floating_point() and got.dtype != expected.dtype
    ):
        return Difference(
            f"The numbers are right, but their dtype must be {expected.dtype}; "
            f"yours is {got.dtype}."
        )
    return None


def _number(value: Tensor) -> str:
    """A cell's number, without the digits that float32 does not have."""
    return f"{value.item():.7g}" if value.is_floating_point() else str(value.item())


def first_wrong(expected: Tensor, got: Tensor) -> tuple[int, ...]:
    """The index of the first cell that differs, in reading order; both have the same shape."""
    got = got.detach().cpu().to(expected.dtype)
    wrong = ~torch.isclose(got, expected, equal_nan=True)
    return tuple(wrong.nonzero()[0].tolist()) if wrong.any() else ()


def a(value: Any) -> str:
    """What a value is, in a few words."""
    if isinstance(value, Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    if value is None or value is ...:
        return "None" if value is None else "..."
    names = {str: "a text", list: "a list", tuple: "a tuple", dict: "a dictionary", int: "an int"}
    return names.get(type(value), f"a {type(value).__name__}")
