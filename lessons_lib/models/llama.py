"""A real language model that keeps the course's protocol: SmolLM2, 135 million weights. Lesson 09.

Data set, collator, training loop and generation take it as they take the course's own model; only
its tokenizer is another one. Later lessons use it as a judge, as a teacher and for LoRA.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lessons_lib.batching import Batch
from lessons_lib.batching.batch import refuse_beyond_context, visible
from lessons_lib.data import LocalTokenizer
from lessons_lib.models import folders
from lessons_lib.models.kv_cache import KeyValueCache
from lessons_lib.models.protocol import LanguageModel
from lessons_lib.models.smollm2_files import quiet_transformers
from lessons_lib.support import CheckpointError

# Where a Llama's config.json leaves a size out, transformers takes these.
DEFAULTS = {
    "vocab_size": 32_000,
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
}
VOCABULARY_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")  # one holds the tokens
NO_TRANSFORMERS = (
    "this model needs the package transformers, which is not installed. `make lab` installs it; "
    'so does this line:\npython -m pip install "transformers>=5.23,<6"'
)
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
        if llama.lm_head.weight is llama.model.embed_tokens.weight:
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

    def keep_first_layers(self, count: int) -> None:
        """Take out all blocks behind the first ``count``: a model that is quick, and worse."""
        self.llama.model.layers = self.llama.model.layers[:count]
        self.llama.config.num_hidden_layers = count

    def save(self, folder: str | Path) -> None:
        """Write weights, config and tokenizer as transformers reads them back: all, or nothing."""
        tensors = {
            name.removeprefix("llama."): weight.detach().cpu().contiguous()
            for name, weight in self.state_dict().items()
        }
        config = self.llama.config
        config.architectures = [type(self.llama).__name__]
        config.dtype = self.llama.dtype

        def write_others(part: Path) -> None:
            self.tokenizer.save(part)
            self.llama.generation_config.save_pretrained(part)
            config.save_pretrained(part)

        with quiet_transformers():
            folders.write_folder(Path(folder), tensors, write_others)


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


def load_local_llm(folder: str | Path) -> LocalLLM:
    """The Llama model in a folder, as transformers and ``LocalLLM.save`` write it, in float32.

    Nothing is looked up on the network, no code of the folder's is run.

    Raises:
        CheckpointError: transformers is not installed, a file cannot be read, weights are missing,
            left over or of other shapes, or the tokenizer does not fit the model.
    """
    folder = Path(folder)
    config = folders.read_config(folder)
    try:
        from transformers import LlamaForCausalLM
    except ImportError as error:
        raise CheckpointError(NO_TRANSFORMERS) from error
    sizes = check_sizes(folder, config)
    tokenizer = load_tokenizer(folder, sizes["vocab_size"])
    try:
        with quiet_transformers():
            llama, report = LlamaForCausalLM.from_pretrained(
                folder,
                dtype=torch.float32,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                attn_implementation="sdpa",
                output_loading_info=True,
            )
    except Exception as error:  # of many kinds, from several libraries
        raise CheckpointError(
            f"{folder} cannot be loaded as a Llama model: {_first_line(error)}"
        ) from error
    folders.check_report(report, folder)
    return LocalLLM(llama, tokenizer).eval()


def load_tokenizer(folder: Path, rows: int) -> LocalTokenizer:
    """The tokenizer in a folder, for a model with so many rows; nothing is looked up elsewhere.

    Raises:
        CheckpointError: transformers is not installed, the files cannot be read, texts would have
            no end, or a token would have no row.
    """
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise CheckpointError(NO_TRANSFORMERS) from error
    # transformers would make an empty one, without a word.
    if not any((folder / name).is_file() for name in VOCABULARY_FILES):
        raise CheckpointError(
            f"{folder} holds no tokenizer: save the one with which the model was trained into it, "
            "with AutoTokenizer.from_pretrained(…).save_pretrained(folder)"
        )
    try:
        with quiet_transformers():
            fast = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        tokenizer = LocalTokenizer(fast)
    except Exception as error:  # of many kinds, from several libraries
        raise CheckpointError(
            f"the tokenizer in {folder} cannot be used: {_first_line(error)}"
        ) from error
    if tokenizer.vocabulary_size > rows:
        raise CheckpointError(
            f"the tokenizer in {folder} has {tokenizer.vocabulary_size:,} token ids, its model "
            f"rows for {rows:,}. Take the tokenizer with which the model was trained, or give the "
            "model more rows with transformers' resize_token_embeddings"
        )
    return tokenizer


def check_sizes(folder: Path, config: Mapping[str, Any]) -> dict[str, int]:
    """The sizes in a Llama's config.json, compared with its weights before memory is asked for.

    Raises:
        CheckpointError: one is no size, the heads do not share the width, or a weight is missing
            or has another shape.
    """
    sizes = {name: config.get(name, default) for name, default in DEFAULTS.items()}
    heads, width = sizes["num_attention_heads"], sizes["hidden_size"]
    path = folder / folders.CONFIG
    folders.check_sizes(path, sizes)
    groups = config.get("num_key_value_heads") or heads
    head_width = config.get("head_dim") or width // heads
    folders.check_sizes(path, {"num_key_value_heads": groups, "head_dim": head_width})
    if heads % groups:
        raise CheckpointError(f"{path}: {heads} heads cannot be shared by {groups} keys and values")
    found, metadata = folders.read_shapes(folder)
    folders.check_whole(folder, config, metadata)
    layers = sum(name.endswith(".input_layernorm.weight") for name in found)
    if layers < sizes["num_hidden_layers"]:  # before so many are made
        folders.refuse_other_names(folder, [f"model.layers.{layers}.input_layernorm.weight"], [])
    wanted = {"model.embed_tokens.weight": (sizes["vocab_size"], width)}
    for layer in range(sizes["num_hidden_layers"]):
        start = f"model.layers.{layer}"
        wanted |= {
            f"{start}.mlp.gate_proj.weight": (sizes["intermediate_size"], width),
            f"{start}.self_attn.q_proj.weight": (heads * head_width, width),
            f"{start}.self_attn.k_proj.weight": (groups * head_width, width),
        }
    folders.refuse_other_shapes(folder, wanted, found)
    return sizes


def _forget_tied(module: nn.Module, state: dict, prefix: str, metadata: dict) -> None:
    state.pop(prefix + TIED[0], None)


def _recall_tied(module: nn.Module, state: dict, prefix: str, *arguments) -> None:
    if prefix + TIED[1] in state:
        state.setdefault(prefix + TIED[0], state[prefix + TIED[1]])


def _first_line(error: BaseException) -> str:
    """An error of another library in one line."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
