"""The tables of lesson 08."""

import pytest
import torch

from lessons_lib.data import END_OF_TEXT, get_tokenizer
from lessons_lib.models import GPT, GPTConfig, count_parameters
from lessons_lib.pictures import likeliest_next, names_table, next_probabilities, parameter_table
from tests.helpers.toys import LetterTokenizer, decided_model

CONFIG = GPTConfig(context_length=16, width=8, layers=3, heads=2)


@pytest.fixture
def model():
    torch.manual_seed(1)
    known = [*get_tokenizer().encode("The capital of Norway is Oslo"), END_OF_TEXT]
    return GPT(CONFIG, known_tokens=known)


def test_the_parameter_table_counts_every_parameter_once(model):
    rows = {row[0]: row for row in parameter_table(model).rows}
    counted = sum(int(row[2].replace(",", "")) for name, row in rows.items() if name != "in all")
    assert counted == count_parameters(model) == int(rows["in all"][2].replace(",", ""))
    assert rows["blocks.*.attention.query_key_value.weight"][1] == "(24 × 8) × 3"
    assert rows["position_embedding.weight"][1:3] == ("(16 × 8)", "128")


def test_names_here_and_in_gpt2s_file():
    """GPT-2 small's own shapes, as they stand in its file on the hub."""
    with torch.device("meta"):
        rows = {row[0]: row[1:] for row in names_table(GPT(GPTConfig())).rows}
    assert len(rows) == 2 + 12 + 2
    assert rows["token_embedding.weight"] == ("50,257 × 768", "wte.weight", "50,257 × 768")
    assert rows["blocks.*.attention.query_key_value.weight"] == (
        "2,304 × 768",
        "h.*.attn.c_attn.weight",
        "768 × 2,304",
    )
    assert rows["blocks.*.network.2.bias"] == ("768", "h.*.mlp.c_proj.bias", "768")


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
