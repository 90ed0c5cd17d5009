"""Jobs in several processes: results in order, errors and interrupts that leave nothing running."""

import multiprocessing
import os
import time

import pytest
import torch

from lessons_lib.support.processes import run_all

STEP = 0.02  # seconds


def describe(job, report):
    report(0.5)
    return job, os.getpid(), torch.get_num_threads()


def fail_at_two(job, report):
    """Job 2 fails at once; the others would take ten minutes."""
    if job == 2:
        raise ValueError("job 2 cannot be done")
    for done in range(30_000):
        time.sleep(STEP)
        report(done / 30_000)


def interrupt(job, report):
    raise KeyboardInterrupt


def die(job, report):
    os._exit(3)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_jobs(workers):
    threads = torch.get_num_threads()
    found = run_all(describe, ["a", "b", "c"], workers=workers, threads=1, progress=False)
    assert [job for job, _, _ in found] == ["a", "b", "c"]
    assert {count for _, _, count in found} == {1}, "each computes with the threads asked for"
    assert (os.getpid() in {pid for _, pid, _ in found}) == (workers == 1)
    assert torch.get_num_threads() == threads, "this process has its own again"


def test_one_job_needs_no_second_process():
    assert run_all(describe, ["a"], workers=4, progress=False)[0][1] == os.getpid()
    assert run_all(describe, [], progress=False) == []


def test_an_error_ends_the_other_jobs_and_comes_through():
    started = time.monotonic()
    with pytest.raises(ValueError, match="job 2 cannot be done"):
        run_all(fail_at_two, [1, 2, 3], workers=2, progress=False)
    assert time.monotonic() - started < 120
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_comes_through(workers):
    with pytest.raises(KeyboardInterrupt):
        run_all(interrupt, [1, 2], workers=workers, progress=False)
    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_told_and_not_waited_for():
    with pytest.raises(RuntimeError, match="terminated abruptly"):
        run_all(die, [1, 2], workers=2, progress=False)


def test_the_bar_reaches_its_end(capsys):
    run_all(describe, ["a", "b"], workers=1, label="two jobs")
    shown = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()
    assert shown[0].startswith("two jobs   0 %") and shown[-1].startswith("two jobs 100 %")


@pytest.mark.parametrize("options", [{"workers": 0}, {"threads": 0}])
def test_numbers_below_one_are_refused(options):
    with pytest.raises(ValueError, match="1 or more"):
        run_all(describe, ["a"], progress=False, **options)
