"""Right solutions of lesson 04's exercises about waste and static padding."""

import numpy as np
import torch
from torch.nn.functional import pad
from torch.utils.data import Dataset

END = 50256


def waste_by_rows(lengths):
    width = 1 + max(lengths)
    return sum(width - (length + 1) for length in lengths) / (width * len(lengths))


def waste_as_mean_of_shares(lengths):
    lengths = np.array(lengths)
    return ((lengths.max() - lengths) / (lengths.max() + 1)).mean()


def waste_by_drawing(lengths):
    cells = torch.zeros(len(lengths), max(lengths) + 1)
    for row, length in zip(cells, lengths, strict=True):
        row[length + 1 :] = 1
    return cells.mean()


class StaticByFull(Dataset):
    def __init__(self, rows, columns, pad_token_id=END):
        self.items = torch.full((len(rows), columns), pad_token_id)
        for i, row in enumerate(rows):
            self.items[i, : len(row)] = torch.tensor(row)

    def __getitem__(self, index):
        return self.items[index]

    def __len__(self):
        return self.items.shape[0]


class StaticOfTensors:
    def __init__(self, rows, columns, pad_token_id=END):
        self.items = [
            pad(torch.tensor(row), (0, columns - len(row)), value=pad_token_id) for row in rows
        ]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


class StaticOfLists(Dataset):
    def __init__(self, rows, columns, pad_token_id=END):
        self.rows = []
        for row in rows:
            row = [*row, pad_token_id]
            while len(row) < columns:
                row.append(pad_token_id)
            self.rows.append(row)

    def __getitem__(self, index):
        return torch.tensor(self.rows[index])

    def __len__(self):
        return len(self.rows)


VARIANTS = {
    "padding-waste": [waste_by_rows, waste_as_mean_of_shares, waste_by_drawing],
    "static-padding": [StaticByFull, StaticOfTensors, StaticOfLists],
}
