"""Which notebooks a folder of submissions holds, and whose they are.

A folder for each student, or a file for each: ``class/mira/06_masks.ipynb``, ``class/mira.ipynb``.
"""

import os
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

SKIPPED = {".ipynb_checkpoints", "__pycache__"}


@dataclass(frozen=True)
class Submission:
    """One notebook: whose it is, where it lies below the folder, and a note for the teacher."""

    student: str
    file: str  # relative to the folder, with /
    note: str = ""


def submissions(folder: Path) -> list[Submission]:
    """All notebooks below a folder, in alphabetical order; links are not followed.

    A student's folder without a notebook is a submission too, with an empty ``file``. Where two
    notebooks of one name came from one student, or two students have names that differ in nothing
    but case or in how an accent is stored, all are graded, and each says so.

    Raises:
        ValueError: there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; name the one that holds the submissions")
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in SKIPPED:
            continue
        if path.is_symlink():
            found.append(Submission(path.stem, "", "a link, which is not followed"))
        elif path.is_dir():
            files = _notebooks(path)
            found += [
                Submission(path.name, each.relative_to(folder).as_posix()) for each in files
            ] or [Submission(path.name, "", "no notebook in the folder")]
        elif path.suffix == ".ipynb":
            found.append(Submission(path.stem, path.name))
    if not found:
        raise ValueError(
            f"{folder} holds neither notebooks nor folders of students; it should look like "
            "mira/06_masks.ipynb, or mira.ipynb"
        )
    return _with_notes(found)


def _notebooks(folder: Path) -> list[Path]:
    paths = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - SKIPPED)
        whole = [Path(place) / name for name in sorted(names) if name.endswith(".ipynb")]
        paths += [path for path in whole if not path.is_symlink()]
    return paths


def _with_notes(found: list[Submission]) -> list[Submission]:
    owners, files = defaultdict(set), defaultdict(list)
    for each in found:
        owners[_plain(each.student)].add(each.student)
        if each.file:
            files[each.student, _plain(Path(each.file).name)].append(each.file)
    noted = []
    for each in found:
        notes = [each.note] if each.note else []
        others = owners[_plain(each.student)] - {each.student}
        if others:
            notes.append(f"the same name as {', '.join(sorted(others))}")
        twins = files.get((each.student, _plain(Path(each.file).name)), [])
        if len(twins) > 1:
            notes.append(f"handed in {len(twins)} times under this name; each is graded")
        noted.append(replace(each, note="; ".join(notes)))
    return noted


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
