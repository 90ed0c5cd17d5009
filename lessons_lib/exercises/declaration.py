"""What an exercise is: what is asked, the stub, a right solution, wrong answers with their reasons.

An exercise is declared once, in a file of its stage's folder. All code in it is real code: the
texts that a learner sees are the source of functions that tests run.
"""

import inspect
import random
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lessons_lib.batching import BatchSteps
from lessons_lib.data import Entry

DIFFICULTIES = {1: "a line or two", 2: "needs a thought", 3: "takes a while"}


@dataclass(frozen=True)
class WrongAnswer:
    """A way to get it wrong, as real code, and what a good teacher would say about it.

    ``when`` ends the sentence "This is what comes out when …"; ``why`` is what to think of next.
    """

    function: Callable
    when: str
    why: str

    @property
    def sentence(self) -> str:
        return f"This is what comes out when {self.when}. {self.why}"


@dataclass(frozen=True)
class Shown:
    """How a wrong result is shown in the batch inspector: a batch of real entries to try it on.

    ``arguments`` makes the call's arguments from the batch's steps; ``batch`` takes (inputs,
    targets) from what the function returned, with None for a part that it does not make.
    """

    entries: Callable[[], Sequence[Entry]]
    arguments: Callable[[BatchSteps], tuple]
    batch: Callable[[Any], tuple]
    substep: str = "2.5"
    instruction_mask: str = "none"


@dataclass(frozen=True)
class FullRun:
    """Many more calls, made once the crafted ones are right: the course's own function decides.

    ``calls`` yields (what it is called in a sentence, arguments); ``where`` says what they are.
    """

    calls: Callable[[], Iterable[tuple[str, tuple]]]
    where: Callable[[], str]


@dataclass(frozen=True)
class Declaration:
    """All that an exercise's file says about it; ``Exercise`` adds the check.

    ``attempt`` is the stub, named as the learner's function is; ``answer`` a right solution.
    ``cases`` makes tuples of arguments, afresh on each call, so that nobody can spoil them; keep
    them small, as the smallest that fails is shown. ``parts`` names what a tuple of results holds,
    ``aligned`` the arguments, lists of one length, that are shown below each other.
    ``imports`` are the lines that the stub needs above it, next to the import of ``check``.
    ``library`` is the course's own function of the same signature, where there is one, and
    ``library_name`` says where it is found. A call may take ``seconds``. Where many results are
    right, or the result is an object, ``observed`` makes from (result, arguments) what is compared.
    ``draw`` makes one more tuple of arguments from a source of random numbers, as the statement
    allows them and at times larger than the cases; where inputs cannot be drawn, it is None.
    """

    name: str
    title: str
    lesson: str  # its number, "06"
    minutes: int
    difficulty: int  # 1 to 3, see DIFFICULTIES
    statement: str  # Markdown
    attempt: Callable
    answer: Callable
    hints: tuple[str, str, str]  # where to look, how to go about it, nearly all of it
    wrong_answers: tuple[WrongAnswer, ...]
    cases: Callable[[], Sequence[tuple]]
    parts: tuple[str, ...] = ()
    aligned: tuple[str, ...] = ()
    imports: str = ""
    library: Callable | None = None
    library_name: str = ""
    shown: Shown | None = None
    full_run: FullRun | None = None
    observed: Callable[[Any, tuple], Any] | None = None
    draw: Callable[[random.Random], tuple] | None = None
    seconds: float = 5.0

    @property
    def function_name(self) -> str:
        """What the learner's function, or class, is called."""
        return self.attempt.__name__

    @property
    def stub(self) -> str:
        """The code to begin with: signature, docstring, and nothing done yet."""
        return source_of(self.attempt)

    @property
    def solution(self) -> str:
        """A right solution's code, under the name of the learner's function."""
        return re.sub(
            rf"(def|class) {self.answer.__name__}\(",
            rf"\1 {self.function_name}(",
            source_of(self.answer),
            count=1,
        )

    @property
    def call(self) -> str:
        """The line that checks an attempt."""
        return f'check("{self.name}", {self.function_name})'


def source_of(function: Callable) -> str:
    """A function's own source text, without indentation around it."""
    return textwrap.dedent(inspect.getsource(function)).rstrip() + "\n"
