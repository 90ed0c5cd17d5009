"""A learner's own functions, kept as source in their folder and loaded in later lessons.

What the function needs is written above it: imports, and the helpers it calls. A file that is
missing, or does not do any more what it did, is replaced by the course's own function, and one
sentence says so.
"""

import ast
import builtins
import dis
import importlib.util
import types
from collections.abc import Callable
from pathlib import Path

from lessons_lib.exercises.declaration import source_of
from lessons_lib.exercises.exercise import Exercise
from lessons_lib.exercises.registry import EXERCISES, Note, find
from lessons_lib.support import write_whole
from lessons_lib.support.files import explain
from lessons_lib.support.paths import learner_folder
from lessons_lib.support.time_limit import TooSlow, time_limit

LOAD_SECONDS = 30.0


class KeepError(ValueError):
    """A function cannot be kept; the message says why, and what to do."""


def keep(function: Callable) -> Note:
    """Save a function that passes its exercise, so that later lessons can load it.

    Which exercise it belongs to is known from its name. Where it cannot be kept (it does not pass,
    or needs what cannot be written down), the note says why; nothing is raised.
    """
    try:
        exercise = _exercise_of(function)
        text = _with_all_it_needs(function)
    except KeepError as error:
        return Note(f"Nothing was kept: {error}.")
    result = exercise.check(function)
    if not result.passed:
        return Note(f"Nothing was kept: only a function that passes is kept. {result.headline}")
    path = kept_path(exercise)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
    except OSError as error:
        return Note(f"{path.name} could not be saved ({explain(error)}).")
    return Note(f'Kept as {path.name}; `my_or_library("{exercise.name}")` loads it.')


def my_or_library(name: str) -> Callable:
    """The learner's function for an exercise if one was kept and works, else the course's own.

    Raises:
        ValueError: there is no such exercise, or the course has no function of its own for it.
    """
    exercise = find(name)
    if exercise.library is None:
        raise ValueError(f"the course has no function of its own for {name!r}")
    path = kept_path(exercise)
    if not path.is_file():
        print(f"No {exercise.function_name} of yours was kept; this is the course's own.")
        return exercise.library
    try:
        function = _load(path, exercise)
    except Exception as error:
        where = f" ({explain(error)})"
    except (SystemExit, TooSlow):
        where = " (it does not end)"
    else:
        result = exercise.check(function)
        if result.passed:
            print(f"Your own {exercise.function_name}, from {path.name}.")
            return function
        where = f" ({result.verdict})"
    print(f"{path.name} does not work{where}; this is the course's own.")
    return exercise.library


def kept_path(exercise: Exercise) -> Path:
    """Where a function is kept."""
    return learner_folder() / "functions" / f"{exercise.name.replace('-', '_')}.py"


def _load(path: Path, exercise: Exercise) -> Callable:
    spec = importlib.util.spec_from_file_location(f"my_work_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    with time_limit(LOAD_SECONDS):
        spec.loader.exec_module(module)
    return vars(module)[exercise.function_name]


def _exercise_of(function: Callable) -> Exercise:
    if not isinstance(function, types.FunctionType):
        raise KeepError("keep takes a function that was written with def")
    for exercise in EXERCISES.values():
        if exercise.function_name == function.__name__:
            return exercise
    names = ", ".join(each.function_name for each in EXERCISES.values())
    raise KeepError(f"no exercise asks for a function {function.__name__!r}, but for: {names}")


def _with_all_it_needs(function: types.FunctionType) -> str:
    """A module's text: the imports, values and helpers that the function uses, and itself."""
    imports: dict[str, str] = {}
    values: dict[str, str] = {}
    functions: dict[str, str] = {}
    _collect(function, imports, values, functions)
    parts = ['"""Written in the course; change it in the notebook, and keep it again."""']
    parts += ["\n".join(each.values()) for each in (imports, values) if each]
    return "\n\n".join(parts) + "\n\n\n" + "\n\n".join(functions.values())


def _collect(
    function: types.FunctionType,
    imports: dict[str, str],
    values: dict[str, str],
    functions: dict[str, str],
) -> None:
    """Add a function's source, and whatever it needs of what is defined outside it."""
    name = function.__name__
    if function.__closure__:
        raise KeepError(f"{name} uses variables of another function around it")
    try:
        functions[name] = source_of(function)
    except (OSError, TypeError) as error:
        raise KeepError(f"the source of {name} is not to be found") from error
    for each in sorted(_names_outside(function, functions[name])):
        if each in {*imports, *values, *functions}:
            continue
        if each not in function.__globals__:
            if not hasattr(builtins, each):
                raise KeepError(f"{name} uses {each}, which is not defined")
            continue
        value = function.__globals__[each]
        if isinstance(value, types.ModuleType):
            imports[each] = f"import {value.__name__} as {each}"
        elif isinstance(value, types.FunctionType) and value.__module__ == function.__module__:
            _collect(value, imports, values, functions)
        elif isinstance(value, type | types.FunctionType) and value.__module__ != "__main__":
            imports[each] = f"from {value.__module__} import {value.__name__} as {each}"
        elif isinstance(value, bool | int | float | str | type(None)):
            values[each] = f"{each} = {value!r}"
        else:
            raise KeepError(
                f"{name} uses {each}, a value of the notebook's ({type(value).__name__}); only "
                "functions, imports, numbers and texts can be kept with it. Give it as an argument"
            )


def _names_outside(function: types.FunctionType, source: str) -> set[str]:
    """The global names that a function uses: in its body, its defaults and its types."""
    found, codes = set(), [function.__code__]
    while codes:
        code = codes.pop()
        codes += [each for each in code.co_consts if isinstance(each, types.CodeType)]
        found |= {
            each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL"
        }
    (tree,) = ast.parse(source).body
    tree.body = []
    return found | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
