"""Exercise: a checker for the demand "Answer in three words." Lesson 13."""

import re
from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.verifiable import in_three_words


def my_three_words(text: str) -> bool:
    """Whether the text is three words: parted by white space, each with a letter or a digit."""
    raise NotImplementedError


def answer(text: str) -> bool:
    count = 0
    for word in text.split():
        if any(character.isalnum() for character in word):
            count += 1
    return count == 3


def words_of(text: str) -> list[str]:
    return [word for word in text.split() if any(map(str.isalnum, word))]


def hyphens_part(text: str) -> bool:
    return len(words_of(text.replace("-", " "))) == 3


def marks_part(text: str) -> bool:
    return len(re.findall(r"\w+", text)) == 3


def dashes_are_words(text: str) -> bool:
    return len(text.split()) == 3


def single_spaces_part(text: str) -> bool:
    return len([word for word in text.split(" ") if any(map(str.isalnum, word))]) == 3


def spaces_counted(text: str) -> bool:
    return text.count(" ") == 2


def numbers_are_none(text: str) -> bool:
    return len([word for word in text.split() if any(map(str.isalpha, word))]) == 3


def letters_of_english_alone(text: str) -> bool:
    return len([word for word in text.split() if re.search("[A-Za-z0-9]", word)]) == 3


def three_at_most(text: str) -> bool:
    return len(words_of(text)) <= 3


def three_at_least(text: str) -> bool:
    return len(words_of(text)) >= 3


def cases() -> list[tuple]:
    texts = (
        "Oslo, of course",
        "Probably",
        "",
        "It is in Norway.",
        "It melts slowly.\n",
        "A well-known harbour.",  # a hyphen
        "well-known harbour",
        "I don't know!",  # an apostrophe
        "About 3.5 metres",  # a point within a number
        "Exactly 1,100",
        "Oslo – perhaps.",  # a dash by itself
        "Oslo – or Bergen.",
        "- Oslo",
        "In 1814 …",
        "At least 12",  # a number is a word
        "Since\n1814, yes",
        "Red,  green,\tblue",
        "Был ли дождь?",  # in another script
        "Il été né",
        "ü ö",
    )
    return [(each,) for each in texts]


def draw(source: Random) -> tuple:
    """Up to five words, some of which are none, with any white space between them."""
    words = ["Oslo,", "well-known", "don't", "3.5", "12", "–", "-", "…", "été", "ли"]
    text = ""
    for word in source.choices(words, k=source.randint(0, 5)):
        text += word + source.choice((" ", "  ", "\n", "\t"))
    return (text,)


WRITE_A_CHECKER = Exercise(
    name="write-a-checker",
    title="Three words, and what a word is",
    lesson="13",
    minutes=8,
    difficulty=2,
    statement="""
“Answer in three words.” A program can tell whether a model did so, once somebody has decided what a
word is. Write `my_three_words`, which returns True if the text is exactly three words, and False
otherwise. The rules:

A word stands between white space of whatever kind and length, line breaks included, or at the
text's ends. Whatever has no white space in it is one word: “well-known”, “don't” and “3.5”. A
number is a word. What has neither a letter nor a digit, such as a dash by itself, is none. A letter
may be of any script.
""",
    attempt=my_three_words,
    answer=answer,
    hints=(
        "Part the text first, then ask of each piece whether it is a word. At what is the text "
        "parted, and what must a piece have?",
        "`text.split()` without an argument parts at any white space, and gives no empty pieces. "
        "`character.isalnum()` is True for a letter or a digit of any script.",
        "`words = [word for word in text.split() if any(map(str.isalnum, word))]`, and then "
        "`len(words) == 3`.",
    ),
    wrong_answers=(
        WrongAnswer(
            hyphens_part,
            "a hyphen parts two words",
            "Here “well-known” is decided to be one. Another checker may count otherwise; it must "
            "say so, or a model is blamed for a word that nobody defined.",
        ),
        WrongAnswer(
            marks_part,
            "every mark parts two words",
            "`\\w+` finds two in “don't” and two in “3.5”. Part at white space instead.",
        ),
        WrongAnswer(
            dashes_are_words,
            "a dash by itself is a word",
            "“Oslo – perhaps.” is two words. A piece needs a letter or a digit.",
        ),
        WrongAnswer(
            single_spaces_part,
            "only spaces part words",
            "Line breaks and tabs do, too: `split()` without an argument.",
        ),
        WrongAnswer(
            spaces_counted,
            "spaces are counted, not words",
            "Two spaces may stand side by side, or around a dash. Count the words.",
        ),
        WrongAnswer(
            numbers_are_none,
            "a number is no word",
            "“At least 12” is an answer in three words. `isalnum` knows digits as well as letters.",
        ),
        WrongAnswer(
            letters_of_english_alone,
            "letters are those from A to Z",
            "“été” has others, and Russian has none of these. `isalnum` knows every script.",
        ),
        WrongAnswer(
            three_at_most,
            "fewer than three words pass",
            "An empty answer would pass. The demand is exactly three.",
        ),
        WrongAnswer(
            three_at_least,
            "more than three words pass",
            "A model that cannot stop would pass. The demand is exactly three.",
        ),
    ),
    cases=cases,
    draw=draw,
    library=in_three_words,
    library_name="`in_three_words` in `lessons_lib.verifiable`",
)
