"""Exercise: ROUGE-L, how many words two texts share in the same order. Lesson 10."""

import difflib
from collections import Counter
from collections.abc import Sequence
from random import Random

from lessons_lib.evaluation import ROUGE_L
from lessons_lib.exercises import Exercise, WrongAnswer


def my_rouge_l(wanted: Sequence[str], answer: Sequence[str]) -> float:
    """The F measure, 0 to 1, of the longest common subsequence of two lists of words."""
    raise NotImplementedError


def answer(wanted: Sequence[str], answer: Sequence[str]) -> float:
    above = [0] * (len(answer) + 1)
    for word in wanted:
        row = [0]
        for column, other in enumerate(answer):
            if word == other:
                row.append(above[column] + 1)
            else:
                row.append(max(row[column], above[column + 1]))
        above = row
    return 2 * above[-1] / (len(wanted) + len(answer))


def course_own(wanted: Sequence[str], answer: Sequence[str]) -> float | None:
    """The course's scorer, for texts whose words are given."""
    return ROUGE_L.score([{"output": " ".join(wanted)}], [" ".join(answer)])[0]


def longest_shared(wanted: Sequence, answer: Sequence) -> int:
    """The length of the longest common subsequence."""
    above = [0] * (len(answer) + 1)
    for word in wanted:
        row = [0]
        for column, other in enumerate(answer):
            found = above[column] + 1 if word == other else max(row[column], above[column + 1])
            row.append(found)
        above = row
    return above[-1]


def f_measure(shared: int, wanted: Sequence, answer: Sequence) -> float:
    return 2 * shared / (len(wanted) + len(answer))


def longest_run(wanted: Sequence[str], answer: Sequence[str]) -> float:
    longest = 0
    for i in range(len(wanted)):
        for j in range(len(answer)):
            k = 0
            while wanted[i + k : i + k + 1] == answer[j + k : j + k + 1] != []:
                k += 1
            longest = max(longest, k)
    return f_measure(longest, wanted, answer)


def order_ignored(wanted: Sequence[str], answer: Sequence[str]) -> float:
    return f_measure((Counter(wanted) & Counter(answer)).total(), wanted, answer)


def different_words(wanted: Sequence[str], answer: Sequence[str]) -> float:
    one, other = set(wanted), set(answer)
    return f_measure(len(one & other), sorted(one), sorted(other))


def first_come_first_served(wanted: Sequence[str], answer: Sequence[str]) -> float:
    at, shared = 0, 0
    for word in answer:
        if word in wanted[at:]:
            at, shared = wanted.index(word, at) + 1, shared + 1
    return f_measure(shared, wanted, answer)


def first_come_in_the_answer(wanted: Sequence[str], answer: Sequence[str]) -> float:
    return first_come_first_served(answer, wanted)


def longest_block_first(wanted: Sequence[str], answer: Sequence[str]) -> float:
    return difflib.SequenceMatcher(None, wanted, answer, autojunk=False).ratio()


def one_row_many_times(wanted: Sequence[str], answer: Sequence[str]) -> float:
    table = [[0] * (len(answer) + 1)] * (len(wanted) + 1)
    for i, word in enumerate(wanted, start=1):
        for j, other in enumerate(answer, start=1):
            if word == other:
                table[i][j] = table[i - 1][j - 1] + 1
            else:
                table[i][j] = max(table[i - 1][j], table[i][j - 1])
    return f_measure(table[-1][-1], wanted, answer)


def factor_forgotten(wanted: Sequence[str], answer: Sequence[str]) -> float:
    return longest_shared(wanted, answer) / (len(wanted) + len(answer))


def used_twice(wanted: Sequence[str], answer: Sequence[str]) -> float:
    above = [0] * (len(answer) + 1)
    for word in wanted:
        row = [0]
        for column, other in enumerate(answer):
            row.append(max(row[column], above[column + 1]) + (word == other))
        above = row
    return f_measure(above[-1], wanted, answer)


def recall_alone(wanted: Sequence[str], answer: Sequence[str]) -> float:
    return longest_shared(wanted, answer) / len(wanted)


def precision_alone(wanted: Sequence[str], answer: Sequence[str]) -> float:
    return longest_shared(wanted, answer) / max(len(answer), 1)


def half_the_sum(wanted: Sequence[str], answer: Sequence[str]) -> float:
    return (recall_alone(wanted, answer) + precision_alone(wanted, answer)) / 2


def letters(wanted: Sequence[str], answer: Sequence[str]) -> float:
    one, other = " ".join(wanted), " ".join(answer)
    return f_measure(longest_shared(one, other), one, other)


def cases() -> list[tuple]:
    pairs = (
        ("the cat sat", "the dog sat down"),
        ("oslo is big", "bergen"),
        ("the cat", ""),
        ("a b c d", "d a b c"),  # taking the first match costs three others
        ("go go stop", "go stop stop"),
        ("the old cat sat on the mat", "on the mat the cat sat"),
        ("x a y b z", "a b c"),
        ("a b c", "b c a"),  # the first word wanted costs two others
        ("d c d", "c b d"),  # the longest block is not unique
        (
            "it was the principal who welcomed the new students",
            "the new students were welcomed by the principal",
        ),
    )
    return [(one.split(), other.split()) for one, other in pairs]


def draw(source: Random) -> tuple:
    """Up to ten words wanted and up to ten answered, of which many come twice."""
    words = source.choice(("abc", "abcdef"))
    wanted, given = source.randint(1, 10), source.randint(0, 10)
    return source.choices(words, k=wanted), source.choices(words, k=given)


ROUGE = Exercise(
    name="rouge-l",
    title="The longest common subsequence",
    lesson="10",
    minutes=20,
    difficulty=3,
    statement="""
A subsequence keeps the order and may leave words out. *The sat* is one of *the cat sat*, and of
*the dog sat down*; no longer one belongs to both. ROUGE-L takes the length of the longest, here 2,
as a share of the wanted words (recall, 2/3) and as a share of the answer's words (precision, 2/4),
and combines the two by their harmonic mean, 2PR/(P + R) = 4/7.

Write `my_rouge_l` for two lists of words. Trying all subsequences would take for ever, and a table
does it: a row for each word wanted, a column for each word of the answer, and in each cell the
length for the words *so far*. Where the two words are the same, it is one more than the cell up and
to the left; otherwise the larger of the cell above and the cell to the left.

Fill the table for the example on paper first, with a row and a column of zeros before it. An empty
answer scores 0; there is always a wanted word.
""",
    attempt=my_rouge_l,
    answer=answer,
    hints=(
        "Draw the table for *the cat sat* and *the dog sat down*: four columns, three rows. The "
        "first row is 1 1 1 1, the last ends in 2.",
        "`table = [[0] * (len(answer) + 1) for _ in range(len(wanted) + 1)]`; with i and j from 1, "
        "the words are `wanted[i - 1]` and `answer[j - 1]`. The length stands in the last cell.",
        "`table[i][j] = table[i-1][j-1] + 1` where the words are the same, else `max(table[i-1][j],"
        " table[i][j-1])`. With P = L/len(answer) and R = L/len(wanted) the harmonic mean is "
        "`2 * L / (len(wanted) + len(answer))`, which is 0 for an empty answer.",
    ),
    wrong_answers=(
        WrongAnswer(
            longest_run,
            "the shared words must stand side by side",
            "That is the longest common *substring*. A subsequence may leave words out between.",
        ),
        WrongAnswer(
            order_ignored,
            "the order of the words is ignored",
            "That is ROUGE-1. The L stands for the longest subsequence, and a subsequence keeps "
            "the order.",
        ),
        WrongAnswer(
            different_words,
            "sets of words are compared",
            "A set forgets the order, and that a word may stand there twice.",
        ),
        WrongAnswer(
            first_come_first_served,
            "each word is matched with the first that it fits",
            "A match far to the right spoils all that lie before it: in *d a b c* the d uses up "
            "the whole of *a b c d*. The table keeps both ways open.",
        ),
        WrongAnswer(
            first_come_in_the_answer,
            "each wanted word is matched with the first in the answer that it fits",
            "A match far to the right spoils all that lie before it: for *a b c* in *b c a* the a "
            "uses up the whole answer. The table keeps both ways open.",
        ),
        WrongAnswer(
            longest_block_first,
            "the longest common block is taken first, then those beside it, as difflib does",
            "A block that is long, or comes first, may cut off matches that are more together. "
            "The table tries all ways.",
        ),
        WrongAnswer(
            one_row_many_times,
            "all rows of the table are one and the same list",
            "`[[0] * m] * n` holds one list n times, so what is written into one row stands in "
            "all. Make each row anew: `[[0] * m for _ in range(n)]`.",
        ),
        WrongAnswer(
            factor_forgotten,
            "the 2 of the harmonic mean is forgotten",
            "2PR/(P + R) is 2L/(m + n). Two equal texts must score 1.",
        ),
        WrongAnswer(
            used_twice,
            "a match adds one to the cell above, or to the left",
            "One word is then matched with several. Up *and* to the left is the cell before both "
            "words were read.",
        ),
        WrongAnswer(
            recall_alone,
            "the length is divided by the wanted words alone",
            "That is recall. An answer that recites a dictionary would score 1; precision is what "
            "notices.",
        ),
        WrongAnswer(
            precision_alone,
            "the length is divided by the answer's words alone",
            "That is precision. An answer of one right word would score 1; recall is what notices.",
        ),
        WrongAnswer(
            half_the_sum,
            "precision and recall are averaged",
            "The harmonic mean, 2PR/(P + R), lies nearer to the worse of the two: one word of a "
            "hundred must not score a half.",
        ),
        WrongAnswer(
            letters,
            "letters are compared in place of words",
            "Any two English texts share many letters in the same order, so wrong answers would "
            "score high.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from collections.abc import Sequence\n\n",
    library=course_own,
    library_name="`ROUGE_L` in `lessons_lib.evaluation`, which also finds the words of a text",
)
