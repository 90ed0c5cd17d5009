"""Data made by a model: it writes tasks after a few seed tasks; most are refused. Lesson 13.

Here are the seed tasks, the teachers and what they are told, and the funnel through which all goes
that they reply.
"""

from lessons_lib.self_instruct.dedupe import (
    Decision,
    Diversity,
    InstructionPool,
    measure_diversity,
    rouge_l_f,
    rouge_words,
)
from lessons_lib.self_instruct.funnel import Funnel, KeptTask, Refused, Sieve
from lessons_lib.self_instruct.magpie import empty_turn, generate_magpie
from lessons_lib.self_instruct.parsing import (
    KEYWORDS,
    Dropped,
    Parsed,
    parse_reply,
    parse_turns,
    refusal_reason,
)
from lessons_lib.self_instruct.prompt import DecodingArguments, encode_prompt, sample_seeds
from lessons_lib.self_instruct.run import generate_tasks, load_funnel, recorded_run
from lessons_lib.self_instruct.seeds import SeedTask, flatten, load_seed_tasks
from lessons_lib.self_instruct.server_teacher import ServerTeacher
from lessons_lib.self_instruct.teachers import (
    Completion,
    LocalTeacher,
    RecordedTeacher,
    RunError,
    Teacher,
    TeacherError,
    most_tokens,
    read_requests,
)

__all__ = [
    "SeedTask",
    "load_seed_tasks",
    "flatten",
    "sample_seeds",
    "encode_prompt",
    "DecodingArguments",
    "Completion",
    "Teacher",
    "LocalTeacher",
    "ServerTeacher",
    "RecordedTeacher",
    "TeacherError",
    "most_tokens",
    "Dropped",
    "Parsed",
    "parse_reply",
    "parse_turns",
    "KEYWORDS",
    "refusal_reason",
    "rouge_words",
    "rouge_l_f",
    "Decision",
    "InstructionPool",
    "Diversity",
    "measure_diversity",
    "Refused",
    "KeptTask",
    "Funnel",
    "Sieve",
    "generate_tasks",
    "load_funnel",
    "recorded_run",
    "read_requests",
    "empty_turn",
    "generate_magpie",
    "RunError",
]
