"""Right solutions of lessons 04 to 06, each written in another way."""

import itertools

import torch
from torch.nn.utils.rnn import pad_sequence

from lessons_lib.batching import Batch, mask_instructions, mask_padding, pad, shift_targets

END = 50256


def pad_by_torch(rows, pad_token_id=END):
    ended = [torch.tensor([*row, pad_token_id]) for row in rows]
    return pad_sequence(ended, batch_first=True, padding_value=pad_token_id)


def pad_a_full_tensor(rows, pad_token_id=END):
    padded = torch.full((len(rows), max(map(len, rows)) + 1), pad_token_id)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = torch.tensor(row)
    return padded


def pad_by_appending(rows, pad_token_id=END):
    rows = [list(row) for row in rows]
    width = max(len(row) for row in rows)
    for row in rows:
        row.append(pad_token_id)
        while len(row) < width + 1:
            row.append(pad_token_id)
    return torch.LongTensor(rows)


def pad_by_columns(rows, pad_token_id=END):
    columns = itertools.zip_longest(*[[*r, pad_token_id] for r in rows], fillvalue=pad_token_id)
    return torch.tensor([list(column) for column in columns]).T


def shift_by_narrow(padded):
    length = padded.shape[1] - 1
    return padded.narrow(1, 0, length), padded.narrow(1, 1, length)


def shift_in_a_loop(padded):
    pairs = [(row[:-1], row[1:]) for row in padded]
    return torch.stack([one for one, _ in pairs]), torch.stack([other for _, other in pairs])


def shift_as_list(padded):
    return [padded[..., :-1].clone(), padded[..., 1:].clone()]


def shift_as_batch(padded):
    return Batch(padded[:, :-1], padded[:, 1:].contiguous())


def bug_by_lists(inputs, targets):
    rows = list(zip(inputs.tolist(), targets.tolist(), strict=True))
    if all(one == other for one, other in rows):
        return "not shifted"
    if all(one[:-1] == other[1:] for one, other in rows):
        return "shifted right"
    if all(one[2:] == other[:-2] for one, other in rows):
        return "shifted twice"
    return "fine" if all(other[-1] == END for _, other in rows) else "end lost"


def bug_from_the_fine_end(inputs, targets):
    if (targets[:, :-1] == inputs[:, 1:]).all() and not torch.equal(targets, inputs):
        return "fine" if (targets[:, -1] == END).all() else "end lost"
    if (targets == inputs).all():
        return "not shifted"
    return "shifted right" if (targets[:, 1:] == inputs[:, :-1]).all() else "shifted twice"


def bug_by_table(inputs, targets):
    same = {
        "not shifted": (targets, inputs),
        "shifted right": (targets[:, 1:], inputs[:, :-1]),
        "shifted twice": (targets[:, :-2], inputs[:, 2:]),
    }
    found = [name for name, (one, other) in same.items() if torch.equal(one, other)]
    return found[0] if found else "end lost" if bool((targets[:, -1] - END).any()) else "fine"


def padding_by_columns(targets, lengths):
    columns = torch.arange(targets.shape[1])
    return targets.masked_fill(columns >= torch.tensor(lengths)[:, None], -100)


def padding_by_where(targets, lengths):
    beyond = torch.stack([torch.arange(targets.shape[1]) >= length for length in lengths])
    return torch.where(beyond, torch.tensor(-100), targets)


def padding_by_lists(targets, lengths):
    rows = [
        row[:length] + [-100] * (len(row) - length)
        for row, length in zip(targets.tolist(), lengths, strict=True)
    ]
    return torch.tensor(rows)


def fooled_by_trying(rows):
    _, targets = shift_targets(pad(rows))
    right = mask_padding(targets, [len(row) for row in rows])
    for row in targets:
        row[torch.nonzero(row == END).flatten()[1:]] = -100
    return torch.nonzero((targets != right).any(dim=1)).flatten().tolist()


def fooled_by_counting(rows):
    return [i for i in range(len(rows)) if rows[i].count(END) > (rows[i][0] == END)]


def fooled_by_place(rows):
    found = []
    for i, row in enumerate(rows):
        found += [i for place, token in enumerate(row) if place and token == END][:1]
    return found


def prompt_by_columns(targets, prompt_lengths):
    columns = torch.arange(targets.shape[1])[None]
    border = torch.tensor([length - 1 for length in prompt_lengths])[:, None]
    return torch.where(columns < border, -100, targets)


def prompt_by_index(targets, prompt_lengths):
    masked = targets.detach().clone()
    for i in range(len(masked)):
        for t in range(prompt_lengths[i] - 1):
            masked[i][t] = -100
    return masked


def prompt_by_joining(targets, prompt_lengths):
    rows = []
    for row, length in zip(targets, prompt_lengths, strict=True):
        ignored = torch.full((length - 1,), -100, dtype=torch.int64)
        rows.append(torch.cat([ignored, row[length - 1 :]]))
    return torch.stack(rows)


def setting_by_the_library(targets, prompt_lengths, header_starts, setting):
    borders = {"prompt": prompt_lengths, "keep-header": header_starts, "none": [1] * len(targets)}
    return mask_instructions(targets, borders[setting])


def setting_by_columns(targets, prompt_lengths, header_starts, setting):
    if setting == "none":
        return targets
    border = torch.tensor(prompt_lengths if setting == "prompt" else header_starts)
    return targets.masked_fill(torch.arange(1, targets.shape[1] + 1) < border[:, None], -100)


def setting_by_index(targets, prompt_lengths, header_starts, setting):
    masked = targets.tolist()
    for row, prompt, header in zip(masked, prompt_lengths, header_starts, strict=True):
        end = {"none": 0, "prompt": prompt - 1, "keep-header": header - 1}[setting]
        row[:end] = [-100] * end
    return torch.tensor(masked)


def left_by_rolling(rows):
    width = max(map(len, rows)) + 1
    right = [torch.tensor([*row] + [END] * (width - len(row))) for row in rows]
    left = [row.roll(width - 1 - len(each)) for row, each in zip(right, rows, strict=True)]
    padded = torch.stack(left)
    return padded[:, :-1], padded[:, 1:]


def left_by_reversing(rows):
    turned = [torch.tensor([END, *row[::-1]]) for row in rows]
    padded = pad_sequence(turned, batch_first=True, padding_value=END).flip(1)
    return shift_targets(padded)


def left_by_filling(rows):
    padded = torch.full((len(rows), max(len(row) for row in rows) + 1), END)
    for i, row in enumerate(rows):
        padded[i, -len(row) - 1 : -1] = torch.tensor(row)
    return padded[:, :-1].clone(), padded[:, 1:].clone()


def collate_from_the_library(examples):
    rows = [example.token_ids for example in examples]
    inputs, targets = shift_targets(pad(rows))
    targets = mask_padding(targets, [len(row) for row in rows])
    return inputs, mask_instructions(targets, [example.prompt_length for example in examples])


def collate_from_full_tensors(examples):
    length = max(len(example.token_ids) for example in examples)
    inputs = torch.full((len(examples), length), END)
    targets = torch.full((len(examples), length), -100)
    for i, example in enumerate(examples):
        ids = torch.tensor([*example.token_ids, END])
        inputs[i, : len(ids)] = ids[:length]
        start = example.prompt_length - 1
        targets[i, start : len(ids) - 1] = ids[example.prompt_length :]
    return Batch(inputs, targets)


def collate_by_lists(examples):
    longest = max(len(example.token_ids) for example in examples)
    inputs, targets = [], []
    for example in examples:
        ids, missing = list(example.token_ids), longest - len(example.token_ids)
        inputs.append(ids + [END] * missing)
        wanted = [*ids, END][example.prompt_length :]
        targets.append([-100] * (example.prompt_length - 1) + wanted + [-100] * missing)
    return torch.tensor(inputs), torch.tensor(targets)


VARIANTS = {
    "pad": [pad_by_torch, pad_a_full_tensor, pad_by_appending, pad_by_columns],
    "shift-targets": [shift_by_narrow, shift_in_a_loop, shift_as_list, shift_as_batch],
    "left-padding": [left_by_rolling, left_by_reversing, left_by_filling],
    "name-the-bug": [bug_by_lists, bug_from_the_fine_end, bug_by_table],
    "mask-padding": [padding_by_columns, padding_by_where, padding_by_lists],
    "mask-by-value": [fooled_by_trying, fooled_by_counting, fooled_by_place],
    "mask-prompt": [prompt_by_columns, prompt_by_index, prompt_by_joining],
    "keep-header": [setting_by_the_library, setting_by_columns, setting_by_index],
    "collate": [collate_from_the_library, collate_from_full_tensors, collate_by_lists],
}
