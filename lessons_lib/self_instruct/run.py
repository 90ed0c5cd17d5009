"""A run: a teacher is asked again and again, and what it writes goes through the funnel.

The folder keeps what the teacher wrote, a line for each request; everything else follows from that
and is worked out anew. So a run that was cut off loses the request under way, and goes on with the
same choices that it would have made.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from lessons_lib.data import Entry
from lessons_lib.self_instruct.funnel import Funnel, Sieve
from lessons_lib.self_instruct.prompt import (
    SEEDS,
    DecodingArguments,
    encode_prompt,
    sample_seeds,
)
from lessons_lib.self_instruct.teachers import (
    Completion,
    RunError,
    Teacher,
    check_limit,
    read_requests,
)
from lessons_lib.support import write_whole
from lessons_lib.support.files import locked_file
from lessons_lib.support.paths import ASSETS

REQUESTS, OPTIONS, TASKS, LOCK = "requests.jsonl", "options.json", "tasks.json", ".lock"


def generate_tasks(
    seeds: Sequence[Entry],
    teacher: Teacher,
    *,
    folder: str | Path,
    wanted: int,
    arguments: DecodingArguments | None = None,
    prompts_per_request: int = 5,
    most_requests: int | None = None,
    token_limit: int | None = None,
    seed: int = 123,
    on_request: Callable[[Funnel], object] = lambda funnel: None,
) -> Funnel:
    """Ask the teacher until ``wanted`` tasks are kept; what it wrote is kept in the folder.

    Each prompt holds three seed tasks, drawn at random: by ``seed`` and the number of the request,
    so that a run that goes on draws what it would have drawn. The request in which the number is
    reached may bring some more tasks. The same call again goes on where a run was cut off, or
    with a larger ``wanted``. The folder then has ``requests.jsonl`` (what was asked and replied, in
    order), ``options.json`` and ``tasks.json``: the tasks, with the most similar instructions.

    Args:
        prompts_per_request: so many prompts go to the teacher together.
        most_requests: asks no more often, in all; ten times ``wanted`` if None. A teacher may never
            write a task that passes.
        token_limit: for the whole run, with what it took before it was cut off.
        on_request: is called after each request with the funnel so far.

    Raises:
        RunError: the folder holds a run with other options, or a line that is no request of a run.
        TeacherError: the teacher cannot go on, or might pass the limit. The call can be repeated.
        ValueError: there are fewer than three seed tasks, or a number is below 1.
    """
    arguments = arguments or DecodingArguments()
    most_requests = 10 * wanted if most_requests is None else most_requests
    if len(seeds) < SEEDS or min(wanted, prompts_per_request, most_requests) < 1:
        raise ValueError(
            f"a run needs {SEEDS} seed tasks or more, and wanted, prompts_per_request and "
            "most_requests of 1 or more"
        )
    decisive = {
        "teacher": teacher.name,
        "seed": seed,
        "prompts_per_request": prompts_per_request,
        "arguments": asdict(arguments),
        "seeds": [dict(entry) for entry in seeds],
    }

    def ask(funnel: Funnel, random: Random) -> dict[str, Any]:
        prompts = [encode_prompt(sample_seeds(seeds, random)) for _ in range(prompts_per_request)]
        spent = funnel.prompt_tokens + funnel.completion_tokens
        check_limit(token_limit, spent, prompts, arguments)
        return _ask(teacher, prompts, arguments, int(random.random() * 2**31))

    return keep_asking(ask, folder, decisive, wanted, most_requests, on_request)


def keep_asking(
    ask: Callable[[Funnel, Random], dict[str, Any]],
    folder: str | Path,
    decisive: dict[str, Any],
    wanted: int,
    most_requests: int,
    on_request: Callable[[Funnel], object],
) -> Funnel:
    """The loop of ``generate_tasks`` and of ``generate_magpie``, in a folder of its own.

    ``ask`` gives a line of ``requests.jsonl``; its Random follows from the seed and the number of
    the request. ``decisive`` are the options that may not change while the folder is in use.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sentence = f"Another process is generating in {folder}; waiting for it."
    with locked_file(folder / LOCK, sentence):
        _check_options(folder / OPTIONS, decisive)
        sieve = Sieve(decisive["seeds"], decisive["teacher"])
        for request in read_requests(folder / REQUESTS):
            sieve.take(request)
        funnel = sieve.funnel
        _cut_partial_line(folder / REQUESTS)
        with (folder / REQUESTS).open("ab") as file:
            while len(funnel.kept) < wanted and funnel.requests < most_requests:
                random = Random(f"{decisive['seed']}: request {funnel.requests}")
                request = ask(funnel, random)
                # Whole and on the disk before the next one is asked.
                file.write(json.dumps(request, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
                sieve.take(request)
                on_request(funnel)
        _write_tasks(folder / TASKS, funnel)
    return funnel


def recorded_run(name: str) -> Path:
    """The folder of a run that comes with the course: "self-instruct" or "magpie", by SmolLM2.

    ``load_funnel`` reads it, and a ``RecordedTeacher`` its ``requests.jsonl``.

    Raises:
        RunError: there is no run of this name.
    """
    folder = ASSETS / "recorded" / name
    if not (folder / REQUESTS).is_file():
        raise RunError(f"no run is recorded as {name!r}; there are self-instruct and magpie")
    return folder


def load_funnel(folder: str | Path) -> Funnel:
    """The funnel of the run in a folder, worked out anew from its replies; no teacher is asked.

    Raises:
        RunError: there is no run, or its files are damaged.
    """
    folder = Path(folder)
    try:
        options = json.loads((folder / OPTIONS).read_text(encoding="utf-8"))
        sieve = Sieve(options["seeds"], options["teacher"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RunError(f"{folder} holds no run: {error}") from error
    for request in read_requests(folder / REQUESTS):
        sieve.take(request)
    return sieve.funnel


def _ask(
    teacher: Teacher, prompts: list[str], arguments: DecodingArguments, seed: int
) -> dict[str, Any]:
    """A line of ``requests.jsonl``; see ``teachers.read_requests``."""
    began = time.perf_counter()
    completions = teacher.complete(prompts, arguments, seed)
    return {
        "teacher": teacher.name,
        "seed": seed,
        "arguments": asdict(arguments),
        "prompts": prompts,
        "completions": [writable(each) for each in completions],
        "answers": [],
        "seconds": round(time.perf_counter() - began, 3),
    }


def writable(reply: Completion) -> Completion:
    """The reply without half a character, which no file takes, though JSON may speak of one."""
    return reply._replace(text=reply.text.encode(errors="replace").decode())


def _cut_partial_line(path: Path) -> None:
    """Take away what a kill left of a last line, so that the next one does not go on with it."""
    content = path.read_bytes() if path.exists() else b""
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


def _check_options(path: Path, decisive: dict[str, Any]) -> None:
    """Write down the options of a new run; refuse to mix two runs in a folder."""
    decisive = json.loads(json.dumps(decisive))  # as they are read again
    if not path.exists():
        text = json.dumps(decisive, ensure_ascii=False, indent=1) + "\n"
        write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name, value in decisive.items() if before.get(name) != value]
    except (ValueError, AttributeError):
        other = ["what is in options.json"]
    if other:
        raise RunError(
            f"{path.parent} holds a run with another {' and another '.join(other)}: use the same "
            "again to go on with it, or another folder."
        )


def _write_tasks(path: Path, funnel: Funnel) -> None:
    """The tasks in Alpaca's shape, which ``load_entries`` reads."""
    tasks = [
        {
            **task.entry,
            "most_similar_instructions": dict(task.most_similar),
            "avg_similarity_score": task.mean_similarity,
        }
        for task in funnel.kept
    ]
    text = json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
