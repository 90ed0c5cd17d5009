"""Break the exercises' solutions in small ways, and count what the checks refuse.

``python -m tools.exercises.mutants [name …]`` changes one thing at a time in each solution: ``+``
becomes ``-``, ``<`` becomes ``<=``, a number moves by one, a bound is dropped from a slice, a line
is left out. A check that passes such a mutant is either too weak, or the mutant is right after all;
those that survive are listed, and the command fails if more than one in twenty does.
"""

import argparse
import ast
import copy
import dataclasses
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator

from lessons_lib.exercises import EXERCISES, Exercise
from lessons_lib.support import Table

LEAST_REFUSED = 0.95
SECONDS = 1.0  # for a call; a mutant may have no end
SWAPS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def mutants(function: Callable) -> Iterator[tuple[str, Callable]]:
    """Every mutant of a function, after what was changed: "line 3: … → …"."""
    source = textwrap.dedent(inspect.getsource(function))
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        for change in range(len(list(_changes(node)))):
            other = copy.deepcopy(tree)
            target = list(ast.walk(other))[number]
            before = ast.unparse(target) if hasattr(target, "lineno") else ""
            line = getattr(target, "lineno", 0)
            list(_changes(target))[change]()
            ast.fix_missing_locations(other)
            after = ast.unparse(target) if before else ""
            changed = f"line {line}: {before} → {after}" if before else f"in {ast.unparse(other)}"
            yield changed.replace("\n", " "), _compiled(other, function)


def _changes(node: ast.AST) -> Iterator[Callable[[], object]]:
    """The ways to change one node, each as something to call."""
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        yield lambda: setattr(node, "op", SWAPS[type(node.op)]())
    if isinstance(node, ast.BoolOp):
        yield lambda: setattr(node, "op", SWAPS[type(node.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield lambda: node.ops.__setitem__(0, SWAPS[type(node.ops[0])]())
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield lambda: setattr(node, "value", node.value + 1)
        yield lambda: setattr(node, "value", node.value - 1)
    if isinstance(node, ast.Constant) and type(node.value) is str and node.value:
        yield lambda: setattr(node, "value", node.value[:-1])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda: setattr(node, "op", ast.UAdd())
    if isinstance(node, ast.Slice):
        if node.lower is not None:
            yield lambda: setattr(node, "lower", None)
        if node.upper is not None:
            yield lambda: setattr(node, "upper", None)
    if isinstance(node, ast.FunctionDef | ast.For | ast.If):
        for place, statement in enumerate(node.body):
            if not isinstance(statement, ast.Pass):
                yield lambda place=place: node.body.__setitem__(place, ast.Pass())


def _compiled(tree: ast.Module, function: Callable) -> Callable:
    (definition,) = tree.body
    space = dict(vars(sys.modules[function.__module__]))  # a class has no __globals__
    exec(compile(tree, "<mutant>", "exec"), space)
    return space[definition.name]


def survivors(exercise: Exercise) -> tuple[int, list[str]]:
    """How many mutants the solution has, and what was changed in those that pass the check."""
    quick = dataclasses.replace(exercise, seconds=SECONDS)
    found = list(mutants(exercise.answer))
    return len(found), [changed for changed, mutant in found if quick.check(mutant).passed]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.exercises.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="exercises, by default all")
    chosen = parser.parse_args(arguments).names or list(EXERCISES)
    rows, total, passed, lines = [], 0, 0, []
    for name in chosen:
        count, living = survivors(EXERCISES[name])
        total, passed = total + count, passed + len(living)
        rows.append(
            (name, str(count - len(living)), str(len(living)), f"{1 - len(living) / count:.0%}")
        )
        lines += [f"survived: {name}, {changed}" for changed in living]
    rows.append(("all", str(total - passed), str(passed), f"{1 - passed / total:.1%}"))
    print(Table(("exercise", "refused", "survived", "share refused"), tuple(rows)))
    print("\n".join(lines))
    return int(1 - passed / total < LEAST_REFUSED)


if __name__ == "__main__":
    sys.exit(main())
