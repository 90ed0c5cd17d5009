"""Right solutions of lesson 11's exercises, each written in another way."""

import math
from itertools import groupby
from statistics import fmean

import numpy as np


def settings_by_nested_loops(runs):
    chosen = {}
    for mode in {run[0] for run in runs}:
        lowest = float("inf")
        for setting in {run[1:3] for run in runs if run[0] == mode}:
            losses = [run[4] for run in runs if run[0] == mode and run[1:3] == setting]
            mean = sum(losses) / len(losses)
            if mean < lowest:  # never true of nan
                lowest, chosen[mode] = mean, setting
    return chosen


def settings_by_groups(runs):
    means = []
    for setting, some in groupby(sorted(runs, key=lambda run: run[:3]), key=lambda run: run[:3]):
        losses = [run[4] for run in some]
        if not any(math.isnan(each) for each in losses):
            means.append((fmean(losses), *setting))
    return {mode: [rate, epochs] for _, mode, rate, epochs in sorted(means, reverse=True)}


def settings_by_sums_with_numpy(runs):
    totals = {}
    for mode, rate, epochs, _seed, choosing, _deciding in runs:
        own = totals.setdefault(mode, {})
        own[rate, epochs] = own.get((rate, epochs), 0.0) + choosing
    return {
        mode: list(own)[int(np.nanargmin(np.array(list(own.values()))))]
        for mode, own in totals.items()
    }


def settings_with_diverged_as_infinite(runs):
    losses = {}
    for mode, rate, epochs, _, choosing, _ in runs:
        loss = math.inf if choosing != choosing else choosing
        losses.setdefault(mode, {}).setdefault((rate, epochs), []).append(loss)
    return {mode: min(own, key=lambda each: fmean(own[each])) for mode, own in losses.items()}


def edge_by_sorting(tried, chosen):
    found = {}
    for name in chosen:
        values = sorted(set(tried[name]))
        place = values.index(chosen[name])
        if len(values) == 1 or 0 < place < len(values) - 1:
            continue
        found[name] = "higher" if place else "lower"
    return found


def edge_by_asking_both_sides(tried, chosen):
    found = {}
    for name, values in tried.items():
        below = any(value < chosen[name] for value in values)
        above = any(value > chosen[name] for value in values)
        if below != above:
            found[name] = "higher" if below else "lower"
    return found


def edge_in_one_expression(tried, chosen):
    return {
        name: "lower" if value == min(tried[name]) else "higher"
        for name, value in chosen.items()
        if len(tried[name]) > 1 and value in {min(tried[name]), max(tried[name])}
    }


def clear_by_multiplying(p_values, alpha=0.05):
    return [pair for pair in p_values if p_values[pair] * len(p_values) <= alpha]


def clear_by_a_loop(p_values, alpha=0.05):
    left = []
    for pair, p in p_values.items():
        if p > alpha / len(p_values):
            continue
        left.append(pair)
    return left


def clear_by_numpy(p_values, alpha=0.05):
    values = np.array(list(p_values.values()))
    clear = values <= alpha / values.size
    return [pair for pair, kept in zip(p_values, clear, strict=True) if kept]


def clear_by_adjusted_values(p_values, alpha=0.05):
    count = len(p_values)
    adjusted = {pair: min(1.0, count * p) for pair, p in p_values.items()}
    return list(filter(lambda pair: adjusted[pair] <= alpha, adjusted))


VARIANTS = {
    "fair-settings": [
        settings_by_nested_loops,
        settings_by_groups,
        settings_by_sums_with_numpy,
        settings_with_diverged_as_infinite,
    ],
    "bonferroni": [
        clear_by_multiplying,
        clear_by_a_loop,
        clear_by_numpy,
        clear_by_adjusted_values,
    ],
    "edge-of-the-grid": [
        edge_by_sorting,
        edge_by_asking_both_sides,
        edge_in_one_expression,
    ],
}
