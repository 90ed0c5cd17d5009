"""What the linter of labels says of each exhibit: found, found if told the intention, or out of
reach."""

from collections.abc import Iterator

from lessons_lib.data import get_tokenizer
from lessons_lib.exercises.museum.exhibits import EXHIBITS, Exhibit, right
from lessons_lib.exercises.museum.running import as_examples, steps_of, training_entries
from lessons_lib.labels import OUT_OF_REACH, Finding, lint_labels
from lessons_lib.support import Table


def lint_museum() -> Table:
    """The linter over every batch of each exhibit's run, and of the run without a fault.

    First without an expectation, then told that only responses should count. A cell says what was
    found and in how many rows; where nothing can be, the last column names the check that finds it.
    """
    elsewhere = {each.fault: each.check for each in OUT_OF_REACH}
    rows = []
    for number, shown in [*((str(n), each) for n, each in EXHIBITS.items()), ("–", right())]:
        found = list(_findings(shown))
        alone = [finding for finding, expected in found if not expected]
        told = [finding for finding, expected in found if expected]
        cells = _cell(alone), _cell(told), elsewhere.get(shown.title, "")
        rows.append((number, shown.title, *cells))
    head = ("", "fault", "found by the linter", "with expect='response'", "found otherwise")
    return Table(head, tuple(rows))


def _findings(shown: Exhibit) -> Iterator[tuple[Finding, bool]]:
    """All findings in an exhibit's batches, each with whether it needed the expectation."""
    examples = as_examples(training_entries(), shown.prompt_format)
    for step in steps_of(examples, shown.batch_size):
        for chosen in step:
            batch = shown.make(chosen)
            always = set(lint_labels(batch, get_tokenizer()))
            told = lint_labels(batch, get_tokenizer(), expect="response")
            yield from ((finding, finding not in always) for finding in told)


def _cell(findings: list[Finding]) -> str:
    kinds = dict.fromkeys(finding.kind for finding in findings)
    counts = {kind: sum(finding.kind == kind for finding in findings) for kind in kinds}
    return ", ".join(f"✓ {kind} ({count:,})" for kind, count in counts.items()) or "·"
