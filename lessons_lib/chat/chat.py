"""Talking to a fine-tuned model: a message becomes the prompt it was trained on, the reply streams.

Taught in lesson 12. The model has seen single questions with single answers and no conversation, so
each message is asked by itself. ``memory=True`` puts earlier turns before it: an experiment, whose
effect the lesson measures.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

from lessons_lib.data import (
    LocalTokenizer,
    PromptFormat,
    Tokenizer,
    end_of_text_of,
    get_prompt_format,
    text_ids,
    tokenizer_of,
)
from lessons_lib.generation import TextStream
from lessons_lib.generation.decoding import GrowingRow, start_rows, step_rows
from lessons_lib.models import LanguageModel
from lessons_lib.models.protocol import check_model
from lessons_lib.support.reply_options import ReplyOptions, list_options

OWN = "own"  # stands for the chat template of the model's own tokenizer
UNDER_WAY = "another reply is under way; stop() ends it"
KEPT_FREE = 4  # with memory, up to a quarter of the context is kept free for the reply


class MessageTooLong(ValueError):
    """A message whose prompt fills the model's context, so that no reply would fit."""

    def __init__(self, length: int, limit: int):
        super().__init__(
            f"the message makes a prompt of {length:,} tokens; this model reads {limit:,} at most, "
            "its reply among them: say it in fewer words"
        )


@dataclass(frozen=True)
class Turn:
    """One message and the reply to it."""

    message: str
    reply: str
    finish: Literal["end", "length", "stopped"] = "end"  # by itself, at a limit, by ``stop()``
    prompt_tokens: int = 0  # so many the model read, those of earlier turns among them
    reply_tokens: int = 0


class Chat:
    """Turns with one model; each reply can be had piece by piece, or at once.

    ``tokenizer`` is the model's own, if not given. ``format`` is a prompt format or its name: take
    the one that the model was fine-tuned with. "own" is the chat template of the tokenizer, where
    it has one (``chat_ids``). A reply ends at end of text, at the format's closing tag, or at a
    text in ``stop``; none of them is part of the reply.

    The other options are those of ``ReplyOptions``. ``set_options`` changes them between turns.

    With ``memory``, earlier turns stand before the message as they would in a training text:
    prompt, reply, closing tag, and a blank line after each. The oldest are left out until at
    least ``max_new_tokens``, or a quarter of the context if that is less, are free for the reply.

    Raises:
        ValueError: there is no such format, the model has no chat template of its own, or as
            ``ReplyOptions``. TypeError: that is no model, there is no such option, or as
            ``ReplyOptions``.
    """

    # So that chat.temperature = 1 is an error: it would change nothing.
    __slots__ = ("model", "tokenizer", "format", "options", "turns", "_stopping", "_replying")

    @list_options
    def __init__(
        self,
        model: LanguageModel,
        format: str | PromptFormat = "alpaca",
        *,
        tokenizer: Tokenizer | None = None,
        **options,
    ):
        if isinstance(model, str | PurePath):
            raise TypeError(
                f"a model is wanted, not its name: load_model({str(model)!r}) gives one"
            )
        check_model(model)
        self.model, self.options = model, ReplyOptions(**options)
        self.tokenizer = tokenizer or tokenizer_of(model)
        self.format = None if format == OWN else get_prompt_format(format)
        if self.format is None and not has_chat_template(self.tokenizer):
            raise ValueError("this model's tokenizer has no chat template; name a prompt format")
        self.turns: list[Turn] = []
        self._stopping = threading.Event()
        self._replying = threading.Lock()

    def set_options(self, **options) -> None:
        """Change these options for the replies that begin from now on.

        Raises:
            TypeError, ValueError: as ``ReplyOptions``; nothing is changed then.
        """
        self.options = replace(self.options, **options)

    @property
    def is_replying(self) -> bool:
        """Whether a reply is under way."""
        return self._replying.locked()

    def prompt(self, message: str) -> str:
        """What the model would read if this were the next message.

        Raises:
            ValueError: the message is blank, or holds half a character. MessageTooLong: it does
                not fit the context. TypeError: it is not a text.
        """
        return self.tokenizer.decode(self.prompt_ids(message))

    def prompt_ids(self, message: str) -> list[int]:
        """The token ids of ``prompt(message)``; raises what that raises."""
        if not isinstance(message, str):
            raise TypeError(f"a message is a text, not {message!r}")
        if not message.strip():
            raise ValueError("the message is empty: there is nothing to reply to")
        if fault := half_character(message):
            raise ValueError(fault)
        token_ids = self._encode([], message)
        limit = self.model.context_length
        if len(token_ids) >= limit:
            raise MessageTooLong(len(token_ids), limit)
        longest = limit - min(self.options.max_new_tokens, limit // KEPT_FREE)
        for count in range(1, len(self.turns) + 1 if self.options.memory else 1):
            longer = self._encode(self.turns[-count:], message)
            if len(longer) > longest:
                break
            token_ids = longer
        return token_ids

    def stream(self, message: str) -> Iterator[str]:
        """The reply in pieces of text, as they become certain; never half a character.

        Afterwards it is ``turns[-1]``. A message that is refused changes nothing. Whoever stops
        iterating and closes the iterator stops the reply. A shrunk run (``LESSONS_LIB_QUICK``)
        writes ten tokens at most.

        Raises:
            ValueError: as ``prompt``, at once; while iterating, where the model's logits are not
                finite. TypeError: the message is not a text. RuntimeError: another reply is under
                way.
        """
        if self.is_replying:  # before anything is changed: a stop that was asked for still holds
            raise RuntimeError(UNDER_WAY)
        options = self.options.shrunk_if_quick()
        [row] = start_rows(self.model, [self.prompt_ids(message)], options)
        self._stopping.clear()
        return self._pieces(message, row, options, self.turns)

    def reply(self, message: str) -> str:
        """The whole reply; errors as ``stream``."""
        return "".join(self.stream(message))

    def stop(self) -> None:
        """End the reply under way after its next token; what it has so far is kept. Thread-safe."""
        self._stopping.set()

    def reset(self) -> None:
        """Forget all turns, and stop the reply under way."""
        self.stop()
        self.turns = []

    def _pieces(
        self, message: str, row: GrowingRow, options: ReplyOptions, turns: list[Turn]
    ) -> Iterator[str]:
        """Make the reply; then it is a turn of ``turns``."""
        if not self._replying.acquire(blocking=False):
            raise RuntimeError(UNDER_WAY)
        closing_tag = self.format.response_end if self.format else ""
        text = TextStream(self.tokenizer, filter(None, [*options.stop, closing_tag]))
        end_of_text_id = end_of_text_of(self.tokenizer)
        steps = step_rows(self.model, [row], options, end_of_text_id, ends=text.ends)
        finish = "stopped"
        try:
            for _ in steps:
                if self._stopping.is_set():
                    break
                if piece := text.more(row.new):
                    yield piece
            else:
                finish = "end" if row.stopped else "length"
                if piece := text.last(row.new):
                    yield piece
        except Exception:
            finish = None  # there is no reply, and so no turn
            raise
        finally:
            steps.close()
            if finish:
                turns.append(Turn(message, text.given, finish, row.prompt_length, len(row.new)))
            self._replying.release()

    def _encode(self, earlier: Sequence[Turn], message: str) -> list[int]:
        """Token ids of the message's prompt, with these turns before it."""
        if self.format is None:
            messages = []
            for turn in earlier:
                messages.append({"role": "user", "content": turn.message})
                messages.append({"role": "assistant", "content": turn.reply})
            return self.tokenizer.chat_ids([*messages, {"role": "user", "content": message}])
        before = [self.format.text(_entry(turn.message, turn.reply)) for turn in earlier]
        return text_ids("\n\n".join([*before, self.format.prompt(_entry(message))]), self.tokenizer)


def has_chat_template(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer can make token ids of a whole chat."""
    if isinstance(tokenizer, LocalTokenizer):  # that of a base model may lack one
        return tokenizer.has_chat_template
    return hasattr(tokenizer, "chat_ids")


def half_character(text: str) -> str:
    """That a text holds half a character, which no tokenizer can read; "" where it holds none."""
    halves = [character for character in text if "\ud800" <= character <= "\udfff"]
    if not halves:
        return ""
    code = f"U+{ord(halves[0]):04X}"
    return f"the message holds half a character, {code}: write it anew, or leave it out"


def _entry(message: str, reply: str = "") -> dict[str, str]:
    """A message is an instruction without an input."""
    return {"instruction": message, "input": "", "output": reply}
