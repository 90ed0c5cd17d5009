"""From token ids that come one by one to pieces of text that stay as they are. Taught in lesson 12.

A token can end in the middle of a character, a space may turn out to be the last one, and "<|e"
may be the start of a closing tag. Such an end is held back until more tokens tell.
"""

from collections.abc import Sequence

from lessons_lib.data import Tokenizer

# A character has up to four bytes, so up to three may be there without the last. Tokenizers show
# them as one U+FFFD or as three.
MOST_HALVES = 3


def cut_at(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """The text up to the first stop text in it, and whether there is one."""
    starts = [start for start in map(text.find, stop) if start >= 0]
    return (text[: min(starts)], True) if starts else (text, False)


class TextStream:
    """The text of one growing row of token ids, given out piece by piece.

    The pieces joined are the whole text without white space around it, up to the first stop text.
    """

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str] = ()):
        self.tokenizer, self.stop = tokenizer, tuple(stop)
        self.given = ""  # all pieces so far

    def ends(self, token_ids: list[int]) -> bool:
        """Whether the text of these token ids has a stop text in it."""
        return bool(self.stop) and cut_at(self.tokenizer.decode(token_ids), self.stop)[1]

    def more(self, token_ids: list[int]) -> str:
        """What has become certain, now that the row is ``token_ids``; often nothing."""
        text, found = cut_at(self.tokenizer.decode(token_ids), self.stop)
        if not found:
            text = self._without_begun_stop(_without_half_character(text))
        return self._give(text.strip())

    def last(self, token_ids: list[int]) -> str:
        """The rest, when no token will follow; half a character at the end is U+FFFD."""
        return self._give(cut_at(self.tokenizer.decode(token_ids), self.stop)[0].strip())

    def _give(self, certain: str) -> str:
        if not certain.startswith(self.given):  # a tokenizer that rewrites what it gave before
            return ""
        piece = certain.removeprefix(self.given)
        self.given = certain
        return piece

    def _without_begun_stop(self, text: str) -> str:
        """The text without an end that may be the start of a stop text."""
        begun = 0
        for stop in self.stop:
            lengths = range(min(len(stop) - 1, len(text)), 0, -1)
            fits = (length for length in lengths if text.endswith(stop[:length]))
            begun = max(begun, next(fits, 0))
        return text[: len(text) - begun]


def _without_half_character(text: str) -> str:
    for _ in range(MOST_HALVES):
        text = text.removesuffix("\ufffd")
    return text
