"""Replies of a judge on disk, so that no answer is paid for twice. Lesson 10.

One file of lines for each judge. A line is added when its reply arrives and is on the disk before
the next one, so a run that is cut off loses nothing and the next one goes on from there.
"""

import contextlib
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock

from lessons_lib.support import cache_folder
from lessons_lib.support.files import locked_file


def replies_folder() -> Path:
    """Where the replies are kept; not created here."""
    return cache_folder() / "judged"


def hash_of(*parts: object) -> str:
    """20 hexadecimal digits that differ where any of the parts differs."""
    written = json.dumps([str(part) for part in parts])
    return hashlib.sha256(written.encode()).hexdigest()[:20]


class ReplyCache:
    """Key → reply, in memory and in a file ``<name>-<hash>.jsonl``; several processes may share it.

    ``identity`` is all that decides over replies but the question itself: server, model, rubric.
    What was judged is not written down, only a hash of it.
    """

    def __init__(self, name: str, *identity: object, folder: str | Path | None = None):
        slug = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:60] or "judge"
        self.path = Path(folder or replies_folder()) / f"{slug}-{hash_of(*identity)}.jsonl"
        self._thread_lock = threading.Lock()
        self._replies: dict[str, str] = {}
        self.reload()

    def __len__(self) -> int:
        return len(self._replies)

    def __contains__(self, key: str) -> bool:
        return key in self._replies

    def __getitem__(self, key: str) -> str:
        return self._replies[key]

    def get(self, key: str) -> str | None:
        """The reply, None where there is none."""
        return self._replies.get(key)

    def reload(self) -> None:
        """Read what other processes have added. A line that was cut off is passed over."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        for line in content.split(b"\n"):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                read = json.loads(line)
                if isinstance(read["key"], str) and isinstance(read["reply"], str):
                    self._replies[read["key"]] = read["reply"]

    def add(self, key: str, reply: str) -> None:
        """Keep a reply; it is on the disk when this returns.

        Raises:
            OSError: the file cannot be written.
        """
        line = json.dumps({"key": key, "reply": reply}).encode() + b"\n"
        with self._alone():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                if file.tell() and not _ends_in_newline(file):
                    line = b"\n" + line  # after a line that was cut off
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            self._replies[key] = reply

    def asking(
        self, say: Callable[[str], object] = print
    ) -> contextlib.AbstractContextManager[None]:
        """While this holds, nobody else asks for replies to this file; see ``files.locked_file``.

        Replies can be added and read all the same.
        """
        sentence = "Another process is judging with this model; waiting for it."
        return locked_file(self.path.with_suffix(".asking.lock"), sentence, say)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While this holds, no other thread or process writes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._thread_lock, contextlib.ExitStack() as stack:
            with contextlib.suppress(NotImplementedError):  # a file system without locks
                stack.enter_context(FileLock(self.path.with_suffix(".lock")))
            yield


def _ends_in_newline(file) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
