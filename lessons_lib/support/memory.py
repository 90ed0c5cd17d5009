"""Freed memory kept for the next step instead of given back to the system. Lesson 09.

A training step allocates its gradients and frees them again. Large blocks come fresh from the
operating system each time, which clears every page of them first: on a CPU up to a fifth of a
step's time. GNU's C library, which most Linux systems use, can be told to keep them.
"""

import contextlib
import ctypes
import sys
from collections.abc import Iterator

# Numbers of mallopt's parameters; from glibc's malloc.h.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
# What they are afterwards. The two thresholds grow as a process frees blocks, until somebody sets
# one; so they are set to the most that they would have grown to.
USUAL = {MMAP_THRESHOLD: 32 * 2**20, TRIM_THRESHOLD: 64 * 2**20, MMAP_MAX: 65_536}


@contextlib.contextmanager
def keep_freed_memory() -> Iterator[bool]:
    """While this lasts, memory that is freed is kept to be used again; then it is given back.

    It takes a few steps until the blocks that are kept fit those that are asked for.

    Says whether it could be done: on Linux with GNU's C library. Elsewhere nothing happens. Also a
    decorator: ``@keep_freed_memory()``.

    Source: mallopt(3), M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_MMAP_MAX.
    """
    library = _c_library()
    if library is None:
        yield False
        return
    library.mallopt(TRIM_THRESHOLD, -1)  # never give back the end of the heap
    library.mallopt(MMAP_MAX, 0)  # nor have blocks outside it, which go back when they are freed
    try:
        yield True
    finally:
        for parameter, value in USUAL.items():
            library.mallopt(parameter, value)
        library.malloc_trim(0)


def _c_library() -> ctypes.CDLL | None:
    """The C library, if it is one that can be told."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    known = hasattr(library, "mallopt") and hasattr(library, "malloc_trim")
    return library if known and hasattr(library, "gnu_get_libc_version") else None
