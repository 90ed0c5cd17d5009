"""Which convention labels follow: shifted inside the model, or shifted before it. By counting.

A label that is the token above it will be shifted by the model, as in transformers and TRL. One
that is the token after it has been shifted already, as in this course, in nanoGPT and in the book.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lessons_lib.data import IGNORE_INDEX
from lessons_lib.labels.given import GivenRow

CLEAR = 0.9  # the share of live labels from which a convention explains them
# How far ahead of its column a label's token stands, and what that means.
OFFSETS = {
    0: "each label is the token of its own column, so the model shifts them inside",
    1: "each label is the token after its column, so they were shifted before the model",
    2: "each label is the token two columns on, so they were shifted twice",
    -1: "each label is the token before its column, so they were shifted the wrong way",
}


@dataclass(frozen=True)
class Convention:
    """``offset`` is a key of ``OFFSETS``, None where none is clear; ``live`` labels were counted.

    ``sentence`` says which convention holds and how that is known. ``fits`` is False where labels
    were counted and neither convention explains them.
    """

    offset: int | None
    sentence: str
    fits: bool


def find_convention(rows: Sequence[GivenRow], names: str) -> Convention:
    """The convention of all rows together; ``names`` decides where counting cannot."""
    agreed, compared = count_agreement(rows)
    live = sum(label != IGNORE_INDEX for row in rows for label in row.labels)
    usual = 1 if names == "targets" else 0
    by_name = (
        "taken as shifted before the model, because they are called targets"
        if usual
        else "taken as shifted inside the model, because they are called labels"
    )
    if not live:
        return Convention(
            usual, f"No label counts, so there is nothing to compare: {by_name}.", True
        )
    share = {k: agreed[k] / compared[k] if compared[k] else 0.0 for k in OFFSETS}
    clear = [offset for offset in OFFSETS if share[offset] >= CLEAR]
    if len(clear) > 1 and share[clear[0]] == share[clear[1]] and 0 in clear and 1 in clear:
        return Convention(
            usual,
            f"The texts repeat themselves so much that the {live:,} labels that count fit either "
            f"convention: {by_name}.",
            True,
        )
    if clear:
        best = max(clear, key=share.__getitem__)
        counted = f"{agreed[best]:,} of {compared[best]:,} labels that count"
        return Convention(best, f"{_started(OFFSETS[best])} ({counted}).", best in (0, 1))
    if not compared[1]:  # nothing follows any live label, and they are not their own columns'
        return Convention(
            1,
            "Labels count only in the last column, where nothing follows to compare them with: "
            "taken as shifted before the model, because they are not the tokens of their columns.",
            True,
        )
    return Convention(
        None,
        f"The labels follow neither convention: of {live:,} that count, {agreed[0]:,} are the "
        f"token of their column and {agreed[1]:,} the token after it. What is shown is {by_name}.",
        False,
    )


def count_agreement(rows: Sequence[GivenRow]) -> tuple[dict[int, int], dict[int, int]]:
    """For each offset, how many live labels are the input that far on, of how many compared."""
    agreed, compared = dict.fromkeys(OFFSETS, 0), dict.fromkeys(OFFSETS, 0)
    for row in rows:
        ids, labels = np.array(row.input_ids), np.array(row.labels)  # (length,) each
        live = np.flatnonzero(labels != IGNORE_INDEX)
        for offset in OFFSETS:
            at = live[(live + offset >= 0) & (live + offset < len(ids))]
            compared[offset] += len(at)
            agreed[offset] += int((labels[at] == ids[at + offset]).sum())
    return agreed, compared


def _started(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
