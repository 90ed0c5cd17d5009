"""Dropping near duplicates against plain all-pairs ROUGE-L: ``python -m benchmarks.dedupe``.

Instructions are written from the miniature world's facts by a seeded generator: two tasks in one
sentence, or one for some listener, and now and then one that came before, changed by a word or two.
The peer does what Alpaca's code does: each new instruction's words against those of all that were
kept so far, by rouge-score's own function. Ours must keep the same ones, with the same ten most
similar and the same means. Both run on one core, and what counts is processor time, which a busy
machine does not lengthen: the ratio is the peer's over ours. (Alpaca divides its work among all
cores; so does ours, unless it is told otherwise.) At last ours alone, on all cores, decides on many
more instructions, which come in requests of some twenty. The last line is JSON.
"""

import argparse
import json
import time
from collections.abc import Sequence

from rouge_score.rouge_scorer import _score_lcs
from rouge_score.tokenize import tokenize

from lessons_lib.data.draw import Draw
from lessons_lib.data.world.bundled import write_entry
from lessons_lib.data.world.facts import load_facts
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.self_instruct.dedupe import (
    COMPARED_WITH_ALL,
    SHOWN,
    THRESHOLD,
    InstructionPool,
)

SEED = 123
REQUEST = 20  # instructions that come together
COPIES = 0.25  # of the instructions, a share that is an earlier one, changed a little
TARGET = 20.0
ENDS = (
    "for a child", "for a class of beginners", "in one sentence", "as a rhyme", "in plain words",
    "and say why", "with an example", "for a quiz", "as a letter to a friend",
    "without the letter e", "in the style of a newspaper", "for somebody who learns English",
)  # fmt: skip
OPENINGS = "please", "now", "in short,", "carefully", "once more,", "for me,"
JOINED = ", and then {}", ". After that, {}", "; also {}", ", or else {}"

# Whether it is kept; the ten most similar with their F; the mean of all F, 0 for the first.
Found = tuple[bool, list[tuple[str, float]], float]


def write_instructions(count: int, seed: int = SEED) -> list[str]:
    """So many instructions, a quarter of them near copies; the same seed gives the same ones."""
    draw, tasks = Draw(seed), []
    for family in FAMILIES.values():
        for fact in load_facts(family.facts):
            for phrasing in range(len(family.instructions)):
                entry = write_entry(family, fact, phrasing)
                task = f"{entry['instruction'].rstrip('.')} {entry['input']}"
                tasks.append(task.rstrip(" .?"))
    written: list[str] = []
    while len(written) < count:
        if written and draw.chance(COPIES):
            written.append(_changed(draw.pick(written), draw))
        elif draw.chance(0.6):
            first, second = draw.pick(tasks), draw.pick(tasks)
            written.append(first + draw.pick(JOINED).format(second[0].lower() + second[1:]) + ".")
        else:
            written.append(f"{draw.pick(tasks)} {draw.pick(ENDS)}.")
    return written


def _changed(text: str, draw: Draw) -> str:
    """A text with one to three changes: words left out, swapped, put before it or behind it."""
    words = text.split()
    for _ in range(draw.between(1, 3)):
        place, elsewhere = (draw.between(0, len(words) - 1) for _ in range(2))
        change = draw.pick(("drop", "swap", "open", "end"))
        if change == "drop" and len(words) > 4:
            del words[place]
        elif change == "swap":
            words[place], words[elsewhere] = words[elsewhere], words[place]
        elif change == "open":
            words.insert(0, draw.pick(OPENINGS))
        else:
            words[-1:] = [words[-1].rstrip("."), f"{draw.pick(ENDS)}."]
    return " ".join(words)


def all_pairs(new: Sequence[str]) -> list[Found]:
    """Alpaca's way: rouge-score between each instruction and all that were kept before it."""
    instructions: list[str] = []
    tokens: list[list[str]] = []
    found = []
    for instruction in new:
        own = tokenize(instruction, None)
        similar = [_score_lcs(own, other).fmeasure for other in tokens]
        best = sorted(range(len(similar)), key=lambda i: -similar[i])[:SHOWN]
        kept = max(similar, default=0) <= THRESHOLD
        mean = sum(similar) / max(len(similar), 1)
        found.append((kept, [(instructions[i], similar[i]) for i in best], mean))
        if kept:
            instructions.append(instruction)
            tokens.append(own)
    return found


def ours(new: Sequence[str], workers: int) -> list[Found]:
    """The library's way."""
    pool, decisions = InstructionPool(workers=workers), []
    for start in range(0, len(new), REQUEST):
        decisions += pool.add(new[start : start + REQUEST])
    return [(d.kept, list(d.most_similar), d.mean_similarity or 0) for d in decisions]


def check_equal(theirs: Sequence[Found], found: Sequence[Found]) -> None:
    """Refuse to race two ways that do not do the same."""
    for (kept, most_similar, mean), (ours_kept, ours_similar, ours_mean) in zip(
        theirs, found, strict=True
    ):
        alike = most_similar == ours_similar and abs(mean - ours_mean) < 1e-9
        if kept != ours_kept or not alike:
            raise SystemExit("The two ways disagree on these instructions: there is no race.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the race and print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description="Near duplicates against plain all-pairs ROUGE-L.")
    parser.add_argument("--instructions", type=int, default=2000, help="in the race (2000)")
    parser.add_argument("--alone", type=int, default=100_000, help="for ours alone (100000)")
    options = parser.parse_args(arguments)
    if not 1 <= options.instructions <= COMPARED_WITH_ALL or options.alone < 1:
        parser.error(f"--instructions is from 1 to {COMPARED_WITH_ALL}, --alone 1 or more")
    written = write_instructions(max(options.instructions, options.alone))
    raced = written[: options.instructions]
    ours(raced[:REQUEST], workers=1)  # to warm up
    began = time.process_time()
    found = ours(raced, workers=1)
    our_seconds = time.process_time() - began
    began = time.process_time()
    theirs = all_pairs(raced)
    their_seconds = time.process_time() - began
    check_equal(theirs, found)
    kept = sum(each[0] for each in found)
    ratio = round(their_seconds / our_seconds, 1)
    began, began_wall = time.process_time(), time.perf_counter()
    kept_alone = sum(each[0] for each in ours(written[: options.alone], workers=-1))
    alone, alone_wall = time.process_time() - began, time.perf_counter() - began_wall
    print(f"{'':30}{'instructions':>13}{'kept':>9}{'processor':>13}{'clock':>11}")
    for name, count, stayed, seconds, clock in (
        ("plain all pairs, rouge-score", options.instructions, kept, their_seconds, None),
        ("ours", options.instructions, kept, our_seconds, None),
        ("ours, alone, on all cores", options.alone, kept_alone, alone, alone_wall),
    ):
        shown = "" if clock is None else f"{clock:9.1f} s"
        print(f"{name:30}{count:13,}{stayed:9,}{seconds:11.2f} s{shown:>11}")
    print(f"\nvs_all_pairs: {ratio} (target ≥ {TARGET:g}); above 1 means that ours is faster.")
    result = {
        "vs_all_pairs": ratio,
        "kept_alike": True,
        "instructions": options.instructions,
        "kept": kept,
        "seconds": round(our_seconds, 3),
        "all_pairs_seconds": round(their_seconds, 3),
        "alone_instructions": options.alone,
        "alone_kept": kept_alone,
        "alone_processor_seconds": round(alone, 2),
        "alone_seconds": round(alone_wall, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
