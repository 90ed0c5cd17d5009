"""The learner's own copies of the lessons, without outputs, in their folder. ``make lab`` opens it.

A copy is made on the first visit and belongs to the learner from then on: no update writes over it.
Which version it was made from stands in the copy itself, so an update is noticed.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from lessons_lib.support import write_whole
from lessons_lib.support.files import explain, locked_file, read_json
from lessons_lib.support.paths import PACKAGE, learner_folder

LESSONS = PACKAGE.parent / "notebooks"
CONTENTS = "README.md"  # beside the copies; it leads to them, and is written anew on each visit
GLOSSARY = "glossary.md"  # likewise
OURS = "lessons_lib"  # the copy's entry in the notebook's metadata
WAITING = "The working copy is being made elsewhere; waiting for it."


class WorkError(ValueError):
    """A lesson is not there, or its copy cannot be made; says what to do."""


def make_working_copy(say: Callable[[str], object] = print) -> Path:
    """Copy each lesson that has no copy yet; returns the learner's folder.

    Copies that are there are only looked at: ``say`` gets a sentence for each that is damaged, and
    for each whose lesson was updated since.

    Raises:
        WorkError: there are no lessons, or the folder cannot be written.
    """
    folder = learner_folder()
    with _changing(folder, say):
        for name in lesson_names().values():
            try:
                sentence = _visit(folder, name)
            except WorkError as error:  # the lesson is damaged; the others are not
                sentence = f"No copy could be made: {error}."
            if sentence:
                say(sentence)
        for name, page in ((CONTENTS, contents_page(folder)), (GLOSSARY, glossary_page())):
            path = folder / name
            if not path.is_file() or path.read_bytes() != page.encode():
                _write(path, page)
    return folder


def copy_lesson(lesson: str, say: Callable[[str], object] = print) -> Path:
    """The learner's copy of one lesson ("05", "5", or a lab's name), made if there is none yet.

    Raises:
        WorkError: there is no such lesson, or the folder cannot be written.
    """
    name, folder = find_lesson(lesson), learner_folder()
    with _changing(folder, say):
        if sentence := _visit(folder, name):
            say(sentence)
    return folder / name


def reset_lesson(lesson: str, say: Callable[[str], object] = print) -> tuple[Path, Path | None]:
    """A fresh copy of one lesson; returns it, and where the old one is kept (None: there was none).

    Raises:
        WorkError: there is no such lesson, or the folder cannot be written; the old copy stays.
    """
    name, folder = find_lesson(lesson), learner_folder()
    path, kept = folder / name, None
    text = as_copy(LESSONS / name)
    with _changing(folder, say):
        if path.exists() or path.is_symlink():
            kept = _free_name(path)
            path.rename(kept)
        try:
            _write(path, text)
        except OSError:
            if kept:
                kept.rename(path)
            raise
    return path, kept


def lesson_names() -> dict[str, str]:
    """The lessons' files below notebooks/ by what one types: "05", and the name of a lab or page.

    Raises:
        WorkError: the package was installed without the project's folder.
    """
    names = {path.name[:2]: path.name for path in sorted(LESSONS.glob("[0-9][0-9]_*.ipynb"))}
    names |= {path.stem: f"labs/{path.name}" for path in sorted(LESSONS.glob("labs/*.ipynb"))}
    pages = {path.name for path in LESSONS.glob("*.ipynb")} - {*names.values()}
    names |= {Path(name).stem: name for name in sorted(pages)}
    if not names:
        raise WorkError(
            "there are no lessons here: they come with the project's folder, not with the package "
            "alone. Run this where the project was unpacked"
        )
    return names


def find_lesson(lesson: str) -> str:
    """A lesson's file below notebooks/.

    Raises:
        WorkError: there is no such lesson.
    """
    names = lesson_names()
    wanted = lesson.strip().removesuffix(".ipynb").removeprefix("labs/")
    for key, name in names.items():
        if wanted in (key, key.lstrip("0"), Path(name).stem):
            return name
    raise WorkError(f"there is no lesson {lesson!r}; there are: {', '.join(names)}")


def as_copy(path: Path) -> str:
    """The text of a copy: the lesson without outputs and teacher's notes, and which version it is.

    Raises:
        WorkError: the lesson's file is missing or damaged.
    """
    try:
        notebook = read_json(path)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell.update(outputs=[], execution_count=None)
            # What a teacher's notes beside a slide say may be an answer.
            for key in ("slide", "slideshow"):
                cell["metadata"].pop(key, None)
        # Links to the neighbours say nothing new about this lesson.
        own = [
            cell["source"]
            for cell in notebook["cells"]
            if "navigation" not in cell["metadata"].get("tags", [])
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorkError(
            f"the lesson notebooks/{path.name} is damaged ({explain(error)}); get the project's "
            "own again"
        ) from error
    version = hashlib.sha256(json.dumps(own).encode()).hexdigest()[:16]
    notebook["metadata"][OURS] = {"version": version}
    # "Contents" and "Glossary" lead to pages beside the copies, from which one comes back to them.
    text = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
    text = text.replace("../docs/glossary.md", GLOSSARY)
    return text.replace("../README.md#the-lessons", f"{CONTENTS}#the-lessons")


def glossary_page() -> str:
    """The glossary as it stands beside copies: its links lead to them, and nowhere else."""
    text = (LESSONS.parent / "docs" / GLOSSARY).read_text(encoding="utf-8")
    text = re.sub(r"^.*\]\(style\.md\).*\n\n", "", text, flags=re.MULTILINE)
    return text.replace("../notebooks/", "")


def contents_page(folder: Path) -> str:
    """The README's table of lessons, with links to the copies."""
    project = LESSONS.parent
    readme = (project / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## The lessons$.*?(?=^## )", readme, re.MULTILINE | re.DOTALL).group()
    up = ".." if folder.parent == project else project.as_posix()
    links = re.sub(r"\]\((?!https?:|#|notebooks/)", f"]({up}/", section)
    return (
        "# Your copies of the lessons\n\nThey have no outputs yet, and no update writes over them. "
        "`python -m lessons_lib reset 05` makes a fresh copy of lesson 05 and keeps the old one "
        f"beside it. About the project: [README]({up}/README.md).\n\n"
        + links.replace("](notebooks/", "](")
    )


def _visit(folder: Path, name: str) -> str:
    """Make the copy if there is none; returns a sentence if there is one and it is not as new."""
    path, text = folder / name, as_copy(LESSONS / name)
    if not path.exists() and not path.is_symlink():
        _write(path, text)
        return ""
    typed = name[:2] if name[:2].isdigit() else path.stem
    fresh = f"`python -m lessons_lib reset {typed}` makes a fresh copy and keeps this one beside it"
    try:
        version = _version(read_json(path))
    except (OSError, ValueError) as error:
        reason = "it is no notebook" if isinstance(error, ValueError) else explain(error)
        return f"Your {path.name} cannot be read ({reason}); {fresh}."
    if version != _version(json.loads(text)):
        return f"{path.name} was updated since your copy was made, which stays as it is; {fresh}."
    return ""


def _version(notebook: object) -> str | None:
    """From which version a copy was made; None if that was taken out of it.

    Raises:
        ValueError: this is no notebook.
    """
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError("no notebook")
    try:
        return notebook["metadata"][OURS]["version"]
    except (KeyError, TypeError):
        return None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def _free_name(path: Path) -> Path:
    """The first of "05_targets.old-1.ipynb", "….old-2.ipynb" … that is free."""
    number = 1
    while (kept := path.with_name(f"{path.stem}.old-{number}{path.suffix}")).exists():
        number += 1
    return kept


@contextlib.contextmanager
def _changing(folder: Path, say: Callable[[str], object]) -> Iterator[None]:
    """One process at a time changes the folder; what the system refuses becomes a sentence."""
    with locked_file(folder / ".lessons.lock", WAITING, say):
        try:
            yield
        except OSError as error:
            raise WorkError(
                f"your folder {folder} cannot be written to ({explain(error)}); make it writable, "
                "or let LESSONS_LIB_WORK name another folder"
            ) from error
