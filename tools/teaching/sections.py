"""What a lesson's sections ask of a class: words, lines of code, predictions, exercises, slides.

A section begins with a heading of the second level; what stands before the first is the opening.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import nbformat

from lessons_lib.exercises.registry import declared
from tools.build_notebooks import NAVIGATION
from tools.slides.prose import blocks, kind, words
from tools.slides.rule import MINUTES, SETUP, SPOKEN, slides_of

OPENING = "Opening"
CODE_LINES = 12  # a minute, read with the class
PREDICT = re.compile(r'^predict\(\s*"([^"]+)"', re.MULTILINE)
RECALL = re.compile(r'\brecall\(\s*"([^"]+)"')
RECALLED = re.compile(r"It is (.+?)\. You did not predict it\.")
CHOICES = re.compile(r'"([^"]+)"')
EXERCISE = "exercise-"  # how the ids of cells with an exercise's statement begin


@dataclass
class Prediction:
    """A question of the lesson, and what its cells print: one outcome for each answer asked."""

    question: str
    choices: tuple[str, ...]
    outcomes: list[str]


@dataclass
class Section:
    """A section with its cells; a cell with two headings is two cells here."""

    title: str
    cells: list[nbformat.NotebookNode] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    exercises: list[Any] = field(default_factory=list)
    presenting: float = 0  # the minutes of its slides, as the presenter's window plans them

    def of_type(self, cell_type: str) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == cell_type]

    @property
    def reading(self) -> int:
        """Whole minutes to read, or to say, its prose and its code; at least one."""
        prose = [c.source for c in self.of_type("markdown") if not c.id.startswith(EXERCISE)]
        code = [c for c in self.of_type("code") if _is_read(c)]
        lines = sum(bool(line.strip()) for c in code for line in c.source.splitlines())
        return max(1, round(sum(map(words, prose)) / SPOKEN + lines / CODE_LINES))

    @property
    def predicting(self) -> int:
        return MINUTES["question"] * len(self.predictions)

    @property
    def exercising(self) -> int:
        return sum(each.minutes for each in self.exercises)

    @property
    def minutes(self) -> int:
        """All that the section asks of somebody who reads it, predicts and does its exercises."""
        return self.reading + self.predicting + self.exercising


def sections_of(notebook: nbformat.NotebookNode) -> list[Section]:
    """All sections of a lesson, in its order."""
    found = [Section(OPENING)]
    for cell in notebook.cells:
        if NAVIGATION in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "code" or cell.id.startswith(EXERCISE):
            found[-1].cells.append(cell)
            continue
        before, *headed = re.split(r"^(?=## )", cell.source, flags=re.MULTILINE)
        if before.strip():
            found[-1].cells.append(nbformat.v4.new_markdown_cell(before.strip()))
        for part in headed:
            title = part.splitlines()[0].removeprefix("## ")
            found.append(Section(title, [nbformat.v4.new_markdown_cell(part.strip())]))
    _find(found, _outcomes(notebook))
    for slide in slides_of(notebook):
        next(s for s in found if s.title == (slide.section or OPENING)).presenting += slide.minutes
    return found


def _is_read(cell: nbformat.NotebookNode) -> bool:
    """Whether a code cell is there to be read, not to set up, to be filled in, or to predict."""
    return not (
        SETUP.search(cell.source) or cell.id.startswith("attempt-") or PREDICT.search(cell.source)
    )


def _find(sections: list[Section], outcomes: dict[str, str]) -> None:
    """Fill in the sections' predictions and exercises."""
    known = {exercise.name: exercise for exercise in declared()}
    question = ""
    for section in sections:
        for cell in section.cells:
            if cell.id.startswith(EXERCISE):
                section.exercises.append(known[cell.id.removeprefix(EXERCISE)])
            elif cell.cell_type == "markdown":
                asked = [_asked(each) for each in blocks(cell.source) if kind(each) == "quote"]
                question = next(filter(None, reversed(asked)), question)
            elif names := PREDICT.findall(cell.source):
                told = [outcomes[name] for name in names if name in outcomes]
                if section.predictions and section.predictions[-1].question == question:
                    section.predictions[-1].outcomes += told  # one question, several cells
                else:
                    section.predictions.append(Prediction(question, _choices(cell), told))


def _asked(quote: str) -> str:
    """What a quoted prediction asks; nothing if the quote is something else."""
    text = re.sub(r"^> ?", "", quote, flags=re.MULTILINE)
    label, _, question = text.partition("**Predict.**")
    return "" if label else " ".join(question.split())


def _choices(cell: nbformat.NotebookNode) -> tuple[str, ...]:
    """The choices, as the prediction's form names them."""
    return tuple(CHOICES.findall(_said(cell).partition("three dots:")[2]))


def _outcomes(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """For each prediction by name what the committed output says that it is."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found |= zip(RECALL.findall(cell.source), RECALLED.findall(_said(cell)), strict=False)
    return found


def _said(cell: nbformat.NotebookNode) -> str:
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)


def aims(notebook: nbformat.NotebookNode) -> tuple[list[str], str, str]:
    """What the opening promises: the aims, and its lines **Time:** and **Before:**."""
    cell = next(c for c in notebook.cells if re.search(r"^After this .* you can$", c.source, re.M))
    lines = cell.source.splitlines()
    listed = [line for line in lines if line.startswith("- ")]
    time = next(line for line in lines if line.startswith("**Time:**"))
    before = next(line for line in lines if line.startswith("**Before:**"))
    return listed, time, before


def closing_questions(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """The three questions at the end, each with its folded answer, as Markdown."""
    cell = next(c for c in notebook.cells if "## What you learned" in c.source)
    found, asked = [], ""
    for block in blocks(cell.source):
        if re.match(r"\d+\. ", block):
            asked = re.sub(r"^\d+\. ", "", block)
        elif asked and kind(block) == "folded":
            text = re.sub(r"</?details>|<summary>.*?</summary>", "", block)
            found.append((asked, " ".join(text.split())))
    return found
