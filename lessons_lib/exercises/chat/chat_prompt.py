"""Exercise: from a list of messages to the one text that the model reads. Lesson 12."""

from random import Random

from lessons_lib.data import format_input
from lessons_lib.exercises import Exercise, WrongAnswer

HEADER = "\n\n### Response:\n"
Messages = list[dict[str, str]]


def chat_prompt(messages: list[dict[str, str]]) -> str:
    """The Alpaca prompt for the last message, the user's, with all earlier turns before it.

    messages hold "role" ("system", "user" or "assistant") and "content".
    """
    header = "\n\n### Response:\n"

    def asked(text: str) -> str:
        return format_input({"instruction": text, "input": ""})

    raise NotImplementedError


def answer(messages: list[dict[str, str]]) -> str:
    header = "\n\n### Response:\n"
    system = [each["content"] for each in messages if each["role"] == "system"]
    spoken = [each["content"] for each in messages if each["role"] != "system"]
    spoken[-1] = "\n\n".join(system + spoken[-1:])
    texts = []
    for index in range(0, len(spoken), 2):
        prompt = format_input({"instruction": spoken[index], "input": ""}) + header
        texts.append(prompt + "".join(spoken[index + 1 : index + 2]))
    return "\n\n".join(texts)


def bare_message(messages: Messages) -> str:
    return messages[-1]["content"]


def without_the_header(messages: Messages) -> str:
    return answer(messages).removesuffix(HEADER)


def with_a_further_line_end(messages: Messages) -> str:
    return answer(messages) + "\n"


def with_a_second_header(messages: Messages) -> str:
    return answer(messages) + HEADER


def answers_run_on(messages: Messages) -> str:
    return answer(messages).replace("\n\nBelow is", "Below is")


def system_lost(messages: Messages) -> str:
    return answer([each for each in messages if each["role"] != "system"])


def system_in_front_of_all(messages: Messages) -> str:
    system = [each["content"] for each in messages if each["role"] == "system"]
    return "\n\n".join([*system, system_lost(messages)])


def roles_swapped(messages: Messages) -> str:
    spoken = [each for each in messages if each["role"] != "system"]
    turns = [spoken[i : i + 2][::-1] for i in range(0, len(spoken), 2)]
    system = [each for each in messages if each["role"] == "system"]
    return answer([*system, *(each for turn in turns for each in turn)])


def without_memory(messages: Messages) -> str:
    return answer([*(each for each in messages if each["role"] == "system"), messages[-1]])


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def cases() -> list[tuple]:
    turn = [message("user", "Name a colour."), message("assistant", "Blue.")]
    short = message("system", "Answer in one word.")
    return [
        ([message("user", "Name a fish.")],),
        ([*turn, message("user", "Another one.")],),
        ([short, message("user", "Name a fish.")],),
        (
            [
                short,
                *turn,
                message("user", "And\na tree?"),
                message("assistant", "An oak."),
                turn[0],
            ],
        ),
    ]


def draw(source: Random) -> tuple:
    """Up to four turns and a last message, half of the time below a system message."""
    words = "name a fish, another\none please".split(" ")

    def text() -> str:
        return " ".join(source.choices(words, k=source.randint(1, 5)))

    messages = [message("system", text())] if source.random() < 0.5 else []
    for _ in range(source.randint(0, 4)):
        messages += [message("user", text()), message("assistant", text())]
    return ([*messages, message("user", text())],)


CHAT_PROMPT = Exercise(
    name="chat-prompt",
    title="From a list of messages to one prompt",
    lesson="12",
    minutes=15,
    difficulty=3,
    statement="""
A program that talks to a chat model keeps a list of messages; the model reads one text. Whoever
writes that text differently from training gets, in effect, a different model, as you have measured
above. Write `chat_prompt`.

Each earlier turn, a user's message and the assistant's reply, stands there as a training text does:
`format_input` of the message, the response header, the reply, but without end of text. An empty
line follows each of them.
Then comes the prompt of the last message, and it ends in the response header, ready for the reply.

A system message, if there is one, stands first in the list, and Alpaca's format has no place for
it. The course puts it into the last instruction, before the user's text, with an empty line
between the two. Apart from it the list alternates: user, assistant, user, …; it ends with the user.
""",
    attempt=chat_prompt,
    answer=answer,
    hints=(
        "Write down the prompt of one message, then that of three. Which piece is there twice, and "
        "what comes after it the first time, and the last?",
        "Take the system texts out first. What is left are pairs, and one message without a "
        'partner. Make a list of texts, one a turn, and join it with `"\\n\\n"`.',
        'For an earlier turn `format_input({"instruction": question, "input": ""}) + header + '
        "reply`; for the last message the same without a reply, and with "
        '`"\\n\\n".join([*system, question])` for its instruction.',
    ),
    wrong_answers=(
        WrongAnswer(
            bare_message,
            "the last message is given to the model as it was typed",
            "No training text looked like that. Write it as an instruction, header included.",
        ),
        WrongAnswer(
            without_the_header,
            "the response header is missing at the end",
            "Without it the model may go on with the instruction, since nothing says that it is "
            "over.",
        ),
        WrongAnswer(
            with_a_further_line_end,
            "the prompt ends in one line end too many",
            "In training the answer's first word stood right after the header's own line end. "
            "What is added there, a space included, makes other tokens.",
        ),
        WrongAnswer(
            with_a_second_header,
            "the response is opened twice",
            "The prompt of the last message has its header already; the reply comes next, and the "
            "model writes it.",
        ),
        WrongAnswer(
            answers_run_on,
            "an earlier answer has no end",
            "The next preamble follows its last letter. Put an empty line after each answer.",
        ),
        WrongAnswer(
            system_lost,
            "the system text is left out",
            "Whoever sent it believes that it is obeyed. It goes before the last message.",
        ),
        WrongAnswer(
            system_in_front_of_all,
            "the system text stands above the whole prompt",
            "No training text had anything before its preamble. It belongs in the last "
            "instruction, before the user's text.",
        ),
        WrongAnswer(
            roles_swapped,
            "replies are taken for instructions, and the user's messages for answers",
            "In a turn the user speaks first. Look at the roles, or at the order.",
        ),
        WrongAnswer(
            without_memory,
            "the earlier turns are left out",
            "That is the prompt of a chat without memory. Here each earlier turn stands before "
            "the last message.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from lessons_lib.data import format_input\n",
)
