"""Exercise: a match that forgives case, outer punctuation and spacing. Lesson 10."""

import re
import string
from random import Random

from lessons_lib.data import Entry
from lessons_lib.evaluation.scorers import matches_normalised
from lessons_lib.exercises import Exercise, WrongAnswer

MARKS = ".,;:!?'\"()"


def my_forgiving_match(entry: Entry, answer: str) -> bool:
    """Whether the answer has the output's words in their order; case, and the marks
    .,;:!?'"() around words, do not count."""
    raise NotImplementedError


def answer(entry: Entry, answer: str) -> bool:
    def plain(text: str) -> list[str]:
        words = [word.strip(".,;:!?'\"()") for word in text.casefold().split()]
        return [word for word in words if word]

    return plain(answer) == plain(entry["output"])


def words_of(text: str) -> list[str]:
    words = [word.strip(MARKS) for word in text.casefold().split()]
    return [word for word in words if word]


def answer_alone_made_plain(entry: Entry, answer: str) -> bool:
    return " ".join(words_of(answer)) == entry["output"]


def case_kept(entry: Entry, answer: str) -> bool:
    one, other = ([w.strip(MARKS) for w in text.split()] for text in (answer, entry["output"]))
    return [w for w in one if w] == [w for w in other if w]


def only_around_the_text(entry: Entry, answer: str) -> bool:
    one, other = (
        text.casefold().strip(MARKS + " \n").split() for text in (answer, entry["output"])
    )
    return one == other


def marks_removed_everywhere(entry: Entry, answer: str) -> bool:
    for mark in MARKS:
        entry = entry | {"output": entry["output"].replace(mark, "")}
        answer = answer.replace(mark, "")
    return words_of(answer) == words_of(entry["output"])


def marks_made_spaces(entry: Entry, answer: str) -> bool:
    one, other = answer.casefold(), entry["output"].casefold()
    for mark in MARKS:
        one, other = one.replace(mark, " "), other.replace(mark, " ")
    return one.split() == other.split()


def runs_of_letters(entry: Entry, answer: str) -> bool:
    one, other = (re.findall(r"\w+", text.casefold()) for text in (answer, entry["output"]))
    return one == other


def all_punctuation_forgiven(entry: Entry, answer: str) -> bool:
    one, other = (
        [word.strip(string.punctuation) for word in text.casefold().split()]
        for text in (answer, entry["output"])
    )
    return [w for w in one if w] == [w for w in other if w]


def quotation_marks_kept(entry: Entry, answer: str) -> bool:
    one, other = (
        [word.strip(".,;:!?()") for word in text.casefold().split()]
        for text in (answer, entry["output"])
    )
    return [w for w in one if w] == [w for w in other if w]


def the_end_alone(entry: Entry, answer: str) -> bool:
    one, other = (
        [word.rstrip(MARKS) for word in text.casefold().split()]
        for text in (answer, entry["output"])
    )
    return [w for w in one if w] == [w for w in other if w]


def empty_words_kept(entry: Entry, answer: str) -> bool:
    one, other = (
        [word.strip(MARKS) for word in text.casefold().split()]
        for text in (answer, entry["output"])
    )
    return one == other


def spaces_kept(entry: Entry, answer: str) -> bool:
    one, other = (
        [word.strip(MARKS) for word in text.casefold().strip().split(" ")]
        for text in (answer, entry["output"])
    )
    return one == other


def run_together(entry: Entry, answer: str) -> bool:
    return "".join(words_of(answer)) == "".join(words_of(entry["output"]))


def order_forgotten(entry: Entry, answer: str) -> bool:
    return sorted(words_of(answer)) == sorted(words_of(entry["output"]))


def found_within(entry: Entry, answer: str) -> bool:
    return " ".join(words_of(entry["output"])) in " ".join(words_of(answer))


def cases() -> list[tuple]:
    pairs = (
        ("It is Oslo.", "it is Oslo"),  # case
        ("It is 'dull'.", "It is “dull”.".replace("“", '"').replace("”", '"')),  # marks within
        ("No (it is not).", "no, it is not"),  # brackets
        ("It is 3.5.", "It is 35."),  # a point that belongs to the number
        ("It is 3.5.", "It is 3 5."),  # and holds it together
        ("It is -5.", "It is 5."),  # a minus is none of these marks
        ("I don't know.", "I don t know."),  # an apostrophe within a word
        ("It is Oslo.", "It is Oslo ."),  # a mark by itself
        ("It is Oslo.", "It  is\nOslo."),  # spacing
        ("It is nowhere.", "It is now here."),  # a space that counts
        ("Dogs bite men.", "Men bite dogs."),  # order
        ("It is Oslo.", "It is Oslo or Bergen."),  # more words
        ("it is oslo", "It is Oslo."),
        ("It is Oslo; yes: Oslo!", "It is Oslo, yes, Oslo?"),
        ("It is Oslo.", "It is Bergen."),
    )
    return [({"instruction": "", "input": "", "output": one}, other) for one, other in pairs]


def draw(source: Random) -> tuple:
    """An output, and an answer with other capitals, marks and spacing, and perhaps other words."""
    some = ("it", "is", "Oslo", "don't", "3.5", "-5", "now")
    words = source.choices(some, k=source.randint(1, 6))

    def written(words: list[str]) -> str:
        text = ""
        for word in words:
            word = source.choice((word, word.upper(), word.lower()))
            text += source.choice((" ", "  ", "\n")) + source.choice(("", "", '"', "(", "'"))
            text += word + source.choice(("", "", ".", "!", ", ;"))
        return text.strip()

    others = (words, words, words, words[1:], words[::-1], [*words, "or"], ["".join(words)])
    entry = {"instruction": "Say it.", "input": "", "output": written(words)}
    return entry, written(source.choice(others))


FORGIVING_MATCH = Exercise(
    name="forgiving-match",
    title="Forgive what hardly ever matters",
    lesson="10",
    minutes=12,
    difficulty=2,
    statement="""
“it is oslo” is wrong by the exact rule, and nobody would say so. Write `my_forgiving_match`, which
compares the words of both texts in their order and forgives three things: capital letters; the
marks `.,;:!?'"()` at the beginning or end of a word; and how much white space stands between words,
line breaks included.

Forgive no more than that. “3.5” must not pass for “35”, nor “now here” for “nowhere”. A mark that
stands by itself, as in “Oslo .”, is no word.
""",
    attempt=my_forgiving_match,
    answer=answer,
    hints=(
        "Make both texts plain in the same way, then compare what is left. What would be a good "
        "plain form: a text, or a list of words?",
        "`text.casefold().split()` gives words without any white space, and `word.strip(marks)` "
        "takes marks off a word's ends and leaves those within it. What remains of a mark that "
        "stands by itself?",
        "`words = [word.strip(marks) for word in text.casefold().split()]`, then keep those that "
        "are not empty; do so for the answer and for the output, and compare the two lists.",
    ),
    wrong_answers=(
        WrongAnswer(
            answer_alone_made_plain,
            "the answer alone is made plain",
            "Then it is compared with a text that still has its capitals and its full stop. Both "
            "sides go through the same function.",
        ),
        WrongAnswer(
            case_kept,
            "capital letters still count",
            "`casefold()` makes all letters small; unlike `lower()` it also knows that “ß” is "
            "“ss”.",
        ),
        WrongAnswer(
            only_around_the_text,
            "marks are taken off the whole text's ends alone",
            "Quotation marks and commas stand around words in the middle, too. Strip word by word.",
        ),
        WrongAnswer(
            marks_removed_everywhere,
            "marks are removed wherever they stand",
            "Within a word they have a meaning: 3.5 becomes 35. `strip` takes them off the ends "
            "and stops there.",
        ),
        WrongAnswer(
            marks_made_spaces,
            "each mark is replaced by a space, wherever it stands",
            "Then “3.5” passes for “3 5”, and “don't” for “don t”. Marks count within a word; take "
            "them off its ends alone.",
        ),
        WrongAnswer(
            runs_of_letters,
            "the words are runs of letters and digits",
            r"`\w+` cuts “3.5” in two and leaves out every other sign, the minus of −5 included. "
            "Cut at white space, then strip.",
        ),
        WrongAnswer(
            all_punctuation_forgiven,
            "every mark in `string.punctuation` is forgiven",
            "It also holds -, % and $, and −5 is not 5. Forgive the marks that are named, and no "
            "more.",
        ),
        WrongAnswer(
            quotation_marks_kept,
            "quotation marks still count",
            "The list of marks has both of them, ' and \". In a text between double quotes, write "
            "the second one with a backslash.",
        ),
        WrongAnswer(
            the_end_alone,
            "marks are taken off the end of a word alone",
            "`rstrip` leaves an opening bracket or quotation mark. `strip` takes off both ends.",
        ),
        WrongAnswer(
            empty_words_kept,
            "a mark that stands by itself leaves an empty word behind",
            "The list has one word more then, and is not equal. Keep the words that are not empty.",
        ),
        WrongAnswer(
            spaces_kept,
            "the text is cut at each single space",
            '`split(" ")` makes an empty word of two spaces and leaves line breaks alone. '
            "`split()` without an argument cuts at any white space.",
        ),
        WrongAnswer(
            run_together,
            "the words are joined without a space",
            "“now here” and “nowhere” are then the same.",
        ),
        WrongAnswer(
            order_forgotten,
            "the order of the words is forgotten",
            "Dogs bite men more often than men bite dogs. Compare lists, not sets or sorted words.",
        ),
        WrongAnswer(
            found_within,
            "the output's words may stand anywhere in the answer",
            "“It is Oslo or Bergen” has them all, and says something else.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from lessons_lib.data import Entry\n",
    library=matches_normalised,
    library_name="`matches_normalised` in `lessons_lib.evaluation.scorers`, which also forgives "
    "articles and other marks",
)
