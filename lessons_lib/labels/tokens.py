"""What is asked of anybody's tokenizer: a token's text, and which ids are special.

Hugging Face's tokenizers, fast or slow, tiktoken's, and the course's own are read alike.
"""

import functools
from typing import Any

from lessons_lib.data import LocalTokenizer
from lessons_lib.labels.sources import LabelsError

# Tokens that end a turn in the formats of ``formats``; each counts where a vocabulary has it.
TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>")


class TokenReader:
    """One tokenizer: ``piece(token_id)`` is a token's text, special tokens by their names.

    ``size`` is the number of ids, None where the tokenizer does not say; ``end_id``, ``begin_id``
    and ``pad_id`` are None where it has none; ``stop_ids`` are all ids that end a text or a turn.

    Raises:
        LabelsError: it cannot turn ids into text, so it is no tokenizer.
    """

    def __init__(self, tokenizer: Any):
        tokenizer = getattr(tokenizer, "tokenizer", tokenizer)  # a processor for pictures has one
        if isinstance(tokenizer, LocalTokenizer):
            tokenizer = tokenizer.fast
        if not callable(getattr(tokenizer, "decode", None)):
            raise LabelsError(
                f"{type(tokenizer).__name__} cannot turn token ids into text: give the tokenizer "
                "with which the rows were made, one of transformers' or of tiktoken's"
            )
        self._decode = tokenizer.decode
        self._names = getattr(tokenizer, "convert_ids_to_tokens", None)
        self.size = _size(tokenizer)
        self.name = str(
            getattr(tokenizer, "name_or_path", "")
            or getattr(tokenizer, "name", "")
            or type(tokenizer).__name__
        )
        ends = ("eos_token_id", "eot_token", "end_of_text_id")  # transformers', tiktoken's, ours
        found = (getattr(tokenizer, name, None) for name in ends)
        self.end_id = next((token for token in found if token is not None), None)
        self.begin_id = getattr(tokenizer, "bos_token_id", None)
        self.pad_id = getattr(tokenizer, "pad_token_id", None)
        turn_ends = _ids_of(tokenizer, TURN_ENDS)
        self.stop_ids = frozenset(turn_ends) | ({self.end_id} - {None})

    @functools.lru_cache(maxsize=100_000)  # noqa: B019  (a reader lives as long as its batch)
    def piece(self, token_id: int) -> str:
        """The token's text by itself; half a character is U+FFFD, an id without a token ⟨id⟩."""
        try:
            name = self._names(token_id) if self._names else None
            if name and "▁" in name:  # SentencePiece's space; decoding one token alone drops it
                return name.replace("▁", " ")
            return self._decode([token_id])
        except Exception:  # an id that nobody took is each library's own error
            return f"⟨{token_id}⟩"


def _size(tokenizer: Any) -> int | None:
    """How many ids the vocabulary has, those of added tokens among them."""
    if hasattr(tokenizer, "n_vocab"):  # tiktoken's
        return tokenizer.n_vocab
    if hasattr(tokenizer, "get_vocab"):
        return max(tokenizer.get_vocab().values(), default=-1) + 1
    return getattr(tokenizer, "vocabulary_size", None)


def _ids_of(tokenizer: Any, names: tuple[str, ...]) -> list[int]:
    """The ids of those special tokens that the vocabulary has."""
    if hasattr(tokenizer, "get_vocab"):
        vocabulary = tokenizer.get_vocab()
        return [vocabulary[name] for name in names if name in vocabulary]
    special = getattr(tokenizer, "special_tokens_set", set())  # tiktoken's
    return [tokenizer.encode_single_token(name) for name in names if name in special]
