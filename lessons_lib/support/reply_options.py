"""What can be chosen in a chat, as a value and as a typed text, and what is wrong with a choice.

Knows nothing of models, and needs no PyTorch. Used by the chat in a notebook, in a
terminal and on a server, and by the commands; lesson 12.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

SEEDS = 1 - 2**53, 2**53 - 1  # PyTorch takes more, but a page in a browser rounds larger ones


@dataclass(frozen=True)
class Option:
    """An option of ``Chat`` that can be typed; ``name`` is the attribute's.

    ``whole``: a whole number. ``may_be_off``: "off" stands for None.
    """

    name: str
    range: str  # in words
    low: float
    high: float
    whole: bool = False
    may_be_off: bool = False

    @property
    def typed(self) -> str:
        """The name as it is typed: "top-p"."""
        return self.name.replace("_", "-")

    def parse(self, text: str) -> float | int | None:
        """The value that was typed.

        Raises:
            ValueError: it is none of those in ``range``.
        """
        if self.may_be_off and text == "off":
            return None
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise ValueError(f"{self.typed} must be {self.range}, not {text!r}")
        return value


OPTIONS = {
    option.typed: option
    for option in (
        Option("temperature", "a number from 0 to 2", 0, 2),
        Option("top_p", "a number above 0, up to 1, or off", 1e-9, 1, may_be_off=True),
        Option("top_k", "a whole number of 1 or more, or off", 1, math.inf, True, True),
        Option("max_new_tokens", "a whole number of 1 or more", 1, math.inf, True),
        Option("seed", "a whole number, or off", *SEEDS, True, True),
    )
}


def check_options(chat: Any) -> None:
    """Are a chat's options of the right kind? Ranges of sampling are ``Sampling``'s to check.

    Raises:
        TypeError: an option is of another kind. ValueError: a number out of range, an empty text.
    """
    for name, value in (("temperature", chat.temperature), ("top_p", chat.top_p)):
        optional = name == "top_p" and value is None
        if not optional and not _is(Real, value):
            raise TypeError(f"{name} must be a number, not {value!r}")
    whole = {"max_new_tokens": chat.max_new_tokens, "top_k": chat.top_k, "seed": chat.seed}
    for name, value in whole.items():
        optional = name != "max_new_tokens" and value is None
        if not optional and not _is(Integral, value):
            raise TypeError(f"{name} must be a whole number, not {value!r}")
    if chat.max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, not {chat.max_new_tokens}")
    if chat.seed is not None and not SEEDS[0] <= chat.seed <= SEEDS[1]:
        raise ValueError(f"seed must be above -2⁵³ and below 2⁵³, not {chat.seed}")
    if not isinstance(chat.memory, bool):
        raise TypeError(f"memory must be True or False, not {chat.memory!r}")
    as_stop_texts(chat.stop_texts)


def as_stop_texts(stop: str | Sequence[str]) -> list[str]:
    """The stop texts as a list; a single text is one of them, not its letters.

    Raises:
        TypeError: it is no text and no sequence of texts. ValueError: a text is empty.
    """
    texts = [stop] if isinstance(stop, str) else stop
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"stop must be a text or a list of texts, not {stop!r}")
    if "" in texts:
        raise ValueError("a stop text is empty, so every reply would stop before it began")
    return list(texts)


def _is(kind: type, value: Any) -> bool:
    """Whether it is a number of this kind; True and False are none here."""
    return isinstance(value, kind) and not isinstance(value, bool)
