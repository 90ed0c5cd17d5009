"""A tiny Llama model with random weights and a tokenizer of its own; nothing is downloaded."""

import contextlib
import functools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from lessons_lib.data import LocalTokenizer
from lessons_lib.experiments import before_after
from lessons_lib.models import LocalLLM
from lessons_lib.training import Recipe
from tests.helpers.toys import ENTRIES

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@functools.cache
def tiny_tokenizer() -> LocalTokenizer:
    """Bytes, a few merges, and three special tokens; <|im_end|> = 2 ends a text."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = [f"{e['instruction']} {e.get('input', '')} {e['output']}" for e in ENTRIES]
    made.train_from_iterator([*texts, "### Instruction: ### Response:"] * 2, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=SPECIAL[1], eos_token=SPECIAL[2], pad_token=SPECIAL[2]
    )
    fast.chat_template = TEMPLATE
    return LocalTokenizer(fast)


def tiny_llama(seed: int = 0, dtype: torch.dtype = torch.float64, **options) -> LocalLLM:
    """Two layers, grouped heads, a tied head, 256 tokens of context; float64 if not told."""
    torch.manual_seed(seed)
    sizes = {
        "vocab_size": tiny_tokenizer().vocabulary_size,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "tie_word_embeddings": True,
        "initializer_range": 0.3,  # logits far apart: rounding never decides what it writes
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
    }
    llama = LlamaForCausalLM(LlamaConfig(**(sizes | options)))
    return LocalLLM(llama.to(dtype), tiny_tokenizer()).eval()


YES_OR_NO = [
    {"instruction": "Say it.", "input": f"{i}", "output": "yes" if i % 2 else "no"}
    for i in range(60)
]  # 51 to train on, 6 to test, 3 to validate


@contextlib.contextmanager
def tuning_a_tiny_llama(folder: Path, epochs: int) -> Iterator[tuple[Recipe, dict]]:
    """A recipe on ``YES_OR_NO`` and the options of a run of it: one thread, a cache of its own."""
    path = folder / "entries.json"
    path.write_text(json.dumps(YES_OR_NO), encoding="utf-8")
    recipe = Recipe(
        "smollm2",
        epochs=epochs,
        learning_rate=1e-2,
        batch_size=4,
        evaluate_every=9,
        entries=str(path),
    )
    options = {
        "load": lambda name: tiny_llama(dtype=torch.float32),
        "device": "cpu",
        "progress": False,
    }
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LESSONS_LIB_CACHE", str(folder / "cache"))
            patch.delenv("LESSONS_LIB_QUICK", raising=False)
            patch.setattr(before_after, "ANSWER_TOKENS", 6)
            yield recipe, options
    finally:
        torch.set_num_threads(threads)
