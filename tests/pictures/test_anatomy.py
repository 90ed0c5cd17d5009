"""The picture and the tables of lesson 08."""

import pytest
import torch
from matplotlib.text import Annotation

from lessons_lib.data import END_OF_TEXT, get_tokenizer
from lessons_lib.models import GPT, GPTConfig, count_parameters
from lessons_lib.pictures import (
    draw_transformer,
    likeliest_next,
    next_probabilities,
    parameter_table,
)
from tests.helpers.toys import LetterTokenizer, decided_model

CONFIG = GPTConfig(context_length=16, width=8, layers=3, heads=2)


@pytest.fixture
def model():
    torch.manual_seed(1)
    known = [*get_tokenizer().encode("The capital of Norway is Oslo"), END_OF_TEXT]
    return GPT(CONFIG, known_tokens=known)


def test_the_parameter_table_counts_every_parameter_once(model):
    table = parameter_table(model)
    rows = {row[0]: row[1:] for row in table.rows}
    counts = {name: int(row[1].replace(",", "")) for name, row in rows.items()}
    assert counts.pop("in all") == sum(counts.values()) == count_parameters(model)
    assert list(counts) == [
        "token embedding",
        *["position embedding", "attention"],
        "networks",
        "norms",
    ]
    assert counts["position embedding"] == 16 * 8
    assert counts["attention"] == 3 * (4 * 8 * 8 + 4 * 8)
    assert counts["norms"] == 7 * 2 * 8
    assert rows["networks"][0] == "in 3 blocks: two matrices, 8 × 32 and back"


def arrows(figure):
    """(from, to), each (x, y), of every arrow in the picture."""
    [axes] = figure.axes
    return [(each.xyann, each.xy) for each in axes.texts if isinstance(each, Annotation)]


def test_in_the_picture_every_position_looks_at_itself_and_back(model):
    figure = draw_transformer(model, "The capital of")
    sideways = [(start[0], end[0]) for start, end in arrows(figure) if start[0] != end[0]]
    assert sorted(sideways) == [(0, 1), (0, 2), (1, 2)]
    straight = [start[0] for start, end in arrows(figure) if start[0] == end[0]]
    assert {x: straight.count(x) for x in range(3)} == {0: 4, 1: 4, 2: 6}
    assert all(start[1] < end[1] for start, end in arrows(figure)), "y grows downwards"


def test_the_picture_says_what_this_model_reads_and_expects(model):
    text = "The capital of"
    texts = [each.get_text() for each in draw_transformer(model, text).axes[0].texts]
    assert {"The\n464", "␣capital\n3139", "␣of\n286", "50,257\nlogits"} <= {*texts}
    assert "3 blocks like this, one after another" in texts
    chance, best = next_probabilities(model, text).max(0)
    word = get_tokenizer().decode([int(best)]).replace(" ", "␣")
    assert f"{word}\n{chance:.1%}" in texts


def test_probabilities_are_those_of_tokens_that_may_be_generated(model):
    probabilities = next_probabilities(model, "The capital of")
    assert probabilities.shape == (50257,)
    assert probabilities.sum().item() == pytest.approx(1)
    assert not probabilities[model.never_generate].any()


def test_the_likeliest_come_first(model):
    table = likeliest_next(model, "The capital of", 3)
    best = next_probabilities(model, "The capital of").topk(3)
    assert [row[0] for row in table.rows] == [
        repr(get_tokenizer().decode([token])) for token in best.indices.tolist()
    ]
    assert [row[1] for row in table.rows] == [f"{share:.1%}" for share in best.values.tolist()]


def test_a_models_own_tokenizer_is_used():
    model = decided_model(128)
    model.tokenizer = LetterTokenizer()
    shares = next_probabilities(model, "ab")
    expected = next_probabilities(model, "ab", LetterTokenizer())
    assert shares.shape == (128,) and torch.equal(shares, expected)
    [(token, _)] = likeliest_next(model, "ab", 1).rows
    assert token == repr(LetterTokenizer().decode([int(shares.argmax())]))
