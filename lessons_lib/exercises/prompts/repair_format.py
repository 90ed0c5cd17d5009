"""Exercise: repair a prompt that ends in a space, without changing the whole text."""

from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer


def repaired(prompt: str, response: str) -> tuple[str, str]:
    """Prompt and response whose joined text is the same, with no space at the prompt's end."""
    raise NotImplementedError


def answer(prompt: str, response: str) -> tuple[str, str]:
    shorter = prompt.rstrip(" ")
    return shorter, prompt[len(shorter) :] + response


def space_lost(prompt: str, response: str) -> tuple[str, str]:
    return prompt.rstrip(" "), response


def one_space_always(prompt: str, response: str) -> tuple[str, str]:
    return prompt.rstrip(" "), " " + response


def space_twice(prompt: str, response: str) -> tuple[str, str]:
    return prompt, answer(prompt, response)[1]


def one_space_moved(prompt: str, response: str) -> tuple[str, str]:
    if prompt.endswith(" "):
        return prompt[:-1], " " + response
    return prompt, response


def line_ends_moved(prompt: str, response: str) -> tuple[str, str]:
    shorter = prompt.rstrip()
    return shorter, prompt[len(shorter) :] + response


def spaces_behind(prompt: str, response: str) -> tuple[str, str]:
    shorter = prompt.rstrip(" ")
    return shorter, response + prompt[len(shorter) :]


def nothing_done(prompt: str, response: str) -> tuple[str, str]:
    return prompt, response


def cases() -> list[tuple]:
    return [
        ("Answer: ", "Blue"),
        ("Answer:", "Blue"),
        ("Answer:\n", "Blue"),
        ("A colour?\nAnswer:  ", "Dark blue "),
        ("Answer:\n ", " Blue"),
    ]


def draw(source: Random) -> tuple:
    """A prompt with up to three spaces at its end, and a response that may begin with some."""
    prompt = source.choice(("Answer:", "A colour?\n", "Say  it:", "Q\nA:\n"))
    response = source.choice(("Blue", "dark blue ", "two\nlines", "3"))
    return prompt + " " * source.randint(0, 3), " " * source.randint(0, 2) + response


REPAIR_FORMAT = Exercise(
    name="repair-format",
    title="A prompt that ends in a space",
    lesson="02",
    minutes=8,
    difficulty=2,
    statement="""
Repair the border. Write `repaired`, which moves all spaces at the prompt's end to the beginning of
the response. The two joined must give the very same text as before, so that nothing changes in
training; only the border between what the model is given and what it writes moves.

Line ends stay where they are, and where there is no space at the border nothing is moved.
""",
    attempt=repaired,
    answer=answer,
    hints=(
        "Whatever leaves the prompt must arrive in the response: how many characters are that?",
        '`prompt.rstrip(" ")` takes spaces away, and nothing but spaces. Compare its length with '
        "the prompt's.",
        '`shorter = prompt.rstrip(" ")`; what was taken away is `prompt[len(shorter):]`, and it '
        "belongs before the response.",
    ),
    wrong_answers=(
        WrongAnswer(
            space_lost,
            "the space is deleted",
            "The model would be trained on `Answer:Blue`, a text with another first token and "
            "without its space. Put it in front of the response.",
        ),
        WrongAnswer(
            one_space_always,
            "the response always gets one space",
            "Where there was none, or there were two, the text becomes another. Move what is "
            "there.",
        ),
        WrongAnswer(
            space_twice,
            "the space is added to the response and stays in the prompt",
            "Now it stands there twice, and the prompt still ends in a space.",
        ),
        WrongAnswer(
            one_space_moved,
            "one space is moved, and a second stays behind",
            "The prompt still ends in a space. Move all of them.",
        ),
        WrongAnswer(
            line_ends_moved,
            "line ends are moved as well",
            "`rstrip()` takes all white space. A line end before a word is a token of its own, so "
            "it may stay in the prompt, as in the Alpaca format.",
        ),
        WrongAnswer(
            spaces_behind,
            "the spaces are put behind the response",
            "They stood before its first word. Joined, the text must be what it was.",
        ),
        WrongAnswer(
            nothing_done,
            "prompt and response are returned as they came",
            "A prompt that ends in a space ends in a token that no training text has at this "
            "place.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=("prompt", "response"),
)
