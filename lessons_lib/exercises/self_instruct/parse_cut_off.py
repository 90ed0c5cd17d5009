"""Exercise: from a teacher's reply, perhaps cut off, to tasks. Lesson 13."""

import re
from random import Random

from lessons_lib.data import Entry
from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.self_instruct import parse_reply

SEPARATOR = re.compile(r"^###$", re.MULTILINE)
HEADING = re.compile(r"^\d+\. (?:Instruction|Input|Output):", re.MULTILINE)


def my_parse(reply: str, cut_off: bool) -> list[Entry]:
    """The whole tasks in a reply to a prompt that ended in "4. Instruction:", in their order.

    cut_off: the reply ended because its limit of tokens was reached.
    """
    raise NotImplementedError


def answer(reply: str, cut_off: bool) -> list[Entry]:
    blocks = re.split(r"^###$", "4. Instruction:" + reply, flags=re.MULTILINE)
    if cut_off:
        blocks.pop()
    tasks = []
    for block in blocks:
        parts = re.split(r"^\d+\. (?:Instruction|Input|Output):", block, flags=re.MULTILINE)
        if len(parts) == 4:  # what stands before the first heading, and the three fields
            instruction, given, output = [part.strip() for part in parts[1:]]
            if given == "<noinput>":
                given = ""
            tasks.append({"instruction": instruction, "input": given, "output": output})
    return tasks


def course_own(reply: str, cut_off: bool) -> list[Entry]:
    """The course's parser, which also says what it dropped."""
    return parse_reply(reply, cut_off=cut_off).tasks


def task_of(block: str) -> Entry | None:
    """The task in a block, or None where a field is missing."""
    parts = [part.strip() for part in HEADING.split(block)[1:]]
    if len(parts) != 3:
        return None
    given = "" if parts[1] == "<noinput>" else parts[1]
    return {"instruction": parts[0], "input": given, "output": parts[2]}


def tasks_of(blocks: list[str]) -> list[Entry]:
    return [task for task in map(task_of, blocks) if task]


def blocks_of(reply: str) -> list[str]:
    return SEPARATOR.split("4. Instruction:" + reply)


def last_kept_if_it_looks_whole(reply: str, cut_off: bool) -> list[Entry]:
    return tasks_of(blocks_of(reply))


def last_always_dropped(reply: str, cut_off: bool) -> list[Entry]:
    return tasks_of(blocks_of(reply)[:-1])


def empty_blocks_removed_first(reply: str, cut_off: bool) -> list[Entry]:
    blocks = [block for block in blocks_of(reply) if block.strip()]
    return tasks_of(blocks[:-1] if cut_off else blocks)


def last_task_dropped(reply: str, cut_off: bool) -> list[Entry]:
    tasks = tasks_of(blocks_of(reply))
    return tasks[:-1] if cut_off else tasks


def first_lost(reply: str, cut_off: bool) -> list[Entry]:
    blocks = SEPARATOR.split(reply)
    return tasks_of(blocks[:-1] if cut_off else blocks)


def parted_at_every_mark(reply: str, cut_off: bool) -> list[Entry]:
    blocks = ("4. Instruction:" + reply).split("###")
    return tasks_of(blocks[:-1] if cut_off else blocks)


def no_input_kept(reply: str, cut_off: bool) -> list[Entry]:
    blocks, tasks = blocks_of(reply), []
    for block in blocks[:-1] if cut_off else blocks:
        parts = [part.strip() for part in HEADING.split(block)[1:]]
        if len(parts) == 3:
            tasks.append({"instruction": parts[0], "input": parts[1], "output": parts[2]})
    return tasks


def stopped_at_the_first_fault(reply: str, cut_off: bool) -> list[Entry]:
    blocks, tasks = blocks_of(reply), []
    for block in blocks[:-1] if cut_off else blocks:
        task = task_of(block)
        if task is None:
            break
        tasks.append(task)
    return tasks


def one_line_of_each_field(reply: str, cut_off: bool) -> list[Entry]:
    tasks = answer(reply, cut_off)
    return [{name: text.split("\n")[0] for name, text in task.items()} for task in tasks]


SEA = " Name a sea.\n4. Input:\n<noinput>\n4. Output:\nThe Baltic Sea.\n"
RHYME = "\n5. Instruction: Find a rhyme.\n5. Input:\nmoon\n5. Output:\nJune\nor spoon\n"
NO_OUTPUT = "\n6. Instruction: Add these.\n6. Input:\n3 and 4\n"
HEADINGS = "\n7. Instruction: Write notes.\n7. Input:\n<noinput>\n7. Output:\n### Tea\nBoil it.\n"
COUNT = "\n8. Instruction: Count on.\n8. Input:\n1, 2, 3\n8. Output:\n4, 5, 6"


def cases() -> list[tuple]:
    return [
        (SEA, False),
        ("###".join((SEA, RHYME)), False),
        ("###".join((SEA, COUNT)), True),  # 7, 8 and 9 may have been to come
        ("###".join((SEA, RHYME)) + "###", True),  # cut off behind a mark: both are whole
        ("###".join((SEA, RHYME)) + "###\n", False),
        ("###".join((SEA, RHYME, NO_OUTPUT)), True),
        ("###".join((SEA, NO_OUTPUT, COUNT)), False),
        ("###".join((SEA, HEADINGS, COUNT)), False),
        ("###".join((SEA, RHYME, HEADINGS)), True),  # the last ### alone in its line counts
        (" Name a", True),
        (SEA, True),
    ]


def draw(source: Random) -> tuple:
    """Up to six blocks, whole or without an output, and a reply that may be cut off anywhere."""
    words = ["moon", "3 and 4", "June\nor spoon", "### Tea", "a, b"]
    blocks = []
    for number in range(4, 4 + source.randint(1, 6)):
        instruction, given, output = source.sample(words, 3)
        given = source.choice((given, "<noinput>"))
        opening = "" if number == 4 else f"\n{number}. Instruction:"
        block = f"{opening} Do {instruction}.\n{number}. Input:\n{given}\n"
        blocks.append(block + source.choice((f"{number}. Output:\n{output}\n", "")))
    return "###".join(blocks) + source.choice(("", "###", "###\n")), source.random() < 0.5


PARSE_CUT_OFF = Exercise(
    name="parse-cut-off",
    title="A reply that breaks off",
    lesson="13",
    minutes=20,
    difficulty=3,
    statement="""
The prompt ended in “4. Instruction:”, and the teacher went on from there: so its reply begins in
the middle of a block. Each block has three headings, each at the beginning of a line, such as
`5. Instruction:`, `5. Input:` and `5. Output:`; whatever follows a heading, up to the next, is that
field. A line that is `###` and nothing else separates blocks; “### Tea” within an output is a
title and separates nothing.

Write `my_parse`, which returns the tasks as a list of entries, with white space around each field
removed and the input `<noinput>` made the empty text. A block without all three headings is left
out, and those after it still count.

If `cut_off` is True, the limit of tokens ended the reply. Then whatever stands behind the last
`###` may be incomplete, even where it looks whole, and is left out. A block that has its `###`
behind it was finished.
""",
    attempt=my_parse,
    answer=answer,
    hints=(
        "Give the first block the heading that stands in the prompt. Then part the text into "
        "blocks, decide on the last block, and only then look into each.",
        '`re.split(r"^###$", text, flags=re.MULTILINE)` parts it: with this flag, `^` and `$` are '
        "the ends of a line. What is the last item of the list if the text ends in `###`? The same "
        "function parts a block at its headings.",
        '`re.split(r"^\\d+\\. (?:Instruction|Input|Output):", block, flags=re.MULTILINE)` gives '
        "four parts for a whole block; the first stands before the first heading. If the reply was "
        "cut off, `blocks.pop()` beforehand takes away what stands behind the last `###`, which "
        "may be nothing.",
    ),
    wrong_answers=(
        WrongAnswer(
            last_kept_if_it_looks_whole,
            "a last block that looks whole is kept, though the reply was cut off",
            "All three headings are there, but “4, 5, 6” may have been meant to go on to 9. "
            "Nothing in the text tells; that the limit was reached does.",
        ),
        WrongAnswer(
            last_always_dropped,
            "the last block is dropped in every reply",
            "A teacher that stopped by itself had said all it wanted to, and its last task is as "
            "good as the others. `cut_off` says which it was.",
        ),
        WrongAnswer(
            empty_blocks_removed_first,
            "empty blocks are removed before the last one is dropped",
            "Where the limit fell just behind a `###`, nothing was cut: the block before it is "
            "finished, but now it is the last one. Drop first, then tidy up.",
        ),
        WrongAnswer(
            last_task_dropped,
            "the last whole task is dropped, not the last block",
            "If the last block is incomplete, it has been left out already, and the task that is "
            "dropped now was finished. Drop the block before you look for tasks.",
        ),
        WrongAnswer(
            first_lost,
            "the first block has no instruction",
            "Its heading, “4. Instruction:”, stands in the prompt. Put it in front of the reply, "
            "or each reply loses its first task.",
        ),
        WrongAnswer(
            parted_at_every_mark,
            "the text is parted at every ###",
            "An output may have titles of its own, such as “### Tea”. Only a line that is nothing "
            "but `###` parts two tasks.",
        ),
        WrongAnswer(
            no_input_kept,
            "<noinput> stays where it is",
            "A model trained on it would learn that tasks come with this word. It only says that "
            "the field is empty.",
        ),
        WrongAnswer(
            stopped_at_the_first_fault,
            "the first faulty block ends the search",
            "One block without an output says nothing of the next. `continue`, not `break`.",
        ),
        WrongAnswer(
            one_line_of_each_field,
            "only the first line of each field is taken",
            "An output may have many. A field ends where the next heading begins, or the block.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import re\n\nfrom lessons_lib.data import Entry\n",
    library=course_own,
    library_name="`parse_reply` in `lessons_lib.self_instruct`, which also says why a block was "
    "dropped, and reads more than teachers should write",
)
