"""What a teacher is told: a prompt that asks for new tasks, and how to write its replies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from lessons_lib.data import Entry

LOWEST_BIAS, HIGHEST_BIAS = -100, 100  # what OpenAI's API takes
MOST_STOPS = 4  # what OpenAI's API takes
SEEDS = 3  # in each prompt
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


def sample_seeds(tasks: Sequence[Entry], random: Random, count: int = SEEDS) -> list[Entry]:
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


@dataclass(frozen=True, kw_only=True)
class DecodingArguments:
    """How a teacher writes; the defaults are those of Stanford Alpaca.

    ``temperature``: logits are divided by it before a token is drawn; at 0 the likeliest is taken.
    ``top_p``: only the likeliest tokens that together reach this probability can be drawn.
    ``n``: replies to each request. ``max_tokens``: no reply has more. ``stop``: texts that end a
    reply and are no part of it. ``presence_penalty`` is subtracted from the logit of each token
    that the reply has already, ``frequency_penalty`` once for each time that it has it.
    ``logit_bias``: token id → what is added to its logit; the ids are those of the teacher's own
    vocabulary.

    Raises:
        ValueError: a value is out of its range; says which, and the range.

    Source: ``generate_instruction.py`` and ``utils.py`` of tatsu-lab/stanford_alpaca.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    n: int = 1
    max_tokens: int = 3072
    # The twentieth task is never written. "20." also ends a reply in the midst of "It costs 20.50",
    # and nothing says afterwards that an output was cut there.
    stop: tuple[str, ...] = ("\n20", "20.")
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    # A ban: −100 on the logit of end of text, 50256 in GPT-3's vocabulary, leaves it no chance, so
    # that the list goes on. This −100 has nothing to do with the ignore index, which is a target.
    # In another vocabulary 50256 is another token, or none.
    logit_bias: Mapping[int, float] = field(default_factory=lambda: {50256: -100})

    def __post_init__(self) -> None:
        _check_range("temperature", self.temperature, 0, 2)
        _check_range("top_p", self.top_p, 0, 1)
        _check_range("presence_penalty", self.presence_penalty, -2, 2)
        _check_range("frequency_penalty", self.frequency_penalty, -2, 2)
        if self.top_p == 0:
            raise ValueError("top_p must be above 0: with 0 no token could be drawn")
        for name, value in (("n", self.n), ("max_tokens", self.max_tokens)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a whole number of 1 or more, not {value!r}")
        texts = isinstance(self.stop, tuple | list) and all(isinstance(t, str) for t in self.stop)
        if not texts or "" in self.stop:
            raise ValueError(f'stop must be texts such as ("###",), none empty, not {self.stop!r}')
        if len(self.stop) > MOST_STOPS:
            raise ValueError(f"stop has {len(self.stop)} texts; {MOST_STOPS} is the limit")
        for token_id, bias in self.logit_bias.items():
            if not isinstance(token_id, int) or isinstance(token_id, bool) or token_id < 0:
                raise ValueError(f"logit_bias is by token id, a whole number, not {token_id!r}")
            _check_range(f"the logit_bias of token {token_id}", bias, LOWEST_BIAS, HIGHEST_BIAS)


def _check_range(name: str, value: object, lowest: float, highest: float) -> None:
    """Raise unless the value is a number in the range, both ends included; NaN is not."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not lowest <= value <= highest:
        raise ValueError(f"{name} must be a number from {lowest} to {highest}, not {value!r}")
