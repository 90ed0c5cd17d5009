"""A tiny Llama model with random weights and a tokenizer of its own; nothing is downloaded."""

import copy
import functools

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from lessons_lib.data import LocalTokenizer
from lessons_lib.models import LocalLLM
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


def begun(tokenizer: LocalTokenizer) -> LocalTokenizer:
    """The same tokenizer, but its texts begin with <|im_start|> = 1, as Llama 2's do with <s>."""
    fast = copy.deepcopy(tokenizer.fast)
    fast.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", 1)]
    )
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
