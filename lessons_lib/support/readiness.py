"""What a check of the machine found: one line where all is well, else a table of what to do."""

import html
from dataclasses import dataclass
from typing import Literal

from lessons_lib.support.table import html_table


@dataclass(frozen=True)
class Row:
    """One thing that was checked. ``fix`` is a command or a sentence, empty when all is well."""

    what: str
    state: Literal["ok", "note", "warn", "fix"]
    found: str
    fix: str = ""


@dataclass(frozen=True)
class Environment:
    """What ``check_environment`` found: one line where all is well, else a table."""

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether the lessons will run: apart from warnings, nothing needs fixing."""
        return all(row.state != "fix" for row in self.rows)

    @property
    def summary(self) -> str:
        faults = sum(row.state == "fix" for row in self.rows)
        if not faults:
            return "All is ready."
        return f"{faults} {'thing' if faults == 1 else 'things'} to fix."

    @property
    def is_quiet(self) -> bool:
        """Whether no row asks anything of the reader."""
        return not any(row.state in {"fix", "warn"} for row in self.rows)

    @property
    def line(self) -> str:
        """What a reader may want to know of a machine on which all is well."""
        found = {row.what: row.found for row in self.rows}
        told = [f"{what} {found[what]}" for what in ("Python", "PyTorch") if what in found]
        told += [found["Machine"]] if "Machine" in found else []
        return f"{', '.join(told)}. {self.summary}" if told else self.summary

    @property
    def table(self) -> str:
        """All rows, one below the other, each with what to do about it."""
        width = max(len(row.what) for row in self.rows)
        lines = []
        for row in self.rows:
            lines.append(f"{row.state:<4}  {row.what:<{width}}  {row.found}")
            if row.fix:
                lines.append(f"{'':<{width + 8}}{row.fix}")
        return "\n".join([*lines, self.summary])

    def __str__(self) -> str:
        return self.line if self.is_quiet else self.table

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if self.is_quiet:
            return f"<p>{html.escape(self.line)}</p>"
        rows = [("state", "what", "found", "what to do")]
        rows += [(row.state, row.what, row.found, row.fix) for row in self.rows]
        return f"{html_table(rows)}<p>{html.escape(self.summary)}</p>"
