"""Exercise: cut the answer out of a text, also when it quotes the header itself."""

from random import Random

from lessons_lib.data import PromptFormat
from lessons_lib.exercises import Exercise, WrongAnswer

HEADER = "\n\n### Response:\n"


def my_extract_response(text: str, header: str = "\n\n### Response:\n") -> str:
    """Everything after the prompt, exactly as it stands in the text."""
    raise NotImplementedError


def answer(text: str, header: str = "\n\n### Response:\n") -> str:
    prompt, found, response = text.partition(header)
    return response


def library(text: str, header: str = HEADER) -> str:
    return PromptFormat("any", lambda entry: "", header).extract_response(text)


def after_the_last_header(text: str, header: str = HEADER) -> str:
    return text.rpartition(header)[2]


def between_two_headers(text: str, header: str = HEADER) -> str:
    return text.split(header)[1]


def without_all_headers(text: str, header: str = HEADER) -> str:
    return text.replace(header, "")


def headers_lost_in_the_answer(text: str, header: str = HEADER) -> str:
    return "".join(text.split(header)[1:])


def with_the_header(text: str, header: str = HEADER) -> str:
    return text[text.index(header) :]


def stripped(text: str, header: str = HEADER) -> str:
    return answer(text, header).strip()


def the_prompt(text: str, header: str = HEADER) -> str:
    return text.partition(header)[0]


def the_last_line(text: str, header: str = HEADER) -> str:
    return text.splitlines()[-1]


def the_alpaca_header_always(text: str, header: str = HEADER) -> str:
    return text.partition(HEADER)[2]


def cases() -> list[tuple]:
    return [
        ("Name a colour.\n\n### Response:\nBlue.",),
        ("How does it end?\n\n### Response:\nSo:\n\n### Response:\nand the answer.",),
        ("Write a haiku.\n\n### Response:\n  Rain.\n\nThe road is empty.\n",),
        ("Three in a row?\n\n### Response:\nA\n\n### Response:\nB\n\n### Response:\nC",),
        ("Ask.\n<|assistant|>\nYes.\n\n### Response:\nNo.", "\n<|assistant|>\n"),
    ]


def draw(source: Random) -> tuple:
    """A prompt, and an answer that may quote the header several times."""
    header = source.choice((HEADER, "\n<|assistant|>\n", "\n\nA:\n"))
    pieces = [" ", "\n", "blue", "The end.", header, HEADER]
    answer = "".join(source.choices(pieces, k=source.randint(0, 8)))
    return "Ask " + "x" * source.randint(0, 9) + "." + header + answer, header


EXTRACT_RESPONSE = Exercise(
    name="extract-response",
    title="Cut the answer out",
    lesson="02",
    minutes=6,
    difficulty=2,
    statement="""
A model's text begins with the prompt that it was given. Write `my_extract_response`, which returns
what comes after the prompt. The prompt ends in `header`; assume that it does not occur earlier in
the prompt.

An answer can be about prompts, and quote the header. Return it whole, quotation included, with all
its spaces and line ends.
""",
    attempt=my_extract_response,
    answer=answer,
    hints=(
        "A text in which the header stands twice: which of the two did we write, and which did "
        "the model?",
        "The prompt comes first, so its header is the first one. Cut there once, and leave all "
        "that follows alone.",
        "`text.partition(header)` cuts at the first header, and gives the text before it, the "
        "header, and the text after it.",
    ),
    wrong_answers=(
        WrongAnswer(
            after_the_last_header,
            "the text is cut at the last header",
            "If the answer quotes the header, half of the answer is lost. Ours is the first.",
        ),
        WrongAnswer(
            between_two_headers,
            "the text is cut at every header and the second piece taken",
            "The answer ends where it quotes the header. Cut once: `split(header, 1)`.",
        ),
        WrongAnswer(
            without_all_headers,
            "the header is deleted wherever it stands",
            "The prompt is still there. All up to the end of the first header has to go.",
        ),
        WrongAnswer(
            headers_lost_in_the_answer,
            "the header is taken out of the answer as well",
            "What the model wrote is its answer, quotations included. We would score a text that "
            "nobody wrote.",
        ),
        WrongAnswer(
            with_the_header,
            "the cut is made before the header",
            "`index` gives the place where the header begins; add its length.",
        ),
        WrongAnswer(
            stripped,
            "white space around the answer is removed",
            "Spaces and line ends are tokens that the model chose. Whoever compares answers may "
            "strip them; this function should not decide it.",
        ),
        WrongAnswer(
            the_prompt,
            "the part before the header is returned",
            "That is what we asked. The answer comes behind.",
        ),
        WrongAnswer(
            the_last_line,
            "the last line alone is returned",
            "An answer may have many lines. What ends the prompt is the header.",
        ),
        WrongAnswer(
            the_alpaca_header_always,
            "the Alpaca header is looked for, whatever header was given",
            "Other formats have other headers; that is why it is an argument.",
        ),
    ),
    cases=cases,
    draw=draw,
    library=library,
    library_name="`PromptFormat.extract_response` in `lessons_lib.data`",
)
