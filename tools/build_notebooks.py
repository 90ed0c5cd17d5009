"""Run all notebooks from clean kernels and save their outputs: ``make notebooks``.

This also writes each notebook's navigation cells. Committed outputs are text, tables and small PNG
pictures; widget views are left out, because without their state a page shows only an error.
``python -m tools.build_notebooks 03 masking`` builds only lesson 03 and the lab of that name, or a
page beside the lessons; ``--navigation`` writes the navigation cells and runs nothing.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.teaching.glossary import LINK as GLOSSARY
from tools.teaching.glossary import words_of

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
CONTENTS = "../README.md#the-lessons"
NAVIGATION = "navigation"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PICTURE_LIMIT = 300_000  # bytes of pictures in one notebook
CHOICES = "LESSONS_LIB_QUICK", "LESSONS_LIB_ENTRIES"  # variables that change what a lesson shows
KEPT = "tags", "slide", "slideshow"  # of a cell's metadata: what is written by hand
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def lesson_paths() -> list[Path]:
    """All lessons in order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def lab_paths() -> list[Path]:
    """All labs: pages for one question alone, which stand in no order."""
    return sorted(NOTEBOOKS.glob("labs/*.ipynb"))


def page_paths() -> list[Path]:
    """Notebooks beside the lessons, to which they refer, and that have no number."""
    return sorted({*NOTEBOOKS.glob("*.ipynb")} - {*lesson_paths()})


def short_name(path: Path) -> str:
    """What one types for a notebook: a lesson's number, or the name of a lab or page."""
    return path.name[:2] if path in lesson_paths() else path.stem


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def title(notebook: nbformat.NotebookNode) -> str:
    """The text of the first heading."""
    for cell in notebook.cells:
        for line in cell.source.splitlines():
            if cell.cell_type == "markdown" and line.startswith("# "):
                return line.removeprefix("# ").strip()
    raise ValueError("a notebook needs a heading that starts with '# '")


def navigation(path: Path, paths: list[Path]) -> str:
    """Links to the previous lesson, the contents, the glossary and the next lesson.

    Labs and pages beside the lessons have no neighbours.
    """
    if path in lab_paths():
        return f"[Contents](../{CONTENTS}) · [Glossary](../{GLOSSARY})"
    links = [f"[Contents]({CONTENTS})", f"[Glossary]({GLOSSARY})"]
    if path not in paths:
        return " · ".join(links)
    place = paths.index(path)
    if place > 0:
        links.insert(0, f"[← {title(read(paths[place - 1]))}]({paths[place - 1].name})")
    if place + 1 < len(paths):
        links.append(f"[{title(read(paths[place + 1]))} →]({paths[place + 1].name})")
    return " · ".join(links)


def navigation_below(path: Path, paths: list[Path]) -> str:
    """The navigation at a notebook's end: links to the words that it introduces come first."""
    return "\n\n".join(filter(None, (words_of(path), navigation(path, paths))))


def set_navigation(notebook: nbformat.NotebookNode, above: str, below: str) -> None:
    """Put the links into a first and a last cell, which hold nothing else."""
    cells = [c for c in notebook.cells if NAVIGATION not in c.metadata.get("tags", [])]
    top, bottom = (
        nbformat.v4.new_markdown_cell(
            links, id=f"{NAVIGATION}-{place}", metadata={"tags": [NAVIGATION]}
        )
        for place, links in (("top", above), ("bottom", below))
    )
    notebook.cells = [top, *cells, bottom]


def usual_environment() -> dict[str, str]:
    """This process's variables, without those that choose other entries or sizes."""
    return {name: value for name, value in os.environ.items() if name not in CHOICES}


def execute(
    notebook: nbformat.NotebookNode,
    timeout: int = 900,
    environment: dict[str, str] | None = None,
) -> None:
    """Run all cells in a new kernel, which works in the notebooks' folder.

    ``timeout`` is in seconds per cell; ``environment`` holds the kernel's variables, by default
    those of this process.

    Raises:
        CellExecutionError: a cell raised; the message names it.
    """
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(
        notebook, timeout=timeout, kernel_name=KERNEL["name"], resources=resources
    )
    client.execute(env=environment or dict(os.environ))


def clean(notebook: nbformat.NotebookNode) -> None:
    """Remove from the notebook what differs needlessly from run to run or that no reader sees."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in KEPT}
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs if (kept := _without_widget(output))]


def _without_widget(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """The output without its widget view; None if only its stand-in text would be left."""
    data = output.get("data", {})
    if WIDGET_VIEW not in data:
        return output
    data.pop(WIDGET_VIEW)
    return output if set(data) - {"text/plain"} else None


def picture_bytes(notebook: nbformat.NotebookNode) -> int:
    """The size of the notebook's pictures, in bytes of base64 text."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return sum(len(output.get("data", {}).get("image/png", "")) for output in outputs)


def build(path: Path, paths: list[Path], environment: dict[str, str] | None) -> None:
    """Write the navigation, run all cells and save; the file is replaced only if all cells ran.

    Without an environment for the kernel, nothing is run.
    """
    notebook = read(path)
    set_navigation(notebook, navigation(path, paths), navigation_below(path, paths))
    if environment is not None:
        started = time.perf_counter()
        execute(notebook, environment=environment)
        size = picture_bytes(notebook)
        print(f"{path.name}: {time.perf_counter() - started:.0f} s, pictures {size:,} bytes")
        if size > PICTURE_LIMIT:
            raise ValueError(f"{path.name}: {size:,} bytes of pictures; {PICTURE_LIMIT:,} allowed")
    clean(notebook)
    nbformat.validate(notebook)
    temporary = path.with_suffix(".part")
    nbformat.write(notebook, temporary)
    os.replace(temporary, path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.build_notebooks", description=__doc__)
    parser.add_argument(
        "lessons", nargs="*", help="such as 03, or the name of a lab or page; default: all"
    )
    parser.add_argument(
        "--navigation", action="store_true", help="write the navigation, run nothing"
    )
    chosen = parser.parse_args(arguments)
    paths = lesson_paths()
    offered = {short_name(path): path for path in [*paths, *lab_paths(), *page_paths()]}
    wanted = [path for name, path in offered.items() if name in (chosen.lessons or offered)]
    if not wanted or {*chosen.lessons} - {*offered}:
        parser.error(f"no such lesson among {', '.join(offered)}")
    # The run must not depend on what a reader saved, trained or chose before.
    with tempfile.TemporaryDirectory() as cache:
        own = {"LESSONS_LIB_CACHE": cache, "LESSONS_LIB_WORK": os.path.join(cache, "my_work")}
        environment = usual_environment() | own | {"LESSONS_LIB_STILLS": "1"}
        for path in wanted:
            try:
                build(path, paths, None if chosen.navigation else environment)
            except CellExecutionError as error:
                print(f"{path.name}: a cell failed; the file is unchanged.\n{error}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
