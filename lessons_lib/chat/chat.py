"""Talking to a fine-tuned model: a message becomes the prompt it was trained on, the reply streams.

Taught in lesson 12. The model has seen single questions with single answers and no conversation, so
each message is asked by itself. ``memory=True`` puts earlier turns before it: an experiment, whose
effect the lesson measures.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from torch import nn

from lessons_lib.batching import tokenize
from lessons_lib.data import (
    PromptFormat,
    Tokenizer,
    end_of_text_of,
    get_prompt_format,
    tokenizer_of,
)
from lessons_lib.generation import Sampling, TextStream
from lessons_lib.generation.decoding import Row, start_rows, step_rows
from lessons_lib.support.reply_options import as_stop_texts, check_options

OWN = "own"  # the format's name for a chat template that came with the model
UNDER_WAY = "another reply is under way; stop() ends it"
ROOM = 4  # with memory, up to a quarter of the context is kept free for the reply


class MessageTooLong(ValueError):
    """A message whose prompt fills the model's context, so that no reply would fit."""

    def __init__(self, tokens: int, limit: int):
        super().__init__(
            f"the message makes a prompt of {tokens:,} tokens; this model reads {limit:,} at most, "
            "its reply among them: say it in fewer words"
        )
        self.tokens, self.limit = tokens, limit


@dataclass(frozen=True)
class Turn:
    """One message and the reply to it."""

    message: str
    reply: str
    finish: Literal["end", "length", "stopped"] = "end"  # by itself, at a limit, by ``stop()``
    prompt_tokens: int = 0  # that the model read, earlier turns among them
    reply_tokens: int = 0

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped the reply before it had ended."""
        return self.finish == "stopped"


class Chat:
    """Turns with one model; each reply can be had piece by piece, or at once.

    ``model`` has ``hidden``, ``head`` and ``context_length``; if it has a ``tokenizer``, that is
    used, else GPT-2's. ``format`` is a prompt format or its name: take the one that the model was
    fine-tuned with. "own" is the chat template of the model's tokenizer, where it has one
    (``chat_ids``). A reply ends at end of text, at the format's closing tag, or at the text or one
    of the texts in ``stop``; none of them is part of the reply.

    ``temperature``, ``top_k``, ``top_p``: see ``Sampling``. ``seed``: a message is answered alike
    each time it is asked; None answers anew. All options can be changed between turns.

    With ``memory``, earlier turns stand before the message as they would in a training text:
    prompt, reply, closing tag, and a blank line after each. The oldest are left out until at
    least ``max_new_tokens``, or a quarter of the context if that is less, are free for the reply.

    Raises:
        ValueError: there is no such format, the model has no chat template of its own, a stop text
            is empty, or a number is out of range. TypeError: that is no model, or an option is of
            another kind.
    """

    def __init__(
        self,
        model: nn.Module,
        format: str | PromptFormat = "alpaca",
        *,
        memory: bool = False,
        temperature: float = 0.0,
        top_k: int | None = None,
        top_p: float | None = None,
        max_new_tokens: int = 128,
        seed: int | None = None,
        stop: str | Sequence[str] = (),
        tokenizer: Tokenizer | None = None,
    ):
        _check_model(model)
        self.model, self.memory, self.seed = model, memory, seed
        self.temperature, self.top_k, self.top_p = temperature, top_k, top_p
        self.max_new_tokens, self.stop_texts = max_new_tokens, as_stop_texts(stop)
        check_options(self)
        self.tokenizer = tokenizer or tokenizer_of(model)
        self.format = None if format == OWN else get_prompt_format(format)
        if self.format is None and not hasattr(self.tokenizer, "chat_ids"):
            raise ValueError("this model's tokenizer has no chat template; name a prompt format")
        self.turns: list[Turn] = []
        self._stopping = threading.Event()
        self._speaking = threading.Lock()

    @property
    def speaking(self) -> bool:
        """Whether a reply is under way."""
        return self._speaking.locked()

    def prompt(self, message: str) -> str:
        """What the model would read if this were the next message.

        Raises:
            ValueError: the message is blank. MessageTooLong: it does not fit the context.
            TypeError: it is no text.
        """
        return self.tokenizer.decode(self.prompt_tokens(message))

    def prompt_tokens(self, message: str) -> list[int]:
        """The token ids of ``prompt(message)``; raises what that raises."""
        if not isinstance(message, str):
            raise TypeError(f"a message is a text, not {message!r}")
        if not message.strip():
            raise ValueError("the message is empty: there is nothing to reply to")
        token_ids = self._encode([], message)
        limit = self.model.context_length
        if len(token_ids) >= limit:
            raise MessageTooLong(len(token_ids), limit)
        longest = limit - min(self.max_new_tokens, limit // ROOM)
        for kept in range(1, len(self.turns) + 1 if self.memory else 1):
            longer = self._encode(self.turns[-kept:], message)
            if len(longer) > longest:
                break
            token_ids = longer
        return token_ids

    def stream(self, message: str) -> Iterator[str]:
        """The reply in pieces of text, as they become certain; never half a character.

        Afterwards it is ``turns[-1]``. A message that is refused changes nothing. Whoever stops
        iterating and closes the iterator stops the reply.

        Raises:
            ValueError: as ``prompt``, at once; an option is out of range; while iterating, the
                model's logits are not finite. TypeError: the message is no text, or an option is
                of another kind. RuntimeError: another reply is under way.
        """
        check_options(self)
        if self.speaking:  # before anything is changed: a stop that was asked for still holds
            raise RuntimeError(UNDER_WAY)
        prompt = self.prompt_tokens(message)
        sampling = Sampling(self.temperature, self.top_k, self.top_p)
        [row] = start_rows(self.model, [prompt], self.max_new_tokens, self.seed)
        self._stopping.clear()
        return self._pieces(message, row, sampling, self.turns)

    def reply(self, message: str) -> str:
        """The whole reply; errors as ``stream``."""
        return "".join(self.stream(message))

    def stop(self) -> None:
        """End the reply under way after its next token; what was said is kept. Thread-safe."""
        self._stopping.set()

    def reset(self) -> None:
        """Forget all turns, and stop the reply under way."""
        self.stop()
        self.turns = []

    def _pieces(
        self, message: str, row: Row, sampling: Sampling, turns: list[Turn]
    ) -> Iterator[str]:
        if not self._speaking.acquire(blocking=False):
            raise RuntimeError(UNDER_WAY)
        closing = self.format.response_end if self.format else ""
        stops = as_stop_texts(self.stop_texts)
        text = TextStream(self.tokenizer, [*stops, *filter(None, [closing])])
        end_of_text = end_of_text_of(self.tokenizer)
        steps = step_rows(self.model, [row], sampling, end_of_text, True, text.ends)
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
            finish = ""  # no reply: the turn did not take place
            raise
        finally:
            steps.close()
            if finish:
                counts = row.prompt_length, len(row.new)
                turns.append(Turn(message, text.given, finish, *counts))
            self._speaking.release()

    def _encode(self, earlier: Sequence[Turn], message: str) -> list[int]:
        """Token ids of the message's prompt, with these turns before it."""
        if self.format is None:
            said = [(turn.message, turn.reply) for turn in earlier]
            messages = [
                {"role": role, "content": text}
                for pair in said
                for role, text in zip(("user", "assistant"), pair, strict=True)
            ]
            return self.tokenizer.chat_ids([*messages, {"role": "user", "content": message}])
        before = [self.format.text(_entry(turn.message, turn.reply)) for turn in earlier]
        return tokenize("\n\n".join([*before, self.format.prompt(_entry(message))]), self.tokenizer)


def _check_model(model: nn.Module) -> None:
    if isinstance(model, str | PurePath):
        raise TypeError(f"a model is wanted, not its name: load_model({str(model)!r}) gives one")
    missing = [each for each in ("hidden", "head", "context_length") if not hasattr(model, each)]
    if missing:
        raise TypeError(f"that is no model to talk to: {model!r:.60} has no {missing[0]!r}")


def _entry(message: str, reply: str = "") -> dict[str, str]:
    """A message is an instruction without an input."""
    return {"instruction": message, "input": "", "output": reply}
