"""Takes a student's function out of a notebook, with what it needs and nothing else.

A lesson's notebook trains models for minutes, so it is not run from top to bottom. The last
definition of the function counts; of all other statements only those are run on which its names
depend: imports, helpers, values. Calls that stand alone, ``check(…)`` among them, are not run.
"""

import ast
import builtins
import dis
import linecache
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lessons_lib.exercises.declaration import Declaration

READS = {"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}


class AttemptError(ValueError):
    """The function cannot be had from this notebook; the message says why, and where."""


@dataclass(frozen=True)
class Statement:
    """One statement at the top level of a cell, and the global names that it reads and binds."""

    node: ast.stmt
    code: types.CodeType
    reads: frozenset[str]
    binds: frozenset[str]


@dataclass(frozen=True)
class Code:
    """All that a notebook's code cells hold: statements, and the cells that are not Python."""

    statements: list[Statement]
    faults: dict[str, str]  # a broken cell's source → what is wrong with it

    def mentions(self, name: str) -> bool:
        """Whether a function or class of this name is defined, were it in a broken cell."""
        broken = any(_begins(source, name) for source in self.faults)
        return broken or any(name in each.binds for each in self.statements)


def read_code(cells: list[dict[str, Any]]) -> Code:
    """The code of a notebook's cells, in their order."""
    statements, faults = [], {}
    for number, cell in enumerate(cells, start=1):
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        source = _without_magics(source if isinstance(source, str) else "".join(source))
        try:
            statements += _statements(source, f"<cell {number}>")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            faults[source] = _fault(number, error)
    return Code(statements, faults)


def is_attempted(code: Code, exercise: Declaration) -> bool:
    """Whether the function's last definition is another than the stub, or is broken."""
    name = exercise.function_name
    if any(_begins(source, name) for source in code.faults):
        return True
    found = [each for each in code.statements if name in each.binds]
    stub = ast.dump(ast.parse(exercise.stub))
    return any(ast.dump(ast.Module([each.node], [])) != stub for each in found)


def load_attempt(code: Code, exercise: Declaration) -> Callable:
    """Run what the exercise's function needs, and return the function.

    Raises:
        AttemptError: its cell is no Python, or running it stops with an error.
        TooSlow: from a time limit around this call.
    """
    name = exercise.function_name
    stub = ast.dump(ast.parse(exercise.stub))
    places = [
        place
        for place, each in enumerate(code.statements)
        if name in each.binds and ast.dump(ast.Module([each.node], [])) != stub
    ]
    if not places:
        for source, fault in code.faults.items():
            if _begins(source, name):
                raise AttemptError(fault)
        raise AttemptError(f"{name} is not defined")
    space: dict[str, Any] = {"__name__": "__main__"}
    for place in sorted(needed(code.statements, places[-1])):
        statement = code.statements[place]
        try:
            exec(statement.code, space)
        except Exception as error:
            where = f"{statement.code.co_filename.strip('<>')}, line {statement.node.lineno}"
            raise AttemptError(f"{type(error).__name__}: {error} ({where})") from error
    return space[name]


def own_function(code: Code, exercise: Declaration) -> str:
    """A note where the attempt calls the course's own function by its name, or nothing."""
    own = exercise.library.__name__ if exercise.library else ""
    places = [i for i, each in enumerate(code.statements) if exercise.function_name in each.binds]
    for place in needed(code.statements, places[-1]) if own and places else ():
        for node in ast.walk(code.statements[place].node):
            if own in (vars(node).get("id"), vars(node).get("attr")):
                return f"names the course's own {own}"
    return ""


def needed(statements: list[Statement], place: int) -> set[int]:
    """The places of a statement and of all on which its names depend.

    A name's value is that of the last statement above that binds it, or else the first below: a
    helper may stand under the function that calls it.
    """
    found, open_places = set(), [place]
    while open_places:
        at = open_places.pop()
        if at in found:
            continue
        found.add(at)
        for name in statements[at].reads:
            above = [i for i in range(at) if name in statements[i].binds]
            below = [i for i in range(at + 1, len(statements)) if name in statements[i].binds]
            open_places += above[-1:] or below[:1]
    stars = {i for i, each in enumerate(statements) if "*" in each.binds}
    return found | stars


def _statements(source: str, file: str) -> Iterator[Statement]:
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)  # so that errors can show a line
    for node in ast.parse(source, file).body:
        code = compile(ast.Module([node], []), file, "exec")
        names = {each.argval for each in dis.get_instructions(code) if each.opname == "STORE_NAME"}
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            names = {"*"}
        yield Statement(node, code, frozenset(_reads(code)), frozenset(names))


def _reads(code: types.CodeType) -> set[str]:
    found = {each.argval for each in dis.get_instructions(code) if each.opname in READS}
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            found |= _reads(each)
    return found - {*dir(builtins)}


def _without_magics(source: str) -> str:
    """The source with lines that only IPython understands made empty; line numbers stay."""
    lines = source.splitlines()
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def _begins(source: str, name: str) -> bool:
    return any(f"{word} {name}(" in source or f"{word} {name}:" in source for word in KINDS)


KINDS = ("def", "class")


def _fault(number: int, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        text = f": `{error.text.strip()}`" if error.text else ""
        return f"SyntaxError: {error.msg} (cell {number}, line {error.lineno}{text})"
    return f"{type(error).__name__} (cell {number})"
