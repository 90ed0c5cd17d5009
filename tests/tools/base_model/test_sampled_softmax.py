"""The sampled softmax of pretraining: exact with all tokens, right on average with a few."""

import pytest
import torch

from lessons_lib.models import CompactTokenEmbedding
from tools.base_model.sampled_softmax import sampled_loss

KNOWN, VOCABULARY, WIDTH = range(3, 63), 200, 8


@pytest.fixture
def embedding():
    torch.manual_seed(1)
    return CompactTokenEmbedding(KNOWN, VOCABULARY, WIDTH)


@pytest.fixture
def hidden():
    return torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(2), requires_grad=True)


TARGETS = torch.tensor([3, 40, 40, 62, 17])


def draws(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("sample", [56, 1_000])  # 60 known, four of them targets
def test_a_sample_of_all_is_the_whole_softmax_and_its_gradients(embedding, hidden, sample):
    sampled = sampled_loss(embedding, hidden, TARGETS, sample, draws(1))
    whole = embedding.losses(hidden, TARGETS)[0].mean()
    torch.testing.assert_close(sampled, whole)
    wanted = torch.autograd.grad(whole, [embedding.weight, hidden])
    found = torch.autograd.grad(sampled, [embedding.weight, hidden])
    torch.testing.assert_close(found, wanted)


def test_the_denominator_is_right_on_average(embedding, hidden):
    """exp(loss) of one position is its denominator over a constant."""
    one, target = hidden[:1].detach(), TARGETS[:1]
    whole = embedding.losses(one, target)[0].mean().exp()
    generator = draws(3)
    drawn = torch.stack(
        [sampled_loss(embedding, one, target, 10, generator).exp() for _ in range(2_000)]
    )
    assert drawn.std() > 0.001 * whole  # it is a sample
    error = (drawn.mean() - whole).abs()
    assert error < 4 * drawn.std() / len(drawn) ** 0.5


def test_only_rows_that_took_part_get_a_gradient(embedding, hidden):
    loss = sampled_loss(embedding, hidden, TARGETS, 5, draws(4))
    (gradient,) = torch.autograd.grad(loss, [embedding.weight])
    moved = gradient.abs().sum(1) > 0
    assert moved.sum() == 4 + 5 + 1  # targets, the sample, the shared row
    assert moved[embedding.row_of_token[TARGETS]].all() and moved[-1]


def test_the_same_generator_draws_the_same(embedding, hidden):
    losses = [sampled_loss(embedding, hidden, TARGETS, 5, draws(seed)) for seed in (5, 5, 6)]
    assert losses[0] == losses[1] != losses[2]
