"""Runs a learner's function on arguments of its own, and keeps whatever comes of it.

Nothing that the function does ends the check: an exception, an endless loop or ``exit()`` becomes
an ``Outcome`` that names the line in the learner's code.
"""

import copy
import inspect
import linecache
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lessons_lib.exercises.comparing import plain, same_values
from lessons_lib.support.time_limit import TooSlow, time_limit


@dataclass(frozen=True)
class Outcome:
    """What one call gave: a value, an exception, or nothing in time."""

    value: Any = None
    error: BaseException | None = None
    line: str = ""  # where the error was raised: 'line 3 of your code: `return padded[1:]`'
    changed: str = ""  # the name of an argument that the function changed

    @property
    def too_slow(self) -> bool:
        return isinstance(self.error, TooSlow)


def run(
    function: Callable,
    arguments: tuple,
    seconds: float,
    observed: Callable[[Any, tuple], Any] | None = None,
) -> Outcome:
    """Call the function on copies of the arguments, for so many seconds at most.

    What ``observed`` makes of the result and the arguments stands in its place. A
    ``KeyboardInterrupt`` is not caught: it is the person's at the keyboard.
    """
    given = copy.deepcopy(arguments)
    try:
        with time_limit(seconds):
            value = function(*given)
            changed = _changed(function, arguments, given)
            if observed and value is not None and value is not ...:
                value = observed(value, given)
        plain((value, given))  # a list that was put into itself cannot be compared: an error, too
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # TooSlow and SystemExit are no Exceptions
        return Outcome(error=error, line=own_line(error, function))
    return Outcome(value=value, changed=changed)


def refuses_call(function: Callable, arguments: tuple) -> bool:
    """Whether the function cannot be called with arguments of this number."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return True
    except ValueError:  # code in C may not tell its signature
        return False
    return False


def parameters(function: Callable) -> list[str]:
    """The names of a function's parameters; none where it does not tell them."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def own_line(error: BaseException, function: Callable) -> str:
    """The last line of the learner's own code on the way to an error, with its number.

    Code is the learner's if it has the same globals as the function, whatever the cell.
    """
    code = inspect.unwrap(function.__init__ if isinstance(function, type) else function)
    if not isinstance(code, types.FunctionType):
        return ""
    found, step = "", error.__traceback__
    while step is not None:
        frame = step.tb_frame
        if frame.f_globals is code.__globals__:
            source = linecache.getline(frame.f_code.co_filename, step.tb_lineno).strip()
            found = f"line {step.tb_lineno} of your code" + (f": `{source}`" if source else "")
        step = step.tb_next
    return found


def _changed(function: Callable, before: tuple, after: tuple) -> str:
    """The name of the first argument that is no longer what it was, or nothing."""
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        if not same_values(one, other):
            return [*parameters(function), *["an argument"] * len(before)][index]
    return ""
