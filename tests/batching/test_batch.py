"""Rows of several texts: each reads itself and the shared start, as if it were alone."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import InstructionCollator
from lessons_lib.batching.batch import SHARED, repeats, visible
from lessons_lib.batching.packing import PackingCollator
from lessons_lib.models import GPTConfig
from lessons_lib.models.gpt import SelfAttention, TextLayout
from lessons_lib.training import batch_loss, live_losses
from lessons_lib.training.losses import live_mask, live_weights
from tests.helpers.toys import EXAMPLES, tiny_model

WIDTH = 16
# A row: how long its shared start is, how long each of its texts, and then how much padding.
ROWS = st.tuples(
    st.integers(0, 3), st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 3)
)


def segment_rows(rows) -> torch.Tensor:
    """Segments of such rows, (batch, length)."""
    spelled = [
        [SHARED] * shared + [i for i, n in enumerate(texts, 1) for _ in range(n)] + [0] * padding
        for shared, texts, padding in rows
    ]
    length = max(map(len, spelled))
    return torch.tensor([row + [0] * (length - len(row)) for row in spelled])


def packer(**options) -> PackingCollator:
    options = {"end_of_text_id": 62, "pad_token_id": 63, "allowed_max_length": 23} | options
    return PackingCollator(InstructionCollator(**options), 24)


def masked_attention(attention: SelfAttention, x: torch.Tensor, mask: torch.Tensor):
    """What ``attention`` computes, with a mask of length × length."""
    batch, length, width = x.shape
    query, key, value = (
        part.view(batch, length, attention.heads, -1).transpose(1, 2)
        for part in attention.query_key_value(x).split(width, dim=2)
    )
    mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None])
    return attention.output(mixed.transpose(1, 2).reshape(batch, length, width))


@given(st.lists(ROWS, min_size=1, max_size=3))
def test_texts_in_rows_of_their_own_are_what_the_mask_makes_of_them(rows):
    segments = segment_rows(rows)
    torch.manual_seed(0)
    attention = SelfAttention(GPTConfig(width=WIDTH, heads=2)).double()
    layout, mask = TextLayout.of(segments), visible(segments)
    results = []
    for attend in (
        lambda x: attention(x, layout=layout),
        lambda x: masked_attention(attention, x, mask),
    ):
        x = torch.randn(*segments.shape, WIDTH, dtype=torch.double, generator=seeded(1))
        x.requires_grad_()
        found = attend(x)[segments != 0]  # padding's vectors mean nothing
        weights = torch.randn(found.shape, dtype=torch.double, generator=seeded(2))
        (found * weights).sum().backward()
        results.append((found, x.grad))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)
    assert (results[0][1][segments == 0] == 0).all()


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_what_may_look_at_what_by_hand():
    mask = visible(torch.tensor([[SHARED, SHARED, 1, 2, 2, 0, 0]]))[0]
    assert mask.int().tolist() == [
        [1, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0, 0],
        [1, 1, 0, 1, 0, 0, 0],
        [1, 1, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1, 1],
    ]


def test_a_layout_by_hand():
    layout = TextLayout.of(torch.tensor([[SHARED, 1, 2, 2, 0], [1, 1, 2, 0, 0]]))
    assert [row[:size] for row, size in zip(layout.places.tolist(), [2, 3, 2, 1], strict=True)] == [
        [0, 1],
        [0, 2, 3],
        [5, 6],
        [7],
    ]
    assert layout.back.tolist() == [[0, 1, 4, 5, 0], [6, 7, 9, 0, 0]]


def test_in_how_many_texts_a_token_stands():
    segments = torch.tensor([[SHARED, 1, 2, 3, 0], [1, 1, 2, 2, 2]])
    assert repeats(segments).tolist() == [[3, 1, 1, 1, 0], [1, 1, 1, 1, 1]]


def test_shared_tokens_after_others_are_refused():
    with pytest.raises(ValueError, match="at the start of their row"):
        TextLayout.of(torch.tensor([[1, SHARED, 2]]))


def test_entries_of_a_packed_row_do_not_see_each_other():
    model, batch = tiny_model(), packer()([EXAMPLES])
    together = model.hidden(batch)
    start = 0
    for example in EXAMPLES:
        alone = model.hidden(packer()([[example]]))
        length = len(example.token_ids) + 1
        torch.testing.assert_close(
            together[0, start : start + length], alone[0, :length], rtol=1e-5, atol=1e-6
        )
        start += length


@pytest.mark.parametrize(
    "options", [{}, {"instruction_mask": "prompt"}, {"prompt_loss_weight": 0.25}], ids=str
)
def test_edge_packing_the_loss_is_the_entries_losses_weighted_by_their_live_targets(options):
    model, pack = tiny_model(), packer(**options)
    padded = [pack.collator([example]) for example in EXAMPLES]
    weights = [live_weights(batch, live_mask(batch)).sum() for batch in padded]
    losses = [batch_loss(model, batch) for batch in padded]
    expected = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights)
    expected.backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    for rows in ([EXAMPLES], [EXAMPLES[:1], EXAMPLES[1:]]):
        loss = batch_loss(model, pack(rows))
        torch.testing.assert_close(loss, expected, rtol=1e-6, atol=0)
        loss.backward()
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)
        model.zero_grad()


def test_padding_gives_no_nan_even_in_a_row_of_nothing_else():
    model = tiny_model()
    batch = packer()([EXAMPLES])
    batch = type(batch)(*(None if part is None else torch.cat([part, part]) for part in batch))
    for name in ("segments", "positions"):
        getattr(batch, name)[1] = 0
    batch.targets[1] = -100
    assert model.hidden(batch).isfinite().all()
    batch_loss(model, batch).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_dropout_in_packed_rows_is_random_in_training():
    model, batch = tiny_model(dropout=0.5), packer()([EXAMPLES])
    one, other = (live_losses(model, batch).losses for _ in range(2))
    assert one.isfinite().all()
    assert not torch.equal(one, other)
