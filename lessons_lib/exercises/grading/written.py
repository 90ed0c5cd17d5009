"""Takes the text out of a notebook that a student wrote for an exercise without one right answer.

No code is run for it: the text stands in the call of ``write_up``, between triple quotes.
"""

import ast

from lessons_lib.exercises.grading.attempts import Code


def written_text(code: Code, name: str) -> str:
    """The last text given to ``write_up`` under this name; empty where there is none."""
    found = ""
    for statement in code.statements:
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Call) and _is_named(node, name) and len(node.args) > 1:
                text = node.args[1]
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    found = text.value.strip() or found
    return found


def _is_named(call: ast.Call, name: str) -> bool:
    first = call.args[0] if call.args else None
    return (
        isinstance(call.func, ast.Name)
        and call.func.id == "write_up"
        and isinstance(first, ast.Constant)
        and first.value == name
    )
