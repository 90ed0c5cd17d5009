"""A real language model that keeps the course's protocol: SmolLM2, 135 million weights. Lesson 09.

Data set, collator, training loop and generation take it as they take the course's own model; only
its tokenizer is another one. Later lessons use it as a judge, as a teacher and for LoRA.
"""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lessons_lib.batching import Batch
from lessons_lib.batching.batch import refuse_beyond_context, visible
from lessons_lib.data import LocalTokenizer
from lessons_lib.models.kv_cache import KeyValueCache
from lessons_lib.models.protocol import LanguageModel
from lessons_lib.models.smollm2_files import not_installed, quiet_transformers, smollm2_folder
from lessons_lib.support import CheckpointError

TIED = "llama.lm_head.weight", "llama.model.embed_tokens.weight"


class LocalLLM(LanguageModel):
    """A ``LlamaForCausalLM`` of transformers with what the course asks of a model.

    ``llama`` is transformers' model itself, for libraries that want it; ``tokenizer`` is what it
    reads with. The texts of one row are kept apart by a mask.
    """

    reads_segments = caches = True

    def __init__(self, llama: Any, tokenizer: LocalTokenizer):
        super().__init__()
        self.llama, self.tokenizer = llama, tokenizer
        # With a padding index, the embedding of end of text would get no gradient.
        llama.model.embed_tokens.padding_idx = None
        if llama.config.tie_word_embeddings:
            # One tensor under two names is written once.
            self.register_state_dict_post_hook(_forget_tied)
            self.register_load_state_dict_pre_hook(_recall_tied)

    @property
    def context_length(self) -> int:
        """How many tokens the model can read at most."""
        return self.llama.config.max_position_embeddings

    def hidden(self, batch: Batch, cache: KeyValueCache | None = None) -> Tensor:
        """A vector for each input token, (batch, length, width), from that token and those before.

        With a cache, the inputs are what comes after the tokens that it holds, and join them.

        Raises:
            ValueError: a text is longer than the context, or the cache has another number of rows.
        """
        refuse_beyond_context(batch, self.context_length, 0 if cache is None else cache.longest)
        positions, layers = batch.positions, None
        mask = None  # plain causal attention: padding lies to the right, where no token looks
        if cache is not None:
            positions, layers = cache.begin(batch.inputs), _CacheLayers(cache)  # (batch, length)
            mask = cache.mask  # (batch, 1, length, slots)
        if mask is None and (positions is not None or batch.segments is not None):
            # Spelled out, for transformers would make guesses from the positions.
            mask = causal_mask(batch)  # (batch, 1, length, length)
        read = self.llama.model(
            input_ids=batch.inputs,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=layers,
            use_cache=False,  # no cache of transformers' own making
        )
        if cache is not None:
            cache.finish()
        return read.last_hidden_state

    def head(self, hidden: Tensor) -> Tensor:
        """Logits over the vocabulary: (…, width) to (…, vocabulary)."""
        return self.llama.lm_head(hidden)

    def save(self, folder: str | Path) -> None:
        """Write weights, config and tokenizer, each file whole, as transformers reads them back."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as part:
            with quiet_transformers():
                self.llama.save_pretrained(part)
            self.tokenizer.save(part)
            for path in sorted(Path(part).iterdir()):
                path.chmod(0o644)  # safetensors lets only the owner read
                os.replace(path, folder / path.name)


class _CacheLayers:
    """The course's cache, as transformers' attention asks for it."""

    def __init__(self, cache: KeyValueCache):
        self.cache = cache

    def update(self, keys: Tensor, values: Tensor, layer: int) -> tuple[Tensor, Tensor]:
        """Store (batch, heads, length, width / heads); give back all there are, with slots for
        length."""
        keys, values, _ = self.cache.layer(layer).extend(keys, values)
        return keys, values


def causal_mask(batch: Batch) -> Tensor:
    """True where a token may look, (batch, 1, length, length): back, and in its own text."""
    rows, length = batch.inputs.shape
    if batch.segments is not None:
        return visible(batch.segments)[:, None]
    mask = torch.ones(length, length, dtype=torch.bool, device=batch.inputs.device).tril()
    return mask.expand(rows, 1, length, length)


def load_smollm2(
    dtype: torch.dtype = torch.float32, say: Callable[[str], object] = print
) -> LocalLLM:
    """SmolLM2-135M-Instruct in evaluation mode; about 2 s, and 20 s more at the first call.

    float32 (538 MB) to train on a CPU; bfloat16 halves the memory, and is faster on processors
    that compute with it.

    Raises:
        CheckpointError: as ``smollm2_folder`` and ``load_local_llm``.

    Source: Allal et al. 2025, "SmolLM2: When Smol Goes Big", arXiv 2502.02737.
    """
    return load_local_llm(smollm2_folder(say), dtype)


def load_local_llm(folder: str | Path, dtype: torch.dtype = torch.float32) -> LocalLLM:
    """The Llama model in a folder, as transformers and ``LocalLLM.save`` write it.

    Nothing is looked up on the network.

    Raises:
        CheckpointError: transformers is not installed, or the folder's files cannot be read.
    """
    try:
        from transformers import AutoTokenizer, LlamaForCausalLM
    except ImportError as error:
        raise CheckpointError(not_installed("transformers")) from error
    folder = Path(folder)
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            llama = LlamaForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
    except Exception as error:  # of many kinds, from several libraries
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{folder} cannot be loaded as a Llama model: {reason}") from error
    return LocalLLM(llama, LocalTokenizer(tokenizer)).eval()


def is_llama(folder: Path) -> bool:
    """Whether a folder's config.json is that of a Llama model."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return "LlamaForCausalLM" in config["architectures"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _forget_tied(module: nn.Module, state: dict, prefix: str, metadata: dict) -> None:
    state.pop(prefix + TIED[0], None)


def _recall_tied(module: nn.Module, state: dict, prefix: str, *arguments) -> None:
    if prefix + TIED[1] in state:
        state.setdefault(prefix + TIED[0], state[prefix + TIED[1]])
