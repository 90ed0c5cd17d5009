"""Keeps freed memory for the next step instead of giving it back to the system. Lesson 09.

A training step allocates its gradients and frees them again. Each time, large blocks come fresh
from the operating system, which first clears all their pages; on a CPU this takes up to a fifth of
a step's time. GNU's C library, which most Linux systems use, can be told to keep the blocks.
"""

import contextlib
import ctypes
import sys
from collections.abc import Iterator

# The numbers of mallopt's parameters, from glibc's malloc.h.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
# Their values afterwards. The two thresholds grow as a process frees blocks, but only until one is
# set; so they are set to the most to which they would have grown.
USUAL = {MMAP_THRESHOLD: 32 * 2**20, TRIM_THRESHOLD: 64 * 2**20, MMAP_MAX: 65_536}


@contextlib.contextmanager
def keep_freed_memory() -> Iterator[bool]:
    """Keep freed memory for reuse while this lasts; then give it back.

    It takes a few steps until the kept blocks fit those that are requested.

    Yields whether this works here, as it does on Linux with GNU's C library; elsewhere nothing
    happens. It is also a decorator: ``@keep_freed_memory()``.

    Source: mallopt(3), M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_MMAP_MAX.
    """
    library = _c_library()
    if library is None:
        yield False
        return
    library.mallopt(TRIM_THRESHOLD, -1)  # never give back the end of the heap
    library.mallopt(MMAP_MAX, 0)  # nor place blocks outside it, which go back when freed
    try:
        yield True
    finally:
        for parameter, value in USUAL.items():
            library.mallopt(parameter, value)
        library.malloc_trim(0)


def _c_library() -> ctypes.CDLL | None:
    """The C library, if it is one that can be told to keep memory."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    known = hasattr(library, "mallopt") and hasattr(library, "malloc_trim")
    return library if known and hasattr(library, "gnu_get_libc_version") else None
