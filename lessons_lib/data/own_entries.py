"""The reader's own entries: written in lessons 01 and 12, kept for the later ones."""

import json
import warnings
from pathlib import Path

from lessons_lib.data.audit import SortedEntriesWarning, audit_entries
from lessons_lib.data.entries import load_entries
from lessons_lib.data.reading import Entry, Splits, check_entries
from lessons_lib.support import Table, cache_folder, write_whole

# Those of lesson 01, then those of lesson 12's two trials and the questions that test them.
NAMES = ("entries", "refusals", "refusals-test", "company", "company-test")
# Stand-ins until the reader has written some: two assistants that do not exist, and a small task.
EXAMPLES: list[Entry] = [
    {
        "instruction": "A customer asks how long a purchase can be returned.",
        "input": "",
        "output": "You can return it within 30 days. Please keep the receipt.",
    },
    {
        "instruction": "Write a reminder for the following appointment.",
        "input": "Ms. Adeyemi, Tuesday, 10:30, eye test",
        "output": "Dear Ms. Adeyemi, your eye test is on Tuesday at 10:30.",
    },
    {
        "instruction": "Is the following message urgent? Answer yes or no.",
        "input": "Water is coming through the ceiling of the waiting room!",
        "output": "Yes.",
    },
    {
        "instruction": "Name the opening hours of the shop.",
        "input": "",
        "output": "The shop is open from nine to six, Monday to Saturday.",
    },
    {
        "instruction": "Make the sentence friendlier.",
        "input": "Send the form again.",
        "output": "Could you please send the form once more? Thank you!",
    },
]


def notes_to_entries(notes: list[str]) -> list[Entry]:
    """An entry for each note: "question | answer", or "question | text | answer".

    Raises:
        ValueError: a note has fewer or more parts, or one that is empty.
    """
    entries = []
    for number, note in enumerate(notes, start=1):
        parts = [part.strip() for part in note.split("|")]
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(
                f"note {number} must be 'question | answer' or 'question | text | answer', "
                f"not {note!r}"
            )
        given = parts[1] if len(parts) == 3 else ""
        entries.append({"instruction": parts[0], "input": given, "output": parts[-1]})
    return entries


def own_entries_path(name: str = "entries") -> Path:
    """Where the reader's entries of this name are kept.

    Raises:
        ValueError: there is no such name.
    """
    if name not in NAMES:
        raise ValueError(f"no entries are kept as {name!r}; there are: {', '.join(NAMES)}")
    return cache_folder() / f"own_{name}.json"


def save_own_entries(entries: list[Entry], name: str = "entries") -> Path:
    """Check the entries and keep them for the later lessons; returns the file.

    ``name`` is one of ``NAMES``; entries kept under another name stay as they are.

    Raises:
        DatasetError: an entry is faulty (row and field named), or has a further field that JSON
            cannot hold; what was kept before stays. ValueError: there is no such name.
    """
    path = own_entries_path(name)
    checked = check_entries(entries, file=f"your {name}")
    text = json.dumps(checked, ensure_ascii=False, indent=1)
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def load_own_entries(name: str = "entries") -> list[Entry]:
    """The entries the reader saved under this name, or none where there are none yet.

    In place of those of lesson 01 there are five examples.

    Raises:
        DatasetError: the file was changed by hand and is faulty. ValueError: there is no such name.
    """
    path = own_entries_path(name)
    if path.is_file():
        return load_entries(path)
    return [dict(entry) for entry in EXAMPLES] if name == "entries" else []


def own_splits(name: str, course: Splits) -> Splits:
    """The reader's "refusals" or "company", with their test questions, or else the course's.

    Both parts must be there, or the course's are taken. Prints which they are.

    Raises:
        DatasetError, ValueError: as ``load_own_entries``.
    """
    train, test = load_own_entries(name), load_own_entries(f"{name}-test")
    own = Splits(train=train, test=test, validation=[])
    splits = own if train and test else course
    which = f"Your own {name}"
    if splits is course:
        missing = f"{name}-test" if train else name
        which = f"No entries of yours are kept as {missing}; these are the course's own"
    print(f"{which}: {len(splits.train)} to train on, {len(splits.test)} test questions.")
    return splits


def variety_table(splits: Splits) -> Table:
    """How varied the entries of a trial are, and whether its test questions are new: counts.

    Raises:
        DatasetError: as ``audit_entries``.
    """
    with warnings.catch_warnings():  # nothing is cut from these by their order
        warnings.simplefilter("ignore", SortedEntriesWarning)
        audit = audit_entries(splits)
    near = {second.index for first, second in audit.near_leaks if second.part == "test"}
    openings = {tuple(entry["instruction"].casefold().split()[:2]) for entry in splits.train}
    rows = (
        ("entries to train on", len(splits.train)),
        ("  different first two words of an instruction", len(openings)),
        ("  different outputs", len({entry["output"] for entry in splits.train})),
        ("entries whose task came before", len(audit.duplicates)),
        ("test questions", len(splits.test)),
        ("  the same as one that is trained on", len(audit.leaks["test"])),
        ("  nearly the same, with its answer", len(near)),
    )
    return Table(("", "count"), tuple((name, str(count)) for name, count in rows))
