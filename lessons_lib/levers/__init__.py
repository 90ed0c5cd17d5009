"""What makes training and writing fast on a CPU, one lever a file. Lesson 09, docs/performance.md.

Each leaves a plain path beside it that computes the same, and needs nothing but PyTorch.
"""

from lessons_lib.levers.attention import attend
from lessons_lib.levers.bfloat16 import Bfloat16AdamW
from lessons_lib.levers.lookups import add_lookup_gradients
from lessons_lib.levers.memory import keep_freed_memory

__all__ = ["attend", "add_lookup_gradients", "Bfloat16AdamW", "keep_freed_memory"]
