"""The model: its sizes, what a position may see, and what it says about rows that are too long."""

import math

import pytest
import torch

from lessons_lib.batching import Batch, InstructionCollator
from lessons_lib.batching.packing import PackingCollator
from lessons_lib.models import GPT, GPTConfig, count_parameters
from lessons_lib.training import batch_loss
from tests.helpers.toys import EXAMPLES, tiny_model


def packer(length: int) -> PackingCollator:
    collator = InstructionCollator(
        allowed_max_length=length - 1, pad_token_id=63, end_of_text_id=62
    )
    return PackingCollator(collator, length)


def ids(rows: int = 2, length: int = 12, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 64, (rows, length), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("width", "layers", "heads", "parameters"),
    [
        (768, 12, 12, 124_439_808),
        (1024, 24, 16, 354_823_168),
        (1280, 36, 20, 774_030_080),
        (1600, 48, 25, 1_557_611_200),
    ],
    ids=["small", "medium", "large", "xl"],
)
def test_parameters_of_the_four_gpt_2(width, layers, heads, parameters):
    with torch.device("meta"):
        model = GPT(GPTConfig(width=width, layers=layers, heads=heads))
    assert count_parameters(model) == parameters


def test_the_defaults_are_gpt_2_small():
    assert GPTConfig() == GPTConfig(50_257, 1024, 768, 12, 12, 0.0)


def test_width_must_be_shared_among_the_heads():
    with pytest.raises(ValueError, match="width 10 cannot be shared among 3 heads"):
        GPTConfig(width=10, heads=3)


def test_shapes():
    model = tiny_model()
    hidden = model.hidden(Batch(ids()))
    assert hidden.shape == (2, 12, 16)
    assert model.head(hidden).shape == (2, 12, 64)
    assert model.head(hidden[0, 3]).shape == (64,)
    assert torch.equal(model(ids()), model.head(hidden))
    assert model.context_length == 32
    assert model.device == torch.device("cpu")


def test_the_head_shares_the_token_embedding():
    model = tiny_model()
    hidden = torch.ones(1, 16)
    assert torch.equal(model.head(hidden), hidden @ model.token_embedding.weight.T)


@pytest.mark.parametrize("place", [1, 5, 11])
def test_no_position_sees_a_later_token(place):
    model, before = tiny_model(), ids()
    after = before.clone()
    after[:, place:] = (after[:, place:] + 1) % 64
    one, other = model.hidden(Batch(before)), model.hidden(Batch(after))
    torch.testing.assert_close(one[:, :place], other[:, :place], rtol=0, atol=1e-6)
    changed = (one[:, place:] - other[:, place:]).abs().amax(dim=-1)
    assert (changed > 1e-4).all(), "every position from there on reads the changed token"


def test_every_position_sees_all_earlier_tokens():
    model, before = tiny_model(layers=1), ids(rows=1)
    last = model.hidden(Batch(before))[0, -1]
    for place in range(before.shape[1]):
        after = before.clone()
        after[0, place] = (after[0, place] + 1) % 64
        assert (model.hidden(Batch(after))[0, -1] - last).abs().max() > 1e-6, place


def test_edge_right_padding_is_harmless_without_an_attention_mask():
    model = tiny_model()
    batch = InstructionCollator(pad_token_id=63, end_of_text_id=62)(EXAMPLES)
    together = model.hidden(batch)
    for row, example in enumerate(EXAMPLES):
        alone = model.hidden(Batch(torch.tensor([example.token_ids])))[0]
        length = len(example.token_ids)
        torch.testing.assert_close(together[row, :length], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("packed", [False, True])
def test_wanted_positions_have_the_vectors_they_have_among_all(layers, packed):
    model = tiny_model(layers=layers).double()
    batch = (
        packer(20)([EXAMPLES])
        if packed
        else InstructionCollator(pad_token_id=0, end_of_text_id=0)(EXAMPLES)
    )
    wanted = torch.zeros_like(batch.inputs, dtype=torch.bool)
    wanted[0, [1, 4]] = wanted[-1, 2] = True
    seen = []
    model.blocks[-1].network.register_forward_hook(lambda _, given, __: seen.append(given[0].shape))
    vectors = model.hidden_where(batch, wanted)
    assert vectors.shape == (int(wanted.sum()), 16)
    torch.testing.assert_close(vectors, model.hidden(batch)[wanted])
    assert seen[0] == vectors.shape, "the last block computes no others"


def test_a_derived_models_own_hidden_is_what_it_is_trained_by():
    class Doubled(GPT):
        def hidden(self, batch, cache=None):
            return 2 * super().hidden(batch, cache)

    model = Doubled(tiny_model().config)
    batch = InstructionCollator(pad_token_id=0, end_of_text_id=0)(EXAMPLES)
    live = batch.targets != -100
    assert torch.equal(model.hidden_where(batch, live), model.hidden(batch)[live])


def test_rows_of_a_batch_do_not_see_each_other():
    model, rows = tiny_model(), ids(rows=3)
    other = rows.clone()
    other[1:] = ids(rows=2, seed=9)
    torch.testing.assert_close(
        model.hidden(Batch(rows))[0], model.hidden(Batch(other))[0], rtol=0, atol=1e-6
    )


def test_positions_count_from_zero_unless_they_are_given():
    model, rows = tiny_model(), ids()
    counted = model.hidden(Batch(rows))
    given = model.hidden(Batch(rows, positions=torch.arange(12).repeat(2, 1)))
    moved = model.hidden(Batch(rows, positions=torch.arange(12).repeat(2, 1) + 3))
    torch.testing.assert_close(counted, given)
    assert not torch.allclose(counted, moved, atol=1e-3)


def test_edge_longer_than_the_context_says_both_lengths():
    with pytest.raises(ValueError, match=r"33 tokens.* 32 at most"):
        tiny_model().hidden(Batch(ids(length=33)))
    assert tiny_model().hidden(Batch(ids(length=32))).shape == (2, 32, 16)


def test_a_packed_row_may_be_longer_than_the_context_its_texts_may_not():
    model = tiny_model(context_length=8)
    packed = packer(32)([EXAMPLES])
    assert model.hidden(packed).shape == (1, 32, 16)
    with pytest.raises(ValueError, match=r"8 tokens.* 7 at most"):
        tiny_model(context_length=7).hidden(packed)


def test_a_new_model_is_as_unsure_as_can_be():
    inputs = ids(rows=8, length=32)
    loss = batch_loss(tiny_model(), Batch(inputs[:, :-1], inputs[:, 1:]))
    assert loss.item() == pytest.approx(math.log(64), abs=0.1)


def test_dropout_is_random_in_training_and_off_otherwise():
    model, batch = tiny_model(dropout=0.5), Batch(ids())
    assert not torch.equal(model.hidden(batch), model.hidden(batch))
    model.eval()
    assert torch.equal(model.hidden(batch), model.hidden(batch))
    assert torch.equal(tiny_model().hidden(batch), model.hidden(batch)), "the weights are the same"


@torch.no_grad()
def test_weights_start_as_gpt_2s_did():
    model = tiny_model(width=64, layers=8)
    first, last = model.blocks[0], model.blocks[-1]
    assert model.token_embedding.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert first.network[0].weight.std().item() == pytest.approx(0.02, rel=0.1)
    for layer in (first.attention.output, first.network[2], last.network[2]):
        assert layer.weight.std().item() == pytest.approx(0.02 / 16**0.5, rel=0.1)
        assert layer.bias.abs().max() == 0


def test_the_same_seed_makes_the_same_weights():
    one, other, third = tiny_model(seed=3), tiny_model(seed=3), tiny_model(seed=4)
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(one.token_embedding.weight, third.token_embedding.weight)
