"""What only a notebook's cells have: no file behind the code, names shared between cells."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from lessons_lib.exercises import EXERCISES, my_or_library

HELPER = """import torch
from torch import Tensor
PAD = 50256


def widened(row, width):
    return row + [PAD] * (width - len(row))"""
ATTEMPT = """from lessons_lib.exercises import check, keep


def my_pad(rows: list[list[int]], pad_token_id: int = PAD) -> Tensor:
    width = max(len(row) for row in rows) + 1
    return torch.tensor([widened(row, width) for row in rows])"""


@pytest.fixture
def shell(work):
    """IPython as a kernel has it, without a history on the disk."""
    yield InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    InteractiveShell.clear_instance()


def run_cell(shell, code):
    done = shell.run_cell(code, store_history=True)
    done.raise_error()
    return done.result


def test_a_function_of_several_cells_is_kept_and_loaded(shell, capsys):
    run_cell(shell, HELPER.replace("[PAD]", "[width]"))
    run_cell(shell, ATTEMPT)
    assert "Nothing was kept" in str(run_cell(shell, "keep(my_pad)"))
    run_cell(shell, HELPER.replace("row, width):", "row, width, pad=PAD):"))
    wrong = str(run_cell(shell, 'check("pad", my_pad)'))
    assert "50256 is written where pad_token_id should stand" in wrong
    right = ATTEMPT.replace("widened(row, width)", "widened(row, width, pad_token_id)")
    run_cell(shell, HELPER.replace("row, width):", "row, width, pad):").replace("[PAD]", "[pad]"))
    run_cell(shell, right)
    assert "Kept as pad.py" in str(run_cell(shell, "keep(my_pad)"))
    assert EXERCISES["pad"].check(my_or_library("pad")).passed
    assert "Your own my_pad" in capsys.readouterr().out


def test_an_error_is_shown_at_the_line_of_its_cell(shell):
    run_cell(shell, HELPER.replace("PAD] * (", "PAD] / ("))
    run_cell(shell, ATTEMPT)
    said = str(run_cell(shell, 'check("pad", my_pad)'))
    assert "TypeError: unsupported operand" in said
    assert "in line 7 of your code: `return row + [PAD] / (width - len(row))`." in said
