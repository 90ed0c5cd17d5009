"""Exercise: three merges of byte-pair encoding, by hand, on four words."""

from lessons_lib.exercises import Exercise, WrongAnswer


def three_merges() -> list[str]:
    """The three pieces that are joined, in order, each as a text of two or more letters.

    The text is: eat heat wheat tea
    """
    return ...


def answer() -> list[str]:
    first = "ea"  # e·a stands four times; a·t three times, h·e twice
    second = first + "t"  # ea·t three times; h·ea twice
    third = "h" + second  # h·eat twice; w·h and t·ea once
    return [first, second, third]


def counted_once_only() -> list[str]:
    return ["ea", "at", "he"]


def without_tea() -> list[str]:
    return ["at", "eat", "heat"]


def longest_first() -> list[str]:
    return ["heat", "eat", "ea"]


def the_new_letters_alone() -> list[str]:
    return ["ea", "t", "h"]


def the_left_side_first() -> list[str]:
    return ["ea", "hea", "heat"]


def whole_words() -> list[str]:
    return ["eat", "heat", "wheat"]


def cases() -> list[tuple]:
    return [()]


MERGE_PAIRS = Exercise(
    name="merge-pairs",
    title="Three merges by hand",
    lesson="03",
    minutes=6,
    difficulty=1,
    statement="""
Take paper. The text is `eat heat wheat tea`; at first each letter is a piece of its own, and no
pair reaches across a space. Count all pairs of neighbours, and join the pair that occurs most
often, wherever it occurs. Then count again, with the new piece, and join; and a third time. Which
three pieces have come into being, in order?

Return them as a list: if `t` and `h` were joined first, it would begin with `"th"`. There is no tie
on the way.
""",
    attempt=three_merges,
    answer=answer,
    hints=(
        "In the first round three pairs occur more than once: `e·a`, `a·t` and `h·e`. How often "
        "does each, in all four words?",
        "After the first merge the words are `ea·t`, `h·ea·t`, `w·h·ea·t` and `t·ea`. The pair "
        "`a·t` does not exist any more. Which do?",
        "`ea·t` occurs three times and `h·ea` twice, so `eat` is the second piece. Now the words "
        "are `eat`, `h·eat`, `w·h·eat` and `t·ea`: one pair occurs twice.",
    ),
    wrong_answers=(
        WrongAnswer(
            counted_once_only,
            "the three most frequent pairs of the first count are taken",
            "A merge changes what stands beside what: after the first, no `a` is left before a "
            "`t`. Count anew after each.",
        ),
        WrongAnswer(
            without_tea,
            "the last word is overlooked",
            "In `tea` there is a fourth `e·a`, and no `a·t`; so `ea` comes first.",
        ),
        WrongAnswer(
            longest_first,
            "one begins with the longest piece that the words share",
            "Byte-pair encoding grows from small to large: a merge joins two neighbours, and "
            "knows nothing of longer pieces.",
        ),
        WrongAnswer(
            the_new_letters_alone,
            "only the letter that is added is named",
            "What comes into being is the joined piece, and it goes into the vocabulary.",
        ),
        WrongAnswer(
            the_left_side_first,
            "`h` is joined before `t`",
            "After the first merge `h·ea` occurs twice, in heat and wheat, and `ea·t` three times.",
        ),
        WrongAnswer(
            whole_words,
            "whole words are taken",
            "A merge joins two neighbouring pieces, and in the beginning these are single letters.",
        ),
    ),
    cases=cases,
)
