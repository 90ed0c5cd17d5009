"""The inspector with a batch that a learner's function made, its wrong cells marked.

The exercises show it beside their message. It opens at the first wrong cell; with other settings
than those of the check it shows the batch as it should be.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from lessons_lib.batching import BatchSteps
from lessons_lib.data import END_OF_TEXT, IGNORE_INDEX
from lessons_lib.widgets.inspector import BatchInspector


class CheckedInspector(BatchInspector):
    """The batch inspector on a learner's ``inputs`` and ``targets``, (batch, length) of integers.

    Both have the shape of what ``collate_steps`` makes of the entries, and at least one cell is
    wrong. ``.steps`` are the learner's as well. With ``marked=False`` nothing says which cells.
    """

    def __init__(
        self,
        entries: Iterable[Mapping[str, str]],
        inputs: Tensor,
        targets: Tensor,
        *,
        substep: str = "2.5",
        instruction_mask: str = "none",
        prompt_format: str = "alpaca",
        marked: bool = True,
    ):
        self._inputs, self._targets = inputs.detach().cpu(), targets.detach().cpu()
        self._given: dict[str, Any] = {}
        self._marked = marked
        options = {"substep": substep, "instruction_mask": instruction_mask}
        super().__init__(entries, prompt_format=prompt_format, **options)
        right = self.steps
        wanted = right.shifted if substep == "2.4" else right.targets
        wrong = (self._inputs != right.inputs) | (self._targets != wanted)  # (batch, length)
        self.wrong_cells: list[list[int]] = wrong.nonzero().tolist()
        ends = (right.padded == END_OF_TEXT).int().argmax(dim=1)  # (batch,), where each text ends
        self._given = {
            "substep": substep,
            "mask": instruction_mask,
            "unmarked": not marked,
            "at": self.wrong_cells[0] if marked else [0, int(ends[0]) - 1],
            "rows": [
                {"inputs": one, "targets": other}
                for one, other in zip(self._inputs.tolist(), self._targets.tolist(), strict=True)
            ],
        }
        # Folded columns would hide a wrong cell among them.
        self.fold = self.wrong_cells[0][1] >= min(right.prompt_lengths) // 2
        self._data = self._prepare()

    def _prepare(self) -> dict[str, Any]:
        if not self._given:
            return super()._prepare()
        more = {*self._inputs.flatten().tolist(), *self._targets.flatten().tolist()}
        known = {token for token in more if 0 <= token <= END_OF_TEXT}
        return {**self._payload(more_ids=known), "given": self._given}

    @property
    def steps(self) -> BatchSteps:
        """The batch with the learner's inputs and targets, at the settings of the check."""
        steps = super().steps
        checked = {"substep": self.substep, "mask": self.instruction_mask}
        if not self._given or {**self._given, **checked} != self._given:
            return steps
        made = {"inputs": self._inputs, "targets": self._targets}
        if not self._marked:  # a picture shows what counts, not what should have counted
            live = self._targets != IGNORE_INDEX
            made["shifted"] = torch.where(live, self._targets, steps.shifted)
            made["padded"] = torch.cat([self._inputs, steps.padded[:, -1:]], dim=1)
        if self.substep == "2.4":
            made = {"inputs": self._inputs, "shifted": self._targets}
        return dataclasses.replace(steps, **made)

    def alt_text(self) -> str:
        """The batch in words, with the number of its wrong cells and the first of them."""
        if not self._marked:
            return super().alt_text()
        row, column = self.wrong_cells[0]
        count = len(self.wrong_cells)
        cells = "one cell is" if count == 1 else f"{count} cells are"
        return f"{super().alt_text()} {cells} not right, the first in row {row}, column {column}."
