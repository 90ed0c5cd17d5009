"""The inspector with a model's losses, and with what the model would have said. Lesson 09.

A causal model's loss on a target depends only on that target and the tokens before it, so it is
computed once for each entry, whatever is padded or masked afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from lessons_lib.batching import Batch, Example
from lessons_lib.data import PromptFormat, end_of_text_of, tokenizer_of
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
