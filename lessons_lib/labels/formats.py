"""Where a text's responses are: the headers that announce them in known formats, or the labels.

A header is looked for in the text, not in the ids: a tokenizer may join its last character with
what follows. Such a token belongs to both sides, and may count or not.
"""

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
    ChatFormat("Alpaca", r"\n{0,2}### Response:\n", turns=False),
    ChatFormat("Alpaca, no line end", r"\n{0,2}### Response:(?!\n)", turns=False),
)


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


def find_parts(
    pieces: Sequence[str], chat_format: ChatFormat, begins: Callable[[int], bool]
) -> Parts:
    """The parts of a text, given the text of each of its tokens.

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
        parts.responses.append((first, max(first, _end_of(text, match.end(), ends, chat_format))))
    return parts


def _end_of(text: str, start: int, ends: list[int], chat_format: ChatFormat) -> int:
    """The place after a response's last token: its closing tag, the next header, or the text's."""
    stops = [len(text)]
    if chat_format.end and (at := text.find(chat_format.end, start)) >= 0:
        stops.append(at + len(chat_format.end))
    if chat_format.turns and (following := re.compile(chat_format.header).search(text, start)):
        stops.append(following.start())
    return bisect_left(ends, min(stops)) + 1
