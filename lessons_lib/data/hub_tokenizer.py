"""A transformers tokenizer that keeps the course's protocol; chats become token ids. Lesson 09.

What stands in somebody's text is text: "<|im_end|>" written by a user never becomes the token that
ends a message, neither in an entry nor in a chat.
"""

import contextlib
import copy
import functools
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lessons_lib.support import CheckpointError

NO_TRANSFORMERS = (
    "this model needs the package transformers, which is not installed. `make lab` installs it; "
    'so does this line:\npython -m pip install "transformers>=5.23,<6"'
)
ROLES = ("system", "user", "assistant")
Message = Mapping[str, str]  # {"role": one of ROLES, "content": a text}


class LocalTokenizer:
    """Texts to token ids and back, by a fast tokenizer of transformers.

    ``fast`` is the tokenizer itself, for libraries that want it.

    Raises:
        ValueError: it is no fast tokenizer, or has no token that ends a text.
    """

    def __init__(self, fast: Any):
        if not fast.is_fast:
            raise ValueError(
                f"{type(fast).__name__} is no fast tokenizer: save it once with a tokenizer.json"
            )
        if fast.eos_token_id is None:
            raise ValueError(
                "it has no token that ends a text, so an answer would never end: name one as "
                "eos_token in tokenizer_config.json"
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
    try:
        with quiet_transformers():
            fast = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        tokenizer = LocalTokenizer(fast)
    except Exception as error:  # of many kinds, from several libraries
        raise CheckpointError(
            f"the tokenizer in {folder} cannot be used: {first_line(error)}"
        ) from error
    if tokenizer.vocabulary_size > rows:
        raise CheckpointError(
            f"the tokenizer in {folder} has {tokenizer.vocabulary_size:,} token ids, its model "
            f"rows for {rows:,}. Take the tokenizer with which the model was trained, or give the "
            "model more rows with transformers' resize_token_embeddings"
        )
    return tokenizer


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and no advice from transformers while this holds."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def first_line(error: BaseException) -> str:
    """An error of another library in one line."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
