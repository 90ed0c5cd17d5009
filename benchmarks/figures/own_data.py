"""Self-instruct and Magpie with SmolLM2, for lesson 13: ``python -m benchmarks.own_data``.

Prints both funnels, and JSON in the last line: replies, blocks, tasks kept, and seconds for each.
Without ``--out`` the runs that come with the course are counted; with it they are made anew in that
folder, in some twenty minutes on two cores. Such a run can be interrupted and goes on.
"""

import argparse
import json
from pathlib import Path

from lessons_lib.self_instruct import (
    DecodingArguments,
    Funnel,
    LocalTeacher,
    flatten,
    generate_magpie,
    generate_tasks,
    load_funnel,
    load_seed_tasks,
    measure_diversity,
    recorded_run,
)

# A small model's own: see lesson 13.
ARGUMENTS = DecodingArguments(
    temperature=0.8, top_p=0.95, max_tokens=600, stop=("\n20. Instruction",), logit_bias={}
)
AT_ONCE = 20  # prompts in a request


def generate(folder: Path, wanted: int, most_requests: int | None = None) -> dict[str, Funnel]:
    """Both runs, made or gone on with in the folder; Magpie's is half as long."""
    teacher = LocalTeacher(batch_size=AT_ONCE)
    shared = {"prompts_per_request": AT_ONCE, "most_requests": most_requests, "on_request": tell}
    return {
        "self-instruct": generate_tasks(
            flatten(load_seed_tasks()),
            teacher,
            folder=folder / "self-instruct",
            wanted=wanted,
            arguments=ARGUMENTS,
            **shared,
        ),
        "magpie": generate_magpie(
            teacher, folder=folder / "magpie", wanted=max(1, wanted // 2), **shared
        ),
    }


def tell(funnel: Funnel) -> None:
    print(f"{funnel.asked} replies, {len(funnel.kept)} kept, {funnel.seconds:.0f} s", flush=True)


def figures(funnel: Funnel, count: int) -> dict[str, float | None]:
    """A run in numbers; the diversity is that of its first ``count`` instructions, two or more."""
    found = {
        "replies": funnel.asked,
        "blocks": funnel.blocks,
        "parsed": funnel.parsed,
        "kept": len(funnel.kept),
        "seconds_per_kept": funnel.seconds_per_kept,
    }
    if count > 1:
        varied = measure_diversity([entry["instruction"] for entry in funnel.entries[:count]])
        found |= {"first_words": varied.first_words, "nearest": varied.nearest}
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="make the runs anew in this folder")
    parser.add_argument("--wanted", type=int, default=300, help="tasks to keep, 300 if not given")
    parser.add_argument("--most-requests", type=int, help="ask no more often, in either run")
    chosen = parser.parse_args(arguments)
    if chosen.out:
        runs = generate(chosen.out, chosen.wanted, chosen.most_requests)
    else:
        runs = {name: load_funnel(recorded_run(name)) for name in ("self-instruct", "magpie")}
    count = min(len(each.kept) for each in runs.values())
    for name, each in runs.items():
        print(f"\n{name}\n{each}")
    told = {name: figures(each, count) for name, each in runs.items()}
    print(json.dumps({"compared": count, **told}))


if __name__ == "__main__":
    main()
