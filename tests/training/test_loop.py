"""Loss over live targets, and the loop: what it records, that it repeats, what it refuses."""

import math
import signal

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from lessons_lib.batching import (
    Batch,
    BatchError,
    InstructionCollator,
    InstructionDataset,
    create_loader,
    custom_collate_fn,
)
from lessons_lib.models import LanguageModel
from lessons_lib.training import (
    History,
    batch_loss,
    evaluate_loss,
    live_losses,
    make_optimizer,
    response_loss,
    train,
)
from lessons_lib.training.losses import evaluate
from lessons_lib.training.optimizer import input_tokens, optimizer_step
from tests.helpers.toys import ENTRIES, EXAMPLES, NextToken, tiny_model

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


def summed_loss(model, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """The weighted sum of a batch's losses, and the sum of its weights."""
    losses, weights, _ = live_losses(model, batch)
    return (losses * weights).sum(), weights.sum()


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

    class Given(LanguageModel):
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
    model, batch = NextToken(), toy_batch(instruction_mask="prompt")
    seen, head = [], model.head
    model.head = lambda hidden: seen.append(hidden.shape) or head(hidden)
    batch_loss(model, batch)
    assert seen == [(int((batch.targets != -100).sum()), 64)]


def test_a_model_with_token_losses_of_its_own_is_asked_for_them():
    class Own(NextToken):
        def token_losses(self, hidden, targets):
            assert hidden.shape == (len(targets), 64)
            return targets.float() + hidden[:, 0], targets > 13

    batch = toy_batch(instruction_mask="prompt")
    targets = batch.targets[batch.targets != -100]
    losses, weights, correct = live_losses(Own(), batch)
    assert losses.tolist() == targets.tolist()
    assert weights.tolist() == [1.0] * len(targets)
    assert correct.tolist() == (targets > 13).tolist()
    assert batch_loss(Own(), batch).item() == pytest.approx(targets.float().mean().item())
    assert evaluate(Own(), [batch]).accuracy == (targets > 13).float().mean().item()


def test_losses_and_correctness_from_logits():
    model, hidden = NextToken(3), torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]]).bfloat16()
    losses, correct = model.token_losses(hidden, torch.tensor([1, 2]))
    assert losses.dtype == torch.float32
    expected = [math.log(1 + math.e**2 + math.e) - 2, math.log(math.e**3 + 2)]
    assert losses.tolist() == pytest.approx(expected)
    assert correct.tolist() == [True, False]


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


def test_evaluate_loss_of_nothing_is_refused():
    with pytest.raises(BatchError, match="no batch"):
        evaluate_loss(tiny_model(), [])


def test_accuracy_counts_every_live_target_the_same():
    model = NextToken()
    model.table.data[11, 12] = model.table.data[14, 15] = 1.0  # all others expect token 0
    batches = [toy_batch(), counting_batches()[0]]
    evaluation = evaluate(model, batches)
    live = sum(int((batch.targets != -100).sum()) for batch in batches)
    right = sum(int(((batch.targets == 12) | (batch.targets == 15)).sum()) for batch in batches)
    assert evaluation.accuracy == pytest.approx(right / live)
    assert 0 < right < live
    assert evaluation.loss == evaluate_loss(model, batches)


# response_loss


def entry_model():
    return tiny_model(50_257, context_length=64)


def response_loss_by_hand(model, dataset: InstructionDataset) -> float:
    total = count = 0.0
    for example in dataset.examples:
        row = torch.tensor([[*example.token_ids, 50_256]])
        losses = F.cross_entropy(model(row[:, :-1])[0], row[0, 1:], reduction="none")
        total += losses[example.prompt_length - 1 :].sum().item()
        count += len(example.token_ids) - example.prompt_length + 1
    return total / count


@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_response_loss_counts_the_responses_and_their_end_alone(batch_size):
    model, dataset = entry_model(), InstructionDataset(ENTRIES)
    expected = response_loss_by_hand(model, dataset)
    assert response_loss(model, dataset, batch_size) == pytest.approx(expected, rel=1e-5)
    assert response_loss(model, ENTRIES, batch_size) == pytest.approx(expected, rel=1e-5)
    assert evaluate_loss(model, create_loader(ENTRIES)) != pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"instruction_mask": "none"},
        {"instruction_mask": "keep-header"},
        {"instruction_mask": "prompt", "batching": "bucketed"},
        {"prompt_loss_weight": 0.5},
        {"batching": "packed", "pack_length": 128},
    ],
    ids=str,
)
def test_response_loss_of_a_loader_does_not_depend_on_its_mask(options):
    model = entry_model()
    expected = response_loss_by_hand(model, InstructionDataset(ENTRIES))
    loader = create_loader(ENTRIES, 2, **options)
    assert response_loss(model, loader) == pytest.approx(expected, rel=1e-5)


def test_response_loss_of_a_loader_keeps_its_cutting():
    model, limit = entry_model(), 40
    loader = create_loader(ENTRIES, 2, allowed_max_length=limit)
    masked = create_loader(ENTRIES, 2, allowed_max_length=limit, instruction_mask="prompt")
    assert len(masked.dropped) < len(ENTRIES)
    assert response_loss(model, loader) == pytest.approx(evaluate_loss(model, masked), rel=1e-5)


def test_response_loss_leaves_out_what_does_not_fit_the_context():
    long = {"instruction": "Count. " * 80, "input": "", "output": "one"}
    model = entry_model()
    expected = response_loss(model, ENTRIES)
    assert response_loss(model, [*ENTRIES, long]) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(BatchError, match="no batch"):
        response_loss(model, [long])


def test_response_loss_of_a_loader_that_knows_no_prompts_is_refused():
    loader = torch.utils.data.DataLoader(COUNTING, collate_fn=InstructionCollator(**IDS))
    with pytest.raises(ValueError, match="where prompts end; use create_loader"):
        response_loss(tiny_model(), loader)


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


@pytest.mark.parametrize(
    "options", [{"batching": "packed", "pack_length": 128}, {"share_prefix": True}], ids=str
)
def test_train_refuses_rows_of_several_texts_where_the_model_cannot_read_them(options):
    loader = create_loader(ENTRIES, **options)
    with pytest.raises(ValueError, match="packed row apart; use batching=") as caught:
        train(NextToken(), loader, progress=False)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 180


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


# What the history records beside the losses


def test_accuracies_tokens_rates_and_norms_are_recorded():
    model = tiny_model(50_257, context_length=64)
    loader = create_loader(ENTRIES, 2, instruction_mask="prompt")
    before = evaluate(model, loader)
    history = train(
        model, loader, loader, epochs=40, learning_rate=1e-2, evaluate_every=40, progress=False
    )
    assert history.steps == 120 == len(history.train_accuracy) == len(history.gradient_norms)
    assert history.learning_rates == [1e-2] * 120
    assert history.validation_accuracy[0] == before.accuracy
    assert history.validation_accuracy[-1] == evaluate(model, loader).accuracy > 0.9
    assert history.train_accuracy[-1] > 0.9 > 0.1 > history.train_accuracy[0]
    read = sum(len(example.token_ids) for example in InstructionDataset(ENTRIES).examples)
    assert history.tokens_seen == 40 * read
    assert history.kept_step == 120
    assert not history.interrupted


def test_the_first_gradient_norm_is_that_of_the_mean_loss_before_clipping():
    batch = toy_batch()
    norms = [
        train(tiny_model(), [batch], max_gradient_norm=limit, progress=False).gradient_norms[0]
        for limit in (None, 1e-3)
    ]
    model = tiny_model()
    by_hand = torch.cat([part.flatten() for part in gradients(model, plain_loss(model, batch))])
    assert norms == pytest.approx([by_hand.norm().item()] * 2, rel=1e-4)


def test_packed_input_tokens_are_counted_without_padding():
    packed = next(iter(create_loader(ENTRIES, batching="packed", pack_length=128)))
    ended = [len(e.token_ids) + 1 for e in InstructionDataset(ENTRIES).examples]
    assert input_tokens(packed) == sum(ended)  # end of text is an input in a packed row
    padded = [next(iter(create_loader(ENTRIES, 5, pad_to=pad_to))) for pad_to in (None, 60)]
    assert list(map(input_tokens, padded)) == [sum(ended) - 5] * 2


@pytest.mark.parametrize("mask", ["none", "prompt"])
def test_the_response_loss_is_recorded_at_each_validation(mask):
    model = entry_model()
    loader = create_loader(ENTRIES, 2, instruction_mask=mask)
    before = response_loss(model, ENTRIES)
    history = train(model, loader, loader, epochs=2, evaluate_every=2, progress=False)
    assert len(history.response_loss) == len(history.validation_loss) == 4
    assert history.response_loss[0] == pytest.approx(before, rel=1e-5)
    assert history.response_loss[-1] == pytest.approx(response_loss(model, ENTRIES), rel=1e-5)
    assert (history.response_loss == history.validation_loss) == (mask == "prompt")


def test_no_response_loss_where_prompts_are_not_known():
    batches = counting_batches()
    history = train(tiny_model(), batches, batches, progress=False)
    assert history.validation_loss and history.response_loss == []


# Accumulation


@pytest.mark.parametrize("weight", [None, 0.3])
def test_accumulated_batches_make_the_step_of_one_big_batch(weight):
    whole = toy_batch(prompt_loss_weight=weight)
    parts = [Batch(*(None if t is None else t[i : i + 1] for t in whole)) for i in range(3)]
    results = []
    for batches, accumulate in (([whole], 1), (parts, 3)):
        model = tiny_model()
        history = train(
            model, batches, accumulate=accumulate, max_gradient_norm=None, progress=False
        )
        results.append((history, [p.grad for p in model.parameters()]))
    (one, theirs), (other, ours) = results
    assert other.steps == one.steps == 1
    assert other.train_loss == pytest.approx(one.train_loss, rel=1e-6)
    assert other.gradient_norms == pytest.approx(one.gradient_norms, rel=1e-5)
    assert other.live_targets == one.live_targets
    assert other.tokens_seen == one.tokens_seen
    for mine, wanted in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("accumulate", "steps", "ends"),
    [(1, 8, [4, 8]), (2, 4, [2, 4]), (3, 4, [2, 4]), (9, 2, [1, 2])],
)
def test_the_last_batches_of_an_epoch_make_a_step_of_their_own(accumulate, steps, ends):
    batches = counting_batches()
    history = train(
        tiny_model(), batches, epochs=2, accumulate=accumulate, progress=False, learning_rate=0.0
    )
    assert history.steps == steps
    assert history.epoch_ends == ends
    assert history.live_targets == 2 * 80, "no batch was left out"
    last = batches[len(batches) - len(batches) % accumulate :] or batches[-accumulate:]
    assert history.train_loss[-1] == pytest.approx(evaluate_loss(tiny_model(), last), rel=1e-6)


def test_max_steps_counts_steps_not_batches():
    history = train(
        tiny_model(), counting_batches(), epochs=3, accumulate=3, max_steps=3, progress=False
    )
    assert history.steps == 3
    assert history.epoch_ends == [2, 3]


# The learning rate


def test_the_schedule_is_followed_step_by_step():
    rates = []

    def look(state):
        rates.append(state.history.learning_rates[-1])

    history = train(
        tiny_model(),
        counting_batches(),
        epochs=3,
        learning_rate=0.01,
        schedule="cosine",
        warmup_steps=0.25,  # 3 of 12
        final_share=0.2,
        on_step=look,
        progress=False,
    )
    warm = [0.01 * step / 3 for step in (1, 2, 3)]
    cool = [0.002 + 0.004 * (1 + math.cos(math.pi * i / 9)) for i in range(1, 10)]
    assert history.learning_rates == pytest.approx(warm + cool, rel=1e-12)
    assert rates == history.learning_rates
    assert rates[-1] == pytest.approx(0.002)


def test_a_learning_rate_is_that_of_its_step():
    """Adam's first step has the size of the learning rate, wherever a gradient is."""
    model = NextToken()
    train(
        model,
        counting_batches()[:1],
        learning_rate=0.5,
        warmup_steps=5,
        weight_decay=0,
        progress=False,
    )
    assert model.table.abs().max().item() == pytest.approx(0.1, rel=1e-3)


# Precision and device


@pytest.mark.usefixtures("one_thread")
def test_bf16_trains_nearly_as_float32_and_keeps_the_weights_float32():
    runs = {}
    for precision in ("float32", "bf16"):
        model = tiny_model()
        history = train(
            model,
            counting_batches(),
            counting_batches(),
            epochs=10,
            learning_rate=1e-2,
            precision=precision,
            progress=False,
        )
        runs[precision] = history
        assert {p.dtype for p in model.parameters()} == {torch.float32}
    full, half = runs["float32"], runs["bf16"]
    assert half.train_loss != full.train_loss
    assert half.train_loss == pytest.approx(full.train_loss, rel=0.1)
    assert half.validation_loss[0] == full.validation_loss[0], "validation is in float32"
    assert half.validation_loss[-1] < 0.8 * half.validation_loss[0]


def one_step(
    optimizer_of=lambda model: make_optimizer(model, 1e-2, 0.1, "bf16"), batches=1, **more
):
    """A tiny model after one step in bfloat16, and what the step measured."""
    model = tiny_model()
    step = optimizer_step(
        model, optimizer_of(model), counting_batches()[:batches], precision="bf16", **more
    )
    return step, dict(model.named_parameters())


@pytest.mark.parametrize("max_gradient_norm", [None, 0.1, 1e4])
def test_working_copies_give_autocasts_step(max_gradient_norm):
    """The look-up reads a rounded row; all else is computed from the same bfloat16 numbers."""
    ours, with_copies = one_step(max_gradient_norm=max_gradient_norm)
    plain, cast = one_step(
        lambda m: make_optimizer(m, 1e-2, 0.1), max_gradient_norm=max_gradient_norm
    )
    assert ours.loss == pytest.approx(plain.loss, rel=2e-3)
    assert ours.gradient_norm == pytest.approx(plain.gradient_norm, rel=2e-2)
    for name, weight in with_copies.items():
        # Adam's first update is one learning rate up or down, wherever a gradient is not near 0, as
        # those of the keys' biases are: attention does not depend on them.
        if weight.dim() == 2:
            assert ((weight - cast[name]).abs() < 2e-3).float().mean() > 0.95, name


def test_gradients_of_several_batches_are_added_in_float32():
    (ours, with_copies), (plain, cast) = (
        one_step(make, batches=2, max_gradient_norm=None)
        for make in (
            lambda model: make_optimizer(model, 1e-2, 0.1, "bf16"),
            lambda model: make_optimizer(model, 1e-2, 0.1),
        )
    )
    assert ours.loss == plain.loss
    assert all(torch.equal(weight, cast[name]) for name, weight in with_copies.items())


def test_copies_are_for_bfloat16_and_for_what_is_multiplied():
    model = tiny_model()
    assert type(make_optimizer(model, 1e-2, 0.1)) is torch.optim.AdamW
    optimizer = make_optimizer(model, 1e-2, 0.1, "bf16")
    with optimizer.working_copies():
        half = {n for n, p in model.named_parameters() if p.dtype == torch.bfloat16}
    assert half == {
        name
        for name, p in model.named_parameters()
        if p.dim() == 2 and name != "position_embedding.weight"
    }


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_limit_of_0_leaves_no_gradient(precision):
    model = tiny_model()
    optimizer = make_optimizer(model, 1e-2, 0.0, precision)
    before = copy_weights(model)
    optimizer_step(model, optimizer, counting_batches()[:1], 0.0, precision)
    assert equals(model, before)


def test_a_weight_that_is_a_view_of_another_has_no_copy():
    model = tiny_model()
    turned = model.blocks[0].attention.output
    turned.weight = torch.nn.Parameter(turned.weight.detach().clone().T)
    optimizer = make_optimizer(model, 1e-2, 0.1, "bf16")
    before = turned.weight.detach().clone()
    optimizer_step(model, optimizer, counting_batches()[:1], precision="bf16")
    assert not torch.equal(turned.weight, before)
    assert all(matrix.weight is not turned.weight for matrix in optimizer._matrices)


def test_a_step_on_a_gradient_below_the_limit_multiplies_nothing():
    """Not even by 1: a step without a limit is the same, to the last bit."""
    limited, free = (train_once(max_gradient_norm=norm) for norm in (1e6, None))
    assert all(torch.equal(one, other) for one, other in zip(limited, free, strict=True))


def train_once(**options):
    model = tiny_model()
    train(model, counting_batches()[:1], learning_rate=1e-2, progress=False, **options)
    return list(model.parameters())


def test_with_a_device_the_model_is_moved_there(monkeypatch):
    asked = []
    model = tiny_model()
    monkeypatch.setattr(model, "to", lambda device: asked.append(device) or model)
    train(model, counting_batches()[:1], progress=False)
    assert asked == []
    train(model, counting_batches()[:1], device="cpu", progress=False)
    assert asked == [torch.device("cpu")]
    with pytest.raises(ValueError, match="device is 'auto'"):
        train(model, counting_batches()[:1], device="gpu", progress=False)


# Which weights the model keeps


def copy_weights(model) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def equals(model, weights) -> bool:
    return all(torch.equal(p, w) for p, w in zip(model.parameters(), weights, strict=True))


class Diary:
    """A callback that notes the weights at each step it is called."""

    def __init__(self, interrupt_at=None):
        self.weights, self.interrupt_at = {}, interrupt_at

    def __call__(self, state):
        self.weights[state.step] = copy_weights(state.model)
        if state.step == self.interrupt_at:
            raise KeyboardInterrupt


def overfitting_run(**options):
    """Trains on one counting order and validates on another: validation gets worse in the end."""
    model, diary = tiny_model(), options.pop("diary", Diary())
    other = InstructionCollator(**IDS)([[4, 5, 6, 9], [20, 21, 40, 3]])
    history = train(
        model,
        counting_batches(20),
        [other],
        epochs=30,
        learning_rate=2e-2,
        evaluate_every=5,
        on_step=diary,
        progress=False,
        **options,
    )
    assert history.best_step not in (0, 30), "the run is meant to overfit"
    return model, history, diary


def test_after_a_run_the_last_weights_stay():
    model, history, diary = overfitting_run()
    assert equals(model, diary.weights[30])
    assert history.kept_step == 30


def test_keep_best_restores_the_weights_of_the_best_validation():
    model, history, diary = overfitting_run(keep_best=True)
    assert history.kept_step == history.best_step
    assert equals(model, diary.weights[history.best_step])
    assert not equals(model, diary.weights[30])


def test_ctrl_c_leaves_the_best_weights_so_far(capsys):
    model, history, diary = overfitting_run(diary=Diary(interrupt_at=27))
    assert history.interrupted
    assert history.steps == 27 == history.epoch_ends[-1]
    assert history.validation_steps == [0, 5, 10, 15, 20, 25]
    assert history.kept_step == history.best_step
    assert equals(model, diary.weights[history.best_step])
    [sentence] = capsys.readouterr().out.splitlines()
    assert "Interrupted after 27 of 30 steps" in sentence
    assert f"of step {history.best_step} " in sentence
    assert f"{min(history.validation_loss):.3f}" in sentence


@pytest.mark.parametrize("validated", [False, True])
def test_ctrl_c_before_a_validation_leaves_the_present_weights(capsys, validated):
    model, diary, batches = tiny_model(), Diary(interrupt_at=3), counting_batches()
    history = train(model, batches, batches if validated else None, on_step=diary, progress=False)
    assert history.interrupted
    assert history.kept_step == history.steps == 3
    assert equals(model, diary.weights[3])
    assert capsys.readouterr().out == (
        "Interrupted after 3 of 4 steps; the model has its present weights.\n"
    )


def test_ctrl_c_during_a_validation_leaves_the_mode_and_the_history_whole():
    class Interrupting:
        passes = 0

        def __iter__(self):
            self.passes += 1
            yield batches[0]
            if self.passes == 3:
                raise KeyboardInterrupt

    batches = counting_batches()
    model = tiny_model()
    history = train(model, batches, Interrupting(), epochs=3, evaluate_every=2, progress=False)
    assert history.interrupted
    assert history.validation_steps == [0, 2]
    assert len(history.validation_loss) == len(history.validation_accuracy) == 2
    assert history.steps == 4
    assert model.training


def test_a_real_ctrl_c_is_caught():
    """The signal itself, at any moment of the run."""

    def press(state):
        if state.step == 5:
            signal.raise_signal(signal.SIGINT)

    history = train(tiny_model(), counting_batches(), epochs=50, on_step=press, progress=False)
    assert history.interrupted
    assert 5 <= history.steps <= 6


def test_weights_are_copied_only_when_validation_improves(monkeypatch):
    copies = []
    model, batches = tiny_model(), counting_batches()
    read = model.state_dict
    monkeypatch.setattr(model, "state_dict", lambda: copies.append(1) or read())
    history = train(model, batches, batches, learning_rate=0.0, evaluate_every=1, progress=False)
    assert len(set(history.validation_loss)) == 1 < len(history.validation_loss)
    assert copies == [1]


# What is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accumulate": 0}, "accumulate must be 1 or more, not 0"),
        ({"evaluate_every": 0}, "evaluate_every must be 1 or more"),
        ({"precision": "float16"}, "precision is 'float32' or 'bf16'"),
        ({"keep_best": True}, "keep_best needs a validation_loader"),
        ({"schedule": "linear"}, "schedule is 'constant' or 'cosine'"),
        ({"warmup_steps": 1.5}, "warmup_steps is a whole number"),
        ({"final_share": 2}, "final_share is from 0 to 1"),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_before_anything_happens(options, message):
    model = tiny_model()
    before = copy_weights(model)
    with pytest.raises(ValueError, match=message):
        train(model, counting_batches(), progress=False, **options)
    assert equals(model, before)


# ---------------------------------------------------------------- a loss that is no number


@pytest.mark.parametrize("validated", [True, False])
def test_a_run_that_diverges_ends_with_a_sentence_and_its_last_good_weights(validated):
    model, batches = tiny_model(), counting_batches()
    validation = batches if validated else None
    before = evaluate_loss(model, batches)
    with pytest.warns(RuntimeWarning, match="has a loss of .*at a learning rate of 1e\\+18.*Try"):
        history = train(
            model,
            batches,
            validation,
            epochs=4,
            learning_rate=1e18,
            max_gradient_norm=None,
            progress=False,
        )
    assert evaluate_loss(model, batches) == before, "the weights that it started with"
    assert 0 < history.steps < 16 and history.kept_step == 0
    assert all(map(math.isfinite, history.train_loss + history.validation_loss))
    assert "Try a lower learning rate" in history.stop_reason and not history.interrupted


def test_a_divergence_late_in_a_run_keeps_what_was_learned_before():
    model, batches = tiny_model(), counting_batches()

    def break_it(state):
        if state.step == 6:
            state.model.final_norm.weight.data[0] = math.nan

    with pytest.warns(RuntimeWarning, match="step 7 of 16 .*the weights of step 4"):
        history = train(
            model, batches, epochs=4, evaluate_every=4, on_step=break_it, progress=False
        )
    assert (history.steps, history.kept_step) == (6, 4)
    assert math.isfinite(evaluate_loss(model, batches))


def test_the_books_own_loader_trains():
    """Its pairs of inputs and targets are batches too, and the loss is the same."""
    rows, collate = DataLoader(COUNTING, 5, collate_fn=custom_collate_fn), InstructionCollator()
    ours = [collate(COUNTING[start : start + 5]) for start in range(0, len(COUNTING), 5)]
    losses = []
    for loader in (rows, ours):
        model = tiny_model(50_257)
        losses.append(train(model, loader, loader, epochs=2, progress=False).train_loss)
        losses[-1].append(evaluate_loss(model, loader))
    assert losses[0] == losses[1]


@pytest.mark.parametrize("loader", ["entries.json", ENTRIES, [torch.ones(1, 2)]], ids=str)
def test_what_is_no_loader_is_refused(loader):
    with pytest.raises(TypeError, match=r"yields (str|dict|Tensor)\. create_loader\(entries\)"):
        train(tiny_model(), loader, progress=False)


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match="wanted, not Linear: take one from load_model"):
        train(torch.nn.Linear(2, 2), counting_batches())
