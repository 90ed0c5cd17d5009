"""A compact embedding behaves as the full one whose unseen rows are all the same."""

import pytest
import torch
import torch.nn.functional as F

from lessons_lib.batching import Batch
from lessons_lib.models import GPT, GPTConfig

CONFIG = GPTConfig(vocabulary_size=50, context_length=16, width=8, layers=1, heads=2)
KNOWN = [3, 4, 7, 20, 49]


@pytest.fixture
def compact():
    torch.manual_seed(1)
    model = GPT(CONFIG, known_tokens=KNOWN)
    torch.nn.init.normal_(model.token_embedding.weight)
    return model


@pytest.fixture
def full(compact):
    """The same model with all 50 rows, those of unseen tokens copies of the shared one."""
    model = GPT(CONFIG)
    weights = compact.state_dict()
    weights["token_embedding.weight"] = torch.stack(
        [compact.token_embedding(torch.tensor(token)) for token in range(50)]
    ).detach()
    model.load_state_dict(weights)
    return model


@pytest.fixture
def inputs():
    return torch.tensor([[3, 20, 11, 49, 0, 4]])  # 11 and 0 are unseen


def test_logits_are_those_of_the_full_model(compact, full, inputs):
    torch.testing.assert_close(compact(inputs), full(inputs))


def test_probabilities_sum_to_one_over_the_whole_vocabulary(compact, inputs):
    probabilities = compact(inputs).softmax(-1)
    assert probabilities.shape == (1, 6, 50)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(1, 6))


def test_losses_and_gradients_are_those_of_the_full_model(compact, full, inputs):
    targets = torch.tensor([20, 11, 49, 1, 4, 3])  # 11 and 1 are unseen
    losses, correct = compact.token_losses(compact.hidden(Batch(inputs))[0], targets)
    expected = F.cross_entropy(full(inputs)[0], targets, reduction="none")
    torch.testing.assert_close(losses, expected)
    assert correct.shape == (6,) and not correct[[1, 3]].any()
    losses.sum().backward()
    expected.sum().backward()
    gradient = full.token_embedding.weight.grad
    torch.testing.assert_close(compact.token_embedding.weight.grad[:-1], gradient[KNOWN])
    unseen = [token for token in range(50) if token not in KNOWN]
    torch.testing.assert_close(compact.token_embedding.weight.grad[-1], gradient[unseen].sum(0))
    torch.testing.assert_close(
        compact.blocks[0].attention.output.weight.grad, full.blocks[0].attention.output.weight.grad
    )


def test_correct_means_likeliest_of_the_known(compact, inputs):
    hidden = compact.hidden(Batch(inputs))[0]
    best = torch.tensor(KNOWN)[compact.head(hidden)[:, KNOWN].argmax(-1)]
    assert compact.token_losses(hidden, best)[1].all()


def test_unseen_tokens_are_never_to_be_generated(compact):
    assert [token for token in range(50) if not compact.never_generate[token]] == KNOWN
    assert GPT(CONFIG).never_generate is None


def test_new_tokens_change_no_probability(compact, inputs):
    before, embedded = compact(inputs), compact.token_embedding(torch.arange(50))
    hidden = compact.hidden(Batch(inputs))
    assert compact.add_tokens([11, 20, 11, 5]) == 2
    assert torch.equal(compact.token_embedding(torch.arange(50)), embedded), "rows are copied"
    assert torch.equal(compact.hidden(Batch(inputs)), hidden)
    # The head has more rows now. Processors may add the 8 products of a logit in another order for
    # a matrix of another shape: each of the two sums is off by 8 roundings of half an eps at most.
    products = hidden.abs() @ embedded.abs().T
    bound = 8 * torch.finfo(torch.float32).eps * products
    assert ((compact(inputs) - before).abs() <= bound).all()
    assert not compact.never_generate[[11, 5]].any()
    assert compact.token_embedding.weight.shape == (len(KNOWN) + 3, 8)
    assert compact.add_tokens([5]) == 0


def test_new_tokens_learn_apart(compact, inputs):
    compact.add_tokens([11])
    compact.token_losses(compact.hidden(Batch(inputs))[0], torch.tensor([11] * 6))[
        0
    ].sum().backward()
    with torch.no_grad():
        compact.token_embedding.weight -= compact.token_embedding.weight.grad
    logits = compact(inputs)
    assert not torch.equal(logits[..., 11], logits[..., 5])
    assert torch.equal(logits[..., 5], logits[..., 6])


def test_the_mean_of_the_old_rows_changes_probabilities(compact, inputs):
    before, rows = compact(inputs), compact.token_embedding.weight[:-1].detach()
    compact.add_tokens([11], start="mean")
    torch.testing.assert_close(compact.token_embedding(torch.tensor(11)), rows.mean(0))
    assert not torch.allclose(compact(inputs), before)


def test_when_every_token_is_known_nothing_is_shared(inputs):
    torch.manual_seed(1)
    model = GPT(CONFIG, known_tokens=range(50))
    losses, _ = model.token_losses(model.hidden(Batch(inputs))[0], inputs[0])
    torch.testing.assert_close(
        losses, F.cross_entropy(model(inputs)[0], inputs[0], reduction="none")
    )
    assert torch.isfinite(losses).all() and not model.never_generate.any()


def test_a_full_model_has_nothing_to_add():
    assert GPT(CONFIG).add_tokens([1, 2]) == 0


@pytest.mark.parametrize("token_ids", [[-1], [50]])
def test_tokens_outside_the_vocabulary_are_refused(compact, token_ids):
    with pytest.raises(ValueError, match="from 0 to 49"):
        compact.add_tokens(token_ids)
    with pytest.raises(ValueError, match="from 0 to 49"):
        GPT(CONFIG, known_tokens=token_ids)


def test_an_unknown_start_is_refused(compact):
    with pytest.raises(ValueError, match="'shared' or 'mean'"):
        compact.add_tokens([1], start="zero")
