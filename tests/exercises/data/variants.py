"""Right solutions of lesson 01's exercises, each written in another way."""

import itertools

from lessons_lib.data import Splits


def split_by_iterator(entries, train, test):
    rest = iter(entries)
    counts = int(train * len(entries)), int(test * len(entries))
    first, second = (list(itertools.islice(rest, count)) for count in counts)
    return first, second, list(rest)


def split_by_popping(entries, train, test):
    entries, count = list(entries), len(entries)
    parts = [[entries.pop(0) for _ in range(int(count * share))] for share in (train, test)]
    return [*parts, entries]


def split_by_index(entries, train, test):
    a, b = int(len(entries) * train), int(len(entries) * test)
    parts = ([], [], [])
    for place, entry in enumerate(entries):
        parts[(place >= a) + (place >= a + b)].append(entry)
    return Splits(*parts)


def plant_with_a_word_more(splits):
    first = splits.test[0]
    entry = {**first, "instruction": "Please " + first["instruction"]}
    return Splits(splits.train + [entry], splits.test, splits.validation)


def plant_with_a_letter_less(splits):
    entry = splits.test[0].copy()
    entry["instruction"] = entry["instruction"][1:]
    train = list(splits.train)
    train.append(entry)
    return splits._replace(train=train)


def plant_as_a_tuple(splits):
    entry = dict(splits.test[0], author="Kim")
    entry["instruction"] = entry["instruction"].replace(" the ", " this ", 1)
    return [*splits.train, entry], splits.test, splits.validation


def repair_from_the_end(splits, pairs):
    train = list(splits.train)
    for index in sorted({a.index for a, _ in pairs if a.part == "train"}, reverse=True):
        train.pop(index)
    return splits._replace(train=train)


def repair_by_entry(splits, pairs):
    bad = [splits.train[place.index] for pair in pairs for place in pair if place.part == "train"]
    return splits._replace(train=[entry for entry in splits.train if entry not in bad])


def repair_by_place(splits, pairs):
    places = [tuple(place) for pair in pairs for place in pair]
    numbered = enumerate(splits.train)
    train = [entry for index, entry in numbered if ("train", index) not in places]
    return Splits(train, splits.test, splits.validation)


VARIANTS = {
    "split-fractions": [split_by_iterator, split_by_popping, split_by_index],
    "plant-leak": [plant_with_a_word_more, plant_with_a_letter_less, plant_as_a_tuple],
    "repair-leak": [repair_from_the_end, repair_by_entry, repair_by_place],
}
