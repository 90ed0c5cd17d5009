"""Which processor computes, the CPU or a GPU (CUDA or Apple's MPS), and how much of it is used.

Taught in lesson 09.
"""

import math
import os
from pathlib import Path

import torch

CGROUPS = Path("/sys/fs/cgroup")  # where Linux says how much a container may use


def pick_device(name: str | torch.device = "auto") -> torch.device:
    """The device of this name; "auto" is a CUDA GPU, else an Apple GPU, else the CPU.

    Raises:
        ValueError: PyTorch knows no such device, or cannot use it on this machine.
    """
    if name == "auto":
        found = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
        return torch.device(found)
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise ValueError(f"device is 'auto', 'cpu', 'cuda' or 'mps', not {name!r}")
    usable = {"cpu": lambda: True, "cuda": lambda: _has_cuda(device), "mps": _has_mps}
    if not usable[device.type]():
        raise ValueError(
            f"PyTorch cannot use the device {str(device)!r} on this machine; "
            "device='auto' takes the best one it can use"
        )
    return device


def describe_device(device: torch.device) -> str:
    """What to call a device in a sentence: "the CPU (2 threads)", "the GPU NVIDIA L4"."""
    if device.type == "cuda":
        return f"the GPU {torch.cuda.get_device_name(device)}"
    if device.type == "mps":
        return "the Apple GPU"
    threads = torch.get_num_threads()
    return f"the CPU ({threads} thread{'s' * (threads != 1)})"


def has_fast_bf16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16; elsewhere bfloat16 is slower than float32.

    NVIDIA's GPUs since 2020 do, and processors with AMX or AVX-512 BF16.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    can = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(can.get("amx_bf16") or can.get("avx512_bf16"))


def usable_cores() -> float:
    """How many of the CPU's cores this process may use; with a quota, perhaps not a whole number.

    These are the cores that it may run on, or fewer where the container's quota allows less.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(float(cores or 1), _container_quota())


def limit_threads() -> int:
    """Limit PyTorch's threads to the usable cores; returns how many it now uses.

    PyTorch counts the machine's cores and knows nothing of a container's quota. Threads beyond the
    quota wait for each other. A lower number, set by ``OMP_NUM_THREADS`` or by a call, stays.
    """
    most = max(1, math.floor(usable_cores()))
    if torch.get_num_threads() > most:
        torch.set_num_threads(most)
    return torch.get_num_threads()


def _container_quota() -> float:
    """How many cores' time the container may use; infinite where nothing limits it."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):  # v2, v1
        try:
            text = " ".join((CGROUPS / name).read_text(encoding="ascii") for name in names)
            quota, period = text.split()
            return float(quota) / float(period) if quota not in ("max", "-1") else math.inf
        except (OSError, ValueError):  # no such file, or other content than on Linux
            continue
    return math.inf


def device_of(model: torch.nn.Module) -> torch.device:
    """Where the model's weights are."""
    return next(model.parameters()).device


def _has_cuda(device: torch.device) -> bool:
    return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
