"""Ours against transformers: the same continuations of unequal prompts from the same weights."""

import pytest
import torch

from lessons_lib.generation.decoding import continue_rows, start_rows
from lessons_lib.generation.sampling import token_probabilities
from lessons_lib.models import load_model
from lessons_lib.support.reply_options import ReplyOptions

transformers = pytest.importorskip("transformers", reason="pip install transformers")

VOCABULARY, CONTEXT, LAYERS = 40, 48, 3
PAD = 0


@pytest.fixture(scope="module", params=range(3))
def pair(request, tmp_path_factory):
    """Their model with random weights, and ours with the same; float64, so that no tie decides."""
    torch.manual_seed(request.param)
    theirs = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=VOCABULARY, n_positions=CONTEXT, n_embd=32, n_layer=LAYERS, n_head=4
        )
    )
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_((0.1 if parameter.dim() < 2 else 0.5) * torch.randn_like(parameter))
    folder = tmp_path_factory.mktemp("gpt2")
    theirs.save_pretrained(folder)
    return load_model(folder).double(), theirs.double().eval()


def prompts(seed: int, count: int = 8) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 16, (count,), generator=generator).tolist()
    return [torch.randint(0, VOCABULARY, (n,), generator=generator).tolist() for n in lengths]


def their_continuations(theirs, rows: list[list[int]], limit: int, end: int) -> list[list[int]]:
    """Their greedy ``generate`` for a batch, padded on the left as it asks; end of text cut off."""
    longest = max(map(len, rows))
    padding = [longest - len(row) for row in rows]
    written = theirs.generate(
        torch.tensor([[PAD] * n + row for n, row in zip(padding, rows, strict=True)]),
        attention_mask=torch.tensor([[0] * n + [1] * (longest - n) for n in padding]),
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=PAD,
    )[:, longest:].tolist()
    return [row[: row.index(end)] if end in row else row for row in written]


def our_continuations(ours, rows: list[list[int]], limit: int, end: int, use_cache: bool):
    options = ReplyOptions(max_new_tokens=limit)
    continued = start_rows(ours, rows, options)
    continue_rows(ours, continued, options, end, use_cache)
    return [row.new for row in continued]


@pytest.mark.parametrize("use_cache", [True, False])
def test_a_batch_of_unequal_prompts_is_continued_as_transformers_does(pair, use_cache):
    ours, theirs = pair
    rows = prompts(seed=1)
    free = their_continuations(theirs, rows, limit=20, end=VOCABULARY - 1)
    # As end of text, a token that many rows write ends them at different places.
    end = max(range(VOCABULARY), key=lambda token: sum(token in row for row in free))
    expected = their_continuations(theirs, rows, limit=20, end=end)
    assert len({len(row) for row in expected}) > 2
    assert our_continuations(ours, rows, 20, end, use_cache) == expected


def test_up_to_the_contexts_end(pair):
    ours, theirs = pair
    row = prompts(seed=3, count=1)
    limit = CONTEXT - len(row[0])
    expected = their_continuations(theirs, row, limit, end=VOCABULARY - 1)
    assert our_continuations(ours, row, 10 * limit, VOCABULARY - 1, True) == expected


@pytest.mark.parametrize(
    ("options", "warpers"),
    [
        ({"temperature": 0.7}, [("TemperatureLogitsWarper", 0.7)]),
        ({"temperature": 1.0, "top_k": 5}, [("TopKLogitsWarper", 5)]),
        ({"temperature": 1.0, "top_p": 0.6}, [("TopPLogitsWarper", 0.6)]),
        (
            {"temperature": 1.4, "top_k": 12, "top_p": 0.8},
            [("TemperatureLogitsWarper", 1.4), ("TopKLogitsWarper", 12), ("TopPLogitsWarper", 0.8)],
        ),
    ],
    ids=["temperature", "top-k", "top-p", "all"],
)
def test_sampling_probabilities_are_those_of_transformers(options, warpers):
    logits = 2 * torch.randn(50, VOCABULARY, generator=torch.Generator().manual_seed(0)).double()
    scores = logits
    for name, value in warpers:
        scores = getattr(transformers, name)(value)(None, scores)
    ours = token_probabilities(logits, ReplyOptions(**options))
    torch.testing.assert_close(ours, scores.softmax(-1))
