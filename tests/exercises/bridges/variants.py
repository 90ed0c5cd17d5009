"""Right solutions of lesson 14's exercises, each written in another way."""

import copy
from itertools import repeat

import torch
from torch.nn import functional

END = 50256


def labels_by_padding(inputs, targets):
    input_ids = functional.pad(inputs, (0, 1), value=END)
    labels = functional.pad(targets, (1, 0), value=-100)
    live = labels[:, -1] != -100
    input_ids[live, -1] = labels[live, -1]
    return input_ids, labels


def labels_by_lists(inputs, targets):
    input_ids, labels = [], []
    for row, below in zip(inputs.tolist(), targets.tolist(), strict=True):
        input_ids.append(row + [END if below[-1] == -100 else below[-1]])
        labels.append([-100] + below)
    return torch.tensor(input_ids), torch.tensor(labels)


def labels_in_a_full_tensor(inputs, targets):
    rows, length = inputs.shape
    labels = inputs.new_full((rows, length + 1), -100)
    labels[:, 1:] = targets
    input_ids = inputs.new_full((rows, length + 1), END)
    input_ids[:, :-1] = inputs
    input_ids[:, -1] = targets[:, -1].masked_fill(targets[:, -1] < 0, END)
    return input_ids, labels


def preprocess_as_they_do(sources, targets, encode, max_length):
    examples = [source + target for source, target in zip(sources, targets, strict=True)]
    input_ids = [encode(text)[:max_length] for text in examples]
    source_lengths = [len(encode(source)[:max_length]) for source in sources]
    labels = copy.deepcopy(input_ids)
    for label, length in zip(labels, source_lengths, strict=True):
        label[:length] = repeat(-100, length)
    return input_ids, labels


def preprocess_token_by_token(sources, targets, encode, max_length):
    input_ids, labels = [], []
    for source, target in zip(sources, targets, strict=True):
        border = len(encode(source))
        row = encode(source + target)[:max_length]
        input_ids.append(row)
        labels.append([-100 if place < border else token for place, token in enumerate(row)])
    return input_ids, labels


def preprocess_with_tensors(sources, targets, encode, max_length):
    input_ids = [
        torch.tensor(encode(s + t)[:max_length]) for s, t in zip(sources, targets, strict=True)
    ]
    labels = [row.clone() for row in input_ids]
    for source, row in zip(sources, labels, strict=True):
        row[: len(encode(source))] = -100
    return input_ids, labels


VARIANTS = {
    "labels-that-shift": [labels_by_padding, labels_by_lists, labels_in_a_full_tensor],
    "alpaca-preprocess": [
        preprocess_as_they_do,
        preprocess_token_by_token,
        preprocess_with_tensors,
    ],
}
