"""From a teacher's reply to tasks: it is parsed, and filters refuse what won't do.

A list of tasks has blocks between ``###``, each with its three fields; a chat has two turns. The
filters are Alpaca's.
"""

import re
import string
from typing import NamedTuple

from lessons_lib.data import Entry
from lessons_lib.data.entries import says_no_input
from lessons_lib.data.reading import sift_entries
from lessons_lib.self_instruct.teachers import Completion

# ``###`` at the end of a line, or before the next task. A heading inside an output, "### Method",
# parts nothing. No pattern here gives back what it took: a reply of a million "#" is read at once.
_SEPARATOR = re.compile(r"(?<!#)#{3,}+[ \t\r]*+(?=$|[0-9]{1,4}\.[ \t]*+Instruction:)", re.MULTILINE)
_HEADER = re.compile(
    r"^[ \t]*+(?P<number>[0-9]{1,4})\.[ \t]*+(?P<field>Instruction|Input|Output):", re.MULTILINE
)
FIELDS = ["Instruction", "Input", "Output"]
CUT_OFF = "cut off by the limit of tokens"
ANSWER_CUT_OFF = "answer cut off by the limit of tokens"
NO_TASK = "not one task with instruction, input and output"

FEWEST_WORDS, MOST_WORDS = 4, 150  # of an instruction
# What points to something that no language model can see, hear, open or make.
KEYWORDS = (
    "image",
    "images",
    "graph",
    "graphs",
    "picture",
    "pictures",
    "file",
    "files",
    "map",
    "maps",
    "draw",
    "plot",
    "go to",
    "video",
    "audio",
    "music",
    "flowchart",
    "diagram",
)
# Whole words, in whatever case: "filed" and "graphite" may stay.
_KEYWORD = re.compile(rf"\b({'|'.join(KEYWORDS)})\b", re.IGNORECASE)


class Dropped(NamedTuple):
    """A block that is no task, and why, in a phrase that can be counted."""

    text: str
    reason: str


class Parsed(NamedTuple):
    """What was found in a reply: tasks that are whole, and the blocks that are none."""

    tasks: list[Entry]
    dropped: list[Dropped]


def parse_reply(reply: str, first_number: int = 4, cut_off: bool = False) -> Parsed:
    """The tasks in a reply to ``encode_prompt``, in their order, and what was dropped.

    ``first_number``: of the task with whose "Instruction:" the prompt ended, so that the reply
    starts in the midst of a block. ``cut_off``: the reply reached its limit of tokens, so that its
    last block, even if it looks whole, may lack its end. An input that only says that there is none
    becomes an empty one. Whatever the text is, nothing is raised, and each task is an entry that
    ``check_entries`` takes.

    Source: ``post_process_gpt3_response`` in tatsu-lab/stanford_alpaca, which numbers the blocks by
    their order and drops those numbered otherwise, parts an output at its headings, and keeps an
    empty output.
    """
    # A chat model tends to repeat what it should go on from.
    begins_anew = _HEADER.match(_SEPARATOR.sub("", reply, count=1).lstrip())
    text = reply if begins_anew else f"{first_number}. Instruction:{reply}"
    blocks = _SEPARATOR.split(text)
    parsed = Parsed([], [])
    for index, block in enumerate(blocks):
        if not block.strip():
            continue  # behind the last separator
        if cut_off and index == len(blocks) - 1:
            parsed.dropped.append(Dropped(block.strip(), CUT_OFF))
            continue
        task = _parse_block(block)
        if isinstance(task, str):
            parsed.dropped.append(Dropped(block.strip(), task))
        else:
            parsed.tasks.append(task)
    return parsed


def parse_turns(turn: Completion, answer: Completion | None) -> Parsed:
    """The task in a user's turn that a model wrote, and its own answer to it; see ``magpie``.

    It has no input. There is no answer to a turn that was cut off or is blank.
    """
    if not turn.stopped:
        return Parsed([], [Dropped(turn.text.strip(), CUT_OFF)])
    if answer is not None and not answer.stopped:
        return Parsed([], [Dropped(turn.text.strip(), ANSWER_CUT_OFF)])
    task = _checked(turn.text.strip(), "", answer.text.strip() if answer else "")
    if isinstance(task, str):
        return Parsed([], [Dropped(turn.text.strip(), task)])
    return Parsed([task], [])


def _parse_block(block: str) -> Entry | str:
    """The block's task, or why there is none."""
    headers = list(_HEADER.finditer(block))
    number = headers[0]["number"] if headers else ""
    # Fields of other numbers are part of a text, as in an output that is a list; but where another
    # instruction begins, a separator was forgotten.
    own = [header for header in headers if header["number"] == number]
    instructions = [header for header in headers if header["field"] == "Instruction"]
    if [header["field"] for header in own] != FIELDS or len(instructions) > 1:
        return NO_TASK
    ends = [header.start() for header in own[1:]] + [len(block)]
    instruction, given, output = (
        block[header.end() : end].strip() for header, end in zip(own, ends, strict=True)
    )
    if says_no_input(given):
        given = ""
    return _checked(instruction, given, output)


def _checked(instruction: str, given: str, output: str) -> Entry | str:
    """The task, or the fault that ``check_entries`` would find."""
    entry = {"instruction": instruction, "input": given, "output": output}
    entries, faults = sift_entries([entry])
    if faults:
        (_, field, problem) = faults[0]
        return f"empty {field}" if problem == "is blank" else f"{field} {problem}"
    return entries[0]


def refusal_reason(entry: Entry) -> str | None:
    """Why a task is refused, in a phrase that can be counted; None where it may stay.

    The first rule that applies gives the reason. The rules look at words alone, so they also refuse
    good tasks ("How does music change our mood?") and let bad ones pass ("Sing me a song").

    Source: ``generate_instruction.py`` of tatsu-lab/stanford_alpaca. There an empty output passes.
    """
    instruction = entry["instruction"].strip()
    words = len(instruction.split())
    if words < FEWEST_WORDS:
        return f"instruction of fewer than {FEWEST_WORDS} words"
    if words > MOST_WORDS:
        return f"instruction of more than {MOST_WORDS} words"
    if _KEYWORD.search(instruction):
        return "instruction with a keyword such as image or file"
    # The teacher likes to put it before a task that a person would simply answer.
    if instruction.startswith("Write a program"):
        return "instruction beginning with “Write a program”"
    if instruction[0] in string.punctuation:
        return "instruction beginning with punctuation"
    if not instruction[0].isascii():
        return "instruction beginning with a non-ASCII character"
    if not entry["output"].strip():
        return "empty output"
    return None
