"""From files and tables to entries: read strictly, fields named, every fault told. Lesson 01.

Rows come from a file in whatever form people have it; their fields are found by name, and each
entry is checked. What is wrong is named by file, row and field.
"""

from lessons_lib.data.reading.checks import (
    Entry,
    Fault,
    Splits,
    as_entries,
    check_entries,
    find_rows,
    keep_valid,
    list_rows,
    sift_entries,
)
from lessons_lib.data.reading.fields import FieldNamesWarning, name_fields
from lessons_lib.data.reading.rows import DatasetError, DroppedEntriesWarning, read_rows

__all__ = [
    "DatasetError",
    "DroppedEntriesWarning",
    "Entry",
    "Fault",
    "FieldNamesWarning",
    "Splits",
    "as_entries",
    "check_entries",
    "find_rows",
    "keep_valid",
    "list_rows",
    "name_fields",
    "read_rows",
    "sift_entries",
]
