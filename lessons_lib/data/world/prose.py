"""Hand-written prose with gaps: how a fact is told, and everything around it in a story.

``prose/<family>.txt`` holds a family's templates; the other files hold people, places, headings and
sentences that tell no fact. ``corpus`` has the gaps filled.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

from lessons_lib.data.world.facts import Fact, read_table

PROSE = Path(__file__).resolve().parent / "prose"


@dataclass(frozen=True)
class FamilyProse:
    """Ways to tell a fact (``statements``), list it (``rows``) and wonder about it (``musings``).

    A musing raises a question and leaves it open.
    """

    statements: tuple[str, ...]
    rows: tuple[str, ...]
    musings: tuple[str, ...]


@functools.cache
def load_lines(name: str) -> tuple[str, ...]:
    """The lines of ``prose/<name>.txt`` that are not empty."""
    lines = (PROSE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line)


@functools.cache
def load_sections(name: str) -> dict[str, tuple[str, ...]]:
    """The lines of ``prose/<name>.txt``, by the ``[section]`` they are in."""
    sections: dict[str, list[str]] = {}
    for line in load_lines(name):
        if line.startswith("[") and line.endswith("]"):
            lines = sections.setdefault(line[1:-1], [])
        else:
            lines.append(line)
    return {section: tuple(lines) for section, lines in sections.items()}


def load_family_prose(family: str) -> FamilyProse:
    """How the facts of this family are told."""
    return FamilyProse(**load_sections(family))


def load_material(name: str) -> tuple[Fact, ...]:
    """The rows of ``prose/<name>.tsv``, from which sentences are put together."""
    return read_table(PROSE / f"{name}.tsv")
