"""How a model writes: sampling, decoding with a cache, texts as they grow, likelihoods.

Lessons 08 to 10 use it to generate answers, lesson 12 to chat.
"""

from lessons_lib.generation.decoding import next_logits
from lessons_lib.generation.likelihood import log_likelihood
from lessons_lib.generation.text_stream import TextStream
from lessons_lib.generation.texts import (
    generate,
    generate_all,
    generate_responses,
    respond,
    respond_all,
)

__all__ = [
    "generate",
    "generate_all",
    "generate_responses",
    "respond",
    "respond_all",
    "log_likelihood",
    "TextStream",
    "next_logits",
]
