"""Data made by a model: it writes tasks after a few seed tasks; most are refused. Lesson 13.

Here are the seed tasks and the prompt, what a teacher is told, and what is done with its replies.
"""

from lessons_lib.self_instruct.decoding import DecodingArguments
from lessons_lib.self_instruct.filters import KEYWORDS, refusal_reason
from lessons_lib.self_instruct.parsing import Dropped, Parsed, parse_reply
from lessons_lib.self_instruct.prompt import encode_prompt, sample_seeds
from lessons_lib.self_instruct.seeds import SeedTask, flatten, load_seed_tasks

__all__ = [
    "SeedTask",
    "load_seed_tasks",
    "flatten",
    "sample_seeds",
    "encode_prompt",
    "DecodingArguments",
    "Dropped",
    "Parsed",
    "parse_reply",
    "KEYWORDS",
    "refusal_reason",
]
