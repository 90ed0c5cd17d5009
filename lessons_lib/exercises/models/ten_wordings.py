"""Exercise: ask for the same facts in several wordings. Lesson 08."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer


def probe(
    complete: Callable[[list[str]], list[str]], wordings: list[str], facts: dict[str, str]
) -> dict[str, float]:
    """For each wording the share of names, 0 … 1, whose completion begins with the wanted answer.

    complete(beginnings) continues each beginning; a wording has {name} in the place of a name;
    facts maps each name to its wanted answer.
    """
    raise NotImplementedError


def answer(
    complete: Callable[[list[str]], list[str]], wordings: list[str], facts: dict[str, str]
) -> dict[str, float]:
    shares = {}
    for wording in wordings:
        texts = complete([wording.format(name=name) for name in facts])
        right = 0
        for text, wanted in zip(texts, facts.values(), strict=True):
            right += text.strip().lstrip("'\"").startswith(wanted)
        shares[wording] = right / len(facts)
    return shares


Complete = Callable[[list[str]], list[str]]
Right = Callable[[str, str, str], bool]  # (beginning, completion, wanted)


def shares_by(complete: Complete, wordings, facts, right: Right) -> dict[str, float]:
    """As the solution, with another rule for what is right."""
    return {
        wording: sum(right(*each) for each in asked(complete, wording, facts)) / len(facts)
        for wording in wordings
    }


def asked(complete: Complete, wording: str, facts) -> Iterator[tuple[str, str, str]]:
    """(beginning, completion, wanted) for every name."""
    beginnings = [wording.format(name=name) for name in facts]
    return zip(beginnings, complete(beginnings), facts.values(), strict=True)


def bare(text: str) -> str:
    return text.strip().lstrip("'\"")


def named_anywhere(complete: Complete, wordings, facts) -> dict[str, float]:
    return shares_by(complete, wordings, facts, lambda start, text, wanted: wanted in text)


def beginning_searched(complete: Complete, wordings, facts) -> dict[str, float]:
    return shares_by(complete, wordings, facts, lambda start, text, wanted: wanted in start + text)


def exactly_equal(complete: Complete, wordings, facts) -> dict[str, float]:
    return shares_by(complete, wordings, facts, lambda start, text, wanted: bare(text) == wanted)


def space_not_removed(complete: Complete, wordings, facts) -> dict[str, float]:
    return shares_by(complete, wordings, facts, lambda start, text, wanted: text.startswith(wanted))


def quotes_not_removed(complete: Complete, wordings, facts) -> dict[str, float]:
    def right(start: str, text: str, wanted: str) -> bool:
        return text.strip().startswith(wanted)

    return shares_by(complete, wordings, facts, right)


def gap_not_filled(complete: Complete, wordings, facts) -> dict[str, float]:
    def unfilled(beginnings: list[str]) -> list[str]:
        return complete([wording] * len(beginnings))

    shares = {}
    for wording in wordings:
        shares |= answer(unfilled, [wording], facts)
    return shares


def counter_not_reset(complete: Complete, wordings, facts) -> dict[str, float]:
    shares, right = {}, 0
    for wording in wordings:
        right += sum(bare(text).startswith(key) for _, text, key in asked(complete, wording, facts))
        shares[wording] = right / len(facts)
    return shares


def percent(complete: Complete, wordings, facts) -> dict[str, float]:
    return {wording: 100 * share for wording, share in answer(complete, wordings, facts).items()}


def first_word_alone(complete: Complete, wordings, facts) -> dict[str, float]:
    def right(start: str, text: str, wanted: str) -> bool:
        return bare(text).startswith(wanted.split()[0])

    return shares_by(complete, wordings, facts, right)


def counted(complete: Complete, wordings, facts) -> dict[str, float]:
    found = answer(complete, wordings, facts)
    return {wording: round(share * len(facts)) for wording, share in found.items()}


def divided_by_wordings(complete: Complete, wordings, facts) -> dict[str, float]:
    found = counted(complete, wordings, facts)
    return {wording: count / len(wordings) for wording, count in found.items()}


def by_name(complete: Complete, wordings, facts) -> dict[str, float]:
    return {
        name: sum(answer(complete, wordings, {name: wanted}).values()) / len(wordings)
        for name, wanted in facts.items()
    }


def one_number(complete: Complete, wordings, facts) -> float:
    return sum(answer(complete, wordings, facts).values()) / len(wordings)


@dataclass(frozen=True)
class Lookup:
    """A toy model that continues the beginnings it knows, and writes " the" after any other."""

    known: dict[str, str]

    def __call__(self, beginnings: list[str]) -> list[str]:
        return [self.known.get(beginning, " the") for beginning in beginnings]


def cases() -> list[tuple]:
    two = {"Norway": "Oslo", "Peru": "Lima"}
    three = {"El Salvador": "San Salvador", "Costa Rica": "San José", "Monaco": "Monaco"}
    one = Lookup({"Norway's capital is": " Oslo.\n"})
    king = Lookup({"Norway's capital is": " Oslo.", "Norway's king lives": " near Oslo."})
    quoted = Lookup({"Norway's capital is": " 'Oslo'.", "Peru's capital is": '\n"Lima\n\nA letter'})
    # What it knows without a name is for those who forget to put one in.
    opened = Lookup(
        {
            "{name}'s capital is": " Lima",
            "Norway's capital is": " Oslo\nOslo",
            "Peru's capital is": " Lima",
            "The capital of Norway is '": "Oslo'.\n",
        }
    )
    saints = Lookup(
        {
            "El Salvador's capital is": " San José.",
            "Costa Rica's capital is": " San José",
            "Monaco's capital is": " a palace.",
        }
    )
    capital = "{name}'s capital is"
    return [
        (one, [capital], {"Norway": "Oslo"}),
        (king, [capital, "{name}'s king lives"], two),
        (quoted, [capital], two),
        (saints, [capital], three),
        (opened, [capital, "The capital of {name} is '"], two),
    ]


def draw(source: Random) -> tuple:
    """Up to three wordings of up to four facts, answered rightly, wrongly or too late."""
    everything = {"Norway": "Oslo", "Peru": "Lima", "Italy": "Rome", "Egypt": "Cairo"}
    wordings = ["{name}'s capital is", "The capital of {name} is", "{name} has its capital in"]
    facts = {name: everything[name] for name in source.sample([*everything], source.randint(1, 4))}
    wordings = source.sample(wordings, source.randint(1, 3))
    known = {}
    for wording in wordings:
        for name, wanted in facts.items():
            other = source.choice([*everything.values()])
            ways = (f" {wanted}.", f"\n'{wanted}', a city", f" near {wanted}", f" {other}.")
            known[wording.format(name=name)] = source.choice(ways)
    return Lookup(known), wordings, facts


TEN_WORDINGS = Exercise(
    name="ten-wordings",
    title="One fact, asked in many wordings",
    lesson="08",
    minutes=15,
    difficulty=2,
    statement="""
Whoever asks a model in one wording has measured the wording as well as the model. So ask in
several. A wording is a beginning with a gap, such as `"{name} has its capital in"`; the facts are
`{"Norway": "Oslo", "Peru": "Lima"}`.

Write `probe`. For each wording it puts every name into the gap, has `complete` continue all these
beginnings, and returns the **share of names** whose completion begins with the wanted answer.
White space and quotation marks before the answer don't matter, nor what comes after it. An answer
that is named only later in the completion does not count: a text that mentions many cities
mentions the right one now and then.
""",
    attempt=probe,
    answer=answer,
    hints=(
        "How many shares come back for ten wordings and 86 countries? What is each of them divided "
        "by?",
        "For one wording: a list of beginnings, `wording.format(name=name)` for each name; one "
        "call of `complete`; then completions and wanted answers side by side, with `zip`.",
        'A completion is right if `text.strip().lstrip("\'\\"").startswith(wanted)`. Count these '
        "for each wording, and divide by `len(facts)`.",
    ),
    wrong_answers=(
        WrongAnswer(
            named_anywhere,
            "an answer counts wherever the completion names it",
            "A king who lives “near Oslo” does not tell you the capital. Ask what the completion "
            "*begins* with.",
        ),
        WrongAnswer(
            beginning_searched,
            "the answer is looked for in the beginning, too",
            "The capital of Monaco is Monaco, so the question names the answer itself, whatever "
            "the model writes. Look at the completion alone, and at its beginning.",
        ),
        WrongAnswer(
            exactly_equal,
            "the completion must be the answer and nothing else",
            "A pretrained model never stops there; a full stop and another sentence follow. Ask "
            "how it begins.",
        ),
        WrongAnswer(
            space_not_removed,
            "the completion is taken as it is, with the space before its first word",
            'GPT-2\'s tokens carry their space, so a completion begins with " Oslo". Take white '
            "space and quotation marks off before you compare.",
        ),
        WrongAnswer(
            quotes_not_removed,
            "white space is taken off and a quotation mark left on",
            "A model may open with a mark: \" 'Oslo'\". After `strip()` take the marks off the "
            "left as well.",
        ),
        WrongAnswer(
            gap_not_filled,
            "the gap is not filled",
            'The model was given "{name}" to read, braces and all. `wording.format(name=…)` puts '
            "the name in.",
        ),
        WrongAnswer(
            counter_not_reset,
            "the count goes on from one wording to the next",
            "Then a later wording is credited with what an earlier one brought out. Begin at 0 "
            "inside the loop over the wordings.",
        ),
        WrongAnswer(
            percent,
            "the shares are in percent",
            "A share goes from 0 to 1; the lesson prints it as a percentage by itself, with "
            "`{share:.0%}`.",
        ),
        WrongAnswer(
            first_word_alone,
            "only the first word is compared",
            "San José and San Salvador begin with the same word. Compare the whole answer.",
        ),
        WrongAnswer(
            counted,
            "right answers are counted",
            "Twelve of how many? Divide by the number of names.",
        ),
        WrongAnswer(
            divided_by_wordings,
            "the count is divided by the number of wordings",
            "Each wording was tried on every name, so the names are what the share is of.",
        ),
        WrongAnswer(
            by_name,
            "there is a share for each name",
            "That says which facts are known best, a good question as well. Here the wordings are "
            "compared, so there must be a share for each of them.",
        ),
        WrongAnswer(
            one_number,
            "all wordings are thrown together into one number",
            "It hides what was asked for: some wordings work and others do not.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from collections.abc import Callable\n\n",
    library=answer,
)
