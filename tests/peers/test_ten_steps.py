"""Ten steps from equal weights: the book's loop, transformers' Trainer and TRL lose what we lose.

Weight decay and clipping are off, for the book decays all weights and clips none; its head is tied
to its embedding, as GPT-2's is.
"""

import pytest
import torch

from lessons_lib.batching import InstructionCollator, InstructionDataset, share_prefix
from lessons_lib.batching.packing import PackingCollator
from lessons_lib.data import load_entries
from lessons_lib.models import GPT, GPTConfig
from lessons_lib.models.gpt2_files import name_in_transformers, transposed
from lessons_lib.training import batch_loss, make_optimizer
from lessons_lib.training.optimizer import optimizer_step

for name in ("llms_from_scratch.ch07", "transformers", "trl", "datasets"):
    pytest.importorskip(name, reason=f"{name.split('.')[0]} is missing: make environment")

from benchmarks import peers  # noqa: E402  (after the check)

STEPS, SIZE = 10, 2
RATE = 3e-3
ENTRIES = load_entries()[100 : 100 + STEPS * SIZE]
BATCHES = [range(start, start + SIZE) for start in range(0, len(ENTRIES), SIZE)]


def new_model() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(context_length=128, width=16, layers=2, heads=2))


def our_losses(change=lambda batch, examples: batch) -> list[float]:
    """Our run; ``change`` gives each batch another shape."""
    model, collate = new_model(), InstructionCollator("prompt")
    optimizer = make_optimizer(model, RATE, 0.0)
    examples = InstructionDataset(ENTRIES).examples
    losses = []
    for indices in BATCHES:
        rows = [examples[i] for i in indices]
        batch = change(collate(rows), rows)
        losses.append(optimizer_step(model, optimizer, [batch], max_gradient_norm=None).loss)
    return losses


@pytest.fixture(scope="module")
def expected() -> list[float]:
    losses = our_losses()
    assert losses[-1] < losses[0] - 0.2, "something is learned"
    return losses


def assert_close(losses: list[float], expected: list[float]) -> None:
    torch.testing.assert_close(torch.tensor(losses), torch.tensor(expected), rtol=1e-4, atol=0)


def test_the_books_loop(expected):
    book = peers.Book(new_model(), ENTRIES, tied=True, lr=RATE, weight_decay=0.0)
    assert_close([book.step(indices) for indices in BATCHES], expected)


@pytest.mark.parametrize("make", [peers.with_trainer, peers.with_trl])
def test_trainer_and_trl_a_step_at_a_time_as_the_race_runs_them(make, expected):
    peer = make(new_model(), ENTRIES, learning_rate=RATE, weight_decay=0.0, max_grad_norm=0)
    assert_close([peer.step(indices) for indices in BATCHES], expected)


@pytest.mark.parametrize("make", [peers.with_trainer, peers.with_trl])
def test_trainer_and_trl_by_their_own_loop(make, expected):
    peer = make(
        new_model(),
        ENTRIES,
        learning_rate=RATE,
        weight_decay=0.0,
        max_grad_norm=0,
        per_device_train_batch_size=SIZE,
        train_sampling_strategy="sequential",
        logging_steps=1,
        max_steps=STEPS,
    )
    peer.trainer.train()
    losses = [row["loss"] for row in peer.trainer.state.log_history if "loss" in row]
    assert_close(losses, expected)


def test_our_own_levers(expected):
    assert_close(our_losses(lambda batch, examples: share_prefix(batch)), expected)
    pack = PackingCollator(InstructionCollator("prompt", allowed_max_length=255), 256)
    assert_close(our_losses(lambda batch, examples: pack([examples[:1], examples[1:]])), expected)


def test_trls_prompt_and_completion_give_our_prompt_mask():
    rows = peers.with_trl(new_model(), ENTRIES).trainer.train_dataset
    for example, theirs in zip(InstructionDataset(ENTRIES).examples, rows, strict=True):
        steps = InstructionCollator("prompt").steps([example])
        assert theirs["input_ids"] == steps.padded[0].tolist()
        assert theirs["labels"][1:] == steps.targets[0].tolist(), "their labels are unshifted"


def test_trls_collator_and_ours_put_the_same_targets_in_a_batch():
    peer, examples = peers.with_trl(new_model(), ENTRIES), InstructionDataset(ENTRIES).examples
    for indices in BATCHES:
        theirs = peer.batch(indices)
        ours = InstructionCollator("prompt")([examples[i] for i in indices])
        assert torch.equal(theirs["labels"][:, 1:], ours.targets)
        assert torch.equal(theirs["input_ids"][:, :-1], ours.inputs)


def test_gradients_are_trls(expected):
    ours, peer = new_model(), peers.with_trl(new_model(), ENTRIES)
    batch = InstructionCollator("prompt")(InstructionDataset(ENTRIES).examples[:SIZE])

    batch_loss(ours, batch).backward()
    peer.loss(range(SIZE)).backward()
    theirs = dict(peer.model.transformer.named_parameters())
    for name, parameter in ours.named_parameters():
        gradient = transposed(name, theirs[name_in_transformers(name)].grad)
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6, msg=name)
