"""Choosing tokens: what may be drawn, how often it is, and that draws are the row's own."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.generation.sampling import choose_tokens, row_generators, token_probabilities
from lessons_lib.support.reply_options import ReplyOptions

LOGITS = torch.tensor([0.5, -1.0, 2.0, 0.0, 1.5, -3.0, 1.0, 0.7])
# Of 1,000 fair chi-square tests with 1 … 7 degrees of freedom, one is above this value.
CHI_SQUARE = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52, 6: 22.46, 7: 24.32}


def random_logits(seed: int, vocabulary: int = 30, spread: float = 2.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(vocabulary, generator=generator)


def kept(logits: torch.Tensor, **options) -> set[int]:
    """Which tokens may be drawn."""
    probabilities = token_probabilities(logits, ReplyOptions(temperature=1.0, **options))
    return set(probabilities.nonzero()[:, 0].tolist())


def drawn(logits: torch.Tensor, options: ReplyOptions, times: int = 4000, seed: int = 0):
    """How often each token is drawn: (vocabulary,)."""
    generator = torch.Generator().manual_seed(seed)
    tokens = choose_tokens(logits.expand(times, -1), options, [generator] * times)
    return torch.bincount(torch.tensor(tokens), minlength=len(logits))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_probabilities_are_the_softmax_of_logits_over_temperature(temperature):
    actual = token_probabilities(LOGITS, ReplyOptions(temperature=temperature))
    weights = [math.exp(logit / temperature) for logit in LOGITS.tolist()]
    expected = [weight / sum(weights) for weight in weights]
    assert actual.tolist() == pytest.approx(expected, rel=1e-6)


def test_temperature_0_leaves_the_likeliest_token_alone():
    assert token_probabilities(LOGITS, ReplyOptions()).tolist() == [0, 0, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("temperature", [1e-3, 1e-100, 5e-324])
def test_edge_a_temperature_near_0_is_greedy_and_does_not_overflow(temperature):
    large = 1e4 * LOGITS
    actual = token_probabilities(large, ReplyOptions(temperature=temperature))
    assert actual.tolist() == [0, 0, 1, 0, 0, 0, 0, 0]


def test_a_high_temperature_makes_all_tokens_alike():
    actual = token_probabilities(LOGITS, ReplyOptions(temperature=1e6))
    assert actual.tolist() == pytest.approx([1 / 8] * 8, rel=1e-4)


@pytest.mark.parametrize(
    ("top_k", "tokens"), [(1, {2}), (2, {2, 4}), (3, {2, 4, 6}), (99, {*range(8)})]
)
def test_top_k_leaves_the_k_likeliest(top_k, tokens):
    assert kept(LOGITS, top_k=top_k) == tokens


@pytest.mark.parametrize(
    ("top_p", "tokens"),
    [(0.01, {1}), (0.49, {1}), (0.51, {1, 3}), (0.79, {1, 3}), (0.81, {1, 3, 0}), (1, {*range(4)})],
)
def test_top_p_leaves_the_fewest_that_reach_it(top_p, tokens):
    assert kept(torch.tensor([0.15, 0.5, 0.05, 0.3]).log(), top_p=top_p) == tokens


def test_top_p_looks_at_what_top_k_left():
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()
    assert kept(logits, top_p=0.5) == {0, 1}
    # Of the two that top-k leaves, the first has 0.4 / 0.7 = 0.57: enough by itself.
    assert kept(logits, top_k=2, top_p=0.5) == {0}


def test_equally_likely_tokens_are_cut_off_from_the_last():
    assert kept(torch.zeros(6), top_k=4) == {0, 1, 2, 3}
    assert kept(torch.zeros(8), top_p=0.5) == {0, 1, 2, 3}


@given(st.integers(0, 10**6), st.integers(1, 35), st.floats(0.01, 1), st.floats(0.2, 3))
def test_exactly_the_right_tokens_are_kept_in_proportion(seed, top_k, top_p, temperature):
    logits = random_logits(seed)
    weights = [math.exp(logit / temperature) for logit in logits.tolist()]
    ranking = sorted(range(30), key=lambda token: -weights[token])[:top_k]
    total, reached, expected = sum(weights[token] for token in ranking), 0.0, set()
    for token in ranking:
        if reached / total >= top_p - 1e-12:
            break
        expected.add(token)
        reached += weights[token]
    actual = token_probabilities(
        logits, ReplyOptions(temperature=temperature, top_k=top_k, top_p=top_p)
    )
    assert set(actual.nonzero()[:, 0].tolist()) == expected
    for token in expected:
        assert actual[token].item() == pytest.approx(weights[token] / reached, rel=1e-6)


def test_rows_are_cut_each_by_itself():
    rows = torch.stack([random_logits(seed) for seed in range(4)])
    options = ReplyOptions(temperature=0.8, top_k=9, top_p=0.7)
    together = token_probabilities(rows, options)
    for row, logits in zip(together, rows, strict=True):
        assert torch.equal(row, token_probabilities(logits, options))


def test_the_logits_that_were_given_stay_as_they_were():
    logits = LOGITS.double()
    token_probabilities(logits, ReplyOptions(temperature=0.5, top_k=2, top_p=0.5))
    choose_tokens(logits[None], ReplyOptions(temperature=0.5), row_generators(0, 1))
    assert torch.equal(logits, LOGITS.double())


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 1.0},
        {"temperature": 0.5},
        {"temperature": 3.0},
        {"temperature": 1.0, "top_k": 3},
        {"temperature": 1.5, "top_p": 0.8},
        {"temperature": 2.0, "top_k": 6, "top_p": 0.7},
    ],
    ids=str,
)
def test_tokens_are_drawn_as_often_as_they_are_probable(options):
    chosen = ReplyOptions(**options)
    expected = 4000 * token_probabilities(LOGITS, chosen)
    counts, possible = drawn(LOGITS, chosen), expected > 0
    assert counts[~possible].sum() == 0
    misses = (counts - expected)[possible] ** 2 / expected[possible]
    assert misses.sum() < CHI_SQUARE[int(possible.sum()) - 1]


def test_the_frequencies_can_tell_one_temperature_from_another():
    counts, expected = drawn(LOGITS, ReplyOptions(temperature=1.2)), 4000 * LOGITS.softmax(-1)
    assert ((counts - expected) ** 2 / expected).sum() > CHI_SQUARE[7]


def test_forbidden_tokens_are_never_drawn():
    logits = LOGITS.clone()
    logits[[0, 2, 7]] = -math.inf
    counts = drawn(logits, ReplyOptions(temperature=5.0))
    assert counts[[0, 2, 7]].sum() == 0 and (counts[[1, 3, 4, 5, 6]] > 0).all()
    assert choose_tokens(logits[None], ReplyOptions(), row_generators(0, 1)) == [4]
    assert kept(logits, top_k=7) == kept(logits, top_p=1) == {1, 3, 4, 5, 6}


@pytest.mark.parametrize(("point", "token"), [(0.0, 1), (1 - 2**-53, 4)])
def test_edge_the_ends_of_the_line_belong_to_tokens_that_are_possible(monkeypatch, point, token):
    logits = torch.tensor([-math.inf, 1.0, -math.inf, 0.3, 0.1, -math.inf])
    number = torch.tensor([point], dtype=torch.float64)
    monkeypatch.setattr(torch, "rand", lambda *size, **options: number)
    assert choose_tokens(logits[None], ReplyOptions(temperature=1.0), row_generators(0, 1)) == [
        token
    ]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_no_numbers_are_refused(bad, temperature):
    rows = LOGITS.repeat(3, 1)
    rows[1, 4] = bad
    with pytest.raises(ValueError, match="not finite numbers.* training probably diverged"):
        choose_tokens(rows, ReplyOptions(temperature=temperature), row_generators(0, 3))


def test_a_row_draws_the_same_whatever_the_other_rows_are():
    rows = torch.stack([random_logits(seed) for seed in range(5)])
    options = ReplyOptions(temperature=1.3, top_p=0.9)
    together = choose_tokens(rows, options, row_generators(3, 5))
    for row in range(5):
        alone = row_generators(3, row + 1)[row:]
        assert choose_tokens(rows[row : row + 1], options, alone) == [together[row]]
    assert len(set(together)) > 1


def numbers(generators: list[torch.Generator]) -> list[float]:
    return [torch.rand(1, generator=generator).item() for generator in generators]


def test_generators_depend_on_seed_and_row_alone():
    assert numbers(row_generators(7, 6))[:3] == numbers(row_generators(7, 3))
    every = [number for seed in range(5) for number in numbers(row_generators(seed, 8))]
    assert len(set(every)) == 40, "neither rows nor neighbouring seeds share a generator"


def test_without_a_seed_generators_differ_every_time():
    assert numbers(row_generators(None, 4)) != numbers(row_generators(None, 4))


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    for seed in (None, 3):
        choose_tokens(LOGITS.repeat(4, 1), ReplyOptions(temperature=1.0), row_generators(seed, 4))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_greedy_choice_draws_nothing():
    [used], [unused] = row_generators(0, 1), row_generators(0, 1)
    assert choose_tokens(LOGITS[None], ReplyOptions(), [used]) == [2]
    assert torch.equal(used.get_state(), unused.get_state())
