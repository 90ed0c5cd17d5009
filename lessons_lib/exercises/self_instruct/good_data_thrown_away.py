"""Exercise: a filter by keywords that throws away good data, repaired. Lesson 13."""

import re
from collections.abc import Sequence
from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer


def my_keeps(instruction: str, keywords: Sequence[str]) -> bool:
    """Whether no keyword occurs in the instruction as a whole word, in whatever case."""
    raise NotImplementedError


def answer(instruction: str, keywords: Sequence[str]) -> bool:
    for keyword in keywords:
        if re.search(rf"\b{keyword}\b", instruction, re.IGNORECASE):
            return False
    return True


def part_of_a_word(instruction: str, keywords: Sequence[str]) -> bool:
    return not any(keyword in instruction.lower() for keyword in keywords)


def case_counts(instruction: str, keywords: Sequence[str]) -> bool:
    return not any(re.search(rf"\b{keyword}\b", instruction) for keyword in keywords)


def marks_stick_to_words(instruction: str, keywords: Sequence[str]) -> bool:
    words = f" {' '.join(instruction.lower().split())} "
    return not any(f" {keyword} " in words for keyword in keywords)


def single_words_alone(instruction: str, keywords: Sequence[str]) -> bool:
    return not {*re.findall(r"\w+", instruction.lower())} & {*keywords}


def words_that_begin_so(instruction: str, keywords: Sequence[str]) -> bool:
    return not any(re.search(rf"\b{keyword}", instruction, re.I) for keyword in keywords)


def words_that_end_so(instruction: str, keywords: Sequence[str]) -> bool:
    return not any(re.search(rf"{keyword}\b", instruction, re.I) for keyword in keywords)


def bounds_of_the_first_and_last(instruction: str, keywords: Sequence[str]) -> bool:
    return not re.search(rf"\b{'|'.join(keywords)}\b", instruction, re.IGNORECASE)


def at_the_beginning_alone(instruction: str, keywords: Sequence[str]) -> bool:
    return not any(re.match(rf"{keyword}\b", instruction, re.I) for keyword in keywords)


def refused_ones_kept(instruction: str, keywords: Sequence[str]) -> bool:
    return not answer(instruction, keywords)


KEYWORDS = ("graph", "file", "map", "go to")


def cases() -> list[tuple]:
    instructions = (
        "Name two large seas.",
        "Describe a photograph of a storm.",  # ends with a keyword
        "Write a profile of a nurse.",
        "What is graphite used for?",  # begins with one
        "Rhyme on the word filed.",
        "Explain how a paragraph is built.",
        "Which trees are called maples?",
        "Why do people cargo tomatoes?",  # has one in its midst, across a space
        "Read the file and sum it up.",
        "Sum up this file.",  # with a mark behind it
        "Sum up this (file) for me.",
        "Where should I go to?",
        "Go to the shop and buy milk.",
        "Draw me a MAP of Spain.",
        "Map the route.",
        "Show a graph.",
        "The mapmaker's profile",
    )
    return [(each, KEYWORDS) for each in instructions]


def draw(source: Random) -> tuple:
    """A sentence with keywords, or with words in which one is hidden, or with neither."""
    plain = ["name", "the", "sea", "to", "go", "two", "rain,"]
    hidden = ["photograph", "profile", "maps", "graphite", "cargo", "tomatoes", "paragraph."]
    found = ["graph", "FILE.", "(map)", "go to", "Map?"]
    words = source.choices(plain, k=source.randint(1, 4)) + source.choices(hidden, k=2)
    words += source.choices(found, k=source.randint(0, 1))
    source.shuffle(words)
    return " ".join(words), KEYWORDS


GOOD_DATA_THROWN_AWAY = Exercise(
    name="good-data-thrown-away",
    title="Good data, thrown away",
    lesson="13",
    minutes=10,
    difficulty=2,
    statement="""
Some tasks cannot be done with text alone, and a list of keywords finds many of them: “graph”,
“file”, “map”, “go to”. Somebody wrote the filter in one line,
`not any(keyword in instruction for keyword in keywords)`. It looks right, and it refuses a task
about a photo**graph**, one about a nurse's pro**file** and one about **graph**ite. Nobody saw them
go.

Write `my_keeps`, which returns True if the instruction may stay: no keyword is in it as a whole
word, or as whole words in a row. Capital letters do not count, and “file.” or “(file)” is still the
word. Keywords are in lower case and consist of letters and single spaces.
""",
    attempt=my_keeps,
    answer=answer,
    hints=(
        "`in` looks for letters, not for words. Where does a word begin, and where does it end? "
        "Try “profile”, “filed” and “file.” with your rule.",
        "In a regular expression `\\b` is the place where a word begins or ends, without taking a "
        'character: `re.search(r"\\bfile\\b", text)`. It is wanted on both sides of each keyword.',
        'For each keyword: `re.search(rf"\\b{keyword}\\b", instruction, re.IGNORECASE)`; if one is '
        "found, return False; behind the loop, return True. If you join the keywords with `|`, put "
        "parentheses around them.",
    ),
    wrong_answers=(
        WrongAnswer(
            part_of_a_word,
            "a keyword may be part of a longer word",
            "“profile” has “file” in it. Words have bounds: `\\b` on both sides.",
        ),
        WrongAnswer(
            case_counts,
            "capital letters count",
            "“Map the route” and “Go to the shop” begin a sentence, and pass. "
            "`re.IGNORECASE`, or `lower()` first.",
        ),
        WrongAnswer(
            marks_stick_to_words,
            "words are parted at spaces alone",
            "Then “file.” with its full stop is another word than “file”, and passes.",
        ),
        WrongAnswer(
            single_words_alone,
            "the instruction is taken apart into single words",
            "“go to” is two, and no single word is equal to it. Look for the keyword in the text, "
            "between two bounds.",
        ),
        WrongAnswer(
            words_that_begin_so,
            "a keyword has a bound on its left alone",
            "“graphite” begins with “graph” and is still refused.",
        ),
        WrongAnswer(
            words_that_end_so,
            "a keyword has a bound on its right alone",
            "“photograph” ends with “graph” and is still refused.",
        ),
        WrongAnswer(
            bounds_of_the_first_and_last,
            "`\\b` stands at the ends of the whole pattern",
            "`|` parts everything, bounds included: here the first keyword has a bound on its "
            "left, the last one on its right, and those between have none. Put the alternatives "
            "into parentheses.",
        ),
        WrongAnswer(
            at_the_beginning_alone,
            "a keyword is looked for at the beginning alone",
            "`re.match` begins at the first character and goes no further; `re.search` looks "
            "everywhere.",
        ),
        WrongAnswer(
            refused_ones_kept,
            "True means that a keyword was found",
            "`my_keeps` says that the instruction may stay. It is the opposite.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import re\nfrom collections.abc import Sequence\n\n",
    library_name="a rule in `refusal_reason` in `lessons_lib.self_instruct`",
)
