"""Right solutions of lesson 14's exercises, each written in another way."""

import copy
from itertools import repeat

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn import functional as F


class LoraWithAFrozenParameter(nn.Module):
    def __init__(self, weight, rank, alpha):
        super().__init__()
        self.base = nn.Parameter(weight, requires_grad=False)
        self.lora_a = nn.Parameter(torch.empty(rank, weight.size(1)).uniform_(-0.1, 0.1))
        self.lora_b = nn.Parameter(weight.new_zeros(weight.size(0), rank))
        self.rank, self.alpha = rank, alpha

    def forward(self, x):
        change = F.linear(F.linear(x, self.lora_a), self.lora_b)
        return F.linear(x, self.base) + change * self.alpha / self.rank

    def merged(self):
        return self.base + self.alpha * torch.mm(self.lora_b, self.lora_a) / self.rank


class LoraAroundALinearLayer(nn.Module):
    def __init__(self, weight, rank, alpha):
        super().__init__()
        out, into = weight.shape
        self.linear = nn.Linear(into, out, bias=False)
        self.linear.weight.data = weight.clone()
        self.linear.weight.requires_grad = False
        self.lora_a = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(rank, into)))
        self.lora_b = nn.Parameter(torch.zeros(out, rank))
        self.scale = alpha / rank

    def forward(self, x):
        return self.linear(x) + torch.einsum(
            "...i,ri,or->...o", x * self.scale, self.lora_a, self.lora_b
        )

    def merged(self):
        with torch.no_grad():
            return (
                self.linear.weight
                + torch.einsum("or,ri->oi", self.lora_b, self.lora_a) * self.scale
            )


class LoraByMerging(nn.Module):
    def __init__(self, weight, rank, alpha):
        super().__init__()
        self.weight, self.factor = weight, alpha / rank
        self.register_parameter("lora_a", nn.Parameter(torch.rand(rank, weight.shape[1]) - 0.5))
        self.register_parameter("lora_b", nn.Parameter(torch.zeros(len(weight), rank)))

    def forward(self, x):
        return x @ self.merged().transpose(0, 1)

    def merged(self):
        return torch.addmm(self.weight, self.lora_b, self.lora_a, alpha=self.factor)


def faults_by_runs(input_ids, labels, attention_mask, prompt, stop):
    start = next(t for t, seen in enumerate(attention_mask) if seen)
    end = len(attention_mask) - next(t for t, seen in enumerate(attention_mask[::-1]) if seen)
    border = start + prompt
    wrong = {
        "prompt counts": [t for t in range(start, border) if labels[t] != -100],
        "padding counts": [
            t for t in range(len(labels)) if not start <= t < end and labels[t] != -100
        ],
        "response masked": [
            t
            for t in range(border, end)
            if labels[t] == -100 and (t < end - 1 or input_ids[t] != stop)
        ],
        "stop masked": [
            t for t in range(end - 1, end) if labels[t] == -100 and input_ids[t] == stop
        ],
        "other token": [t for t in range(start, end) if labels[t] not in (-100, input_ids[t])],
        "cut": [end - 1] if input_ids[end - 1] != stop else [],
    }
    wrong = {name: [t for t in columns if t or name == "cut"] for name, columns in wrong.items()}
    return {name: columns[0] for name, columns in wrong.items() if columns}


def faults_by_arrays(input_ids, labels, attention_mask, prompt, stop):
    ids, labels, text = map(np.array, (input_ids, labels, attention_mask))
    text, live = text.astype(bool), labels != -100
    asked = np.arange(len(ids)) > 0
    in_prompt = text & (np.cumsum(text) <= prompt)
    answered = text & ~in_prompt
    at_end = np.arange(len(ids)) == np.flatnonzero(text)[-1]
    wrong = {
        "prompt counts": in_prompt & live & asked,
        "padding counts": ~text & live & asked,
        "response masked": answered & ~live & ~(at_end & (ids == stop)),
        "stop masked": answered & ~live & at_end & (ids == stop),
        "other token": text & live & (labels != ids) & asked,
        "cut": at_end & (ids != stop),
    }
    return {name: int(found.argmax()) for name, found in wrong.items() if found.any()}


def faults_column_by_column(input_ids, labels, attention_mask, prompt, stop):
    faults, read = [], 0
    for t, (token, label, seen) in enumerate(zip(input_ids, labels, attention_mask, strict=True)):
        read += seen
        at_end = seen and read == sum(attention_mask)
        if at_end and token != stop:
            faults.append(("cut", t))
        if t == 0:
            continue
        if label != -100 and not seen:
            faults.append(("padding counts", t))
        if label != -100 and seen and read <= prompt:
            faults.append(("prompt counts", t))
        if label != -100 and seen and label != token:
            faults.append(("other token", t))
        if label == -100 and seen and read > prompt:
            faults.append((f"{'stop' if at_end and token == stop else 'response'} masked", t))
    return {name: min(t for other, t in faults if other == name) for name, _ in faults}


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
    "lora-by-hand": [LoraWithAFrozenParameter, LoraAroundALinearLayer, LoraByMerging],
    "name-the-fault": [faults_by_runs, faults_by_arrays, faults_column_by_column],
    "labels-that-shift": [labels_by_padding, labels_by_lists, labels_in_a_full_tensor],
    "alpaca-preprocess": [
        preprocess_as_they_do,
        preprocess_token_by_token,
        preprocess_with_tensors,
    ],
}
