"""The inspector with more in its cells: losses of a model (lesson 09), or a learner's own batch.

A causal model's loss on a target depends only on that target and the tokens before it, so it is
computed once for each entry, whatever is padded or masked afterwards. A learner's batch is shown
by the exercises, beside their message; it opens at the first wrong cell, and with other settings
than those of the check it is the batch as it should be.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lessons_lib.batching import Batch, BatchSteps, Example
from lessons_lib.data import (
    END_OF_TEXT,
    IGNORE_INDEX,
    PromptFormat,
    end_of_text_of,
    tokenizer_of,
)
from lessons_lib.models import protocol
from lessons_lib.widgets.inspector import BatchInspector
from lessons_lib.widgets.payload import InspectorError, make_examples

LIKELIEST = 5


def show_token_losses(
    model: nn.Module,
    entries: Iterable[Mapping[str, str]],
    *,
    prompt_format: str | PromptFormat = "alpaca",
    **options,
) -> "LossInspector":
    """Show the batch inspector with each live target filled as high as its loss under a model.

    Hovering over a target shows the model's five likeliest tokens. The model's ``hidden`` and
    ``head`` are called once for each entry; beyond its ``context_length`` no losses are shown. The
    tokens are those of the model's own tokenizer, if it has one.

    Raises:
        InspectorError, TokenizerError, DatasetError, TraitError: as ``inspect_batch``.
            InspectorError also if the model's losses are not finite.
    """
    return LossInspector(model, entries, prompt_format=prompt_format, **options)


class LossInspector(BatchInspector):
    """The widget of ``show_token_losses``: one format, and losses as of when it was made."""

    def __init__(self, model: nn.Module, entries: Iterable[Mapping[str, str]], **options):
        self._model = model
        super().__init__(
            entries, tokenizer_of(model), context_length=model.context_length, **options
        )

    def _offered(self, given: PromptFormat) -> dict[str, PromptFormat]:
        return {given.name: given}

    def _prepare(self) -> dict[str, Any]:
        self._examples, joined = make_examples(self.entries, self._formats, self.tokenizer)
        losses = {
            name: token_losses(self._model, examples, self._context_length)
            for name, examples in self._examples.items()
        }
        named = {
            i for rows in losses.values() for row in rows for top in row["top"] for i, _ in top
        }
        return {**self._payload(joined, named), "losses": losses}


@torch.no_grad()
def token_losses(
    model: nn.Module, examples: Sequence[Example], context_length: int = 1024
) -> list[dict[str, list]]:
    """The loss of every target, in nats, and the likeliest tokens there, for each example.

    End of text is a target, too; tokens are (token id, probability). The model is left in the mode
    in which it came.

    Raises:
        InspectorError: a loss is not finite.
    """
    training, device = model.training, next(model.parameters()).device
    end = end_of_text_of(tokenizer_of(model))
    model.eval()
    rows = []
    try:
        for example in examples:
            ids = torch.tensor([[*example.token_ids, end][: context_length + 1]])
            inputs, targets = ids[:, :-1].to(device), ids[0, 1:].to(device)  # (1, n), (n,)
            hidden = model.hidden(Batch(inputs))[0]  # (1, n, width) → (n, width)
            # The losses as in training, (n,).
            losses, _ = protocol.token_losses(model, hidden, targets)
            if not losses.isfinite().all():
                raise InspectorError("The model's losses are not finite: its training diverged.")
            shares, best = model.head(hidden).float().softmax(-1).topk(LIKELIEST)  # (n, 5)
            pairs = zip(best.tolist(), shares.tolist(), strict=True)
            rows.append(
                {
                    "loss": [round(loss, 3) for loss in losses.tolist()],
                    "top": [
                        [[token, round(share, 4)] for token, share in zip(*pair, strict=True)]
                        for pair in pairs
                    ],
                }
            )
    finally:
        model.train(training)
    return rows


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
