"""Freed memory is kept while that is asked for, and given back afterwards."""

import sys

import pytest
import torch

from lessons_lib.levers import memory
from lessons_lib.levers.memory import keep_freed_memory

GLIBC = memory._c_library() is not None


# More than the C library ever takes from its heap by default (32 MiB): without the change, such a
# tensor's pages come fresh from the system each time.
TENSOR_BYTES = 40 * 2**20
# A tensor's address is rounded, and the few bytes left over may first go to lists of small blocks,
# of which each takes seven. Until those are full, the block that comes back is a little too small.
MOST_MISSES = 32


def page_faults(size: int = TENSOR_BYTES) -> int:
    """Pages that the system had to find for a tensor, which is freed again."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty(size // 4).fill_(1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(not GLIBC, reason="only GNU's C library can be told to keep memory")
def test_memory_is_used_again_and_then_given_back():
    with keep_freed_memory() as kept:
        assert kept
        lies_where_one_lay = (page_faults() < 1_000 for _ in range(MOST_MISSES))
        assert any(lies_where_one_lay), "every tensor came fresh from the system"
        during = resident_bytes()
    assert resident_bytes() < during - TENSOR_BYTES / 2


@pytest.mark.skipif(not GLIBC, reason="only GNU's C library can be told to keep memory")
def test_it_is_given_back_after_an_error_too():
    during = []

    @keep_freed_memory()
    def fail():
        page_faults()
        during.append(resident_bytes())
        raise KeyError("oh")

    with pytest.raises(KeyError):
        fail()
    assert resident_bytes() < during[0] - TENSOR_BYTES / 2


@pytest.mark.skipif(not GLIBC, reason="only GNU's C library can be told to keep memory")
def test_smaller_blocks_are_used_again_afterwards_too():
    with keep_freed_memory():
        pass
    assert any(page_faults(4 * 2**20) < 100 for _ in range(MOST_MISSES))


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_elsewhere_nothing_happens(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    with keep_freed_memory() as kept:
        assert not kept


def test_a_c_library_that_knows_no_such_thing_is_left_alone(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    monkeypatch.setattr(sys, "platform", "linux")
    with keep_freed_memory() as kept:
        assert not kept
