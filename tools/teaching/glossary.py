"""The glossary's terms by lesson, and the line of links to them with which a lesson ends."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
LINK = "../docs/glossary.md"  # from a lesson


def terms() -> list[tuple[str, str]]:
    """(notebook's name, term) for each term, in the glossary's order.

    Raises:
        ValueError: a line is neither a lesson's heading, a term's, nor a sentence.
    """
    found, notebook = [], ""
    for line in GLOSSARY.read_text(encoding="utf-8").splitlines():
        if lesson := re.fullmatch(r"## \[.+\]\(\.\./notebooks/(.+)\)", line):
            notebook = lesson[1]
        elif term := re.fullmatch(r"### (.+)", line):
            found.append((notebook, term[1]))
        elif line and notebook and (line.startswith(("#", "-")) or not line.endswith(".")):
            raise ValueError(f"docs/glossary.md: what is this line? {line}")
    return found


def anchor(term: str) -> str:
    """What a code host calls the heading of a term in a link."""
    return re.sub(r"[^\w -]", "", term.casefold()).replace(" ", "-")


def words_of(notebook: Path) -> str:
    """Links to the terms that a notebook introduces; empty where it introduces none."""
    links = [f"[{term}]({LINK}#{anchor(term)})" for name, term in terms() if name == notebook.name]
    return f"Words of this lesson: {', '.join(links)}." if links else ""
