"""What three papers say about masking the instruction, beside what the large experiments say.

Lesson 11. The papers trained models hundreds to thousands of times as large as the course's own;
what holds there need not hold here, nor the other way round.
"""

from collections.abc import Mapping
from typing import NamedTuple

from lessons_lib.experiments.masking.results import MaskingExperiment
from lessons_lib.support import Table


class Claim(NamedTuple):
    """A paper's claim in short, and which two modes of ours come nearest to its question."""

    paper: str
    trained: str
    claim: str
    first: str
    second: str


CLAIMS = (
    Claim(
        "Shi et al. 2024, Instruction Tuning With Loss Over Instructions (NeurIPS)",
        "LLaMA 2 (7 and 13 billion parameters) and OPT (6.7 billion), on sets of 1,000 entries and "
        "more; the instruction masked or not",
        "Not masking often helps, most where instructions are long and outputs short, or where "
        "entries are few. The outputs' training loss is then higher and their test loss lower. "
        "The authors do not propose it as a replacement for masking.",
        "prompt",
        "none",
    ),
    Claim(
        "Huerta-Enochian and Ko 2024, Instruction Fine-Tuning: Does Prompt Loss Matter? (EMNLP)",
        "LLaMA 1 and 2 (7 billion parameters) on three versions of Stanford Alpaca's entries; ten "
        "weights of the prompt from 0 to 1",
        "Where the training outputs are short, the weight matters: small ones did best on multiple "
        "choice and short answers, large ones on long answers. Where they are long, no relation "
        "was found.",
        "prompt",
        "weight 0.1",
    ),
    Claim(
        "Chatterjee et al. 2025, On the Effect of Instruction Tuning Loss on Generalization (TACL)",
        "five models of up to 8 billion parameters on three sets of entries; the weights of prompt "
        "and response varied each",
        "Weight 0 for the prompt and 1 for the response is often not the best choice; a low to "
        "moderate one for the prompt with a moderate to high one for the response is better.",
        "prompt",
        "weight 0.1",
    ),
)


def claims_table(experiments: Mapping[str, MaskingExperiment]) -> Table:
    """One row per paper: what was trained, what it claims, and the difference that we measured.

    The last column holds the nearest comparison of each experiment that has both modes: exact
    matches in points and test response loss, with intervals of 95 %.
    """
    rows = []
    for claim in CLAIMS:
        found = [
            _found(name, experiment, claim)
            for name, experiment in experiments.items()
            if {claim.first, claim.second} <= set(experiment.modes)
        ]
        rows.append((claim.paper, claim.trained, claim.claim, "\n".join(found) or "–"))
    return Table(("paper", "trained", "claims", "here"), tuple(rows))


def _found(name: str, experiment: MaskingExperiment, claim: Claim) -> str:
    exact, loss = (
        experiment.difference(claim.first, claim.second, measure)
        for measure in ("exact", "test_loss")
    )
    return (
        f"{name}, {claim.second!r} minus {claim.first!r}: exact {exact.format('+.1f', 100)} "
        f"points, loss {loss.format('+.3f')}"
    )
