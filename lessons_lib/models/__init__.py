"""The models: GPT-2's architecture, a real small language model, and their files. Lesson 08.

Each is a ``LanguageModel``, with ``hidden`` and ``head``; ``load_model`` finds one by its name.
"""

from lessons_lib.models.gpt import GPT, GPTConfig, count_parameters
from lessons_lib.models.kv_cache import KeyValueCache
from lessons_lib.models.llama import LocalLLM
from lessons_lib.models.loading import (
    keep_model,
    load_model,
    read_about,
    save_model,
    untrained_twin,
)
from lessons_lib.models.protocol import LanguageModel
from lessons_lib.models.vocabulary import CompactTokenEmbedding

__all__ = [
    "LanguageModel",
    "GPT",
    "GPTConfig",
    "load_model",
    "keep_model",
    "save_model",
    "LocalLLM",
    "KeyValueCache",
    "count_parameters",
    "untrained_twin",
    "read_about",
    "CompactTokenEmbedding",
]
