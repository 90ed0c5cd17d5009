"""Models to chat with: one that knows one message and its answer, and one that waits."""

import threading

import torch
from torch import nn

from lessons_lib.data import END_OF_TEXT, PROMPT_FORMATS, get_tokenizer
from lessons_lib.models import LanguageModel
from tests.helpers.toys import Scripted

TOKENIZER = get_tokenizer()


def entry(message):
    return {"instruction": message, "input": "", "output": ""}


def scripted(message: str, answer: str, format: str = "alpaca", **options) -> Scripted:
    """A model that knows one prompt and the answer to it."""
    encode = TOKENIZER.encode_ordinary
    prompt = PROMPT_FORMATS[format].prompt(entry(message))
    return Scripted([*encode(prompt), *encode(answer), END_OF_TEXT], **options)


class Slow(LanguageModel):
    """A model that waits before each token until it may go on; it never ends by itself."""

    def __init__(self):
        super().__init__()
        self.context_length = 10_000
        self.weight = nn.Parameter(torch.zeros(1))
        self.may_go_on, self.steps = threading.Semaphore(0), 0

    def hidden(self, batch):
        self.may_go_on.acquire(timeout=30)
        self.steps += 1
        return batch.inputs[:, :, None]

    def head(self, hidden):
        return nn.functional.one_hot(hidden[..., 0] * 0 + 262, 50257).float()  # " the"
