"""The funnel: what a teacher wrote is parsed, filtered and deduped, and all drops are counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lessons_lib.data import Entry
from lessons_lib.self_instruct.dedupe import InstructionPool
from lessons_lib.self_instruct.parsing import Parsed, parse_reply, parse_turns, refusal_reason
from lessons_lib.self_instruct.prompt import SEEDS
from lessons_lib.self_instruct.teachers import Completion
from lessons_lib.support import Table

PARSING, FILTERING, DEDUPING = "parsing", "filtering", "deduping"
TOO_LIKE = "too like an earlier instruction"


class Refused(NamedTuple):
    """A block or a task that went no further."""

    stage: str  # PARSING, FILTERING or DEDUPING
    reason: str
    text: str  # of the block, or the task's instruction
    entry: Entry | None = None  # the whole task; None where there is none
    most_similar: tuple[str, float] | None = None  # an earlier instruction and its F


@dataclass(frozen=True)
class KeptTask:
    """A task that passed every stage, with what Alpaca records of it; see ``dedupe.Decision``."""

    entry: Entry
    most_similar: tuple[tuple[str, float], ...]
    mean_similarity: float | None


@dataclass
class Funnel:
    """What became of all that a teacher wrote: a table in a terminal and in Jupyter."""

    teacher: str
    requests: int = 0
    asked: int = 0  # replies
    blocks: int = 0  # in all replies, whole or not
    kept: list[KeptTask] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0  # for which the teacher wrote

    @property
    def parsed(self) -> int:
        """How many blocks were tasks."""
        return self.blocks - self.dropped(PARSING)

    @property
    def entries(self) -> list[Entry]:
        """The tasks that were kept."""
        return [task.entry for task in self.kept]

    @property
    def seconds_per_kept(self) -> float | None:
        """Seconds for each task that was kept; None where none was."""
        return self.seconds / len(self.kept) if self.kept else None

    def dropped(self, stage: str) -> int:
        """How many were refused at a stage."""
        return sum(each.stage == stage for each in self.refused)

    def by_reason(self, stage: str) -> dict[str, list[Refused]]:
        """Reason → what was refused for it at a stage; the commonest reason first."""
        found: dict[str, list[Refused]] = {}
        for each in self.refused:
            if each.stage == stage:
                found.setdefault(each.reason, []).append(each)
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))

    def table(self) -> Table:
        """How many there are after each stage, and below it how many it refused, by reason."""
        filtered = self.parsed - self.dropped(FILTERING)
        rows = [("replies asked for", self.asked), ("blocks in them", self.blocks)]
        for stage, name, count in (
            (PARSING, "parsed as tasks", self.parsed),
            (FILTERING, "passed the filters", filtered),
            (DEDUPING, "unlike all others: kept", len(self.kept)),
        ):
            rows += [(f"  – {why}", len(each)) for why, each in self.by_reason(stage).items()]
            rows.append((name, count))
        return Table(("stage", "count"), tuple((name, f"{count:,}") for name, count in rows))

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


class Sieve:
    """Parses, filters and dedupes what a teacher wrote, and counts all of it in its ``funnel``.

    A request with ``answers`` is one of ``magpie``: each completion is an instruction. Else each is
    a list of tasks.
    """

    def __init__(self, seeds: Sequence[Entry], teacher: str):
        self.funnel = Funnel(teacher)
        self._pool = InstructionPool(entry["instruction"] for entry in seeds)

    def take(self, request: dict[str, Any]) -> None:
        """Count a request, a line of ``requests.jsonl``, and keep what passes."""
        funnel = self.funnel
        completions: list[Completion] = request["completions"]
        if request["answers"]:
            parsed = [
                parse_turns(*pair) for pair in zip(completions, request["answers"], strict=True)
            ]
        else:
            parsed = [
                parse_reply(reply.text, first_number=SEEDS + 1, cut_off=not reply.stopped)
                for reply in completions
            ]
        passed = [entry for each in parsed for entry in self._passing(each)]
        for entry, decision in zip(
            passed, self._pool.add(entry["instruction"] for entry in passed), strict=True
        ):
            if decision.kept:
                task = KeptTask(entry, decision.most_similar, decision.mean_similarity)
                funnel.kept.append(task)
            else:
                alike = decision.most_similar[0]
                refused = Refused(DEDUPING, TOO_LIKE, entry["instruction"], entry, alike)
                funnel.refused.append(refused)
        funnel.requests += 1
        funnel.asked += len(completions)
        funnel.seconds += request["seconds"]
        written = [*completions, *filter(None, request["answers"])]
        funnel.prompt_tokens += sum(each.prompt_tokens for each in written)
        funnel.completion_tokens += sum(each.completion_tokens for each in written)

    def _passing(self, parsed: Parsed) -> Iterator[Entry]:
        """The tasks of a reply that pass the filters."""
        self.funnel.blocks += len(parsed.tasks) + len(parsed.dropped)
        refused = [Refused(PARSING, each.reason, each.text) for each in parsed.dropped]
        for entry in parsed.tasks:
            reason = refusal_reason(entry)
            if reason is None:
                yield entry
            else:
                refused.append(Refused(FILTERING, reason, entry["instruction"], entry))
        self.funnel.refused += refused
