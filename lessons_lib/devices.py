"""Which processor computes: the CPU, an NVIDIA GPU (CUDA) or an Apple GPU (MPS). Lesson 09."""

import torch


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
    """Whether the device multiplies bfloat16 by itself; elsewhere bfloat16 is slower than float32.

    Of GPUs those of NVIDIA since 2020, of processors those with AMX or AVX-512 BF16.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    can = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(can.get("amx_bf16") or can.get("avx512_bf16"))


def device_of(model: torch.nn.Module) -> torch.device:
    """Where the model's weights are."""
    return next(model.parameters()).device


def _has_cuda(device: torch.device) -> bool:
    return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
