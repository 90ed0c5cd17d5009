"""Every lesson, from a clean kernel, and what is committed of it."""

import importlib.util
import json
import os
import re

import nbformat
import pytest

from tools import build_notebooks

LESSONS = build_notebooks.lesson_paths()
LABS = build_notebooks.lab_paths()
CELL_SECONDS = 300  # on a busy machine


def sources(notebook, kind):
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


@pytest.fixture(params=LESSONS + LABS, ids=lambda path: path.stem)
def lesson(request):
    return request.param


@pytest.fixture
def notebook(lesson):
    return build_notebooks.read(lesson)


@pytest.fixture
def real_model(lesson, request):
    """The converted SmolLM2 for the lessons that use it, so that no kernel makes its own."""
    signs = r"before_and_after|smollm2|available_scorers"
    uses_it = re.search(signs, lesson.read_text(encoding="utf-8"))
    if uses_it and importlib.util.find_spec("gguf"):
        request.getfixturevalue("converted_smollm2")


def run(notebook, environment):
    """Once more, where the kernel did not start: somebody else had taken one of its ports."""
    try:
        build_notebooks.execute(notebook, timeout=CELL_SECONDS, environment=environment)
    except RuntimeError as error:
        if "before replying" not in str(error):
            raise
        build_notebooks.execute(notebook, timeout=CELL_SECONDS, environment=environment)


@pytest.mark.long
def test_runs_from_a_clean_kernel(lesson, notebook, kernel_environment, real_model):
    """The quick run: sizes shrunk, nothing else. A cell that raises fails the test."""
    run(notebook, {**kernel_environment, "LESSONS_LIB_QUICK": "1"})


@pytest.mark.long
def test_runs_on_the_real_entries(lesson, notebook, kernel_without_smollm2, real_entries):
    """The switch of lesson 01: every later lesson takes the entries that were chosen there.

    And the switch of the installation: all go on where SmolLM2 was left out.
    """
    choice = {"LESSONS_LIB_QUICK": "1", "LESSONS_LIB_ENTRIES": str(real_entries)}
    run(notebook, {**kernel_without_smollm2, **choice})
    # A question about the miniature world names its entries: lesson 08 asks one.
    loads = re.findall(r"load_entries\(.*?\)", "\n".join(sources(notebook, "code")))
    allowed = {'load_entries("chosen")'}
    if lesson.stem.startswith("08"):
        allowed.add('load_entries("bundled")')
    assert lesson.stem.startswith("01") or {*loads} <= allowed


@pytest.mark.parametrize("page", build_notebooks.page_paths(), ids=lambda path: path.stem)
def test_a_page_beside_the_lessons_runs_and_is_complete(page, kernel_environment):
    notebook = build_notebooks.read(page)
    test_committed_outputs_are_complete_and_portable(notebook)
    test_says_nothing_of_the_machine_it_ran_on(page)
    assert notebook.cells[0].source == build_notebooks.navigation(page, LESSONS)
    assert notebook.cells[-1].source == build_notebooks.navigation_below(page, LESSONS)
    run(notebook, kernel_environment)


def test_opens_as_every_lesson_does(lesson, notebook):
    text, kind = sources(notebook, "markdown"), "lab" if lesson in LABS else "lesson"
    title = r"# Lab: \S" if lesson in LABS else rf"# {lesson.name[:2]} \S"
    assert re.match(title, text[1]), "a title: number and name"
    assert f"After this {kind} you can" in text[1]
    assert 3 <= text[1].count("\n- ") <= 5, "three to five things you will be able to do"
    assert "**Time:**" in text[1] and "**Before:**" in text[1]
    assert "check_environment()" in sources(notebook, "code")[0]


def test_closes_as_every_lesson_does(notebook):
    closing = sources(notebook, "markdown")[-2]
    assert "## What you learned" in closing
    assert closing.count("<details><summary>Answer</summary>") == 3
    assert "**Next:**" in closing


def test_asks_for_predictions(notebook):
    asks = any("**Predict.**" in text for text in sources(notebook, "markdown"))
    assert asks or any(code.startswith("diagnose(") for code in sources(notebook, "code"))


def test_has_one_idea_a_cell(notebook):
    lengths = sorted(len(source.splitlines()) for source in sources(notebook, "code"))
    assert lengths[-1] <= 25
    assert lengths[len(lengths) // 2] <= 8


def test_navigation_is_up_to_date(lesson, notebook):
    below = build_notebooks.navigation_below(lesson, LESSONS)
    assert notebook.cells[0].source == build_notebooks.navigation(lesson, LESSONS)
    assert notebook.cells[-1].source == below
    for target in re.findall(r"\]\(([^)#]+)", below):
        assert (lesson.parent / target).is_file(), f"no such file: {target}"


def test_committed_outputs_are_complete_and_portable(notebook):
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        assert cell.execution_count, f"cell {index} was not run"
        for output in cell.outputs:
            assert output.output_type != "error", f"cell {index} raised"
            data = output.get("data", {})
            assert build_notebooks.WIDGET_VIEW not in data, f"cell {index}: a widget view"
            if "image/png" in data:
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt) > 20, f"cell {index}: a picture without a text alternative"
    assert "widgets" not in notebook.metadata
    assert build_notebooks.picture_bytes(notebook) <= build_notebooks.PICTURE_LIMIT


def test_says_nothing_of_the_machine_it_ran_on(lesson):
    text = lesson.read_text(encoding="utf-8")
    found = re.findall(r"/(?:home|root|tmp|Users|work)/[\w./-]*", text)
    assert not found


def test_holds_no_entry_of_the_real_set(lesson, real_entries):
    text = lesson.read_text(encoding="utf-8")
    entries = json.loads(real_entries.read_text(encoding="utf-8"))
    outputs = [entry["output"] for entry in entries if len(entry["output"]) > 40]
    assert not [output for output in outputs if output in text]


def test_the_contents_page_lists_every_lesson():
    readme = (build_notebooks.ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"\]\(notebooks/(\w+\.ipynb)\)", readme)
    assert listed == [path.name for path in [*LESSONS, *build_notebooks.page_paths()]]
    labs = re.findall(r"\]\(notebooks/labs/(\w+\.ipynb)\)", readme)
    assert labs == [path.name for path in LABS]


def test_cleaning_drops_what_only_a_widget_could_show():
    view = {build_notebooks.WIDGET_VIEW: {"model_id": "1"}, "text/plain": "0%"}
    picture = {**view, "image/png": "iVBORw0KGgo="}
    outputs = [nbformat.v4.new_output("display_data", data=data) for data in (view, picture)]
    cell = nbformat.v4.new_code_cell("1", outputs=outputs, metadata={"trusted": True})
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {}})
    build_notebooks.clean(notebook)
    assert [set(output.data) for output in notebook.cells[0].outputs] == [
        {"image/png", "text/plain"}
    ]
    assert notebook.cells[0].metadata == {} and "widgets" not in notebook.metadata


def test_a_lesson_that_is_not_there_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(build_notebooks, "build", lambda *_: pytest.fail("built"))
    with pytest.raises(SystemExit):
        build_notebooks.main(["01", "99"])
    said = capsys.readouterr().err
    assert "no such lesson among 00, 01, 02" in said and ", masking" in said


def test_lessons_are_built_on_the_courses_own_entries(monkeypatch):
    environments = []
    for name in build_notebooks.CHOICES:
        monkeypatch.setenv(name, "1")
    before = dict(os.environ)
    monkeypatch.setattr(build_notebooks, "build", lambda *given: environments.append(given[2]))
    assert build_notebooks.main(["01"]) == 0 == build_notebooks.main(["02", "--navigation"])
    assert environments[1] is None and environments[0]["LESSONS_LIB_STILLS"] == "1"
    assert not {*environments[0]} & {*build_notebooks.CHOICES} and dict(os.environ) == before


def test_a_failing_cell_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(build_notebooks, "NOTEBOOKS", tmp_path)
    path = tmp_path / "01_broken.ipynb"
    cells = [nbformat.v4.new_markdown_cell("# 01 Broken"), nbformat.v4.new_code_cell("1 / 0")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    before = path.read_bytes()
    assert build_notebooks.main([]) == 1
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
