"""The entries that a benchmark runs on: the book's if their file is named, else the bundled."""

import os

from lessons_lib.data import Entry, load_entries

ENTRIES_VARIABLE = "LESSONS_LIB_REAL_ENTRIES"


def source_and_entries() -> tuple[str, list[Entry]]:
    """("real" or "bundled", the entries)."""
    path = os.environ.get(ENTRIES_VARIABLE)
    return ("real", load_entries(path)) if path else ("bundled", load_entries())
