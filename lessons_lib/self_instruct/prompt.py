"""The prompt that asks a teacher for new tasks: what is wanted, then seed tasks to go on from."""

import re
from collections.abc import Sequence
from random import Random

from lessons_lib.data import Entry

NO_INPUT = "<noinput>"
REQUIREMENTS = """\
Below begins a list of {total} tasks for a language model. Go on with the list until it is full. \
Whoever reads it should find that no two tasks are alike. The rules of the list:

- Each instruction starts with another verb, as far as possible.
- The wording varies: some tasks are questions, others are requests.
- All kinds of task occur: rewriting, classifying, explaining, planning, inventing, calculating, \
coding, correcting and more.
- Each task can be done with text alone. Nothing has to be seen, heard, shown or looked up, and \
nothing has to happen outside the answer, such as booking a table or calling somebody.
- Everything is in English.
- An instruction has one sentence or two.
- The input is what the instruction is to be applied to: a real example with enough in it to work \
on, at most 100 words, and never a mere placeholder such as "[your text]".
- An instruction that needs no input, such as a question of general knowledge, has {no_input} in \
its place.
- The output does what the instruction asks, correctly, in fewer than 100 words.

The {total} tasks:
"""


def sample_seeds(tasks: Sequence[Entry], random: Random, count: int = 3) -> list[Entry]:
    """``count`` different tasks in random order: new ones for each request, never all of them.

    The same state of ``random`` gives the same tasks in every version of Python.
    """
    rest = list(tasks)
    return [rest.pop(int(random.random() * len(rest))) for _ in range(count)]


def encode_prompt(tasks: Sequence[Entry], total: int = 20) -> str:
    """One text of the requirements and these tasks, as a list that breaks off: the teacher goes on.

    The tasks are numbered from 1 and parted by ``###``; an empty input is ``<noinput>``. After
    three tasks the text ends in "4. Instruction:", without a space behind it, since a model's next
    token brings its own. ``total``: how many tasks the whole list is said to have, these included.

    Source: ``encode_prompt`` in tatsu-lab/stanford_alpaca; the requirements are worded anew.
    """
    parts = [REQUIREMENTS.format(total=total, no_input=NO_INPUT)]
    for number, task in enumerate(tasks, start=1):
        instruction = re.sub(r"\s+", " ", task["instruction"]).strip().rstrip(":")
        parts.append(
            f"###\n{number}. Instruction: {instruction}\n"
            f"{number}. Input:\n{task['input'] or NO_INPUT}\n"
            f"{number}. Output:\n{task['output']}\n"
        )
    return "".join([*parts, f"###\n{len(tasks) + 1}. Instruction:"])
