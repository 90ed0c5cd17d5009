"""Limits of a process that runs somebody's code: memory, size of files, and no network.

They keep an accident small; they are no sandbox. docs/teaching/grading.md says what they let pass.
Each works where the system offers it, and ``missing_limits`` says where it does not.
"""

import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1 << 20
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # Linux's flags for unshare
NO_NETWORK = "the network stays open to the code"


@dataclass(frozen=True)
class Limits:
    """For one notebook: seconds, megabytes beyond what the course takes, megabytes of a file."""

    seconds: float = 120.0
    memory: int = 2048
    file_size: int = 16


def enter(limits: Limits, folder: Path) -> list[str]:
    """Put this process under the limits, in a folder of its own; returns what could not be done.

    What it starts can be ended with it: it leads a process group. What it prints is thrown away.
    """
    missing = []
    if hasattr(os, "setsid"):
        os.setsid()
    os.chdir(folder)
    for name in ("HOME", "TMPDIR", "LESSONS_LIB_WORK", "LESSONS_LIB_CACHE"):
        os.environ[name] = str(folder)
    for stream in (0, 1, 2):
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, stream)
        os.close(nothing)
    if not _leave_network():
        missing.append(NO_NETWORK)
    return missing + _limit_resources(limits)


def _limit_resources(limits: Limits) -> list[str]:
    try:
        import resource
    except ImportError:  # Windows
        return ["memory and the size of files are not limited"]
    most = limits.file_size * MEGABYTE
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that grows too large is an OSError
    used = _address_space()
    if used is None:
        return ["memory is not limited"]
    most = used + limits.memory * MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return []


def _address_space() -> int | None:
    """Bytes of addresses that this process holds, PyTorch's among them; None where unknown."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _leave_network() -> bool:
    """Move this process into a network of its own, in which there is nothing; Linux alone can."""
    if sys.platform != "linux":
        return False
    try:
        unshare = ctypes.CDLL(None).unshare
    except AttributeError:
        return False
    # Root may do it as it is; others first become nobody in particular.
    return unshare(NEW_NETWORK) == 0 or unshare(NEW_USER | NEW_NETWORK) == 0


def end_with_all_it_started(pid: int) -> None:
    """Kill a process that ``enter`` put under limits, and its group."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError:  # macOS says so of a group that is ending
            pass
