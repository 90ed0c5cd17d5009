"""Exercise: turn notes, a line each, into entries of the right shape. Lesson 00."""

from random import Random

from lessons_lib.data import Entry, notes_to_entries
from lessons_lib.exercises import Exercise, WrongAnswer


def my_entries(notes: list[str]) -> list[dict[str, str]]:
    """An entry for each note; a note is "question | answer" or "question | text | answer"."""
    raise NotImplementedError


def answer(notes: list[str]) -> list[dict[str, str]]:
    entries = []
    for note in notes:
        parts = [part.strip() for part in note.split("|")]
        given = parts[1] if len(parts) == 3 else ""
        entries.append({"instruction": parts[0], "input": given, "output": parts[-1]})
    return entries


def without_an_input(notes: list[str]) -> list[Entry]:
    return [
        {name: text for name, text in entry.items() if text or name != "input"}
        for entry in answer(notes)
    ]


def with_none(notes: list[str]) -> list[dict]:
    return [{**entry, "input": entry["input"] or None} for entry in answer(notes)]


def always_the_second_part(notes: list[str]) -> list[Entry]:
    found = []
    for note in notes:
        parts = [part.strip() for part in note.split("|")]
        output = parts[2] if len(parts) == 3 else ""
        found.append({"instruction": parts[0], "input": parts[1], "output": output})
    return found


def entry_of(parts: list[str]) -> Entry:
    """The parts as they are."""
    given = parts[1] if len(parts) == 3 else ""
    return {"instruction": parts[0], "input": given, "output": parts[-1]}


def with_the_spaces(notes: list[str]) -> list[Entry]:
    return [entry_of(note.split("|")) for note in notes]


def split_at_spaced_bars(notes: list[str]) -> list[Entry]:
    return [entry_of(note.split(" | ")) for note in notes]


def text_in_the_question(notes: list[str]) -> list[Entry]:
    return [
        {
            "instruction": f"{entry['instruction']} {entry['input']}".strip(),
            "input": "",
            "output": entry["output"],
        }
        for entry in answer(notes)
    ]


def input_and_output_swapped(notes: list[str]) -> list[Entry]:
    return [
        {**entry, "input": entry["output"], "output": entry["input"]} for entry in answer(notes)
    ]


def the_first_note_alone(notes: list[str]) -> list[Entry]:
    return answer(notes)[:1]


def cases() -> list[tuple]:
    return [
        (["Name a colour. | Blue."],),
        (["Make it plural. | a mouse | mice"],),
        (["Name a colour. | Blue.", "Make it plural.|a mouse|mice", " Say hello.  |  Hello! "],),
        ([],),
    ]


def draw(source: Random) -> tuple:
    """Up to six notes of two or three parts, with any number of spaces around the bars."""
    words = "blue a mouse, name sing: colour 3 mice Hello!".split()

    def part() -> str:
        text = " ".join(source.choices(words, k=source.randint(1, 4)))
        return " " * source.randint(0, 3) + text + " " * source.randint(0, 3)

    counts = [source.randint(2, 3) for _ in range(source.randint(0, 6))]
    return ([" | ".join(part() for _ in range(count)) for count in counts],)


NOTES_TO_ENTRIES = Exercise(
    name="notes-to-entries",
    title="From notes to entries",
    lesson="00",
    minutes=4,
    difficulty=1,
    statement="""
Notes are quick to write: one line each, `question | answer`, or `question | text | answer` where
the question is about a text. Training wants entries. Write `my_entries`, which makes a dictionary
of each note, with three texts: `instruction`, `input` and `output`.

Where there is no text, the input is there all the same, and empty: `""`. Around a bar there may be
any number of spaces, or none; they do not belong to the parts.
""",
    attempt=my_entries,
    answer=answer,
    hints=(
        'What does `note.split("|")` give for each of the two kinds of note, and what does '
        "`.strip()` do to a part?",
        "The first part is always the instruction and the last always the output. Only the input "
        "depends on how many parts there are.",
        '`parts = [part.strip() for part in note.split("|")]`; then `parts[0]` is the instruction, '
        '`parts[-1]` the output, and the input is `parts[1] if len(parts) == 3 else ""`.',
    ),
    wrong_answers=(
        WrongAnswer(
            without_an_input,
            "an entry without a text has no field `input`",
            "All entries have the same three fields, so that whoever reads them need not ask which "
            "are there. Nothing to say is an empty text.",
        ),
        WrongAnswer(
            with_none,
            "None stands where there is no text",
            "Put together with other texts, None would become the word “None”, and the model would "
            'learn it. An input that is not there is an empty text, `""`.',
        ),
        WrongAnswer(
            always_the_second_part,
            "the second part is always taken for the input",
            "In a note of two parts the second is the answer. Without an output there is nothing "
            "to learn from it.",
        ),
        WrongAnswer(
            with_the_spaces,
            "the spaces around the bar stay in the parts",
            "A space is a part of a token: the model would learn answers that begin with one more "
            "space than all others.",
        ),
        WrongAnswer(
            split_at_spaced_bars,
            'notes are split at `" | "`',
            "Some notes have no space around a bar, and some have two. Split at the bar alone, and "
            "strip the parts.",
        ),
        WrongAnswer(
            text_in_the_question,
            "the text is put into the instruction",
            "Instruction and input get headers of their own in the prompt; the instruction says "
            "what to do, the input to what.",
        ),
        WrongAnswer(
            input_and_output_swapped,
            "input and output change places",
            "The last part is what the model is to write, and that is the output.",
        ),
        WrongAnswer(
            the_first_note_alone,
            "the loop ends after its first note",
            "Is the `return` inside the loop? It belongs behind it.",
        ),
    ),
    cases=cases,
    draw=draw,
    library=notes_to_entries,
    library_name="`notes_to_entries` in `lessons_lib.data`",
)
