"""The names of fields: instruction, input and output, and what other data sets call them.

What is unambiguous is read; a message lists the fields there are, and how to say which is which.
"""

import difflib
from collections.abc import Mapping
from typing import Any

from lessons_lib.data.reading.rows import DatasetError, FaultyRow, warn_caller

FIELDS = ("instruction", "input", "output")
# Names that other data sets give them: Dolly, TRL's prompt and completion, questions and answers.
OTHER_NAMES = {
    "instruction": ("prompt", "question"),
    "input": ("inputs", "context"),
    "output": ("response", "completion", "answer"),
}
# Names that only a message proposes.
PROPOSED = {
    "instruction": ("query", "problem", "task", "input", "user", "q"),
    "output": ("chosen", "solution", "label", "target", "summary", "reply", "assistant", "a"),
    "input": ("passage", "document", "source", "article", "text"),
}
Names = Mapping[str, str] | None  # from our fields to those of a file
Sources = dict[str, list[str]]  # the names under which a file may hold each of our fields
TURNS = {"messages", "conversation", "conversations", "dialog", "dialogue", "turns", "chat"}
UNREAD = {"system", "system_prompt", "history"}  # parts of the prompt in other programs' files


class FieldNamesWarning(UserWarning):
    """A field was read under another name, or looks as if it should be, and was not."""


class RenamedRow(dict):
    """A row under our names; ``called`` says what the file calls them."""

    called: dict[str, str]


def name_fields(rows: list, fields: Names = None, file: object = None, quiet: bool = False) -> list:
    """The rows with their fields named instruction, input and output; other fields are kept.

    ``fields`` says what the file calls them. For a field that it leaves out the name itself comes
    first, in whatever capitals and spaces, then its plural, then one of ``OTHER_NAMES`` if no
    second one is there. A warning tells of near misses. A row in which two names of one field hold
    different texts is faulty.

    Raises:
        DatasetError: no row has an instruction or an output, or the rows are conversations.
            ValueError: ``fields`` names none of the three.
    """
    if _are_turns(rows[0]):
        raise DatasetError("holds conversations, lists of turns, which are not read yet", file)
    objects = [row for row in rows if isinstance(row, dict)]
    if not objects:
        return rows
    names = list(dict.fromkeys(name for row in objects for name in row))
    sources = _find_sources(names, fields, file)
    row = next(index for index, row in enumerate(rows) if isinstance(row, dict))
    _refuse_conversations(rows[row], sources, file, row)
    for field in ("instruction", "output"):
        if not sources[field]:
            problem = f"is missing; {describe_row(names, objects[0], file)}"
            raise DatasetError(problem, file, row, field)
    if not quiet:
        _warn_of_names(names, objects, sources, fields, file)
    if all(found in ([], [field]) for field, found in sources.items()):
        return rows
    return [_renamed(row, sources) if isinstance(row, dict) else row for row in rows]


def list_names(names: Any) -> str:
    """Names of fields for a message, long ones and many shortened."""
    short = [repr(name if len(str(name)) <= 40 else f"{str(name)[:39]}…") for name in names]
    more = f" and {len(short) - 12} more" * (len(short) > 12)
    plural = "s" * (len(short) > 1)
    return f"the field{plural} {', '.join(short[:12])}{more}" if short else "no fields"


def fold_name(name: object) -> str:
    return str(name).strip("\ufeff \t\r\n").casefold()


def known_names(fields: Names = None) -> set[str]:
    known = {name for field in FIELDS for name in (field, f"{field}s", *OTHER_NAMES[field])}
    return known | {fold_name(name) for name in (fields or {}).values()}


def describe_row(names: Any, row: Mapping[str, Any], file: object = None) -> str:
    """Which fields a row has, and how to say which of them are the three."""
    said = f"the row has {list_names(names)}"
    texts = [name for name in names if isinstance(row.get(name), str)]
    proposed: dict[str, str] = {}
    for field, others in PROPOSED.items():
        wanted = (field, f"{field}s", *OTHER_NAMES[field], *others)
        found = [name for other in wanted for name in texts if fold_name(name) == other]
        found += texts * (field != "input")
        free = [name for name in found if name not in proposed.values()]
        proposed |= {field: free[0]} if free else {}
    if not {"instruction", "output"} <= proposed.keys():
        return f"{said}; an instruction and an output are needed, both of them texts"
    return f"{said}. Say which is which: load_entries({_source(file)}, fields={proposed})"


def _source(file: object) -> str:
    return "source" if file is None else repr(str(file))


def _find_sources(names: list[str], fields: Names, file: object) -> Sources:
    """For each of the three fields the names under which the rows may hold it."""
    fields = dict(fields or {})
    if not fields.keys() <= set(FIELDS):
        turned = {theirs: ours for ours, theirs in fields.items()}
        hint = f"; did you mean fields={turned}?" if turned.keys() <= set(FIELDS) else ""
        raise ValueError(f"fields says what instruction, input and output are called{hint}")
    for theirs in fields.values():
        if theirs not in names:
            raise DatasetError(f"has no field {theirs!r}; the rows have {list_names(names)}", file)
    sources = {}
    for field in FIELDS:
        free = [name for name in names if name not in fields.values()]
        own = [name for name in free if fold_name(name) == field]
        plural = [name for name in free if fold_name(name) == f"{field}s"]
        others = [name for name in free if fold_name(name) in OTHER_NAMES[field]]
        if field in fields:
            sources[field] = [fields[field]]
        elif field == "input":
            sources[field] = own + others
        else:
            sources[field] = own or plural or (others if len(others) == 1 else [])
        sources[field].sort(key=lambda name: name != field)  # the exact name first
    return sources


def _warn_of_names(
    names: list[str], rows: list[dict], sources: Sources, fields: Names, file: object
) -> None:
    """Tell which names were read as something else, and which look as if they should be read."""
    used = {name: field for field, found in sources.items() for name in found if name != field}
    silent = {name for field in ("instruction", "output") for name in OTHER_NAMES[field]}
    silent |= set((fields or {}).values())
    if sources["input"] == ["context"] and {"instruction", "response"} <= set(names):
        silent.add("context")  # Dolly
    read = [f"{name!r} as {field}" for name, field in used.items() if name not in silent]
    suspects = UNREAD | known_names()
    unread = [
        name
        for name in names
        if not fields
        and name not in {*used, *FIELDS}
        and (
            fold_name(name) in suspects
            or (not sources["input"] and _resembles_input(fold_name(name)))
        )
        and any(isinstance(row.get(name), str | list) and row[name] for row in rows)
    ]
    said = [f"read {', '.join(read)}"] if read else []
    if unread:
        call = f"load_entries({_source(file)}, fields={{'input': {unread[0]!r}}})"
        said.append(f"kept {list_names(unread)} unread; if the model should read it: {call}")
    if said:
        warn_caller(f"{file or 'entries'}: {'; '.join(said)}", FieldNamesWarning)


def _renamed(row: dict, sources: Sources) -> dict:
    """The row under our names, or a ``FaultyRow`` where two names disagree or one is missing."""
    if isinstance(row, FaultyRow):
        return row
    taken = {name for found in sources.values() for name in found} | set(FIELDS)
    renamed = RenamedRow({name: value for name, value in row.items() if name not in taken})
    renamed.called = {}
    for field, found in sources.items():
        there = [name for name in found if name in row]
        there = [n for n in there if not is_absent(row[n]) and str(row[n]).strip()] or there[:1]
        if any(row[name] != row[there[0]] for name in there[1:]):
            problem = (
                f"is there as {there[0]!r} and as {there[1]!r}, with different texts; say which "
                f"one to read, as in fields={{{field!r}: {there[0]!r}}}"
            )
            return FaultyRow(row, problem, field)
        if there:
            renamed[field], renamed.called[field] = row[there[0]], there[0]
        elif field != "input":
            return FaultyRow(row, "is missing", field)
    return renamed


def reading_of(file: object) -> tuple[str, str]:
    """For messages: an expression for what a file holds, and what it needs."""
    name = "FILE" if "://" in str(file) else _source(file)
    needed = " (read_rows from lessons_lib.data.reading)"
    return ("source", "") if file is None else (f"read_rows(Path({name}))", needed)


def _resembles_input(name: str) -> bool:
    return "input" in name or difflib.SequenceMatcher(None, name, "input").ratio() >= 0.8


def is_absent(value: object) -> bool:
    """Whether JSON, pandas or pyarrow wrote this where there was nothing: null, NaN, NA, NaT."""
    is_nan = isinstance(value, float) and value != value
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def turns_field(row: Mapping[str, Any]) -> str | None:
    """The field that holds a list of turns, if there is one."""
    return next((name for name, value in row.items() if _are_turns(value)), None)


def _are_turns(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_turn, value))


def _is_turn(value: object) -> bool:
    pairs = ({"role", "content"}, {"from", "value"})
    return isinstance(value, dict) and any(pair <= value.keys() for pair in pairs)


def _refuse_conversations(row: dict, sources: Sources, file: object, index: int) -> None:
    """Raise where a row holds turns of a conversation, or a seed task with its instances."""
    found = [name for field in ("instruction", "output") for name in sources[field]]
    field, instances = turns_field(row), row.get("instances")
    rows, how = reading_of(file)
    lists = [n for n in row if fold_name(n) in TURNS and isinstance(row[n], list)]
    if not found and (_is_turn(row) or (lists and not field)):
        what = f"conversations ({lists[0]!r})" if lists else "the turns of a conversation"
        problem = f"holds {what}, which are not read yet; make an entry of each question and answer"
        raise DatasetError(problem, file, index)
    if isinstance(instances, list) and instances and not sources["output"]:
        name = "FILE" if file is None or "://" in str(file) else _source(file)
        problem = (
            "holds seed tasks, each with a list of instances. load_seed_tasks and flatten from "
            f"lessons_lib.self_instruct make entries of them: flatten(load_seed_tasks({name}))"
        )
        raise DatasetError(problem, file, index, "instances")
    if not field or (len(found) > 1 and field not in found):
        return
    role, text = ("role", "content") if "role" in row[field][0] else ("from", "value")
    first = int(row[field][0].get(role) == "system")
    what = f"conversations, lists of turns with {role!r} and {text!r}"
    advice = "from_messages from lessons_lib.bridges takes those of one question and one answer"
    turns = f"row[{field!r}][{first}]", f"row[{field!r}][{first + 1}]"
    only = f"len(row[{field!r}]) == {first + 2}"
    if len(found) > 1:  # TRL's prompt and completion, each a list of turns
        turns = f"row[{found[0]!r}][-1]", f"row[{found[1]!r}][0]"
        only = f"len(row[{found[0]!r}]) == 1"
    entry = f"'instruction': {turns[0]}[{text!r}], 'output': {turns[1]}[{text!r}]"
    loop = f"for row in {rows} if {only}"
    here = f"load_entries([{{{entry}}} {loop}])"
    problem = f"holds {what}, which are not read yet. {advice}; so does {here}"
    raise DatasetError(problem + how, file, index, field)
