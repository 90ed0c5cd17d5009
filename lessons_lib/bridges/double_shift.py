"""What happens when labels are shifted twice: nothing is said, and every other token is left out.

The models of transformers shift labels inside; this course's collator shifts targets before. Give
the collator's targets to such a model as ``labels``, and each position is asked for the token after
the next. Both functions here let it happen, on a real model and on a tiny one. Lesson 14.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lessons_lib.batching import collate_steps
from lessons_lib.bridges.trainers import in_transformers
from lessons_lib.data import IGNORE_INDEX, Entry
from lessons_lib.models import load_model
from lessons_lib.models.smollm2_files import quiet_transformers
from lessons_lib.support import Table
from lessons_lib.training import batch_loss

NUMBERS, COUNTED = 40, 12  # the tiny model's vocabulary, and how far a row counts
STEPS, ROWS, RATE = 60, 16, 1e-2
UNSHIFTED, SHIFTED = "unshifted, as it wants", "shifted before, and again inside"
START, WRITTEN = (3, 4, 5), 6  # what it is given to go on from, and how many numbers it writes


def losses_by_labels(entries: Sequence[Entry]) -> Table:
    """The base model's loss on one batch of these entries, by the labels that it is given, in nats.

    The model is the course's own, once here and once as transformers' GPT-2, which shifts inside.
    Three of the four ways mean the same.

    Raises:
        ImportError: transformers is not installed. BatchError: there are no entries.
    """
    base, steps = load_model("base"), collate_steps(entries)
    inputs, targets = steps.inputs, steps.targets  # (batch, length)
    # A model that shifts wants the row as it was before it was cut: one column more.
    unshifted = steps.padded.clone()  # (batch, length + 1)
    unshifted[:, 1:], unshifted[:, 0] = targets, IGNORE_INDEX
    theirs = in_transformers(base)
    with torch.no_grad():
        losses = {
            ("this course's model", "targets", "the next token"): batch_loss(base, steps.batch),
            ("transformers'", "labels = unshifted rows", "the next token"): theirs(
                steps.padded, labels=unshifted
            ).loss,
            ("transformers'", "labels = shift_labels = targets", "the next token"): theirs(
                inputs, labels=targets, shift_labels=targets
            ).loss,
            ("transformers'", "labels = targets", "the token after the next"): theirs(
                inputs, labels=targets
            ).loss,
        }
    rows = tuple((*how, f"{loss.item():.3f}") for how, loss in losses.items())
    return Table(("model", "given", "each position is asked for", "loss"), rows)


def learn_to_count(steps: int = STEPS) -> Table:
    """Two tiny models of transformers learn to count, one of them from labels shifted before.

    Both start from the same weights and see the same rows of twelve numbers in a row. The losses
    (nats) fall alike, and only what the models write says which is which. About three seconds.

    Raises:
        ImportError: transformers is not installed.
    """
    rows = []
    for given in (UNSHIFTED, SHIFTED):
        model = _counting_model()
        with quiet_transformers():
            losses = _train(model, given == SHIFTED, steps)
            written = " ".join(map(str, _continued(model.eval())))
        rows.append((given, f"{losses[0]:.2f}", f"{losses[-1]:.2f}", written))
    head = ("labels", "first loss", "last loss", f"writes after {' '.join(map(str, START))}")
    return Table(head, tuple(rows))


def _train(model: Any, shifted_before: bool, steps: int) -> list[float]:
    """The loss of each step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    generator, losses = torch.Generator().manual_seed(1), []
    for _ in range(steps):
        padded = _numbers_in_a_row(generator)  # (rows, counted)
        labels = padded[:, 1:] if shifted_before else padded
        loss = model(padded[:, : labels.shape[1]], labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def _counting_model() -> Any:
    """A GPT-2 of two layers and 40 tokens, the same at every call."""
    import transformers

    config = transformers.GPT2Config(
        vocab_size=NUMBERS,
        n_positions=NUMBERS,
        n_embd=32,
        n_layer=2,
        n_head=2,
        **dict.fromkeys(("embd_pdrop", "attn_pdrop", "resid_pdrop"), 0.0),
        **dict.fromkeys(("bos_token_id", "eos_token_id"), NUMBERS - 1),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return transformers.GPT2LMHeadModel(config)


def _numbers_in_a_row(generator: torch.Generator) -> Tensor:
    """(rows, counted) token ids: each row counts up from a number drawn at random."""
    starts = torch.randint(0, NUMBERS - COUNTED, (ROWS, 1), generator=generator)
    return starts + torch.arange(COUNTED)


@torch.no_grad()
def _continued(model: Any) -> list[int]:
    """What a model writes after ``START``, always the likeliest number."""
    row = list(START)
    for _ in range(WRITTEN):
        row.append(int(model(torch.tensor([row])).logits[0, -1].argmax()))
    return row[len(START) :]
