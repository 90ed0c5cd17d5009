"""Attention by plain products is attention: same values, same gradients."""

import pytest
import torch
import torch.nn.functional as F

from lessons_lib.levers import attend, attention
from lessons_lib.levers.attention import attend_by_products


def parts(batch=2, heads=3, length=7, width=4, dtype=torch.float64):
    """Query, key and value as a model's attention has them: views of one tensor."""
    torch.manual_seed(1)
    whole = torch.randn(batch, length, 3 * heads * width, dtype=dtype, requires_grad=True)
    views = (
        part.view(batch, length, heads, width).transpose(1, 2)
        for part in whole.split(heads * width, dim=2)
    )
    return whole, list(views)


def fused(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)


@pytest.mark.parametrize(("batch", "heads", "length"), [(1, 1, 1), (2, 3, 7), (3, 1, 40)])
def test_products_give_the_values_and_gradients_of_fused_attention(batch, heads, length):
    whole, views = parts(batch, heads, length)
    given = torch.randn(batch, heads, length, 4, dtype=torch.float64)
    one, other = attend_by_products(*views), fused(*views)
    torch.testing.assert_close(one, other)
    gradients = [
        torch.autograd.grad(mixed, whole, given, retain_graph=True) for mixed in (one, other)
    ]
    torch.testing.assert_close(*gradients)


def test_in_bfloat16_they_are_as_near_to_the_truth_as_fused_attention():
    _, exact = parts(4, 4, 64, 16)
    truth = fused(*exact)
    _, views = parts(4, 4, 64, 16)
    half = [view.bfloat16() for view in views]
    error, of_fused = (
        (f(*half).double() - truth).abs().mean() for f in (attend_by_products, fused)
    )
    assert error < 1.5 * of_fused


def test_dropout_drops_as_many_shares_as_it_says():
    torch.manual_seed(1)
    query, key = torch.zeros(1, 1, 400, 1), torch.zeros(1, 1, 400, 1)
    value = torch.eye(400)[None, None]  # so that what comes out are the shares themselves
    shares = attend_by_products(query, key, value, dropout=0.25)[0, 0].tril()
    dropped = (shares == 0).sum() - (torch.ones(400, 400).triu(1)).sum()
    assert dropped / (400 * 401 / 2) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("dtype", "length", "masked", "gradients", "plain"),
    [
        (torch.bfloat16, 8, False, True, True),
        (torch.float32, 8, False, True, False),
        (torch.bfloat16, 20, False, True, False),
        (torch.bfloat16, 8, True, True, False),
        (torch.bfloat16, 8, False, False, False),
    ],
)
def test_products_are_for_short_rows_in_bfloat16_that_need_gradients(
    monkeypatch, dtype, length, masked, gradients, plain
):
    called = []
    monkeypatch.setattr(attention, "SHORT", 16)
    monkeypatch.setattr(
        attention, "attend_by_products", lambda *given: called.append(1) or given[0]
    )
    _, views = parts(length=length, dtype=dtype)
    mask = torch.ones(length, length, dtype=torch.bool).tril() if masked else None
    with torch.set_grad_enabled(gradients):
        attend(*views, mask)
    assert bool(called) is plain


def test_a_new_query_for_earlier_keys_is_no_short_row():
    """With a cache there are more keys than queries, and a mask says where to look."""
    _, (query, key, value) = parts(length=6, dtype=torch.bfloat16)
    mask = torch.ones(1, 6, dtype=torch.bool)
    mixed = attend(query[:, :, -1:], key, value, mask)
    torch.testing.assert_close(mixed, fused(query, key, value)[:, :, -1:], atol=2e-2, rtol=2e-2)
