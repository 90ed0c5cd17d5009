"""The options of a reply: their ranges, what each is called where it is typed, and what is refused.

Knows nothing of models, and needs no PyTorch. Whatever offers these options takes them from here:
generation, the chat in a notebook, in a terminal and on a server, and the commands; lesson 12.
"""

import inspect
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Integral, Real
from typing import Any

from lessons_lib.support.quick_run import QUICK_TOKENS, is_quick

LARGEST_SEED = 2**53 - 1  # PyTorch takes more, but a page in a browser rounds larger ones


@dataclass(frozen=True)
class NumberOption:
    """What a number may be. An ``optional`` one may also be None, which is typed as "off"."""

    words: str  # "a number of 0 or more"
    lowest: float
    highest: float | None  # None: there is no limit
    whole: bool
    optional: bool
    title: str  # on a page
    help: str  # what it does, in a line

    def allows(self, value: float) -> bool:
        """Whether a number is in the range; NaN is not."""
        return self.lowest <= value and (self.highest is None or value <= self.highest)

    def sentence(self, name: str, value: Any, off: str) -> str:
        """That ``value`` is refused; ``off`` is what stands for None where it was chosen."""
        words = f"{self.words}, or {off}" if self.optional else self.words
        return f"{name} must be {words}, not {value!r}"

    def check(self, name: str, value: Any, off: str = "None") -> None:
        """Raises TypeError where it is no such number at all, ValueError out of the range."""
        if value is None and self.optional:
            return
        kind = Integral if self.whole else Real
        if not isinstance(value, kind) or isinstance(value, bool):
            raise TypeError(self.sentence(name, value, off))
        if not self.allows(value):
            raise ValueError(self.sentence(name, value, off))


def _number(
    default: float | int | None,
    words: str,
    lowest: float,
    highest: float | None = None,
    *,
    whole: bool = True,
    title: str,
    help: str,
) -> Any:
    """A field of ``ReplyOptions`` that is a number."""
    option = NumberOption(words, lowest, highest, whole, default is None, title, help)
    return field(default=default, metadata={"number": option})


@dataclass(frozen=True, kw_only=True)
class ReplyOptions:
    """How a reply is made.

    ``temperature`` 0 takes the likeliest token, always (greedy). Above 0 a token is drawn from the
    softmax of logits / temperature; ``top_k`` then leaves only the k likeliest tokens in the draw,
    and ``top_p`` the fewest likeliest ones that together reach that probability. With both, top-p
    looks at what top-k left. None leaves all tokens in.

    ``max_new_tokens``: no reply has more. ``seed``: the same seed draws the same reply; None draws
    anew. ``stop``: a text or texts that end a reply as end of text does, and are no part of it.
    ``memory``: in a chat, earlier turns stand before each message.

    Raises:
        TypeError: an option is of another kind. ValueError: a number is out of its range, or a stop
            text is empty.

    Source of top-p: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration".
    """

    temperature: float = _number(
        0.0,
        "a number of 0 or more",
        0,
        sys.float_info.max,
        whole=False,
        title="Temperature",
        help="how freely tokens are drawn; 0 is always the likeliest one",
    )
    top_p: float | None = _number(
        None,
        "a number above 0, up to 1",
        math.ulp(0.0),  # the smallest above 0
        1,
        whole=False,
        title="Top-p",
        help="draw from the likeliest tokens that together reach this probability",
    )
    top_k: int | None = _number(
        None,
        "a whole number of 1 or more",
        1,
        title="Top-k",
        help="draw from so many of the likeliest tokens",
    )
    max_new_tokens: int = _number(
        128,
        "a whole number of 0 or more",
        0,
        title="Most tokens",
        help="no reply has more tokens",
    )
    seed: int | None = _number(
        None,
        "a whole number above -2⁵³ and below 2⁵³",
        -LARGEST_SEED,
        LARGEST_SEED,
        title="Seed",
        help="the same message is then answered alike each time",
    )
    stop: str | Sequence[str] = ()  # kept as a tuple
    memory: bool = False

    def __post_init__(self):
        for name, value in vars(self).items():
            check_option(name, value)
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)
        object.__setattr__(self, "stop", stop)

    @property
    def greedy(self) -> bool:
        """Whether nothing is left to chance."""
        return self.temperature == 0

    def shrunk_if_quick(self) -> "ReplyOptions":
        """These options; in a shrunk run (``LESSONS_LIB_QUICK``), with ten new tokens at most."""
        if not is_quick():
            return self
        return replace(self, max_new_tokens=min(self.max_new_tokens, QUICK_TOKENS))


NUMBERS: dict[str, NumberOption] = {
    each.name: each.metadata["number"] for each in fields(ReplyOptions) if each.metadata
}


def check_option(name: str, value: Any, named: str = "", off: str = "None") -> None:
    """Refuse what ``ReplyOptions`` does not take.

    ``named``, ``off``: what the option and its None are called where they were chosen.

    Raises:
        TypeError, ValueError: as ``ReplyOptions``.
    """
    named = named or name
    if name in NUMBERS:
        NUMBERS[name].check(named, value, off)
    elif name == "memory" and not isinstance(value, bool):
        raise TypeError(f"{named} must be True or False, not {value!r}")
    elif name == "stop":
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
            raise TypeError(f"{named} must be a text or a list of texts, not {value!r}")
        if "" in texts:
            raise ValueError("a stop text is empty, so every reply would stop before it began")


def typed_name(name: str) -> str:
    """The option's name as it is typed: "top-p" for ``top_p``."""
    return name.replace("_", "-")


def parse_option(name: str, text: str) -> float | int | None:
    """The number that was typed for an option.

    Raises:
        ValueError: it is not one of those that the option takes.
    """
    option = NUMBERS[name]
    if option.optional and text == "off":
        return None
    try:
        value = int(text) if option.whole else float(text)
    except ValueError:
        value = math.nan
    if not option.allows(value):
        raise ValueError(option.sentence(typed_name(name), text, "off"))
    return value


def numbers_for_page() -> list[dict[str, Any]]:
    """The numbers in the order of their fields, as a page in a browser needs them to ask."""
    return [{"name": name, **asdict(option)} for name, option in NUMBERS.items()]


def list_options(function: Callable) -> Callable:
    """Decorator: the signature names the fields of ``ReplyOptions`` in place of ``**options``.

    So help() and the notebook's Shift-Tab list them.
    """
    signature = inspect.signature(function)
    *own, _ = signature.parameters.values()
    options = inspect.signature(ReplyOptions).parameters.values()
    function.__signature__ = signature.replace(parameters=[*own, *options])
    return function
