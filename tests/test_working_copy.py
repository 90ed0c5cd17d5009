"""The learner's copies of the lessons: made once, never written over, and what goes wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lessons_lib import working_copy
from lessons_lib.__main__ import main
from lessons_lib.working_copy import (
    WorkError,
    as_copy,
    copy_lesson,
    lesson_names,
    make_working_copy,
    reset_lesson,
)

ROOT = Path(__file__).resolve().parents[1]
README = """# Course

## The lessons

[Targets](notebooks/05_targets.ipynb), [masking](notebooks/labs/masking.ipynb), [card](docs/a.md),
[this](#the-lessons), [web](https://example.org)

## The data
"""

GLOSSARY = """# Glossary

All terms.

The code's words: [style.md](style.md).

## [Targets](../notebooks/05_targets.ipynb)

### target

What to predict.
"""


def lesson(text="Read.", links="[Contents](../README.md#the-lessons)"):
    def cell(kind, source, **more):
        return {"cell_type": kind, "id": kind, "metadata": {}, "source": source, **more}

    navigation = {**cell("markdown", links), "id": "top", "metadata": {"tags": ["navigation"]}}
    code = cell("code", "1 + 1", outputs=[{"output_type": "stream"}], execution_count=3)
    return {"cells": [navigation, cell("markdown", text), code], "metadata": {"kernelspec": {}}}


def write(path, notebook):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of two lessons, a page and a lab; the learner's folder is my_work in it."""
    lessons = tmp_path / "project" / "notebooks"
    monkeypatch.setattr(working_copy, "LESSONS", lessons)
    monkeypatch.setenv("LESSONS_LIB_WORK", str(lessons.parent / "my_work"))
    for name in ("05_targets.ipynb", "06_masks.ipynb"):
        write(lessons / name, lesson())
    write(lessons / "pytorch.ipynb", lesson())
    write(lessons / "labs/masking.ipynb", lesson(links="[Contents](../../README.md#the-lessons)"))
    (lessons.parent / "README.md").write_text(README, encoding="utf-8")
    (lessons.parent / "docs").mkdir()
    (lessons.parent / "docs" / "glossary.md").write_text(GLOSSARY, encoding="utf-8")
    return lessons.parent


@pytest.fixture
def said():
    return []


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_copies_have_no_outputs_and_are_not_written_over(project, said):
    folder = make_working_copy(said.append)
    mine = folder / "05_targets.ipynb"
    assert cells(mine)[2]["outputs"] == [] and cells(mine)[2]["execution_count"] is None
    assert (folder / "labs" / "masking.ipynb").is_file() and (folder / "pytorch.ipynb").is_file()
    notebook = json.loads(mine.read_text(encoding="utf-8"))
    notebook["cells"][2]["source"] = "2 + 2"
    write(mine, notebook)
    before = mine.read_bytes()
    assert make_working_copy(said.append) == folder
    assert mine.read_bytes() == before and said == []


def test_contents_lead_to_the_copies(project):
    folder = make_working_copy()
    assert cells(folder / "05_targets.ipynb")[0]["source"] == "[Contents](README.md#the-lessons)"
    lab = cells(folder / "labs" / "masking.ipynb")
    assert lab[0]["source"] == "[Contents](../README.md#the-lessons)"
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert (
        "[Targets](05_targets.ipynb), [masking](labs/masking.ipynb), [card](../docs/a.md)" in page
    )
    assert "[this](#the-lessons), [web](https://example.org)" in page and "data" not in page


def test_the_glossary_stands_beside_the_copies_and_is_linked_there(project):
    links = "[target](../docs/glossary.md#target)"
    write(project / "notebooks" / "05_targets.ipynb", lesson(links=links))
    write(project / "notebooks/labs/masking.ipynb", lesson(links=links.replace("../", "../../")))
    folder = make_working_copy()
    assert cells(folder / "05_targets.ipynb")[0]["source"] == "[target](glossary.md#target)"
    lab = cells(folder / "labs" / "masking.ipynb")
    assert lab[0]["source"] == "[target](../glossary.md#target)"
    page = (folder / "glossary.md").read_text(encoding="utf-8")
    assert "[Targets](05_targets.ipynb)" in page and "style.md" not in page
    assert "All terms.\n\n## [" in page
    (folder / "glossary.md").write_text("mine", encoding="utf-8")
    make_working_copy()
    assert (folder / "glossary.md").read_text(encoding="utf-8") == page


def test_an_updated_lesson_is_said_in_one_sentence(project, said):
    folder = make_working_copy()
    before = (folder / "05_targets.ipynb").read_bytes()
    write(project / "notebooks" / "05_targets.ipynb", lesson("Read this, too."))
    make_working_copy(said.append)
    assert said == [
        "05_targets.ipynb was updated since your copy was made, which stays as it is; "
        "`python -m lessons_lib reset 05` makes a fresh copy and keeps this one beside it."
    ]
    assert (folder / "05_targets.ipynb").read_bytes() == before
    path, kept = reset_lesson("05")
    assert kept.read_bytes() == before and cells(path)[1]["source"] == "Read this, too."
    said.clear()
    make_working_copy(said.append)
    assert said == []


def test_new_outputs_neighbours_and_slides_are_no_update(project, said):
    make_working_copy()
    other = lesson(links="[06](06_masks.ipynb)")
    other["cells"][2].update(outputs=[], execution_count=9)
    other["cells"][1]["metadata"]["slide"] = {"minutes": 2, "notes": "For the teacher."}
    write(project / "notebooks" / "05_targets.ipynb", other)
    make_working_copy(said.append)
    assert said == []


def test_a_copy_holds_no_notes_of_a_teacher(project):
    given = lesson()
    given["cells"][1]["metadata"] |= {"slide": {"notes": "It is 7."}, "tags": ["kept"]}
    write(project / "notebooks" / "05_targets.ipynb", given)
    copy = json.loads((make_working_copy() / "05_targets.ipynb").read_text(encoding="utf-8"))
    assert copy["cells"][1]["metadata"] == {"tags": ["kept"]}


def test_every_reset_keeps_what_was_there(project):
    assert reset_lesson("6")[1] is None
    names = [reset_lesson("06")[1].name for _ in range(2)]
    assert names == ["06_masks.old-1.ipynb", "06_masks.old-2.ipynb"]
    assert reset_lesson("masking")[0].name == "masking.ipynb"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', "\x00\xff"])
def test_a_damaged_copy_is_told_and_kept(project, said, text):
    folder = make_working_copy()
    (folder / "05_targets.ipynb").write_bytes(text.encode("latin-1"))
    make_working_copy(said.append)
    assert len(said) == 1 and "Your 05_targets.ipynb cannot be read (it is no notebook)" in said[0]
    assert reset_lesson("05")[1].read_bytes() == text.encode("latin-1")


def test_a_copy_that_lost_its_version_may_be_older(project, said):
    folder = make_working_copy()
    notebook = json.loads((folder / "05_targets.ipynb").read_text(encoding="utf-8"))
    del notebook["metadata"]["lessons_lib"]
    write(folder / "05_targets.ipynb", notebook)
    make_working_copy(said.append)
    assert len(said) == 1 and "05_targets.ipynb was updated since" in said[0]


def test_a_half_made_folder_is_completed(project, said):
    folder = make_working_copy()
    (folder / "06_masks.ipynb").unlink()
    (folder / "README.md").unlink()
    (folder / "05_targets.ipynb").rename(folder / "mine.ipynb")
    (folder / "05_targets.ipynb").mkdir()  # a folder of that name
    make_working_copy(said.append)
    assert (folder / "06_masks.ipynb").is_file() and (folder / "README.md").is_file()
    assert len(said) == 1 and "Your 05_targets.ipynb cannot be read" in said[0]
    assert (folder / "mine.ipynb").is_file() and reset_lesson("05")[1].is_dir()


def test_a_damaged_lesson_leaves_the_others(project, said):
    (project / "notebooks" / "05_targets.ipynb").write_text("{", encoding="utf-8")
    folder = make_working_copy(said.append)
    assert len(said) == 1 and "the lesson notebooks/05_targets.ipynb is damaged" in said[0]
    assert (folder / "06_masks.ipynb").is_file() and not (folder / "05_targets.ipynb").exists()
    with pytest.raises(WorkError, match="is damaged"):
        reset_lesson("05")


def refuse(*_):
    raise PermissionError(13, "Permission denied")


def test_a_folder_that_cannot_be_written_is_one_sentence(project, monkeypatch, capsys):
    folder = make_working_copy()
    before = (folder / "05_targets.ipynb").read_bytes()
    monkeypatch.setattr(working_copy, "write_whole", refuse)
    assert make_working_copy() == folder, "nothing is to be written"
    assert main(["reset", "05"]) == 1
    assert "my_work cannot be written to (permission denied); make it" in capsys.readouterr().err
    assert (folder / "05_targets.ipynb").read_bytes() == before
    assert not list(folder.glob("*.old-*"))


def test_a_file_in_the_folders_place_is_one_sentence(project):
    (project / "my_work").write_text("mine", encoding="utf-8")
    for call in (make_working_copy, lambda: copy_lesson("05"), lambda: reset_lesson("05")):
        with pytest.raises(WorkError, match="cannot be written to"):
            call()
    assert (project / "my_work").read_text(encoding="utf-8") == "mine"


def test_commands(project, capsys):
    assert main(["work"]) == main(["work", "5"]) == main(["reset", "5"]) == 0
    out = capsys.readouterr().out
    assert "Your lessons are in" in out and "Yours is kept as 05_targets.old-1.ipynb." in out
    for command in (["work", "99"], ["reset", "99"], ["work", ""], ["work", "../05_targets"]):
        assert main(command) == 1
        said = capsys.readouterr().err
        assert "there is no lesson" in said and "there are: 05, 06, masking, pytorch" in said


def test_a_package_without_the_project_says_so(project, monkeypatch, tmp_path):
    monkeypatch.setattr(working_copy, "LESSONS", tmp_path / "notebooks")
    with pytest.raises(WorkError, match="they come with the project's folder"):
        make_working_copy()


def test_two_at_once_lose_nothing(work):
    command = [sys.executable, "-m", "lessons_lib"]
    both = [subprocess.Popen([*command, "work"], stdout=subprocess.PIPE) for _ in range(2)]
    assert [each.wait(120) for each in both] == [0, 0]
    both = [subprocess.Popen([*command, "reset", "01"], stdout=subprocess.PIPE) for _ in range(2)]
    assert [each.wait(120) for each in both] == [0, 0]
    names = {path.name for path in work.glob("01_*")}
    assert len(names) == 3 and {"01_entries.old-1.ipynb", "01_entries.old-2.ipynb"} < names
    for path in (*work.glob("*.ipynb"), *work.glob("labs/*.ipynb")):
        assert cells(path)


def test_links_of_the_copies_lead_somewhere(work, monkeypatch):
    """As they would from my_work, where the project has it."""
    monkeypatch.setenv("LESSONS_LIB_WORK", str(ROOT / "my_work"))
    names, folder = lesson_names(), ROOT / "my_work"
    copies = {folder / name for name in (*names.values(), "README.md", "glossary.md")}
    for name in names.values():
        for cell in json.loads(as_copy(ROOT / "notebooks" / name))["cells"]:
            if cell["cell_type"] == "markdown":
                for link in re.findall(r"\]\((?!https?:|#|<)([^)#\s]+)", "".join(cell["source"])):
                    target = Path(os.path.normpath((folder / name).parent / link))
                    assert target in copies or target.exists(), f"{name}: {link}"
    page = working_copy.contents_page(folder)
    for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page):
        assert folder / link in copies or (ROOT / link.removeprefix("../")).exists(), link
