"""What the linter finds, how it is said, and what no linter of labels can find."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from lessons_lib.support.table import printable

SHOWN = 5  # findings of a kind that are printed


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, with which token, what it does, and what to do about it.

    ``column`` is that of the label in question, as the row was given; ``kind`` is a short key.
    """

    row: int
    column: int
    token: str
    kind: str
    sentence: str
    advice: str

    @property
    def place(self) -> str:
        """Row, column and token in words."""
        return f"row {self.row}, column {self.column}, token {self.token!r}"

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}. {self.advice}. [{self.kind}]"


class Findings(list[Finding]):
    """Findings in the order of rows and columns, empty where all is well.

    ``convention`` and ``notes`` are sentences on what was read; ``rows`` is how many rows were.
    Printed, they are a few lines: some findings of each kind, and what to do about it.
    """

    def __init__(
        self, found: Iterable[Finding], convention: str, notes: tuple[str, ...], rows: int
    ):
        super().__init__(found)
        self.convention, self.notes, self.rows = convention, notes, rows

    def __str__(self) -> str:
        lines = [self.convention, *self.notes]
        kinds: dict[str, list[Finding]] = {}
        for finding in self:
            kinds.setdefault(finding.kind, []).append(finding)
        for kind, found in kinds.items():
            lines += [f"✗ {each.place}: {each.sentence} [{kind}]" for each in found[:SHOWN]]
            if len(found) > SHOWN:
                lines.append(f"  … and {len(found) - SHOWN:,} more [{kind}]")
            lines.append(f"  → {found[0].advice}.")
        if not self:
            lines.append(f"✓ nothing found in {self.rows:,} rows")
        return printable("\n".join(lines))

    __repr__ = __str__


class OutOfReach(NamedTuple):
    """A fault that leaves the labels as they should be, and the check that finds it."""

    fault: str
    why: str
    check: str


OUT_OF_REACH = (
    OutOfReach(
        "a mean of means",
        "the labels are right; the loss averages each batch, and then the batches",
        "guard-loss: the loss of all must be that of each alone, weighted by its targets",
    ),
    OutOfReach(
        "entries of a row see each other",
        "the labels are right; attention is not told where each text of a packed row begins",
        "guard-loss: a text's loss must be the same alone and in company",
    ),
)
