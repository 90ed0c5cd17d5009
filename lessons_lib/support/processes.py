"""Several long computations at once, each in a process of its own, with one progress bar.

Used by the experiment of lesson 11. Each process computes with a fixed number of threads, so that
its results do not depend on how many others run beside it.
"""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

import torch
from tqdm.auto import tqdm

from lessons_lib.support.devices import usable_cores

Job, Result = TypeVar("Job"), TypeVar("Result")
Report = Callable[[float], None]  # called with how much of a job is done, 0 … 1
PATIENCE = 0.2  # seconds between two checks of the processes


def run_all(
    function: Callable[[Job, Report], Result],
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    threads: int = 1,
    progress: bool = True,
    label: str = "runs",
) -> list[Result]:
    """Call ``function(job, report)`` for every job; returns the results in the order of the jobs.

    ``workers`` processes run at once, by default as many as the usable cores have room for. A
    single worker, or a single job, runs in this process; with several, ``function`` and the jobs
    must be picklable. Each call of ``report`` moves the bar; it ends the job if another job has
    failed or the run was interrupted.

    Raises:
        ValueError: a number of workers or threads below 1. KeyboardInterrupt: Ctrl-C. Also the
            first error that ``function`` raises. In each case no process is left running.
    """
    if threads < 1 or (workers is not None and workers < 1):
        raise ValueError(f"workers and threads are 1 or more, not {workers} and {threads}")
    if workers is None:
        workers = max(1, int(usable_cores() // threads))
    workers = min(workers, len(jobs))
    with tqdm(total=len(jobs), desc=label, disable=not progress, bar_format=_BAR) as bar:
        watch = _Watch(bar, len(jobs))
        if workers <= 1:
            with _threads(threads):
                return [
                    watch.finish(index, function(job, lambda share, at=index: watch(at, share)))
                    for index, job in enumerate(jobs)
                ]
        return _in_processes(function, jobs, workers, threads, watch)


_BAR = "{desc} {percentage:3.0f} % |{bar}| {elapsed}, {remaining} to go"


class _Watch:
    """Moves the bar as the jobs report."""

    def __init__(self, bar: tqdm, jobs: int):
        self.bar, self.shares = bar, [0.0] * jobs

    def __call__(self, index: int, share: float) -> None:
        self.shares[index] = max(self.shares[index], min(share, 1.0))
        self.bar.update(sum(self.shares) - self.bar.n)

    def finish(self, index: int, result: Any) -> Any:
        self(index, 1.0)
        return result


def _in_processes(
    function: Callable, jobs: Sequence, workers: int, threads: int, watch: _Watch
) -> list:
    # Spawned, not forked: a forked process inherits PyTorch's thread pool without the threads.
    context = multiprocessing.get_context("spawn")
    reports, stop = context.SimpleQueue(), context.Event()
    pool = ProcessPoolExecutor(workers, context, _begin, (reports, stop, threads))
    futures: list[Future] = []
    try:
        futures = [pool.submit(_run, function, index, job) for index, job in enumerate(jobs)]
        pending = set(futures)
        while pending:
            done, pending = wait(pending, PATIENCE, return_when=FIRST_COMPLETED)
            while not reports.empty():
                watch(*reports.get())
            for future in done:
                watch.finish(futures.index(future), future.result())
        return [future.result() for future in futures]
    except BaseException:
        stop.set()  # the others end at their next report
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_reports = _stop = None  # set by ``_begin`` in each process


def _begin(reports: Any, stop: Any, threads: int) -> None:
    global _reports, _stop
    _reports, _stop = reports, stop
    torch.set_num_threads(threads)


def _run(function: Callable, index: int, job: Any) -> Any:
    def report(share: float) -> None:
        if _stop.is_set():
            raise KeyboardInterrupt
        _reports.put((index, share))

    return function(job, report)


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """Have PyTorch compute with ``count`` threads, and afterwards with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
