"""Exercise: write instruction and input in the Alpaca format. Lesson 02."""

from random import Random

from lessons_lib.data import Entry, format_input
from lessons_lib.exercises import Exercise, WrongAnswer

PREAMBLE = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request."
)


def my_format_input(entry: dict[str, str]) -> str:
    """The preamble, the instruction, and the input where there is one; no response header."""
    preamble = (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request."
    )
    raise NotImplementedError


def answer(entry: dict[str, str]) -> str:
    preamble = (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request."
    )
    text = f"{preamble}\n\n### Instruction:\n{entry['instruction']}"
    if entry["input"]:
        text += f"\n\n### Input:\n{entry['input']}"
    return text


def with_the_response_header(entry: Entry) -> str:
    return answer(entry) + "\n\n### Response:\n"


def with_an_empty_input(entry: Entry) -> str:
    return f"{PREAMBLE}\n\n### Instruction:\n{entry['instruction']}\n\n### Input:\n{entry['input']}"


def without_the_input(entry: Entry) -> str:
    return f"{PREAMBLE}\n\n### Instruction:\n{entry['instruction']}"


def with_single_line_ends(entry: Entry) -> str:
    return answer(entry).replace("\n\n", "\n")


def with_a_line_end_at_the_end(entry: Entry) -> str:
    return answer(entry) + "\n"


def without_the_preamble(entry: Entry) -> str:
    return answer(entry).removeprefix(PREAMBLE).lstrip("\n")


def with_the_output(entry: Entry) -> str:
    return answer(entry) + f"\n\n### Response:\n{entry['output']}"


def cases() -> list[tuple]:
    return [
        ({"instruction": "Name a colour.", "input": "", "output": "Blue."},),
        ({"instruction": "Make it plural.", "input": "a mouse", "output": "mice"},),
        ({"instruction": "Sort these.\nSmallest first.", "input": "3\n1\n\n2", "output": "1 2 3"},),
    ]


def draw(source: Random) -> tuple:
    """An entry of a few lines, half of the time without an input."""

    def text() -> str:
        return "".join(source.choices("abc .\n", k=source.randint(1, 30))) + "."

    given = text() if source.random() < 0.5 else ""
    return ({"instruction": text(), "input": given, "output": text()},)


FORMAT_INPUT = Exercise(
    name="format-input",
    title="An entry in the Alpaca format",
    lesson="02",
    minutes=8,
    difficulty=1,
    statement="""
A model is tuned on texts, and an entry is a dictionary. Write `my_format_input`, which makes the
question from an entry: the preamble, then the instruction under the line `### Instruction:`, then
the input under the line `### Input:`. Before each of these two lines stands an empty line.

If the input is empty, leave it out together with its header. The response header does not belong
to the question; it comes later.
""",
    attempt=my_format_input,
    answer=answer,
    hints=(
        'Two entries differ most: one with an input, one whose input is `""`. What does the text '
        "of each end with?",
        "Build the text that every entry has, then add to it under a condition. An empty line is "
        'two line ends, `"\\n\\n"`.',
        "`text = f\"{preamble}\\n\\n### Instruction:\\n{entry['instruction']}\"`, and if "
        "`entry['input']` is not empty, `\"\\n\\n### Input:\\n\"` and the input go after it. "
        "Nothing follows.",
    ),
    wrong_answers=(
        WrongAnswer(
            with_the_response_header,
            "the response header is put on here",
            "This function makes the question alone. The header comes in one place, between "
            "question and output; here it would come twice.",
        ),
        WrongAnswer(
            with_an_empty_input,
            "the input's header is written although the input is empty",
            "The model would learn that an announced input may be nothing. Where there is no "
            "input, its header goes as well.",
        ),
        WrongAnswer(
            without_the_input,
            "the input is never written",
            "Some instructions cannot be followed without theirs: make plural what?",
        ),
        WrongAnswer(
            with_single_line_ends,
            "one line end stands where an empty line belongs",
            "A format works when all texts have it exactly, those of training and those of use. "
            'Put "\\n\\n" before each header.',
        ),
        WrongAnswer(
            with_a_line_end_at_the_end,
            "the question ends in a line end",
            "The response header begins with its own two; with a third the tokens at the border "
            "are others than in training.",
        ),
        WrongAnswer(
            without_the_preamble,
            "the preamble is left out",
            "It is part of the format, and other people's Alpaca models expect it.",
        ),
        WrongAnswer(
            with_the_output,
            "the output is written, too",
            "The question is what a model is given. If it held the answer, nothing would be left "
            "to write.",
        ),
    ),
    cases=cases,
    draw=draw,
    library=format_input,
    library_name="`format_input` in `lessons_lib.data`",
)
