"""Right solutions of lesson 07's exercises on loaders, each written in another way."""

import itertools

import torch

END = 50256


def cut(items, size):
    return [items[start : start + size] for start in range(0, len(items), size)]


def buckets_by_two_cuts(lengths, order, batch_size, window):
    windows = [sorted(each, key=lengths.__getitem__) for each in cut(order, window)]
    return [batch for each in windows for batch in cut(each, batch_size)]


def buckets_by_argsort(lengths, order, batch_size, window):
    batches = []
    for part in torch.tensor(order).split(window):
        by_length = part[torch.tensor(lengths)[part].argsort()]
        batches += [batch.tolist() for batch in by_length.split(batch_size)]
    return batches


def buckets_by_pairs(lengths, order, batch_size, window):
    rest, batches = list(order), []
    while rest:
        pairs = sorted((lengths[index], index) for index in rest[:window])
        rest = rest[window:]
        while pairs:
            batches.append([index for _, index in pairs[:batch_size]])
            pairs = pairs[batch_size:]
    return batches


def packed_by_filling(texts, pack_length):
    inputs = torch.full((pack_length,), END)
    targets = torch.full((pack_length,), -100)
    start = 0
    for text in texts:
        ended = torch.tensor([*text, END])
        inputs[start : start + len(ended)] = ended
        targets[start : start + len(text)] = ended[1:]
        start += len(ended)
    return inputs, targets


def packed_by_one_shift(texts, pack_length):
    flat = list(itertools.chain.from_iterable([*text, END] for text in texts))
    used = len(flat)
    inputs = torch.tensor(flat + [END] * (pack_length - used))
    targets = torch.roll(inputs, -1)
    last = -1
    for text in texts:
        last += len(text) + 1
        targets[last] = -100
    targets[used:] = -100
    return inputs, targets


def packed_token_by_token(texts, pack_length):
    pairs = []
    for text in texts:
        ended = [*text, END]
        pairs += [*zip(ended, ended[1:], strict=False), (END, -100)]
    pairs += [(END, -100)] * (pack_length - len(pairs))
    return [torch.tensor(part) for part in zip(*pairs, strict=True)]


def mask_by_tril(segments):
    return (segments.unsqueeze(1) == segments.unsqueeze(0)).tril()


def mask_cell_by_cell(segments):
    length = len(segments)
    allowed = torch.zeros(length, length, dtype=torch.bool)
    for i in range(length):
        for j in range(i + 1):
            allowed[i, j] = bool(segments[i] == segments[j])
    return allowed


def mask_from_blocks(segments):
    _, sizes = torch.unique_consecutive(segments, return_counts=True)
    return torch.block_diag(*[torch.ones(n, n).tril() for n in sizes.tolist()]).bool()


def mask_from_lists(segments):
    ids = segments.tolist()
    return torch.tensor(
        [[one == other and j <= i for j, other in enumerate(ids)] for i, one in enumerate(ids)]
    )


VARIANTS = {
    "bucket-sampler": [buckets_by_two_cuts, buckets_by_argsort, buckets_by_pairs],
    "packed-targets": [packed_by_filling, packed_by_one_shift, packed_token_by_token],
    "block-mask": [mask_by_tril, mask_cell_by_cell, mask_from_blocks, mask_from_lists],
}
