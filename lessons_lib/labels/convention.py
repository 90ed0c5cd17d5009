"""Which convention labels follow: shifted inside the model, or shifted before it. By counting.

A label that is the token above it will be shifted by the model, as in transformers and TRL. One
that is the token after it has been shifted already, as in this course, in nanoGPT and in the book.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lessons_lib.data import IGNORE_INDEX
from lessons_lib.labels.given import GivenRow

# A convention is clear if it explains this share of the live labels, and any other one at most
# half as many: texts repeat themselves, and in batches that were cut some labels fit nothing.
CLEAR = 0.5
# How far ahead of its column a label's token stands, and what that means.
OFFSETS = {
    0: "Each label is the token of its own column, so the model shifts them inside",
    1: "Each label is the token after its column, so they were shifted before the model",
    2: "Each label is the token two columns on, so they were shifted twice",
    -1: "Each label is the token before its column, so they were shifted the wrong way",
}


@dataclass(frozen=True)
class Convention:
    """``offset`` is a key of ``OFFSETS``, None where none is clear; ``live`` labels were counted.

    ``sentence`` says which convention holds and how that is known. ``fits`` is False where labels
    were counted and neither convention explains them; ``clear`` where counting decided.
    """

    offset: int | None
    sentence: str
    fits: bool = True
    clear: bool = False


def find_convention(
    rows: Sequence[GivenRow], names: str, stop_ids: frozenset[int] = frozenset()
) -> Convention:
    """The convention of all rows together; ``names`` decides where counting cannot."""
    agreed, compared = count_agreement(rows, stop_ids)
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
    best = max(OFFSETS, key=share.__getitem__)
    second = max(value for offset, value in share.items() if offset != best)
    if share[best] >= CLEAR and share[best] >= 2 * second:
        counted = f"{agreed[best]:,} of {compared[best]:,} labels that count"
        return Convention(best, f"{OFFSETS[best]} ({counted}).", best in (0, 1), True)
    if share[0] == share[1] == share[best] >= CLEAR:
        return Convention(
            usual,
            f"The texts repeat themselves so much that the {live:,} labels that count fit either "
            f"convention: {by_name}.",
        )
    if not compared[1]:  # nothing follows any live label, and they are not their own columns'
        return Convention(
            1,
            "Labels count only in the last column, where nothing follows to compare them with: "
            "taken as shifted before the model, because they are not the tokens of their columns.",
        )
    return Convention(
        None,
        f"The labels follow neither convention: of {live:,} that count, {agreed[0]:,} are the "
        f"token of their column and {agreed[1]:,} the token after it. What is shown is {by_name}.",
        fits=False,
    )


def count_agreement(
    rows: Sequence[GivenRow], stop_ids: frozenset[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """For each offset, how many live labels are the input that far on, of how many compared.

    A label that ends a text is compared with no later input: padding of any id may follow there.
    """
    agreed, compared = dict.fromkeys(OFFSETS, 0), dict.fromkeys(OFFSETS, 0)
    for row in rows:
        ids, labels = np.array(row.input_ids), np.array(row.labels)  # (length,) each
        live = np.flatnonzero(labels != IGNORE_INDEX)
        going_on = live[~np.isin(labels[live], list(stop_ids))]
        for offset in OFFSETS:
            at = going_on if offset > 0 else live
            at = at[(at + offset >= 0) & (at + offset < len(ids))]
            compared[offset] += len(at)
            agreed[offset] += int((labels[at] == ids[at + offset]).sum())
    return agreed, compared
