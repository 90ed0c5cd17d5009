"""One process at a time: a lock that is a file, and a sentence for whoever waits for it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout


@contextlib.contextmanager
def locked_file(path: Path, sentence: str, say: Callable[[str], object] = print) -> Iterator[None]:
    """While this holds, no other process and no other thread is in its own with the same path.

    Waits for the other one, and says the sentence. In a folder that cannot be written there is no
    lock, and none is needed: nothing can be saved there either.
    """
    lock = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(sentence)
            lock.acquire()
    except (OSError, NotImplementedError):  # the second: a file system without locks
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()
