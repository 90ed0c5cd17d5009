"""A transformers tokenizer that keeps the course's protocol; chats become token ids. Lesson 09.

What stands in somebody's text is text: "<|im_end|>" written by a user never becomes the token that
ends a message, neither in an entry nor in a chat.
"""

import copy
import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROLES = ("system", "user", "assistant")
Message = Mapping[str, str]  # {"role": one of ROLES, "content": a text}


class LocalTokenizer:
    """Texts to token ids and back, by a fast tokenizer of transformers.

    ``fast`` is the tokenizer itself, for libraries that want it.
    """

    def __init__(self, fast: Any):
        self.fast = fast
        # A copy of the part that does the work, so that nobody else's setting changes this one.
        self._plain = copy.deepcopy(fast.backend_tokenizer)
        self._plain.encode_special_tokens = True  # means: as the ordinary text that they are

    @property
    def end_of_text_id(self) -> int:
        """The token that ends an answer; for SmolLM2 <|im_end|> = 2."""
        return self.fast.eos_token_id

    @property
    def vocabulary_size(self) -> int:
        return len(self.fast)

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of all that decides over the token ids, 16 hexadecimal digits."""
        written = self._plain.to_str() + str(self.end_of_text_id)
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

        The tokenizer's own template writes them. Special tokens are those of the template alone.

        Raises:
            ValueError: no message, an unknown role, or a tokenizer without a template.
        """
        check_messages(messages)
        if self.fast.chat_template is None:
            raise ValueError("this tokenizer has no chat template; use complete() instead")
        # The template is filled with marks, and these with the messages when it has been cut at
        # its special tokens.
        mark = "\ue000"
        while any(mark in message["content"] for message in messages):
            mark += "\ue001"
        marked = [
            {"role": message["role"], "content": f"{mark}{place}{mark}"}
            for place, message in enumerate(messages)
        ]
        template = self.fast.apply_chat_template(marked, tokenize=False, add_generation_prompt=True)
        special = {str(token): i for i, token in self.fast.added_tokens_decoder.items()}
        token_ids = []
        for piece in re.split(f"({'|'.join(map(re.escape, special))})", template):
            if piece in special:
                token_ids.append(special[piece])
                continue
            text = re.sub(
                f"{mark}(\\d+){mark}", lambda found: messages[int(found[1])]["content"], piece
            )
            token_ids += self.encode_ordinary(text)
        return token_ids

    def save(self, folder: Path) -> None:
        """Write the files that ``from_pretrained(folder)`` reads."""
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
