"""Loss over live targets, and the loop: what it records, that it repeats, what it refuses."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import Batch, BatchError, InstructionCollator
from lessons_lib.loaders import create_loader
from lessons_lib.training import (
    History,
    batch_loss,
    evaluate_loss,
    make_optimizer,
    summed_loss,
    train,
)
from tests.toys import ENTRIES, EXAMPLES, NextToken, tiny_model

IDS = {"pad_token_id": 62, "end_of_text_id": 63}
COUNTING = [[i, i + 1, i + 2, i + 3] for i in range(0, 40, 2)]  # after i comes i + 1


def toy_batch(**options) -> Batch:
    return InstructionCollator(**IDS, **options)(EXAMPLES)


def counting_batches(size: int = 5) -> list[Batch]:
    collate = InstructionCollator(**IDS)
    return [collate(COUNTING[start : start + size]) for start in range(0, len(COUNTING), size)]


def plain_loss(model, batch: Batch) -> torch.Tensor:
    """The whole batch through the head, then PyTorch's own mean over live targets."""
    logits = model.head(model.hidden(batch))
    return F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=-100)


def gradients(model, loss) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, list(model.parameters())))


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# The loss


def test_cross_entropy_demo_of_the_book():
    two = torch.tensor([[-1.0, 1.0], [-0.5, 1.5]])
    three = torch.tensor([[-1.0, 1.0], [-0.5, 1.5], [-0.5, 1.5]])
    cases = [(two, [0, 1]), (three, [0, 1, 1]), (three, [0, 1, -100])]

    class Given(torch.nn.Module):
        """A model whose logits are given: its hidden vectors are the logits themselves."""

        def __init__(self, logits):
            super().__init__()
            self.logits = logits

        def hidden(self, batch):
            return self.logits[None]

        def head(self, hidden):
            return hidden

    losses = []
    for logits, targets in cases:
        batch = Batch(torch.zeros(1, len(logits), dtype=torch.int64), torch.tensor([targets]))
        losses.append(round(batch_loss(Given(logits), batch).item(), 4))
        assert losses[-1] == round(F.cross_entropy(logits, torch.tensor(targets)).item(), 4)
    assert losses == [1.1269, 0.7936, 1.1269]


@pytest.mark.parametrize("mask", ["none", "keep-header", "prompt"])
def test_the_head_at_live_targets_alone_gives_the_same_loss_and_gradients(mask):
    model, batch = tiny_model(), toy_batch(instruction_mask=mask)
    ours, theirs = batch_loss(model, batch), plain_loss(model, batch)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    for one, other in zip(gradients(model, ours), gradients(model, theirs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_the_head_sees_live_positions_only():
    model, batch = tiny_model(), toy_batch(instruction_mask="prompt")
    seen, head = [], model.head
    model.head = lambda hidden: seen.append(hidden.shape) or head(hidden)
    batch_loss(model, batch)
    assert seen == [(int((batch.targets != -100).sum()), 16)]


def test_a_bfloat16_models_loss_is_computed_in_float32():
    model, batch = tiny_model(), toy_batch()
    loss = batch_loss(model.bfloat16(), batch)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(plain_loss(tiny_model(), batch).item(), rel=0.01)


@given(st.floats(0.01, 0.99))
def test_a_weighted_loss_is_divided_by_the_sum_of_the_weights(weight):
    model, batch = tiny_model(), toy_batch(prompt_loss_weight=weight)
    logits = model.head(model.hidden(batch)).flatten(0, 1)
    each = F.cross_entropy(logits, batch.targets.flatten(), ignore_index=-100, reduction="none")
    expected = (each * batch.weights.flatten()).sum() / batch.weights.sum()
    torch.testing.assert_close(batch_loss(model, batch), expected, rtol=1e-5, atol=1e-6)


def test_a_weighted_loss_by_hand():
    """Two targets with losses ln 4 and ln 2, of weights 1/2 and 1."""
    model = NextToken(4)
    model.table.data[1] = torch.tensor([0.0, 0.0, math.log(3), 0.0])  # probability 1/2 for 2
    batch = Batch(
        torch.tensor([[0, 1]]), torch.tensor([[1, 2]]), weights=torch.tensor([[0.5, 1.0]])
    )
    expected = (0.5 * math.log(4) + math.log(2)) / 1.5
    assert batch_loss(model, batch).item() == pytest.approx(expected)


@pytest.mark.parametrize(("weight", "mask"), [(0, "prompt"), (1, "none")])
def test_the_ends_of_the_prompt_loss_weight_are_the_masks(weight, mask):
    model = tiny_model()
    one = batch_loss(model, toy_batch(prompt_loss_weight=weight))
    assert torch.equal(one, batch_loss(model, toy_batch(instruction_mask=mask)))


def test_loss_falls_between_masked_and_unmasked_as_the_weight_does():
    """Denominators differ: masked and unmasked losses cannot be compared, but they do connect."""
    model = tiny_model()
    losses = [
        batch_loss(model, toy_batch(prompt_loss_weight=w)).item() for w in (0, 0.01, 0.5, 0.99, 1)
    ]
    assert losses == sorted(losses) or losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    "batch",
    [
        Batch(torch.ones(2, 3, dtype=torch.int64), torch.full((2, 3), -100)),
        Batch(
            torch.ones(2, 3, dtype=torch.int64),
            torch.ones(2, 3, dtype=torch.int64),
            weights=torch.zeros(2, 3),
        ),
    ],
    ids=["all ignored", "all of weight 0"],
)
def test_edge_every_target_of_a_batch_is_ignored_is_a_clear_error_never_nan(batch):
    model = tiny_model()
    for attempt in (
        lambda: batch_loss(model, batch),
        lambda: evaluate_loss(model, [batch]),
        lambda: train(model, [batch], progress=False),
    ):
        with pytest.raises(BatchError, match="no target of this batch counts: all 6 are -100"):
            attempt()
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_batch_without_targets_is_refused():
    with pytest.raises(BatchError, match="no targets"):
        batch_loss(tiny_model(), Batch(torch.ones(1, 2, dtype=torch.int64)))


def test_edge_gradient_accumulation_divides_by_all_live_targets():
    """Sums of the parts over the parts' weights are the whole's loss; a mean of means is not."""
    model, whole = tiny_model(), toy_batch(instruction_mask="prompt")
    parts = [Batch(whole.inputs[i : i + 1], whole.targets[i : i + 1]) for i in range(3)]
    totals, weights = zip(*(summed_loss(model, part) for part in parts), strict=True)
    accumulated = sum(totals) / sum(weights)
    torch.testing.assert_close(accumulated, batch_loss(model, whole))
    for one, other in zip(
        gradients(model, accumulated), gradients(model, batch_loss(model, whole)), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    mean_of_means = sum(batch_loss(model, part) for part in parts) / 3
    assert not torch.allclose(mean_of_means, batch_loss(model, whole))


# evaluate_loss


def test_evaluate_loss_counts_every_target_the_same():
    model, batches = tiny_model(), [toy_batch(), counting_batches()[0]]
    each = [summed_loss(model, batch) for batch in batches]
    expected = (sum(total for total, _ in each) / sum(count for _, count in each)).item()
    assert evaluate_loss(model, batches) == pytest.approx(expected, rel=1e-6)
    assert evaluate_loss(model, batches) != pytest.approx(
        sum(batch_loss(model, batch).item() for batch in batches) / 2, rel=1e-6
    )


def test_evaluate_loss_does_not_depend_on_the_batches():
    model = tiny_model()
    losses = [evaluate_loss(model, counting_batches(size)) for size in (1, 3, 20)]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_evaluate_loss_leaves_the_mode_and_switches_dropout_off(training):
    model = tiny_model(dropout=0.5).train(training)
    assert evaluate_loss(model, [toy_batch()]) == evaluate_loss(model, [toy_batch()])
    assert model.training is training
    with pytest.raises(BatchError):
        evaluate_loss(model, [Batch(torch.ones(1, 2, dtype=torch.int64))])
    assert model.training is training, "after an error too"


def test_evaluate_loss_makes_no_gradients():
    model = tiny_model()
    evaluate_loss(model, [toy_batch()])
    assert all(parameter.grad is None for parameter in model.parameters())


def test_evaluate_loss_of_the_first_batches_only():
    model, batches = tiny_model(), counting_batches()
    assert evaluate_loss(model, batches, max_batches=2) == evaluate_loss(model, batches[:2])


@pytest.mark.parametrize("options", [{}, {"max_batches": 0}])
def test_evaluate_loss_of_nothing_is_refused(options):
    batches = [] if not options else [toy_batch()]
    with pytest.raises(BatchError, match="no batch"):
        evaluate_loss(tiny_model(), batches, **options)


# The loop


def test_the_loss_falls_and_the_model_learns_to_count():
    model, batches = tiny_model(), counting_batches()
    history = train(model, batches, batches, epochs=40, learning_rate=1e-2, progress=False)
    assert history.validation_loss[0] == pytest.approx(math.log(64), abs=0.1)
    assert history.validation_loss[-1] < 0.5 * history.validation_loss[0]
    assert sum(history.train_loss[-4:]) < 0.5 * sum(history.train_loss[:4])
    assert model(torch.tensor([[10, 11]]))[0, -1].argmax() == 12


def test_what_the_history_records():
    batches = counting_batches()  # 4 batches of 5 rows of 4 tokens: 20 live targets each
    history = train(tiny_model(), batches, batches[:1], epochs=3, evaluate_every=5, progress=False)
    assert history.steps == len(history.train_loss) == 12
    assert history.validation_steps == [0, 5, 10, 12]
    assert len(history.validation_loss) == 4
    assert history.epoch_ends == [4, 8, 12]
    assert history.live_targets == 12 * 20
    assert history.seconds > 0
    assert all(isinstance(loss, float) for loss in history.train_loss + history.validation_loss)


def test_the_last_step_is_validated_once():
    history = train(
        tiny_model(), counting_batches(), counting_batches(), evaluate_every=2, progress=False
    )
    assert history.validation_steps == [0, 2, 4]


def test_without_a_validation_loader_nothing_is_validated():
    history = train(tiny_model(), counting_batches(), progress=False)
    assert history.validation_steps == history.validation_loss == []


def test_the_first_recorded_losses_are_those_before_the_first_step():
    model, batches = tiny_model(), counting_batches()
    before = evaluate_loss(model, batches[:1])
    history = train(model, batches, batches[:1], progress=False)
    assert history.train_loss[0] == pytest.approx(before, rel=1e-6)
    assert history.validation_loss[0] == before
    assert history.validation_loss[-1] == evaluate_loss(model, batches[:1])


@pytest.mark.parametrize(
    ("max_steps", "steps", "ends"),
    [
        (0, 0, []),
        (1, 1, [1]),
        (4, 4, [4]),
        (6, 6, [4, 6]),
        (99, 12, [4, 8, 12]),
        (None, 12, [4, 8, 12]),
    ],
)
def test_max_steps_ends_a_run_early(max_steps, steps, ends):
    history = train(tiny_model(), counting_batches(), epochs=3, max_steps=max_steps, progress=False)
    assert history.steps == steps
    assert history.epoch_ends == ends


def same_weights(one, other) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("batching", ["shuffled", "bucketed"])
def test_seeded_runs_are_equal_bit_for_bit(batching):
    def run(seed):
        model = tiny_model(50_257, context_length=64, dropout=0.1)
        loader = create_loader(ENTRIES, 2, batching=batching, seed=seed)
        history = train(model, loader, loader, epochs=2, seed=seed, progress=False)
        return model, history

    (one, first), (other, second), (third, different) = run(7), run(7), run(8)
    assert first.train_loss == second.train_loss
    assert first.validation_loss == second.validation_loss
    assert same_weights(one, other)
    assert first.train_loss != different.train_loss
    assert not same_weights(one, third)


@pytest.mark.usefixtures("one_thread")
def test_validation_does_not_change_the_training():
    runs = []
    for validation in (None, create_loader(ENTRIES)):
        model = tiny_model(50_257, context_length=64, dropout=0.1)
        loader = create_loader(ENTRIES, 2)
        train(model, loader, validation, epochs=2, evaluate_every=1, progress=False)
        runs.append(model)
    assert same_weights(*runs), "with dropout too: validating must not draw random numbers"


def test_steps_are_adamws_on_the_mean_loss():
    ours, theirs = tiny_model(), tiny_model()
    batches = [toy_batch(instruction_mask="prompt"), *counting_batches()[:2]]
    options = {"learning_rate": 1e-3, "weight_decay": 0.1}
    train(ours, batches, max_gradient_norm=None, progress=False, **options)
    matrices = [p for p in theirs.parameters() if p.dim() > 1]
    rest = [p for p in theirs.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=1e-3
    )
    for batch in batches:
        optimizer.zero_grad()
        plain_loss(theirs, batch).backward()
        optimizer.step()
    # Adam divides by a gradient's own size: where that is all but zero, rounding shows.
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("one_thread")
def test_the_seed_decides_over_dropout_whatever_was_drawn_before():
    def run(seed, before):
        model = tiny_model(dropout=0.3)
        torch.manual_seed(before)
        return train(model, counting_batches(), seed=seed, progress=False).train_loss

    assert run(1, before=5) == run(1, before=6)
    assert run(1, before=5) != run(2, before=5)


def test_weight_decay_is_for_matrices_alone_and_frozen_weights_stay_out():
    model = tiny_model()
    model.position_embedding.weight.requires_grad_(False)
    groups = make_optimizer(model, 1e-3, 0.1).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert all(p.dim() == 2 for p in groups[0]["params"])
    assert all(p.dim() == 1 for p in groups[1]["params"])
    trained = sum(len(group["params"]) for group in groups)
    assert trained == len(list(model.parameters())) - 1


def test_gradients_are_clipped():
    seen = []

    class Steep(NextToken):
        def head(self, hidden):
            return 1000 * hidden

    for limit in (None, 0.5):
        model = Steep()
        train(model, [toy_batch()], max_gradient_norm=limit, progress=False)
        seen.append(model.table.grad.norm().item())
    assert seen[0] > 10
    assert seen[1] == pytest.approx(0.5, rel=1e-3)


def test_the_model_is_left_in_training_mode_and_trains_with_dropout():
    model = tiny_model(dropout=0.2).eval()
    train(model, counting_batches(), counting_batches(), progress=False)
    assert model.training


def test_edge_batches_are_moved_in_the_loop():
    moved = []

    class Watched(Batch):
        def to(self, device):
            moved.append(torch.device(device).type)
            return super().to(device)

    train(tiny_model(), [Watched(*toy_batch())], [Watched(*toy_batch())], progress=False)
    assert moved == ["cpu"] * 3  # validation, the step, validation


def test_another_model_with_hidden_head_and_context_length_trains():
    model = NextToken()
    history = train(
        model, counting_batches(), epochs=30, learning_rate=0.1, weight_decay=0, progress=False
    )
    assert history.train_loss[-1] < 0.5 * history.train_loss[0]
    assert model.table[20].argmax() == 21


def test_prompt_loss_weights_train_too():
    history = train(tiny_model(), [toy_batch(prompt_loss_weight=0.1)] * 20, progress=False)
    assert history.train_loss[-1] < history.train_loss[0]


def test_train_refuses_packed_batches_in_one_sentence():
    loader = create_loader(ENTRIES, batching="packed", pack_length=128)
    model = tiny_model(50_257, context_length=128)
    with pytest.raises(ValueError, match="packed row apart; use batching=") as caught:
        train(model, loader, progress=False)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 160


def test_edge_longer_than_the_context_says_both_lengths():
    loader = create_loader(ENTRIES, 5)
    model = tiny_model(50_257, context_length=40)
    with pytest.raises(ValueError, match=r"\d+ tokens.* 40 at most"):
        train(model, loader, progress=False)


@pytest.mark.parametrize("epochs", [0, -1])
def test_a_run_without_epochs_is_refused(epochs):
    with pytest.raises(ValueError, match="epochs must be 1 or more"):
        train(tiny_model(), counting_batches(), epochs=epochs)


def test_the_progress_bar_can_be_switched_off(capsys):
    train(tiny_model(), counting_batches(), progress=False)
    assert capsys.readouterr() == ("", "")
    train(tiny_model(), counting_batches(), progress=True)
    assert "training: 100%" in capsys.readouterr().err


def test_an_empty_history():
    assert History().steps == 0
