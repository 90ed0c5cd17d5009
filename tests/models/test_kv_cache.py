"""The key-value cache: reading in pieces gives what reading at once gives."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import Batch, InstructionCollator
from lessons_lib.batching.packing import PackingCollator
from lessons_lib.generation import next_logits
from lessons_lib.models import GPT, KeyValueCache
from lessons_lib.models.kv_cache import GROWTH
from tests.helpers.toys import EXAMPLES, decided_model, tiny_model


def ids(rows: int, length: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 64, (rows, length), generator=torch.Generator().manual_seed(seed))


def model(seed: int = 0, **sizes) -> GPT:
    """As large logits as a trained model's, in the float32 that models usually have."""
    return decided_model(seed=seed, **sizes).float()


def assert_close(cached: torch.Tensor, plain: torch.Tensor) -> None:
    # Other shapes are summed in another order, and how far that goes depends on the processor: up
    # to 2e-5 was seen. A wrong row or place is off by far more.
    torch.testing.assert_close(cached, plain, rtol=1e-4, atol=1e-4)


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("pieces", [[12], [1] * 12, [5, 1, 1, 5], [1, 11]], ids=str)
def test_reading_in_pieces_gives_the_logits_of_reading_at_once(seed, rows, pieces):
    gpt, inputs = model(seed), ids(rows, 12, seed)
    cache = KeyValueCache(rows)
    parts = [gpt.head(gpt.hidden(Batch(part), cache)) for part in inputs.split(pieces, dim=1)]
    assert [part.shape[1] for part in parts] == pieces, "only the new positions are computed"
    assert_close(torch.cat(parts, dim=1), gpt(inputs))
    assert cache.lengths == [12] * rows


@pytest.mark.parametrize("sizes", [{"layers": 1}, {"layers": 3, "heads": 4}, {"heads": 1}], ids=str)
def test_models_of_other_sizes(sizes):
    gpt, inputs = model(**sizes), ids(2, 9)
    cache = KeyValueCache(2)
    parts = [gpt.hidden(Batch(part), cache) for part in inputs.split([4, 1, 4], dim=1)]
    assert_close(torch.cat(parts, dim=1), gpt.hidden(Batch(inputs)))


def test_edge_rows_of_unequal_lengths_each_grow_at_their_own_end():
    gpt, inputs, lengths = model(), ids(3, 12), [2, 7, 4]
    cache = KeyValueCache(3)
    hidden = gpt.hidden(Batch(inputs[:, :7]), cache)  # all that follows a row's length is padding
    cache.trim(lengths)
    for step in range(5):
        following = torch.stack([inputs[row, n + step] for row, n in enumerate(lengths)])[:, None]
        hidden = gpt.hidden(Batch(following), cache)
        for row, length in enumerate(lengths):
            alone = gpt.hidden(Batch(inputs[row : row + 1, : length + step + 1]))
            assert_close(hidden[row, -1], alone[0, -1])
    assert cache.lengths == [7, 12, 9]


@given(
    st.lists(st.tuples(*[st.integers(1, 6)] * 3), min_size=1, max_size=4),
    st.integers(0, 2**31),
    st.data(),
)
def test_any_rows_in_any_pieces_and_rows_may_leave(pieces, seed, data):
    """Each row is read in three pieces of its own lengths; some rows leave in between."""
    gpt = model(seed % 5)
    texts = ids(len(pieces), 18, seed).tolist()
    cache, live = KeyValueCache(len(pieces)), list(range(len(pieces)))
    for step in (1, 2, 3):
        read = [texts[row][: sum(pieces[row][:step])] for row in live]
        together = next_logits(gpt, read, cache)
        for row, text in enumerate(read):
            assert_close(together[row], gpt(torch.tensor([text]))[0, -1])
        assert cache.lengths == [len(text) for text in read]
        stay = data.draw(st.permutations(range(len(live))))
        stay = stay[: data.draw(st.integers(1, len(live)))]
        cache.keep(stay)
        live = [live[place] for place in stay]


@pytest.mark.parametrize("stay", [[0, 2], [2, 0], [1], [2, 1, 0], [1, 1, 0], [2, 1]], ids=str)
def test_rows_leave_and_change_places(stay):
    gpt, inputs = model(), ids(3, 8)
    cache = KeyValueCache(3)
    gpt.hidden(Batch(inputs[:, :5]), cache)
    cache.trim([3, 5, 4])
    cache.keep(stay)
    read = [[3, 5, 4][row] for row in stay]
    assert cache.lengths == read
    following = torch.stack([inputs[row, n] for row, n in zip(stay, read, strict=True)])[:, None]
    hidden = gpt.hidden(Batch(following), cache)
    for place, (row, length) in enumerate(zip(stay, read, strict=True)):
        alone = gpt.hidden(Batch(inputs[row : row + 1, : length + 1]))
        assert_close(hidden[place, -1], alone[0, -1])


def test_rows_that_left_take_no_memory():
    gpt, cache = model(), KeyValueCache(3)
    gpt.hidden(Batch(ids(3, 20)), cache)
    cache.trim([20, 4, 3])
    cache.keep([1, 2])
    assert cache.layers[0].keys.shape == cache.layers[1].values.shape == (2, 4, 2, 8)


def test_one_row_read_for_several_goes_on_as_each_of_them():
    gpt, inputs = model(), ids(3, 8)
    inputs[:, :5] = inputs[0, :5]
    cache = KeyValueCache(1)
    gpt.hidden(Batch(inputs[:1, :5]), cache)
    cache.keep([0, 0, 0])
    assert cache.lengths == [5, 5, 5]
    assert_close(gpt.hidden(Batch(inputs[:, 5:]), cache), gpt.hidden(Batch(inputs))[:, 5:])


def test_only_rows_that_change_places_are_copied():
    gpt, cache = model(), KeyValueCache(4)
    gpt.hidden(Batch(ids(4, 5)), cache)
    keys = cache.layers[0].keys
    cache.keep([0, 3, 2])
    assert cache.layers[0].keys.data_ptr() == keys.data_ptr()
    assert torch.equal(cache.layers[0].keys[1, :5], keys[3, :5])


def test_room_that_is_asked_for_is_set_aside_once():
    gpt, cache = model(), KeyValueCache(1, room=20)
    gpt.hidden(Batch(ids(1, 5)), cache)
    cache.keep([0, 0])
    keys = cache.layers[0].keys
    assert keys.shape[:2] == (2, 20)
    gpt.hidden(Batch(ids(2, 15)), cache)
    assert cache.layers[0].keys.data_ptr() == keys.data_ptr()


def test_a_window_reads_for_some_rows():
    gpt, inputs, lengths = model(), ids(4, 12), [9, 8, 4, 3]
    inputs[:, :2] = inputs[0, :2]
    cache = KeyValueCache(1, room=12)
    gpt.hidden(Batch(inputs[:1, :2]), cache)
    cache.keep([0] * 4)
    for first in (0, 2):
        with cache.window(first, first + 2, slots=9) as part:
            gpt.hidden(Batch(inputs[first : first + 2, 2 : lengths[first]]), part)
            part.trim(lengths[first : first + 2])
    assert cache.lengths == lengths
    rows = torch.arange(4)
    hidden = gpt.hidden(Batch(inputs[rows, lengths][:, None]), cache)[:, 0]  # (4, width)
    for row, length in enumerate(lengths):
        alone = gpt.hidden(Batch(inputs[row : row + 1, : length + 1]))
        assert_close(hidden[row], alone[0, -1])


def test_no_window_opens_on_an_empty_cache():
    with pytest.raises(ValueError, match="at least one token"), KeyValueCache(2).window(0, 1, 5):
        pass


def test_what_memory_held_before_is_never_read(monkeypatch):
    """A masked slot is multiplied by 0; if it held NaN, so would every answer."""
    empty = torch.Tensor.new_empty
    monkeypatch.setattr(
        torch.Tensor, "new_empty", lambda self, *sizes: empty(self, *sizes).fill_(torch.nan)
    )
    gpt, cache = model(context_length=3 * GROWTH), KeyValueCache(1)
    gpt.hidden(Batch(ids(1, 4)), cache)
    cache.keep([0, 0, 0])
    with cache.window(0, 2, slots=9) as part:
        gpt.hidden(Batch(ids(2, 5)), part)
        part.trim([9, 7])
    for _ in range(GROWTH + 9):
        assert gpt.hidden(Batch(ids(3, 1)), cache).isfinite().all()


def test_no_row_is_left():
    cache = KeyValueCache(2)
    model().hidden(Batch(ids(2, 3)), cache)
    cache.keep([])
    assert cache.lengths == [] and cache.longest == 0


def test_the_cache_grows():
    gpt = model(context_length=3 * GROWTH)
    inputs, cache, parts = ids(1, 2 * GROWTH + 9), KeyValueCache(1), []
    for token in inputs.split(1, dim=1):
        parts.append(gpt.hidden(Batch(token), cache))
    assert_close(torch.cat(parts, dim=1), gpt.hidden(Batch(inputs)))


def test_what_lies_beyond_a_rows_length_is_never_read():
    gpt, inputs, results = model(), ids(2, 8), []
    for rubbish in (None, 1e4):
        cache = KeyValueCache(2)
        gpt.hidden(Batch(inputs[:, :6]), cache)
        cache.trim([3, 6])
        if rubbish:
            for layer in cache.layers:
                layer.keys[0, 3:] = layer.values[0, 3:] = rubbish
        results.append(gpt.hidden(Batch(inputs[:, 6:]), cache))
    assert torch.equal(*results)


def test_each_row_has_positions_of_its_own():
    cache = KeyValueCache(3)
    model().hidden(Batch(ids(3, 5)), cache)
    cache.trim([5, 1, 3])
    assert cache.begin(ids(3, 2)).tolist() == [[5, 6], [1, 2], [3, 4]]


def test_a_cache_that_was_trimmed_to_nothing_begins_anew():
    gpt, inputs = model(), ids(2, 6)
    cache = KeyValueCache(2)
    for _ in range(2):
        gpt.hidden(Batch(ids(2, 3, seed=5)), cache)
    cache.trim([0, 0])
    assert_close(gpt.hidden(Batch(inputs), cache), gpt.hidden(Batch(inputs)))


def test_positions_that_are_given_are_used():
    gpt, inputs = model(), ids(1, 6)
    moved = torch.arange(6)[None] + 4
    cache = KeyValueCache(1)
    parts = [
        gpt.hidden(Batch(inputs[:, part], positions=moved[:, part]), cache)
        for part in (slice(0, 4), slice(4, 6))
    ]
    assert_close(torch.cat(parts, dim=1), gpt.hidden(Batch(inputs, positions=moved)))


def test_edge_longer_than_the_context_says_both_lengths_and_stores_nothing():
    gpt, cache, inputs = model(), KeyValueCache(1), ids(1, 32)
    gpt.hidden(Batch(inputs[:, :30]), cache)
    with pytest.raises(ValueError, match=r"33 tokens.* 32 at most"):
        gpt.hidden(Batch(ids(1, 3)), cache)
    assert cache.lengths == [30]
    assert_close(gpt.hidden(Batch(inputs[:, 30:]), cache), gpt.hidden(Batch(inputs))[:, 30:])


def test_another_number_of_rows_is_refused():
    with pytest.raises(ValueError, match="2 rows of new tokens for a cache of 3 rows"):
        model().hidden(Batch(ids(2, 4)), KeyValueCache(3))


@pytest.mark.parametrize("lengths", [[4], [4, 4, 4], [5, 4], [-1, 4]], ids=str)
def test_a_row_cannot_be_trimmed_to_what_it_does_not_have(lengths):
    cache = KeyValueCache(2)
    model().hidden(Batch(ids(2, 4)), cache)
    with pytest.raises(ValueError, match=r"\[4, 4\] tokens cannot be trimmed"):
        cache.trim(lengths)


def test_packed_rows_do_not_go_with_a_cache():
    packed = PackingCollator(InstructionCollator(allowed_max_length=31), 32)([EXAMPLES])
    with pytest.raises(ValueError, match="rows with segments do not go with it"):
        tiny_model().hidden(packed, KeyValueCache(len(packed.inputs)))
