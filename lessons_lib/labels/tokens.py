"""What is read off tokens: their text, which of them stop one, and headers of known formats.

Hugging Face's tokenizers, fast or slow, tiktoken's, and the course's own are read alike. A header
is looked for in the text, not in the ids: a tokenizer may join its last character with what
follows. Such a token belongs to both sides, and may count or not.
"""

import functools
import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lessons_lib.data import LocalTokenizer
from lessons_lib.labels.sources import LabelsError

THINKING = re.compile(r"\s*<think>\s*</think>\s*")  # an empty one: of the header in some templates


@dataclass(frozen=True)
class ChatFormat:
    """``header`` announces a response, ``end`` closes it; where ``turns`` is False there is one.

    ``loose``: the white space that ends a header may count or not. Of TRL's own templates for
    training, ChatML's lets the line end count.
    """

    name: str
    header: str  # regular expression
    end: str = ""
    turns: bool = True
    loose: bool = False


FORMATS = (
    ChatFormat("ChatML", r"<\|im_start\|>assistant\n", "<|im_end|>", loose=True),
    ChatFormat(
        "Llama 3",
        r"<\|start_header_id\|>assistant<\|end_header_id\|>\n\n",
        "<|eot_id|>",
        loose=True,
    ),
    ChatFormat("Gemma", r"<start_of_turn>model\n", "<end_of_turn>"),
    ChatFormat("Phi-3", r"\n?<\|assistant\|>\n", "<|end|>"),
    ChatFormat("Llama 2", r"\[/INST\]"),
    ChatFormat("Alpaca", r"\n{0,2}### Response:\n", turns=False),
    ChatFormat("Alpaca, no line end", r"\n{0,2}### Response:(?!\n)", turns=False),
)


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
        turn_ends = _ids_of(tokenizer, [each.end for each in FORMATS])
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


def _ids_of(tokenizer: Any, names: Iterable[str]) -> list[int]:
    """The ids of those special tokens that the vocabulary has."""
    if hasattr(tokenizer, "get_vocab"):
        vocabulary = tokenizer.get_vocab()
        return [vocabulary[name] for name in names if name in vocabulary]
    special = getattr(tokenizer, "special_tokens_set", set())  # tiktoken's
    return [tokenizer.encode_single_token(name) for name in names if name in special]


@dataclass(frozen=True)
class Parts:
    """Places of a text's tokens: ``headers``, ``responses``, and ``borders``, where either will do.

    Each response runs from its first token to the one after its last, its closing tag included.
    """

    headers: set[int] = field(default_factory=set)
    responses: list[tuple[int, int]] = field(default_factory=list)
    borders: set[int] = field(default_factory=set)


def find_format(texts: Sequence[str]) -> ChatFormat | None:
    """The format whose headers occur in most texts; of equals the first. None if there is none."""
    counts = {each.name: sum(bool(re.search(each.header, t)) for t in texts) for each in FORMATS}
    best = max(FORMATS, key=lambda each: counts[each.name])
    return best if counts[best.name] else None


def ends_turns(chat_format: ChatFormat, tokens: TokenReader, texts: Sequence[str]) -> bool:
    """Whether the end of text also ends the turns of a chat, for want of a token that does."""
    if not chat_format.turns or tokens.end_id is None:
        return False
    if tokens.piece(tokens.end_id) == chat_format.end:
        return True
    return not (chat_format.end and any(chat_format.end in text for text in texts))


def find_parts(
    pieces: Sequence[str],
    stops: Sequence[bool],
    chat_format: ChatFormat,
    begins: Callable[[int], bool],
) -> Parts:
    """The parts of a text, given the text of each of its tokens, and which of them stop a turn.

    ``begins(place)`` says whether labels begin at a token: of several headers in a format with one
    response, some may be somebody's words, and the true one is where labels begin.
    """
    text = "".join(pieces)
    ends = list(itertools.accumulate(map(len, pieces)))  # of each token, in characters
    found = list(re.finditer(chat_format.header, text))
    if not chat_format.turns and found:
        true = [
            match
            for match in found
            if begins(bisect_right(ends, match.end())) or begins(bisect_left(ends, match.end()) + 1)
        ]
        found = (true or found)[:1]
    parts = Parts()
    for match in found:
        start, last = bisect_right(ends, match.start()), bisect_left(ends, match.end())
        parts.headers.update(range(start, last + 1))
        if ends[start] - len(pieces[start]) < match.start():
            parts.borders.add(start)  # the token began before the header
        while start and pieces[start - 1].isspace():  # white space before it may have been joined
            start -= 1
            parts.borders.add(start)
        first = last + 1
        if ends[last] > match.end():  # the token goes on into the response
            parts.borders.add(last)
        while chat_format.loose and last >= 0 and pieces[last].isspace():
            parts.borders.add(last)
            last -= 1
        if thought := THINKING.match(text, match.end()):
            until = bisect_left(ends, thought.end())
            parts.borders.update(range(first, until + 1))
        end = _end_of(text, match.end(), ends, chat_format)
        if chat_format.turns and True in stops[first:end]:
            end = stops.index(True, first) + 1
        parts.responses.append((first, max(first, end)))
    return parts


def _end_of(text: str, start: int, ends: list[int], chat_format: ChatFormat) -> int:
    """The place after a response's last token: its closing tag, the next header, or the text's."""
    stops = [len(text)]
    if chat_format.end and (at := text.find(chat_format.end, start)) >= 0:
        stops.append(at + len(chat_format.end))
    if chat_format.turns and (following := re.compile(chat_format.header).search(text, start)):
        stops.append(following.start())
    return bisect_left(ends, min(stops)) + 1
