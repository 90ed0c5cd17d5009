"""How a result changed from one experiment to another that asks the same entries. Lesson 11.

Runs of one seed and answers to one entry belong together across experiments, too, so a change has
an interval of its own; whether two intervals overlap says nothing about it.
"""

from lessons_lib.evaluation.intervals import Estimate, seeds_and_entries_interval
from lessons_lib.experiments.masking.results import SHARES, MaskingExperiment


def change_between(
    earlier: MaskingExperiment,
    later: MaskingExperiment,
    measure: str,
    mode: str,
    minus: str | None = None,
) -> Estimate:
    """How much higher a share of answers is in the later experiment; with ``minus``, the lead.

    The lead is the mode's share minus that of the mode ``minus``. ``measure`` is "exact",
    "sentences" or "stopped"; both experiments answered the same questions with the same seeds.

    Raises:
        KeyError: there is no such mode. ValueError: another measure, or the experiments do not
            pair: their seeds or their numbers of entries differ.
    """
    if measure not in SHARES:
        raise ValueError(f"a change is of {', '.join(SHARES)}, not of {measure!r}")
    modes = [mode] if minus is None else [mode, minus]
    seeds = [
        [run.seed for run in each.chosen_runs(name)] for each in (earlier, later) for name in modes
    ]
    if earlier.entries != later.entries or any(some != seeds[0] for some in seeds):
        raise ValueError("these experiments have other seeds or other entries: they do not pair")
    own, before = (
        study.values(mode, measure)[0] - (0 if minus is None else study.values(minus, measure)[0])
        for study in (later, earlier)
    )
    return seeds_and_entries_interval(own - before)
