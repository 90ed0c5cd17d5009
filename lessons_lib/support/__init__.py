"""What all other rooms lean on: files written whole, paths, devices, tables, processes.

Nothing here imports from another room; only ``devices`` and ``processes`` need PyTorch.
"""

from lessons_lib.support.files import CheckpointError, write_all_whole, write_whole
from lessons_lib.support.paths import cache_folder
from lessons_lib.support.quick_run import is_quick
from lessons_lib.support.table import Table

__all__ = [
    "CheckpointError",
    "Table",
    "cache_folder",
    "is_quick",
    "write_whole",
    "write_all_whole",
]
