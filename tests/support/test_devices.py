"""Which processor computes, and what is said about it."""

import pytest
import torch

from lessons_lib.support import devices
from lessons_lib.support.devices import describe_device, device_of, has_fast_bf16, pick_device
from tests.helpers.toys import tiny_model


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many CUDA GPUs, and with an Apple GPU or none."""

    def make(cuda: int = 0, mps: bool = False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return make


@pytest.mark.parametrize(
    ("cuda", "mps", "picked"),
    [(0, False, "cpu"), (0, True, "mps"), (1, False, "cuda"), (2, True, "cuda")],
)
def test_auto_takes_the_best_there_is(machine, cuda, mps, picked):
    machine(cuda, mps)
    assert pick_device() == pick_device("auto") == torch.device(picked)


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1", "mps"])
def test_a_device_by_name(machine, name):
    machine(cuda=2, mps=True)
    assert pick_device(name) == pick_device(torch.device(name)) == torch.device(name)


@pytest.mark.parametrize(("name", "cuda"), [("cuda", 0), ("cuda:1", 1), ("mps", 1)])
def test_what_the_machine_lacks_is_refused_with_a_way_out(machine, name, cuda):
    machine(cuda)
    with pytest.raises(ValueError, match=f"cannot use the device '{name}'.*device='auto'"):
        pick_device(name)


@pytest.mark.parametrize("name", ["gpu", "", "CPU0", "meta", None, 1.5])
def test_an_unknown_device(name):
    with pytest.raises(ValueError, match="device is 'auto', 'cpu', 'cuda' or 'mps', not"):
        pick_device(name)


def test_a_device_in_words(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert describe_device(torch.device("cpu")) == "the CPU (1 thread)"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert describe_device(torch.device("cpu")) == "the CPU (8 threads)"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA L4")
    assert describe_device(torch.device("cuda")) == "the GPU NVIDIA L4"
    assert describe_device(torch.device("mps")) == "the Apple GPU"


@pytest.mark.parametrize(
    ("can", "fast"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"avx512_bf16": False, "amx_bf16": False, "avx512_f": True}, False),
        ({}, False),  # a processor of another make
    ],
)
def test_bfloat16_is_fast_where_the_processor_multiplies_it(monkeypatch, can, fast):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    assert has_fast_bf16(torch.device("cpu")) is fast
    assert not has_fast_bf16(torch.device("mps"))


def test_where_a_model_is():
    assert device_of(tiny_model()) == torch.device("cpu")
    assert device_of(tiny_model().to("meta")) == torch.device("meta")


# How many threads


@pytest.fixture
def cgroups(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "CGROUPS", tmp_path)
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda process: set(range(8)), False)
    (tmp_path / "cpu").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("200000 100000\n", 2), ("50000 100000\n", 0.5), ("max 100000\n", 8), ("nonsense", 8)],
)
def test_a_containers_quota_limits_the_usable_cores(cgroups, quota, cores):
    assert devices.usable_cores() == 8
    (cgroups / "cpu.max").write_text(quota, encoding="ascii")
    assert devices.usable_cores() == cores


@pytest.mark.parametrize(("quota", "cores"), [("300000", 3), ("-1", 8)])
def test_an_older_containers_quota_too(cgroups, quota, cores):
    (cgroups / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n", encoding="ascii")
    (cgroups / "cpu" / "cpu.cfs_period_us").write_text("100000\n", encoding="ascii")
    assert devices.usable_cores() == cores


@pytest.mark.parametrize(
    ("before", "quota", "after"), [(8, "250000", 2), (8, "10000", 1), (2, "400000", 2)]
)
def test_threads_are_only_ever_lowered(cgroups, monkeypatch, before, quota, after):
    threads = [before]
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads[-1])
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    (cgroups / "cpu.max").write_text(f"{quota} 100000", encoding="ascii")
    assert devices.limit_threads() == after
