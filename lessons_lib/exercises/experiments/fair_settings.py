"""Exercise: choose learning rate and epochs for each mode, without looking at what decides.

Lesson 11.
"""

import math
from random import Random
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


def best_run_as_it_stands(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    modes = dict.fromkeys(run[0] for run in runs)
    own = {mode: [run for run in runs if run[0] == mode] for mode in modes}
    return {mode: min(own[mode], key=lambda run: run[4])[1:3] for mode in modes}


def best_run_that_ended(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    return best_run_as_it_stands([run for run in runs if not math.isnan(run[4])])


def last_seed_alone(runs: list[tuple]) -> dict[str, tuple[float, int]]:
    found = _by_setting(runs)
    return _lowest({each: found[each][-1][0] for each in found})


def epochs_first(runs: list[tuple]) -> dict[str, tuple[int, float]]:
    return {mode: (epochs, rate) for mode, (rate, epochs) in answer(runs).items()}


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


def setting(mode: str, rate: float, *losses: tuple[float, float], epochs: int = 3) -> list[tuple]:
    """The runs of one setting; each seed's (choosing, deciding) losses, from seed 1 on."""
    return [(mode, rate, epochs, seed, *both) for seed, both in enumerate(losses, start=1)]


def cases() -> list[tuple]:
    nan = math.nan
    middle = setting("prompt", 0.0003, (0.17, 0.16), (0.18, 0.17))
    lost_first = setting("prompt", 0.0006, (nan, nan), (0.40, 0.41)) + middle
    mixed = [  # three seeds, not one setting after the other
        ("none", 0.0003, 3, 2, 0.21, 0.2),
        ("none", 0.0001, 3, 1, 0.19, 0.2),
        ("none", 0.0003, 3, 1, 0.20, 0.2),
        ("none", 0.0001, 3, 3, 0.30, 0.2),
        ("none", 0.0003, 3, 3, 0.27, 0.2),
        ("none", 0.0001, 3, 2, 0.20, 0.2),
    ]
    spread = setting("none", 0.0001, (0.10, 0.2), (0.14, 0.2), (0.30, 0.2))
    spread += setting("none", 0.0003, (0.21, 0.2), (0.22, 0.2), (0.23, 0.2))
    spread.sort(key=lambda run: run[3])  # seed by seed
    seeds = setting("prompt", 0.0001, (0.22, 0.18), (0.12, 0.18))
    seeds += setting("prompt", 0.0003, (0.16, 0.15), (0.17, 0.16))
    paper = [
        *setting("none", 0.0001, (0.30, 0.25), (0.30, 0.26)),
        *setting("none", 0.0003, (0.24, 0.31), (0.26, 0.32)),
        *setting("prompt", 0.0001, (0.20, 0.21), (0.20, 0.22)),
        *setting("prompt", 0.0003, (0.16, 0.19), (0.26, 0.20)),
    ]
    diverged = setting("prompt", 0.0006, (nan, nan), (0.10, 0.11))
    others = middle + setting("prompt", 0.0001, (0.20, 0.21), (0.21, 0.20))
    epochs = [
        *setting("none", 0.0001, (0.50, 0.48), epochs=1),
        *setting("none", 0.0001, (0.20, 0.24), epochs=5),
        *setting("none", 0.0003, (0.30, 0.31), epochs=1),
        *setting("none", 0.0003, (0.28, 0.23), epochs=5),
        *setting("prompt", 0.0001, (0.40, 0.41), epochs=1),
        *setting("prompt", 0.0001, (0.30, 0.28), epochs=5),
        *setting("prompt", 0.0003, (0.10, 0.12), epochs=1),
        *setting("prompt", 0.0003, (0.25, 0.22), epochs=5),
    ]
    tables = lost_first, mixed, spread, seeds, paper, diverged + others, others + diverged, epochs
    return [(table,) for table in tables]


def draw(source: Random) -> tuple:
    """Up to three modes, rates and numbers of epochs, the runs in any order; some diverged."""
    runs, seeds = [], range(1, source.randint(2, 4))
    for mode in source.sample(("none", "prompt", "keep-header"), source.randint(1, 3)):
        grid = [(rate, epochs) for rate in (0.0001, 0.0003, 0.0006) for epochs in (1, 3, 5)]
        grid = source.sample(grid, source.randint(1, 6))
        for rate, epochs in grid:
            for seed in seeds:
                losses = source.uniform(0.1, 0.5), source.uniform(0.1, 0.5)
                if (rate, epochs) != grid[0] and source.random() < 0.15:
                    losses = math.nan, math.nan
                runs.append((mode, rate, epochs, seed, *losses))
    source.shuffle(runs)
    return (runs,)


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
            best_run_as_it_stands,
            "the setting of the one best run is kept, whatever its other seeds did",
            "One lucky seed wins, and a run that diverged can stand first for ever, as nothing is "
            "smaller than nan. Take the mean over the seeds of each setting.",
        ),
        WrongAnswer(
            best_run_that_ended,
            "the setting of the one best run that ended is kept",
            "One lucky seed wins, even if another seed of the same setting diverged. A setting is "
            "judged by all its seeds.",
        ),
        WrongAnswer(
            last_seed_alone,
            "each seed writes over the one before",
            "Only the last seed is left in the end. Collect the losses of a setting in a list.",
        ),
        WrongAnswer(
            epochs_first,
            "epochs and learning rate are in each other's place",
            "The pair is (learning rate, epochs).",
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
    draw=draw,
)
