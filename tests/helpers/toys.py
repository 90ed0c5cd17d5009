"""Small things that several test modules use: entries, a tokenizer, models, random entries."""

import json
import time
from pathlib import Path
from typing import NamedTuple

import torch
from hypothesis import strategies as st
from torch import nn

from lessons_lib.batching import Example
from lessons_lib.data import END_OF_TEXT, VOCABULARY_SIZE, get_tokenizer
from lessons_lib.models import GPT, GPTConfig, LanguageModel
from lessons_lib.training import Recipe

ENTRIES = [
    {"instruction": "Name the capital of France.", "input": "", "output": "Paris."},
    {"instruction": "Correct the spelling.", "input": "Ocassion", "output": "It is 'Occasion'."},
    {"instruction": "Add.", "input": "2 and 3", "output": "5"},
    {"instruction": "Write one short sentence about rain.", "output": "The rain fell all night."},
    {"instruction": "What is the antonym of 'complicated'?", "input": "", "output": "'Simple'."},
]

# A row, its prompt's length with the header, and without: as substep 2.2 leaves entries.
EXAMPLES = [
    Example([10, 11, 12, 13, 14, 15, 16], prompt_length=4, header_start=2, index=0),
    Example([20, 21, 22, 23], prompt_length=3, header_start=2, index=1),
    Example([30, 31, 32, 33, 34], prompt_length=3, header_start=1, index=2),
]

TOY_ROWS = [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]


class LetterTokenizer:
    """Another tokenizer: a token for each letter, nothing but ``encode`` and ``decode``."""

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    def decode(self, tokens: list[int]) -> str:
        return "".join(map(chr, tokens))


def tiny_model(vocabulary_size: int = 64, seed: int = 0, **sizes) -> GPT:
    """A GPT of a few thousand weights, the same for the same seed."""
    torch.manual_seed(seed)
    sizes = {"context_length": 32, "width": 16, "layers": 2, "heads": 2} | sizes
    return GPT(GPTConfig(vocabulary_size=vocabulary_size, **sizes))


def decided_model(vocabulary_size: int = 64, seed: int = 0, **sizes) -> GPT:
    """A tiny model with logits far apart, in float64: rounding never decides what it writes."""
    model = tiny_model(vocabulary_size, seed, **sizes).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Small biases, or the same few tokens would be the likeliest after every text.
            parameter.add_((0.1 if parameter.dim() < 2 else 0.6) * torch.randn_like(parameter))
    return model


TINY_CONFIG = GPTConfig(context_length=64, width=8, layers=1, heads=1)


def number_entries(count: int) -> list[dict[str, str]]:
    """So many small tasks, no two alike."""
    return [
        {"instruction": f"Which number comes after {i}?", "input": "", "output": f"It is {i + 1}."}
        for i in range(count)
    ]


def tiny_recipe(folder: Path, entries: list[dict[str, str]], **options) -> Recipe:
    """A run on a file of these entries that takes a moment, from random weights."""
    path = folder / "entries.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return Recipe(TINY_CONFIG, learning_rate=1e-2, entries=str(path), **options)


class NextToken(LanguageModel):
    """A model of another make: its table says what follows token i, whatever came before.

    It has what the course asks of a model and no more: ``hidden``, ``head``, ``context_length``.
    """

    def __init__(self, vocabulary_size: int = 64, context_length: int = 16):
        super().__init__()
        self.context_length = context_length
        self.table = nn.Parameter(torch.zeros(vocabulary_size, vocabulary_size))

    def hidden(self, batch):
        return self.table[batch.inputs]

    def head(self, hidden):
        return hidden


class Scripted(LanguageModel):
    """A model that knows one text by heart: at position t it expects token t + 1 of it."""

    def __init__(self, script: list[int], context_length: int = 1024):
        super().__init__()
        self.script, self.context_length = script, context_length
        self.weight = nn.Parameter(torch.zeros(1))
        self.lengths_read: list[int] = []

    def hidden(self, batch):
        rows, length = batch.inputs.shape
        self.lengths_read.append(length)
        following = torch.tensor((self.script + self.script[-1:] * length)[1 : length + 1])
        return following.repeat(rows, 1)[:, :, None]  # (batch, length, 1): the next token's id

    def head(self, hidden):
        return nn.functional.one_hot(hidden[..., 0], VOCABULARY_SIZE).float()


class Parrot(LanguageModel):
    """A model that answers a message with the message itself; "Count." is answered without end."""

    def __init__(self):
        super().__init__()
        self.context_length = 2048
        self.weight = nn.Parameter(torch.zeros(1))
        self.pause = 0.0  # seconds before each token

    def hidden(self, batch):
        time.sleep(self.pause)
        self.row = batch.inputs[0].tolist()
        return batch.inputs[:, :, None]

    def head(self, hidden):
        encode, text = get_tokenizer().encode_ordinary, get_tokenizer().decode(self.row)
        before, header, _ = text.rpartition("\n\n### Response:\n")
        message = before.rpartition("### Instruction:\n")[2]
        wanted = encode("one more " * 500 if message == "Count." else message)
        done = len(self.row) - len(encode(before + header))
        following = wanted[done] if done < len(wanted) else END_OF_TEXT
        return 1000.0 * nn.functional.one_hot(torch.tensor([following]), VOCABULARY_SIZE)


_PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["\n", "\n\n", " ", "  ", "\t", "### Response:", "\n\n### Response:\n", "<|end|>"]
        + ["<|endoftext|>", "<|assistant|>\n", "don't", "naïve", "日本", "🦋", "1234"]
    ),
)
TEXTS = st.lists(_PIECES, min_size=1, max_size=5).map("".join)
FILLED_TEXTS = TEXTS.filter(str.strip)
RANDOM_ENTRIES = st.fixed_dictionaries(
    {"instruction": FILLED_TEXTS, "input": st.just("") | TEXTS, "output": FILLED_TEXTS}
)


@st.composite
def examples(draw, most: int = 12) -> Example:
    """A row of token ids below 50256 with a prompt, a header and at least one response token."""
    row = draw(st.lists(st.integers(0, END_OF_TEXT - 1), min_size=2, max_size=most))
    prompt_length = draw(st.integers(1, len(row) - 1))
    return Example(row, prompt_length, draw(st.integers(1, prompt_length)), draw(st.integers(0, 9)))


class Run(NamedTuple):
    """Live targets of one row: where they stand and what they are."""

    places: list[int]
    tokens: list[int]


def live_targets(targets: torch.Tensor, ignore_index: int = -100) -> Run:
    """What counts in one row of targets, (length,)."""
    places = (targets != ignore_index).nonzero()[:, 0].tolist()
    return Run(places, targets[places].tolist())
