"""Replies of a judge on disk, so that no answer is paid for twice. Lesson 10.

An SQLite database for each judge. A reply is on the disk before the next one is waited for, so a
run that is cut off loses nothing, and the next one goes on from there.
"""

import contextlib
import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from lessons_lib.support import cache_folder
from lessons_lib.support.files import locked_file

PATIENCE = 60  # seconds to wait while another process writes
CREATE = "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)"


def hash_of(*parts: object) -> str:
    """20 hexadecimal digits that differ where any of the parts differs."""
    written = json.dumps([str(part) for part in parts])
    return hashlib.sha256(written.encode()).hexdigest()[:20]


class ReplyCache:
    """Key → reply, in memory and in ``<name>-<hash>.sqlite``, which several processes may share.

    ``identity`` is all that decides over replies but the question itself: server, model, rubric.
    What was judged is not written down, only a hash of it.
    """

    def __init__(self, name: str, *identity: object, folder: str | Path | None = None):
        slug = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:60] or "judge"
        folder = Path(folder or cache_folder() / "judged")
        self.path = folder / f"{slug}-{hash_of(*identity)}.sqlite"
        self.problem = ""  # why replies are not kept, or that a damaged file was given up
        self._replies: dict[str, str] = {}
        self.reload()

    def __len__(self) -> int:
        return len(self._replies)

    def __contains__(self, key: str) -> bool:
        return key in self._replies

    def get(self, key: str) -> str | None:
        """The reply, None where there is none."""
        return self._replies.get(key)

    def reload(self) -> None:
        """Read what other processes have added."""
        if self.path.is_file():
            self._replies.update(self._execute("SELECT key, reply FROM replies"))

    def add(self, key: str, reply: str) -> None:
        """Keep a reply; it is on the disk when this returns, or ``problem`` says why not."""
        # Half a character cannot be written as UTF-8; it is spelled out.
        self._replies[key] = reply = reply.encode("utf-8", "backslashreplace").decode()
        self._execute("INSERT OR REPLACE INTO replies VALUES (?, ?)", key, reply)

    def asking(
        self, say: Callable[[str], object] = print
    ) -> contextlib.AbstractContextManager[None]:
        """While this holds, nobody else asks for replies to this file; see ``files.locked_file``.

        Replies can be added and read all the same.
        """
        sentence = "Another process is judging with this model; waiting for it."
        return locked_file(self.path.with_suffix(".lock"), sentence, say)

    def _execute(self, statement: str, *values: str) -> list[tuple[str, str]]:
        """The rows that a statement finds; none where the file cannot be used."""
        try:
            try:
                return self._execute_once(statement, values)
            except (sqlite3.DatabaseError, UnicodeDecodeError, TypeError) as error:
                operational = isinstance(error, sqlite3.OperationalError)
                if operational and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                    raise  # read-only, full or busy, but not damaged; SQLITE_ERROR: other columns
                self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)
                self.path.unlink(missing_ok=True)
                self.problem = f"{self.path} was damaged ({error}) and is made again, empty."
                return self._execute_once(statement, values)
        except (OSError, sqlite3.DatabaseError) as error:
            self.problem = f"Replies cannot be kept in {self.path}: {error}."
            return []

    def _execute_once(self, statement: str, values: Sequence[str]) -> list[tuple[str, str]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self.path, timeout=PATIENCE)) as database, database:
            database.text_factory = bytes.decode  # sqlite3's own way hides what a damaged text is
            database.execute(CREATE)
            rows = database.execute(statement, values).fetchall()
        for row in rows:
            if not all(isinstance(value, str) for value in row):
                raise TypeError("it holds what is no text")
        return rows
