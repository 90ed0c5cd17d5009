"""The table in which ``check_environment`` answers, for a terminal and for Jupyter."""

import html
from dataclasses import dataclass
from typing import Literal

from lessons_lib.table import html_table


@dataclass(frozen=True)
class Row:
    """One thing that was looked at. ``fix`` is a command or a sentence; empty when all is well."""

    what: str
    state: Literal["ok", "note", "warn", "fix"]
    found: str
    fix: str = ""


@dataclass(frozen=True)
class Environment:
    """What ``check_environment`` found: a table in a terminal and in Jupyter."""

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether the lessons will run: nothing has to be fixed, warnings aside."""
        return all(row.state != "fix" for row in self.rows)

    @property
    def summary(self) -> str:
        faults = sum(row.state == "fix" for row in self.rows)
        if not faults:
            return "All is ready."
        return f"{faults} {'thing' if faults == 1 else 'things'} to fix."

    def __str__(self) -> str:
        width = max(len(row.what) for row in self.rows)
        lines = []
        for row in self.rows:
            lines.append(f"{row.state:<4}  {row.what:<{width}}  {row.found}")
            if row.fix:
                lines.append(f"{'':<{width + 8}}{row.fix}")
        return "\n".join([*lines, self.summary])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [("state", "what", "found", "what to do")]
        rows += [(row.state, row.what, row.found, row.fix) for row in self.rows]
        return f"{html_table(rows)}<p>{html.escape(self.summary)}</p>"
