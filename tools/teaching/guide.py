"""The instructor's guide: ``python -m tools.teaching.guide`` writes what follows from the lessons.

A page of docs/teaching/guide is written by hand, but for its parts between two marks: aims, minute
plan, exercises with their wrong answers, predictions and closing questions are made from the lesson
and from what its exercises declare, so that no second text has to be kept up. ``--check`` writes
nothing and fails if a page is out of date; ``--new 07`` begins a page with all marks in it.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

from lessons_lib.exercises.open_ended import OpenExercise
from tools.build_notebooks import (
    ROOT,
    lab_paths,
    lesson_paths,
    read,
    short_name,
    title,
)
from tools.slides.rule import MINUTES, SPOKEN
from tools.teaching.minutes import read_seconds
from tools.teaching.mistakes import exercise_part
from tools.teaching.sections import CODE_LINES, Section, aims, closing_questions, sections_of

GUIDE = ROOT / "docs" / "teaching" / "guide"
SLOW = 10  # seconds: a cell that is worth talking over
COMMAND = "python -m tools.teaching.guide"
MARKED = re.compile(
    rf"<!-- (?P<part>\w+): written by {re.escape(COMMAND)} -->\n.*?<!-- end of (?P=part) -->",
    re.DOTALL,
)
ON_SCREENS = (  # above the tables of mistakes
    "The tables show what a mistake gives on the input that tells most of them apart. A check "
    "stops at the first call that fails, mostly a smaller one, so on the class's screens stand "
    "other numbers: go by the check's sentences, which are those of the second and third columns."
)
BY_HAND = {  # the headings of a new page, and what belongs below them
    "Before the lesson": "What to prepare, and what to have tried.",
    "The thread": "The story in a few sentences, as you would tell it.",
    "On the board": "What to write or draw, as it will stand there.",
    "Three questions for the class": "Each with the wrong answers to expect, and what they reveal.",
    "Where people stumble": "From readers, and from working through the notebook.",
    "When time is short": "What to leave out, by the names of sections and exercises.",
    "Trouble, and its fix": "What breaks in a room, and what mends it.",
}


def page_of(path: Path) -> Path:
    """The guide's page for a notebook."""
    return GUIDE / f"{short_name(path)}.md"


def parts(path: Path) -> dict[str, str]:
    """All that a page takes from its lesson, as Markdown, by the name of the mark."""
    notebook = read(path)
    sections = sections_of(notebook)
    made = {
        "lesson": lesson_part(path, notebook),
        "minutes": minutes_part(sections, read_seconds().get(short_name(path), {})),
        "predictions": predictions_part(sections),
        "exercises": exercises_part(sections),
        "questions": questions_part(notebook),
    }
    folder = "../" * 3 + path.parent.relative_to(ROOT).as_posix()
    return {name: linked(text, folder) for name, text in made.items()}


def lesson_part(path: Path, notebook: nbformat.NotebookNode) -> str:
    """Title, where the lesson and its slides are, what it promises."""
    listed, time, before = aims(notebook)
    name = short_name(path)
    return "\n".join(
        [
            f"# Teaching {title(notebook)}",
            "",
            f'[The lesson]({path.name}) · its slides: `make slides SLIDES_FLAGS="{name}"` · '
            "copies for the class and the answer sheet: `make student`",
            "",
            "Afterwards your students can",
            "",
            *listed,
            "",
            f"Somebody who works alone is told: {time}",
            "",
            before,
        ]
    )


def minutes_part(sections: list[Section], measured: dict) -> str:
    """The minute plan: a table with a line for each section, whose columns add up."""
    lines = [
        "| section | to read | predictions | exercises | minutes | with slides | the cells run |",
        "|---|---|---|---|---|---|---|",
    ]
    ran = measured.get("sections", {})
    for each in sections:
        names = ", ".join(f"`{exercise.name}` {exercise.minutes}" for exercise in each.exercises)
        lines.append(
            f"| {each.title} | {each.reading} | {each.predicting or ''} | {names} "
            f"| **{each.minutes}** | {each.presenting:g} | {_ran(each, ran)} |"
        )
    read_, predicted, exercises, together, presented = (
        sum(getattr(each, what) for each in sections)
        for what in ("reading", "predicting", "exercising", "minutes", "presenting")
    )
    total = _said(sum(each["all"] for each in ran.values())) if ran else "not measured"
    lines.append(
        f"| **all of it** | {read_} | {predicted} | {exercises} | **{together}** "
        f"| {presented:g} | {total} |"
    )
    told = (
        "*Minutes* are those of somebody who reads, predicts and does every exercise: prose at "
        f"{SPOKEN} words a minute, code at {CODE_LINES} lines a minute, a prediction at "
        f"{MINUTES['question']}, an exercise at what it declares. *With slides* is the plan of the "
        "presenter's window, which adds time to look and to talk at each picture and result."
    )
    if ran:
        told += (
            " *The cells run* is a first run: a clean kernel, an empty cache, no exercise "
            f"attempted ({measured['machine']}); it is not in the minutes."
        )
    return "\n".join([*lines, "", told])


def _ran(section: Section, ran: dict) -> str:
    if not section.of_type("code"):
        return ""
    if section.title not in ran:
        return "not measured"
    found = ran[section.title]
    slow = f", one cell of them {_said(found['longest'])}" if found["longest"] >= SLOW else ""
    return _said(found["all"]) + slow


def _said(seconds: float) -> str:
    """A time in words, no more exact than it is from run to run."""
    if seconds < 1:
        return "at once"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def predictions_part(sections: list[Section]) -> str:
    """The lesson's predictions in a table, each with what comes out in the committed run."""
    lines = ["| section | what the class predicts | what comes out |", "|---|---|---|"]
    for section in sections:
        for each in section.predictions:
            named = all(choice in each.question for choice in each.choices)
            choices = "" if named else f" ({' · '.join(each.choices)})"
            outcome = "; ".join(each.outcomes) or "see the cells below it"
            lines.append(
                f"| {section.title} | {_cell(each.question)}{choices} | {_cell(outcome)} |"
            )
    if len(lines) == 2:
        return "The lesson asks for no prediction."
    return "\n".join(lines)


def exercises_part(sections: list[Section]) -> str:
    """All exercises with what comes out of their wrong answers."""
    exercises = [each for section in sections for each in section.exercises]
    told = [] if all(isinstance(each, OpenExercise) for each in exercises) else [ON_SCREENS]
    found = [*told, *map(exercise_part, exercises)]
    return "\n\n".join(found) or "The lesson has no exercises."


def questions_part(notebook: nbformat.NotebookNode) -> str:
    """The closing questions, each with its answer."""
    return "\n\n".join(
        f"{number}. {asked}\n\n   Answer: {answer}"
        for number, (asked, answer) in enumerate(closing_questions(notebook), start=1)
    )


def linked(markdown: str, folder: str) -> str:
    """The text with its links, which start from the notebook's folder, made to start from here."""
    return re.sub(r"\]\((?!https?:|#)([^)]+)\)", rf"]({folder}/\1)", markdown)


def with_parts(page: str, made: dict[str, str]) -> str:
    """The page with all between its marks replaced.

    Raises:
        ValueError: a mark names a part that there is not.
    """

    def replaced(found: re.Match[str]) -> str:
        name = found["part"]
        if name not in made:
            raise ValueError(
                f"no part {name!r} is made from a lesson; there are: {', '.join(made)}"
            )
        return marked(name, made[name])

    return MARKED.sub(replaced, page)


def marked(name: str, text: str) -> str:
    return f"<!-- {name}: written by {COMMAND} -->\n\n{text}\n\n<!-- end of {name} -->"


def new_page() -> str:
    """A page with all marks, and the headings of what is written by hand."""
    by_hand = [f"## {heading}\n\n{below}" for heading, below in BY_HAND.items()]
    return "\n\n".join(
        [
            marked("lesson", ""),
            by_hand[0],
            f"## Minute plan\n\n{marked('minutes', '')}",
            *by_hand[1:],
            f"## The lesson's predictions\n\n{marked('predictions', '')}",
            f"## Exercises, and what wrong answers reveal\n\n{marked('exercises', '')}",
            f"## The closing questions\n\n{marked('questions', '')}\n",
        ]
    )


def _cell(text: str) -> str:
    """The text for a table's cell, where a bar would end the cell."""
    return text.replace("|", r"\|")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if out of date")
    parser.add_argument("--new", nargs="+", default=[], metavar="NN", help="begin these pages")
    chosen = parser.parse_args(arguments)
    offered = {short_name(path): path for path in [*lesson_paths(), *lab_paths()]}
    if {*chosen.new} - {*offered}:
        parser.error(f"no such lesson among {', '.join(offered)}")
    for name in chosen.new:
        page = page_of(offered[name])
        if page.is_file():
            parser.error(f"{page.relative_to(ROOT)} is there already")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(new_page(), encoding="utf-8")
    for path in offered.values():
        page = page_of(path)
        if not page.is_file():
            continue
        before = page.read_text(encoding="utf-8")
        after = with_parts(before, parts(path))
        if before == after:
            continue
        if chosen.check:
            print(f"{page.relative_to(ROOT)} is out of date: {COMMAND}")
            return 1
        page.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
