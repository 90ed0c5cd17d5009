"""The glossary: each term once, in its first lesson, and in no lesson before."""

import re
from pathlib import Path

import pytest

from tools.build_notebooks import ROOT, lesson_paths, page_paths
from tools.exercises.cells import read

GLOSSARY = ROOT / "docs" / "glossary.md"
# What a term is a part of, or a plainer word for something else, in the lessons before its own.
ELSEWHERE = {
    "embedding": "token embedding",
    "parameter": "hyperparameter",
}
LATER = re.compile(r"\((?:lesson )?\[?\d\d|lessons? \[?\d\d")  # a lesson that is named


def course_order():
    """The lessons in order; the page on PyTorch is read before lesson 03, as README.md says."""
    lessons = lesson_paths()
    return [*lessons[:3], *page_paths(), *lessons[3:]]


def sections():
    """(notebook, term) for each line of the glossary."""
    found, notebook = [], None
    for line in GLOSSARY.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## \[.+\]\(\.\./notebooks/(.+)\)", line):
            notebook = ROOT / "notebooks" / heading[1]
        elif term := re.match(r"- \*\*(.+?)\*\*: ", line):
            found.append((notebook, term[1]))
            assert line.endswith("."), line
        else:
            assert not line.startswith(("-", "## ")), line
    return found


TERMS = sections()


def prose(path: Path) -> list[str]:
    """A notebook's paragraphs without code; not its opening, which says what will be learned."""
    texts = []
    for cell in read(path)["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] != "markdown" or text.startswith("# ") or "navigation" in cell["id"]:
            continue
        text = re.sub(r"<details>.*?</details>|```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        texts += text.split("\n\n")
    return texts


def uses(term: str, path: Path) -> list[str]:
    """Paragraphs with the term, in singular or plural, but for those that name a later lesson."""
    words = r"\s+".join(map(re.escape, term.removesuffix(" part").split()))
    wanted = re.compile(rf"(?<![\w-]){words}(?:s|es)?(?![\w-])", re.IGNORECASE)
    found = []
    for text in PROSE[path]:
        text = text.replace(ELSEWHERE.get(term, "\0"), "")
        if wanted.search(text) and not LATER.search(text):
            found.append(text.strip())
    return found


PROSE = {path: prose(path) for path in course_order()}


def test_each_term_comes_once_and_in_order():
    terms = [term.casefold() for _, term in TERMS]
    assert len(terms) == len(set(terms))
    places = [course_order().index(notebook) for notebook, _ in TERMS]
    assert places == sorted(places)


@pytest.mark.parametrize(("notebook", "term"), TERMS, ids=[term for _, term in TERMS])
def test_a_term_is_not_used_before_its_lesson(notebook, term):
    place = course_order().index(notebook)
    early = {path.name: found for path in course_order()[:place] if (found := uses(term, path))}
    assert early == {}
    words = term.casefold().removesuffix(" part")
    assert any(words in " ".join(text.casefold().split()) for text in PROSE[notebook])
