"""Copies for a class: ``make student`` writes classroom/student and, apart, classroom/teacher.

A student's notebook has no outputs, no hints and no folded answers; a handout is its page for a
printer. An answer sheet for the teacher has the solutions, the mistakes to expect with what to say,
the rubrics, and the folded answers of the lesson. All are made from the lessons and exercises.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from lessons_lib.exercises import EXERCISES
from lessons_lib.exercises.open_ended import OpenExercise
from lessons_lib.exercises.open_ended.rubric import rubric_table
from lessons_lib.exercises.registry import declared
from lessons_lib.support.files import replace_folder
from lessons_lib.working_copy import CONTENTS, GLOSSARY, LESSONS, as_copy, glossary_page
from tools.build_notebooks import ROOT, lab_paths, lesson_paths, page_paths, read, title
from tools.site.build_site import lesson_content, to_html, write_page
from tools.teaching.cheat_sheet import cheat_sheet

CLASSROOM = ROOT / "classroom"
FOLD = re.compile(r"\n*<details><summary>(?P<name>.*?)</summary>(?P<text>.*?)</details>", re.DOTALL)
GIVES_AWAY = re.compile(r"Hint \d|Answer|On paper|In two lines|The percentages|The label of .*")


def student_notebook(path: Path) -> dict:
    """The lesson without outputs, and without whatever is folded because it gives something away.

    Where hints were, a line says how to ask for them.
    """
    notebook = json.loads(as_copy(path))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = without_answers("".join(cell["source"]))
            if cell["id"].startswith("exercise-") and cell["id"][9:] in EXERCISES:
                name = cell["id"].removeprefix("exercise-")
                text += (
                    f'\n\nThree hints: `hint("{name}", 1)` to `3`, from `lessons_lib.exercises`.'
                )
            cell["source"] = text.strip().splitlines(keepends=True)
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["source"]]
    return notebook


def without_answers(markdown: str) -> str:
    """Markdown without the folds that hold hints or answers; the others stay."""
    return FOLD.sub(lambda fold: "" if _gives_away(fold) else fold.group(), markdown)


def _gives_away(fold: re.Match[str]) -> bool:
    return bool(GIVES_AWAY.fullmatch(fold["name"]))


def answer_sheet(path: Path) -> str:
    """What the lesson's student copy leaves out, as Markdown, and what to say to each mistake."""
    notebook = read(path)
    parts = [f"# Answers: {title(notebook)}"]
    for exercise in declared():
        if path.name.startswith(exercise.lesson):
            parts += _open(exercise) if isinstance(exercise, OpenExercise) else _checked(exercise)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not cell.id.startswith("exercise-"):
            parts += _folded(cell.source)
    return "\n\n".join(parts)


def _checked(exercise) -> list[str]:
    own = f"The course's own is {exercise.library_name}." if exercise.library_name else ""
    drawn = "" if exercise.draw else "No fresh inputs can be drawn for it when a class is graded."
    hints = [f"{number}. {hint}" for number, hint in enumerate(exercise.hints, start=1)]
    mistakes = [f"- **{wrong.when}.** {wrong.why}" for wrong in exercise.wrong_answers]
    return [
        f"## {exercise.title}\n\n*{exercise.minutes} minutes · `{exercise.name}`*",
        f"```python\n{exercise.solution}```",
        *filter(None, [own, drawn]),
        "The hints:",
        "\n".join(hints),
        "Mistakes that the check knows, and what to say to them. This is what comes out when …",
        "\n".join(mistakes),
    ]


def _open(exercise: OpenExercise) -> list[str]:
    parts = [f"## {exercise.title}\n\n*{exercise.minutes} minutes, by rubric · `{exercise.name}`*"]
    parts.append(rubric_table(exercise))
    for letter, sample in zip("AB", exercise.samples, strict=True):
        levels = ", ".join(map(str, sample.levels))
        parts += [f"**Sample {letter}**, graded {levels}:", _quoted(sample.text)]
        parts.append(" ".join(sample.why.split()))
    return parts


def _quoted(text: str) -> str:
    return "\n".join(f"> {line.strip()}" for line in text.strip().splitlines())


def _folded(markdown: str) -> list[str]:
    """Each fold that gives something away, below the paragraph that stands before it."""
    parts, place = [], 0
    for fold in FOLD.finditer(markdown):
        before = markdown[place : fold.start()].strip().split("\n\n")[-1]
        place = fold.end()
        if _gives_away(fold):
            parts += [before, f"**{fold['name']}.** {fold['text'].strip()}"]
    return parts


def contents(paths: Sequence[Path]) -> str:
    """The student folder's own page, to which each notebook's link "Contents" leads."""
    links = [
        f"- [{title(read(path))}]({path.relative_to(LESSONS).as_posix()}) "
        f"([to print](handouts/{path.stem}.html))"
        for path in paths
    ]
    return (
        "# The lessons\n\nThe five substeps on one page: [cheat sheet](cheat_sheet.svg). What a "
        "word means: [glossary](glossary.md).\n\n" + "\n".join(links) + "\n"
    )


def write_student(folder: Path, paths: Sequence[Path]) -> None:
    """Fill a folder to hand out: notebooks, a page of each to print, cheat sheet, glossary."""
    for path in paths:
        notebook = student_notebook(path)
        copy = folder / path.relative_to(LESSONS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
        copy.write_text(text, encoding="utf-8")
        node = nbformat.reads(text, as_version=4)
        nbformat.validate(node)
        page = folder / "handouts" / f"{path.stem}.html"
        page.parent.mkdir(exist_ok=True)
        write_page(page, title(node), "", lesson_content(node, {}))
    (folder / CONTENTS).write_text(contents(paths), encoding="utf-8")
    (folder / "cheat_sheet.svg").write_text(cheat_sheet(), encoding="utf-8")
    (folder / GLOSSARY).write_text(glossary_page(), encoding="utf-8")


def write_teacher(folder: Path, paths: Sequence[Path]) -> None:
    """Fill a folder with an answer sheet for each lesson."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        text = answer_sheet(path)
        name = text.splitlines()[0].removeprefix("# ")
        write_page(folder / f"answers_{path.stem}.html", name, "", to_html(text))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.teaching.student", description=__doc__)
    parser.add_argument("--out", type=Path, default=CLASSROOM, help="default: classroom/")
    chosen = parser.parse_args(arguments)
    lessons = [*lesson_paths(), *lab_paths()]
    replace_folder(chosen.out / "student", lambda f: write_student(f, [*lessons, *page_paths()]))
    replace_folder(chosen.out / "teacher", lambda folder: write_teacher(folder, lessons))
    print(f"To hand out: {chosen.out / 'student'}. For you alone: {chosen.out / 'teacher'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
