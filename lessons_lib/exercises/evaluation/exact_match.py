"""Exercise: the strictest test of an answer, that it is the wanted one to the letter. Lesson 10."""

from random import Random

from lessons_lib.data import Entry
from lessons_lib.evaluation import matches_exactly
from lessons_lib.exercises import Exercise, WrongAnswer


def my_exact_match(entry: Entry, answer: str) -> bool:
    """Whether the answer is entry["output"], apart from white space around either of them."""
    raise NotImplementedError


def answer(entry: Entry, answer: str) -> bool:
    return answer.strip() == entry["output"].strip()


def unstripped(entry: Entry, answer: str) -> bool:
    return answer == entry["output"]


def answer_alone_stripped(entry: Entry, answer: str) -> bool:
    return answer.strip() == entry["output"]


def line_breaks_alone_stripped(entry: Entry, answer: str) -> bool:
    return answer.strip("\n") == entry["output"].strip("\n")


def case_forgiven(entry: Entry, answer: str) -> bool:
    return answer.strip().casefold() == entry["output"].strip().casefold()


def end_mark_forgiven(entry: Entry, answer: str) -> bool:
    return answer.strip(" .\n") == entry["output"].strip(" .\n")


def spaces_forgiven(entry: Entry, answer: str) -> bool:
    return answer.split() == entry["output"].split()


def found_inside(entry: Entry, answer: str) -> bool:
    return entry["output"].strip() in answer


def begins_so(entry: Entry, answer: str) -> bool:
    return answer.strip().startswith(entry["output"].strip())


def part_of_it(entry: Entry, answer: str) -> bool:
    return answer.strip() in entry["output"].strip()


def cases() -> list[tuple]:
    oslo = {"instruction": "Name the capital of Norway.", "input": "", "output": "It is Oslo."}
    ended = oslo | {"output": "It is Oslo.\n"}
    answers = (
        "It is Oslo.",
        " It is Oslo.\n",
        "it is oslo.",
        "It is Oslo",
        "It  is\nOslo.",
        "Well: It is Oslo.",
        "It is Oslo. Or Bergen.",
        "",
        "It is Bergen.",
    )
    return [(ended, "It is Oslo."), *((oslo, each) for each in answers)]


def draw(source: Random) -> tuple:
    """An output, and an answer that is nearly the same, or the same but for white space around."""
    text = " ".join(source.choices(("it", "is", "Oslo", "not", "3.5"), k=source.randint(1, 5)))
    changes = (text, text.upper(), text + ".", text.replace(" ", "  "), text[1:], "x " + text)
    ends = ("", " ", "\n", "\t ")
    wanted, given = (
        source.choice(ends) + each + source.choice(ends)
        for each in (text, source.choice((text, *changes)))
    )
    return {"instruction": "Say it.", "input": "", "output": wanted}, given


EXACT_MATCH = Exercise(
    name="exact-match",
    title="Right to the letter",
    lesson="10",
    minutes=5,
    difficulty=1,
    statement="""
Before anything can be counted, something must say of an answer: right, or wrong. The plainest rule
forgives nothing. Write `my_exact_match`, which returns True where the answer is the entry's output
to the letter, and False everywhere else.

One thing does not count: white space *around* a text, as the model's answer and the file's output
may each end in a line break that nobody sees. White space within a text counts, like case and every
full stop.
""",
    attempt=my_exact_match,
    answer=answer,
    hints=(
        "Two texts are compared, and each may have something around it that does not count. Try "
        '`"Oslo\\n" == "Oslo"`.',
        "`text.strip()` gives the text without white space around it. Which of the two texts needs "
        "it?",
        '`answer.strip() == entry["output"].strip()`: both sides, and `==`, which forgives '
        "nothing.",
    ),
    wrong_answers=(
        WrongAnswer(
            unstripped,
            "white space around the texts is left on",
            "A model that ends its answer with a line break would be wrong every time, though "
            "nobody could see why.",
        ),
        WrongAnswer(
            answer_alone_stripped,
            "the answer alone is stripped",
            "An output that ends in a line break, in a file that somebody edited, could then never "
            "be matched. Strip both.",
        ),
        WrongAnswer(
            line_breaks_alone_stripped,
            "line breaks alone are taken off",
            'A space at an end is white space, too. `strip("\\n")` takes off nothing but line '
            "breaks; without an argument `strip()` takes all white space.",
        ),
        WrongAnswer(
            case_forgiven,
            "capital letters are forgiven",
            "That is kinder than exact: “it is oslo.” passes. The kinder scores come next; this "
            "one forgives nothing.",
        ),
        WrongAnswer(
            end_mark_forgiven,
            "the full stop is forgiven",
            "`strip` with an argument takes those characters off as well. Without one it takes "
            "white space alone.",
        ),
        WrongAnswer(
            spaces_forgiven,
            "the two are compared word by word",
            "`split()` also forgets spaces and line breaks between the words, and in a list or a "
            "program these matter.",
        ),
        WrongAnswer(
            found_inside,
            "the output may stand anywhere in the answer",
            "Then an answer that goes on and takes it all back is right, too. Compare whole texts, "
            "with `==`.",
        ),
        WrongAnswer(
            begins_so,
            "the answer only has to begin with the output",
            "What comes after it may be a second answer, or a page of nonsense from a model that "
            "cannot stop.",
        ),
        WrongAnswer(
            part_of_it,
            "the answer may be a part of the output",
            "The empty text is a part of every text, so a model that says nothing would be right "
            "throughout.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from lessons_lib.data import Entry\n",
    library=matches_exactly,
    library_name="`matches_exactly` in `lessons_lib.evaluation`",
)
