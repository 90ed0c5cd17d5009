"""Freed memory is kept while that is asked for, and given back afterwards."""

import sys

import pytest
import torch

from lessons_lib import memory
from lessons_lib.memory import keep_freed_memory

GLIBC = memory._c_library() is not None


def page_faults(size: int = 2**24) -> int:
    """Pages that the system had to find for a tensor of 64 MiB, which is freed again."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty(size).fill_(1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(not GLIBC, reason="only GNU's C library can be told to keep memory")
def test_memory_is_used_again_and_then_given_back():
    with keep_freed_memory() as kept:
        assert kept
        faults = [page_faults() for _ in range(10)]
        assert faults[-1] < 1_000, "a tensor lies where an earlier one lay"
        during = resident_bytes()
    assert resident_bytes() < during - 2**25


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
    assert resident_bytes() < during[0] - 2**25


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
