"""Exercise: choose learning rate and epochs for each mode, without looking at what decides.

Lesson 11.
"""

import math
from statistics import fmean

from lessons_lib.exercises import Exercise, WrongAnswer


def fair_settings(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    """By mode the (learning rate, epochs) to run it with.

    A run is (mode, learning rate, epochs, seed, choosing loss, deciding loss). The losses of a run
    that diverged are nan.
    """
    raise NotImplementedError


def _by_setting(runs: list[tuple]) -> dict[tuple, list[tuple[float, float]]]:
    """The (choosing, deciding) losses of each (mode, rate, epochs), without diverged settings."""
    found: dict[tuple, list[tuple[float, float]]] = {}
    for mode, rate, epochs, _, choosing, deciding in runs:
        found.setdefault((mode, rate, epochs), []).append((choosing, deciding))
    return {
        setting: losses
        for setting, losses in found.items()
        if not any(math.isnan(choosing) for choosing, _ in losses)
    }


def _lowest(scores: dict[tuple, float]) -> dict[str, tuple[float, int]]:
    """By mode the (rate, epochs) with the lowest score."""
    modes = dict.fromkeys(mode for mode, _, _ in scores)
    return {
        mode: min((each for each in scores if each[0] == mode), key=scores.get)[1:]
        for mode in modes
    }


def answer(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    losses: dict[tuple, list[float]] = {}
    for mode, rate, epochs, _, choosing, _ in runs:
        losses.setdefault((mode, rate, epochs), []).append(choosing)
    means: dict[str, dict] = {}
    for (mode, rate, epochs), some in losses.items():
        if all(loss == loss for loss in some):  # nan alone differs from itself
            means.setdefault(mode, {})[rate, epochs] = sum(some) / len(some)
    return {mode: min(found, key=found.get) for mode, found in means.items()}


def by_what_decides(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    found = _by_setting(runs)
    return _lowest({each: fmean(deciding for _, deciding in found[each]) for each in found})


def by_both(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    found = _by_setting(runs)
    return _lowest({each: fmean(map(sum, found[each])) for each in found})


def best_single_run(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    found = _by_setting(runs)
    return _lowest({each: min(found[each])[0] for each in found})


def first_seed_alone(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    found = _by_setting(runs)
    return _lowest({each: found[each][0][0] for each in found})


def one_setting_for_all(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    setting = answer([("all", *run[1:]) for run in runs])["all"]
    return dict.fromkeys(answer(runs), setting)


def highest_loss(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    found = _by_setting(runs)
    return _lowest({each: -fmean(choosing for choosing, _ in found[each]) for each in found})


def each_by_itself(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    chosen = {}
    for mode in answer(runs):
        own = [run for run in runs if run[0] == mode and not math.isnan(run[4])]
        rates, epochs = {run[1] for run in own}, {run[2] for run in own}
        chosen[mode] = (
            min(rates, key=lambda rate: fmean(run[4] for run in own if run[1] == rate)),
            min(epochs, key=lambda number: fmean(run[4] for run in own if run[2] == number)),
        )
    return chosen


def nan_compared(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    losses: dict[tuple, list[float]] = {}
    for mode, rate, epochs, _, choosing, _ in runs:
        losses.setdefault((mode, rate, epochs), []).append(choosing)
    return _lowest({each: fmean(losses[each]) for each in losses})


def diverged_seed_left_out(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    return answer([run for run in runs if not math.isnan(run[4])])


def cases() -> list[tuple]:
    nan = math.nan
    seeds = [
        ("prompt", 0.0001, 3, 1, 0.22, 0.18),
        ("prompt", 0.0001, 3, 2, 0.12, 0.18),
        ("prompt", 0.0003, 3, 1, 0.16, 0.15),
        ("prompt", 0.0003, 3, 2, 0.17, 0.16),
    ]
    paper = [
        ("none", 0.0001, 3, 1, 0.30, 0.25),
        ("none", 0.0001, 3, 2, 0.30, 0.26),
        ("none", 0.0003, 3, 1, 0.24, 0.31),
        ("none", 0.0003, 3, 2, 0.26, 0.32),
        ("prompt", 0.0001, 3, 1, 0.20, 0.21),
        ("prompt", 0.0001, 3, 2, 0.20, 0.22),
        ("prompt", 0.0003, 3, 1, 0.16, 0.19),
        ("prompt", 0.0003, 3, 2, 0.26, 0.20),
    ]
    diverged_first = [
        ("prompt", 0.0006, 3, 1, nan, nan),
        ("prompt", 0.0006, 3, 2, 0.10, 0.11),
        ("prompt", 0.0003, 3, 1, 0.17, 0.16),
        ("prompt", 0.0003, 3, 2, 0.18, 0.17),
        ("prompt", 0.0001, 3, 1, 0.20, 0.21),
        ("prompt", 0.0001, 3, 2, 0.21, 0.20),
    ]
    epochs = [
        ("none", 0.0001, 1, 1, 0.50, 0.48),
        ("none", 0.0001, 5, 1, 0.20, 0.24),
        ("none", 0.0003, 1, 1, 0.30, 0.31),
        ("none", 0.0003, 5, 1, 0.28, 0.23),
        ("prompt", 0.0001, 1, 1, 0.40, 0.41),
        ("prompt", 0.0001, 5, 1, 0.30, 0.28),
        ("prompt", 0.0003, 1, 1, 0.10, 0.12),
        ("prompt", 0.0003, 5, 1, 0.25, 0.22),
    ]
    return [
        (seeds,),
        (paper,),
        (diverged_first,),
        (diverged_first[2:] + diverged_first[:2],),
        (epochs,),
    ]


FAIR_SETTINGS = Exercise(
    name="fair-settings",
    title="Choose the settings, and do not peek",
    lesson="11",
    minutes=12,
    difficulty=2,
    statement="""
Each mode is to be compared at *its* best. Write `fair_settings`: for each mode it chooses the
learning rate and the number of epochs with the lowest loss, as a mean over the seeds. Somebody has
measured every run on two sets of entries, those that are there to choose by and those that will
decide between the modes; both losses stand in the table, and you should use one of them. A setting
of which any run diverged (its losses are `nan`) is not to be chosen. All settings of a mode were
run with the same seeds, and no two have the same mean.

| mode | learning rate | epochs | seed | choosing loss | deciding loss |
|---|---|---|---|---|---|
| none | 0.0001 | 3 | 1 | 0.30 | 0.25 |
| none | 0.0001 | 3 | 2 | 0.30 | 0.26 |
| none | 0.0003 | 3 | 1 | 0.24 | 0.31 |
| none | 0.0003 | 3 | 2 | 0.26 | 0.32 |
| prompt | 0.0001 | 3 | 1 | 0.20 | 0.21 |
| prompt | 0.0001 | 3 | 2 | 0.20 | 0.22 |
| prompt | 0.0003 | 3 | 1 | 0.16 | 0.19 |
| prompt | 0.0003 | 3 | 2 | 0.26 | 0.20 |

Choose by eye first. Which learning rate would each mode get from somebody who peeks at the last
column, and which from somebody who keeps the one best run?
""",
    attempt=fair_settings,
    answer=answer,
    hints=(
        "The table holds more than you may use. Which column must stay unread until every choice "
        "is made? And what is one setting: which rows of the table belong to it?",
        "Collect the choosing losses by (mode, rate, epochs), take each list's mean, then look for "
        "the lowest mean within each mode. `nan` is neither smaller nor larger than any number, so "
        "`min` cannot be trusted with it: leave such settings out beforehand. `math.isnan(loss)` "
        "finds them, and so does `loss != loss`, as nan alone differs from itself.",
        "`losses.setdefault((mode, rate, epochs), []).append(choosing)` in a loop over the runs; "
        "for each key without a nan, `means.setdefault(mode, {})[rate, epochs] = "
        "sum(some) / len(some)`; at the end `min(found, key=found.get)` for each mode.",
    ),
    wrong_answers=(
        WrongAnswer(
            by_what_decides,
            "settings are chosen by the deciding loss",
            "Then the best of several tries is reported on the very entries by which it was "
            "picked, and a part of that is luck. The mode with more settings to try has more of "
            "it. Choose by the other column.",
        ),
        WrongAnswer(
            by_both,
            "both losses are added before the choice",
            "More entries would make a better choice, that is true. But those that decide must not "
            "have had a say in it; leave their column alone.",
        ),
        WrongAnswer(
            best_single_run,
            "the setting of the one best run is taken",
            "With many runs one of them is lucky. It is a setting that is chosen, so compare means "
            "over its seeds.",
        ),
        WrongAnswer(
            first_seed_alone,
            "only the first seed of each setting is looked at",
            "The other seeds were run to show how far a loss moves by chance. Take the mean of "
            "all of them.",
        ),
        WrongAnswer(
            one_setting_for_all,
            "all modes get the same setting, the best on average",
            "It sounds even-handed, and favours whichever mode happens to suit that setting. "
            "Equal care is fair, equal numbers need not be: each mode gets its own.",
        ),
        WrongAnswer(
            highest_loss,
            "the highest mean wins",
            "These are losses: less is better. For a share of right answers it would be `max`.",
        ),
        WrongAnswer(
            each_by_itself,
            "rate and epochs are chosen one apart from the other",
            "A low rate may need many epochs and a high one few, so the best of each need not go "
            "together. Compare pairs, as they were run.",
        ),
        WrongAnswer(
            nan_compared,
            "a diverged setting's nan is compared like a number",
            "Every comparison with nan is false, so `min` keeps a nan that comes first, and passes "
            "over one that comes later. Take such settings out before you compare.",
        ),
        WrongAnswer(
            diverged_seed_left_out,
            "a diverged run is left out, and the rest of its setting stays",
            "What remains are the seeds with which it went well. A setting that fails with one "
            "seed of two may fail in the comparison, too: leave out the whole setting.",
        ),
    ),
    cases=cases,
)
