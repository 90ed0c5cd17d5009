"""Entries as conversations for other programs, and back: messages, as TRL and OpenAI take them.

What an entry has no place for, several turns or a tool, is refused with file, row and message, so
that nothing is lost on the way unsaid. Lesson 14.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lessons_lib.bridges.rows import Row, check_row, other_fields, rows_of
from lessons_lib.data import Entry, as_entries
from lessons_lib.data.reading import DatasetError, check_entries
from lessons_lib.data.reading.contents import describe
from lessons_lib.data.reading.fields import list_names, turns_field
from lessons_lib.data.reading.rows import FaultyRow

# Between instruction and input in a user's message. A separator that is common in texts, such as a
# blank line, would cut somebody's instruction in two when it is read.
INPUT_HEADER = "\n\n### Input:\n"
ROLES = {"human": "user", "gpt": "assistant", "developer": "system"}  # other names of the three
TOOLS = ("tools", "functions")  # fields of a row beside its messages
NO_PLACE = "an entry has no place for that"


def to_messages(
    entries: Sequence[Entry], system: str | None = None, input_header: str = INPUT_HEADER
) -> list[Row]:
    """Rows of ``messages``: one of the user, one of the assistant, and ``system`` before, if given.

    Of an entry with an input the user's message is the instruction, ``input_header``, the input.

    Raises:
        DatasetError: an entry is faulty, or could not be turned back, because its instruction
            contains ``input_header``.
    """
    first = [] if system is None else [{"role": "system", "content": system}]
    rows = []
    for index, entry in enumerate(as_entries(entries)):
        instruction, given = entry["instruction"], entry.get("input", "")
        asked = instruction + (input_header + given if given else "")
        if asked.partition(input_header)[::2] != (instruction, given):
            problem = (
                f"contains {input_header!r}, with which an input begins in a message; give "
                "another input_header, here and to from_messages"
            )
            raise DatasetError(problem, "entries", index, "instruction")
        said = (("user", asked), ("assistant", entry["output"]))
        messages = first + [{"role": role, "content": content} for role, content in said]
        rows.append({"messages": messages})
    return rows


def from_messages(
    source: Any, input_header: str = INPUT_HEADER, leave_out_system: bool = False
) -> list[Entry]:
    """Entries of conversations with one question and one answer each.

    ``source`` is a file (.json, .jsonl or .parquet), a list of rows, or a ``datasets.Dataset``.
    Turns are read with ``role`` and ``content`` or, as ShareGPT has them, ``from`` and ``value``;
    also where ``prompt`` and ``completion`` are lists of them. With ``leave_out_system`` messages
    of the system are passed over. Further fields of a row are kept in its entry.

    Raises:
        DatasetError: the source cannot be read, or a conversation is no entry: several turns,
            tools, a message of the system, content that is no text, an answer of weight 0.
    """
    rows, file = rows_of(source)
    entries = []
    for index, row in enumerate(rows):
        turns, taken = _turns(row, file, index)
        try:
            asked, answered = _question_and_answer(turns, leave_out_system)
        except ValueError as error:
            raise DatasetError(str(error), file, index, taken[0]) from None
        instruction, _, given = asked.partition(input_header)
        entry = {"instruction": instruction, "input": given, "output": answered}
        entries.append(other_fields(row, (*taken, *TOOLS)) | entry)
    return check_entries(entries, file)


def _turns(row: Any, file: Path | None, index: int) -> tuple[list[Any], tuple[str, ...]]:
    """A row's list of turns, and the fields that hold them."""
    check_row(row, file, index)
    for name in TOOLS:
        if row.get(name):
            raise DatasetError(f"describes tools; {NO_PLACE}", file, index, name)
    both = row.get("prompt"), row.get("completion")
    if all(isinstance(part, list) for part in both):
        return both[0] + both[1], ("prompt", "completion")
    field = "messages" if isinstance(row.get("messages"), list) else turns_field(row)
    if field is None:
        hint = "load_entries reads rows of instruction and output, or of prompt and completion"
        raise DatasetError(f"has no list of turns but {list_names(row)}; {hint}", file, index)
    return row[field], (field,)


def _question_and_answer(turns: list[Any], leave_out_system: bool) -> tuple[str, str]:
    """The two texts of a conversation that is an entry; a ValueError says why it is none."""
    said = [_role_and_text(turn, number) for number, turn in enumerate(turns)]
    if any(role == "system" for role, _ in said) and not leave_out_system:
        raise ValueError(
            f"has a message of the system; {NO_PLACE}. To pass over such messages: "
            "from_messages(source, leave_out_system=True)"
        )
    said = [(role, text) for role, text in said if role != "system"]
    roles = [role for role, _ in said]
    if roles != ["user", "assistant"]:
        listed = ", ".join(roles[:4]) + ", …" * (len(roles) > 4) if roles else "no turn"
        raise ValueError(
            f"is no entry, which is one question and one answer, but {listed}; leave such rows "
            "out, or make a row of each question and its answer"
        )
    return said[0][1], said[1][1]


def _role_and_text(turn: Any, number: int) -> tuple[str, str]:
    """Who says what in one turn; a ValueError names the turn, and what an entry cannot hold."""
    which = f"message {number}"
    if not isinstance(turn, Mapping):
        raise ValueError(f"{which} is {describe(turn)}; a turn is an object with role and content")
    if isinstance(turn, FaultyRow):
        raise ValueError(f"{which}: {turn.field!r} {turn.problem}")
    role_name, text_name = ("role", "content") if "role" in turn else ("from", "value")
    role, text = turn.get(role_name), turn.get(text_name)
    role = ROLES.get(role, role) if isinstance(role, str) else role
    others = set(turn) - {role_name, text_name, "weight"}
    if more := sorted(name for name in others if turn[name] not in (None, "", [], {})):
        raise ValueError(f"{which} has {list_names(more)} beside its text; {NO_PLACE}")
    if role not in ("system", "user", "assistant"):
        said = repr(role) if isinstance(role, str) else describe(role)
        raise ValueError(f"{which} has the role {said}; {NO_PLACE}")
    if turn.get("weight") == 0:
        raise ValueError(f"{which} has weight 0: it is not trained on; leave the row out")
    if isinstance(text, list) and all(_is_text_part(part) for part in text):
        text = "".join(part["text"] for part in text)
    if not isinstance(text, str):
        raise ValueError(f"{which}: its {text_name} is {describe(text)}; text is expected")
    return role, text


def _is_text_part(part: Any) -> bool:
    is_text = isinstance(part, Mapping) and part.get("type") == "text"
    return is_text and isinstance(part.get("text"), str)
