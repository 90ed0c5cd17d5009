"""A transformers tokenizer that keeps the course's protocol; chats become token ids. Lesson 09.

What stands in somebody's text is text: "<|im_end|>" written by a user never becomes the token that
ends a message, neither in an entry nor in a chat.
"""

import copy
import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import tiktoken

from lessons_lib.data.tokenizer import Tokenizer, TokenizerError, end_of_text_of, get_tokenizer

ROLES = ("system", "user", "assistant")
Message = Mapping[str, str]  # {"role": one of ROLES, "content": a text}


class LocalTokenizer:
    """Texts to token ids and back, by a fast tokenizer of transformers.

    ``fast`` is the tokenizer itself, for libraries that want it.

    Raises:
        TokenizerError: it is no fast tokenizer, or has no token that ends a text.
    """

    def __init__(self, fast: Any):
        if not fast.is_fast:
            raise TokenizerError(
                f"{type(fast).__name__} is no fast tokenizer: save it once with a tokenizer.json"
            )
        if fast.eos_token_id is None:
            raise TokenizerError(
                "it has no token that ends a text, so an answer would never end: name one that its "
                "vocabulary has, as eos_token of the tokenizer or in tokenizer_config.json"
            )
        self.fast = fast
        # Copies of the part that does the work, so that nobody else's setting changes these.
        self._plain = copy.deepcopy(fast.backend_tokenizer)
        self._plain.no_truncation()  # some files say that texts are to be cut
        self._plain.no_padding()
        self._written = copy.deepcopy(self._plain)  # for texts with special tokens in them
        self._plain.encode_special_tokens = True  # means: as the ordinary text that they are

    @property
    def end_of_text_id(self) -> int:
        """The token that ends an answer; for SmolLM2 <|im_end|> = 2."""
        return self.fast.eos_token_id

    @functools.cached_property
    def begin_ids(self) -> list[int]:
        """The tokens with which a text begins: [1] for Llama 2, none for SmolLM2 and GPT-2.

        A chat begins as its template says.
        """
        read, plain = self._written.encode("x").ids, self.encode_ordinary("x")
        starts = [i for i in range(len(read)) if read[i : i + len(plain)] == plain]
        return read[: starts[0]] if starts else []

    @property
    def name(self) -> str:
        """What the tokenizer is called: the last part of where it came from, or its class."""
        return PurePath(self.fast.name_or_path or type(self.fast).__name__).name

    @property
    def vocabulary_size(self) -> int:
        """How many rows a model needs for its token ids."""
        return max(self.fast.get_vocab().values()) + 1

    @property
    def has_chat_template(self) -> bool:
        """Whether ``chat_ids`` can write a chat."""
        template = self.fast.chat_template  # one, or several by name
        return "default" in template if isinstance(template, dict) else bool(template)

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of all that decides over the token ids, 16 hexadecimal digits."""
        written = self._plain.to_str() + str(self.end_of_text_id)
        if self.begin_ids:
            written += f" begin {self.begin_ids}"
        return hashlib.sha256(written.encode()).hexdigest()[:16]

    def encode_ordinary(self, text: str) -> list[int]:
        """The text's token ids, none of them special, nothing added."""
        return self._plain.encode(text, add_special_tokens=False).ids

    encode = encode_ordinary

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of token ids; special tokens are spelled out, half a character is U+FFFD."""
        return self._plain.decode(list(tokens), skip_special_tokens=False)

    def decode_single_token_bytes(self, token_id: int) -> bytes:
        """What one token stands for, in bytes: often half a character, and never cut or joined.

        ``decode`` shows such a half as U+FFFD, and may drop the space before a word.

        Raises:
            KeyError: there is no such token.
        """
        piece = self._plain.id_to_token(token_id)
        if piece is None:
            raise KeyError(token_id)
        if token_id in self.fast.added_tokens_decoder:  # written as it is
            return piece.encode()
        return piece_bytes(piece, self._decoders)

    @functools.cached_property
    def _decoders(self) -> frozenset[str]:
        """The kinds of steps by which pieces become text, such as "ByteLevel"."""
        decoder = json.loads(self._plain.to_str())["decoder"] or {"type": "none"}
        return frozenset(step["type"] for step in decoder.get("decoders", [decoder]))

    def chat_ids(self, messages: Sequence[Message]) -> list[int]:
        """The token ids of a chat up to where the assistant's next message begins.

        The tokenizer's own template writes them, a token that begins texts among them if it wants
        one. Special tokens are those of the template alone.

        Raises:
            ValueError: no message, an unknown role, a tokenizer without a template, or messages
                that the template refuses.
        """
        check_messages(messages)
        if not self.has_chat_template:
            raise ValueError(
                "this model's tokenizer has no chat template: name the prompt format that the "
                "model was trained with"
            )
        # The template is filled with marks first, to know which special tokens are its own.
        mark = "\ue000"
        while any(mark in message["content"] for message in messages):
            mark += "\ue001"
        marked = self._apply_template(
            [
                {"role": message["role"], "content": f"{mark}{place}{mark}"}
                for place, message in enumerate(messages)
            ]
        )
        special = {
            str(token): i for i, token in self.fast.added_tokens_decoder.items() if token.special
        }
        pieces = re.split(f"({'|'.join(map(re.escape, special))})", marked) if special else [marked]
        wanted = [special[piece] for piece in pieces if piece in special]
        text = self._apply_template([dict(message) for message in messages])
        token_ids = self._written.encode(text, add_special_tokens=False).ids
        if [i for i in token_ids if i in special.values()] == wanted:
            return token_ids
        # Somebody has written a special token: the marks become messages piece by piece.
        token_ids = []
        for piece in pieces:
            if piece in special:
                token_ids.append(special[piece])
                continue
            text = re.sub(
                f"{mark}(\\d+){mark}", lambda found: messages[int(found[1])]["content"], piece
            )
            token_ids += self.encode_ordinary(text)
        return token_ids

    def _apply_template(self, messages: list[dict[str, str]]) -> str:
        try:
            return self.fast.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
        except Exception as error:  # the template is a program, and it may raise whatever it likes
            roles = ", ".join(message["role"] for message in messages)
            raise ValueError(
                f"the model's chat template refuses this chat ({roles}): {error}"
            ) from error

    def save(self, folder: Path) -> None:
        """Write the files that ``AutoTokenizer.from_pretrained(folder)`` reads."""
        self.fast.save_pretrained(folder)


def as_tokenizer(given: Any = None) -> Tokenizer:
    """A tokenizer that keeps the course's protocol: what is given, or made of it; else GPT-2's.

    tiktoken's encodings are taken as they are, a tokenizer of transformers becomes a
    ``LocalTokenizer``. All others need ``encode``, ``decode`` and ``end_of_text_id``.

    Raises:
        TokenizerError: it is none of these, or has no token that ends a text; says what to do.
    """
    if given is None:
        return get_tokenizer()
    if hasattr(given, "eos_token_id") and hasattr(given, "is_fast"):
        return LocalTokenizer(given)
    if isinstance(given, str):
        raise TokenizerError(
            f"{given!r} is a name, not a tokenizer: give load_model('smollm2').tokenizer, or one "
            "that transformers' AutoTokenizer.from_pretrained makes"
        )
    kind = type(given).__name__
    if not (hasattr(given, "encode") and hasattr(given, "decode")):
        raise TokenizerError(f"{kind} is no tokenizer: it lacks encode or decode")
    if hasattr(given, "token_to_id"):  # of the package tokenizers
        raise TokenizerError(
            "a tokenizer of the package tokenizers does not say which token ends a text: wrap it, "
            "transformers.PreTrainedTokenizerFast(tokenizer_object=…, eos_token=…)"
        )
    if isinstance(given, tiktoken.Encoding):
        end_of_text_of(given)  # raises where it has none
    elif not isinstance(getattr(given, "end_of_text_id", None), int):
        raise TokenizerError(
            f"{kind} does not say which token ends a text: give it an end_of_text_id, an int"
        )
    return given


# The letters by which byte-level vocabularies write bytes: printable ones stand for themselves, the
# others have the letters from U+0100 on, in their order.
_PRINTED = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_UNPRINTED = [byte for byte in range(256) if byte not in _PRINTED]
BYTE_OF_LETTER = {chr(byte): byte for byte in _PRINTED}
BYTE_OF_LETTER |= {chr(0x100 + place): byte for place, byte in enumerate(_UNPRINTED)}


def piece_bytes(piece: str, decoders: frozenset[str]) -> bytes:
    """The bytes that a piece of a vocabulary stands for, given the steps that decode it.

    A piece of a vocabulary of another kind (WordPiece's "##ing") is its own text.
    """
    if "ByteLevel" in decoders and all(letter in BYTE_OF_LETTER for letter in piece):
        return bytes(BYTE_OF_LETTER[letter] for letter in piece)
    if "ByteFallback" in decoders and (byte := re.fullmatch("<0x([0-9A-F]{2})>", piece)):
        return bytes.fromhex(byte[1])
    if not decoders.isdisjoint(("Metaspace", "Replace")):
        piece = piece.replace("▁", " ")  # SentencePiece's mark of a space
    return piece.encode()


def check_messages(messages: Sequence[Message]) -> None:
    """Raise a ValueError that says what is wrong with a chat, if something is."""
    if isinstance(messages, (str, Mapping)) or not messages:
        raise ValueError('messages is a list of {"role": …, "content": …}, at least one')
    for place, message in enumerate(messages):
        if message.get("role") not in ROLES:
            known = ", ".join(map(repr, ROLES))
            raise ValueError(f"message {place}: role is {known}, not {message.get('role')!r}")
        if not isinstance(message.get("content"), str):
            raise ValueError(f"message {place} has no text as its content")
