"""Gradients that look-ups add to single rows are the usual ones."""

import pytest
import torch
from torch import nn

from lessons_lib.levers import add_lookup_gradients

IDS = torch.tensor([[3, 1, 3], [0, 3, 5]])  # one of them several times


def losses(embedding, head=True):
    """Something that depends on the vectors and, as a head, on all rows."""
    vectors = embedding(IDS)  # (2, 3, width)
    total = (vectors**2).sum() + vectors[0, 0, 0]
    return total + ((vectors.detach() @ embedding.weight.T) ** 2).sum() if head else total


def gradient(head=True, passes=1, lever=True, **options):
    torch.manual_seed(0)
    embedding = nn.Embedding(8, 4, dtype=torch.float64, **options)
    with add_lookup_gradients([embedding] if lever else []):
        for _ in range(passes):
            losses(embedding, head).backward()
    return embedding.weight.grad


@pytest.mark.parametrize("head", [True, False])
@pytest.mark.parametrize("passes", [1, 3])
def test_they_are_the_usual_gradients(head, passes):
    found, usual = (gradient(head, passes, lever) for lever in (True, False))
    torch.testing.assert_close(found.double(), usual, rtol=1e-6, atol=1e-6)
    assert found.layout == torch.strided


def test_a_frozen_embedding_gets_none():
    embedding = nn.Embedding(8, 4)
    embedding.weight.requires_grad = False
    scale = torch.ones((), requires_grad=True)
    with add_lookup_gradients([embedding]):
        (embedding(IDS).sum() * scale).backward()
    assert embedding.weight.grad is None and scale.grad is not None


def test_without_gradients_nothing_is_kept():
    embedding = nn.Embedding(8, 4)
    with add_lookup_gradients([embedding]), torch.no_grad():
        assert not embedding(IDS).requires_grad
    assert embedding.weight.grad is None


def test_afterwards_embeddings_are_as_before():
    embedding = nn.Embedding(8, 4)
    with pytest.raises(RuntimeError, match="the power fails"), add_lookup_gradients([embedding]):
        embedding(IDS)
        raise RuntimeError("the power fails")
    assert not embedding._forward_hooks
    losses(embedding).backward()
    assert embedding.weight.grad is not None


def test_a_bfloat16_embedding_gives_float32_vectors():
    """So that what blocks add to them is not rounded to 8 bits each time."""
    embedding = nn.Embedding(8, 4, dtype=torch.bfloat16)
    with add_lookup_gradients([embedding]):
        vectors = embedding(IDS)
        assert vectors.dtype == torch.float32
        vectors.sum().backward()
    assert embedding.weight.grad.dtype == torch.bfloat16
    assert embedding.weight.grad[:, 0].tolist() == [1, 1, 0, 3, 0, 1, 0, 0]
