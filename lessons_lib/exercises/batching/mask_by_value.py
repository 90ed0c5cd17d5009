"""Exercise: the rows that fool a mask which looks for values. Lesson 06."""

from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer

END = 50256


def fooled_rows(rows: list[list[int]]) -> list[int]:
    """The indices of the rows, without end of text, that a mask by value gets wrong; none: []."""
    raise NotImplementedError


def answer(rows: list[list[int]]) -> list[int]:
    return [index for index, row in enumerate(rows) if 50256 in row[1:]]


def first_token_too(rows: list[list[int]]) -> list[int]:
    return [index for index, row in enumerate(rows) if END in row]


def last_token_alone(rows: list[list[int]]) -> list[int]:
    return [index for index, row in enumerate(rows) if row[-1] == END]


def in_the_middle_alone(rows: list[list[int]]) -> list[int]:
    return [index for index, row in enumerate(rows) if END in row[1:-1]]


def last_dropped(rows: list[list[int]]) -> list[int]:
    return [index for index, row in enumerate(rows) if END in row[:-1]]


def rows_themselves(rows: list[list[int]]) -> list[list[int]]:
    return [rows[index] for index in answer(rows)]


def more_than_one(rows: list[list[int]]) -> list[int]:
    return [index for index, row in enumerate(rows) if row.count(END) > 1]


def padded_ones_alone(rows: list[list[int]]) -> list[int]:
    longest = max(len(row) for row in rows)
    return [index for index in answer(rows) if len(rows[index]) < longest]


def the_others(rows: list[list[int]]) -> list[int]:
    return [index for index, row in enumerate(rows) if END not in row[1:]]


def first_alone(rows: list[list[int]]) -> list[int]:
    return answer(rows)[:1]


def every_short_row(rows: list[list[int]]) -> list[int]:
    longest = max(len(row) for row in rows)
    return [index for index, row in enumerate(rows) if len(row) < longest]


def cases() -> list[tuple]:
    return [
        ([[1, 2, 3], [4, 5]],),
        ([[1, 2, 3], [7, END, 8, 9]],),
        ([[END, 8], [1, 2, 3]],),
        ([[7, END], [1, 2, 3], [5, END, 6, 9]],),
        ([[END, 3, END], [END, END], [4, 6]],),
    ]


def draw(source: Random) -> tuple:
    """Up to eight rows, 50256 in many of them."""
    counts = [source.randint(1, 6) for _ in range(source.randint(1, 8))]
    return ([source.choices([*range(1, 6), END], k=count) for count in counts],)


MASK_BY_VALUE = Exercise(
    name="mask-by-value",
    title="Break the mask by value",
    lesson="06",
    minutes=8,
    difficulty=2,
    statement="""
Much code finds padding by its value: in each row of the targets the first 50256 stays, as end of
text, and all that follow become −100. Find the rows that fool it. Which targets stay if a row is
`[7, 50256, 8]`, and which should stay? And what if the 50256 comes first, or last?

Write `fooled_rows`, which is given rows of token ids, before end of text and padding are added,
and returns the indices of those whose targets this rule gets wrong, in ascending order.
""",
    attempt=fooled_rows,
    answer=answer,
    hints=(
        "Write the targets of `[7, 50256, 8]`, `[50256, 8]` and `[8, 50256]` on paper, end of text "
        "included, and go through each with the rule.",
        "The rule looks at targets. Which token of a row is no target?",
        "A row is wrong if 50256 is among its tokens from the second on, `row[1:]`.",
    ),
    wrong_answers=(
        WrongAnswer(
            first_token_too,
            "any row that holds a 50256 is reported",
            "The first token of a row is never a target, so the rule does not meet it there: "
            "`[50256, 8]` has the targets `[8, 50256]`, and the right one stays.",
        ),
        WrongAnswer(
            last_token_alone,
            "only rows that end in 50256 are reported",
            "Wherever it stands among the targets, the rule takes it for the end.",
        ),
        WrongAnswer(
            in_the_middle_alone,
            "only a 50256 in the middle is looked for",
            "As the last token it fools the rule as well: `[8, 50256]` has two 50256 among its "
            "targets, one of the text and the true end, and only the first stays.",
        ),
        WrongAnswer(
            last_dropped,
            "the last token is left out of the search",
            "It is the first that is never a target; the last is one.",
        ),
        WrongAnswer(
            rows_themselves,
            "the rows are returned instead of their indices",
            "Whoever repairs the data must find them: return their places.",
        ),
        WrongAnswer(
            more_than_one,
            "rows with more than one 50256 are reported",
            "One is enough: the true end of text comes behind it and is the second.",
        ),
        WrongAnswer(
            padded_ones_alone,
            "only rows with padding are reported",
            "The longest row has no padding and loses its true end all the same.",
        ),
        WrongAnswer(
            the_others,
            "the rows are reported that the rule gets right",
            "It is the others one wants to know of.",
        ),
        WrongAnswer(
            first_alone,
            "only the first such row is reported",
            "There may be more; name them all.",
        ),
        WrongAnswer(
            every_short_row,
            "every row with padding is reported",
            "Padding is what the rule is made for. It fails where the text itself holds a 50256.",
        ),
    ),
    cases=cases,
    draw=draw,
)
