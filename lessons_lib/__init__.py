"""From a file of instructions to a model that follows them: the library behind the lessons.

Each stage of the course has a room, a sub-package, and lessons import from there: ``from
lessons_lib.batching import pad``. The most used names are here as well; a room is loaded when one
of its names is first used, so ``import lessons_lib`` by itself takes no time.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

# Where each public name lives, in the order in which the lessons meet them.
_HOMES = {
    "environment": ["check_environment"],
    "data": [
        "load_entries",
        "download_and_load_file",
        "split_entries",
        "audit_entries",
        "PROMPT_FORMATS",
        "format_input",
        "get_tokenizer",
        "END_OF_TEXT",
        "IGNORE_INDEX",
    ],
    "batching": [
        "apply_template",
        "tokenize",
        "pad",
        "shift_targets",
        "mask_padding",
        "mask_instructions",
        "InstructionDataset",
        "InstructionCollator",
        "Batch",
        "BatchSteps",
        "collate_steps",
        "custom_collate_fn",
        "create_loader",
    ],
    "models": ["GPT", "GPTConfig", "load_model"],
    "training": ["train", "History", "evaluate_loss", "response_loss", "load_or_finetune"],
    "generation": [
        "generate",
        "generate_responses",
        "respond",
        "respond_all",
        "log_likelihood",
    ],
    "evaluation": ["score_responses", "score_answers", "compare"],
    "evaluation.judges": ["judge_the_judges"],
    "experiments": ["before_and_after", "run_masking_experiment"],
    "chat": ["Chat"],
    "widgets": [
        "inspect_batch",
        "compare_batches",
        "race_padding",
        "show_token_losses",
        "show_answers",
        "show_funnel",
        "show_chat",
    ],
    "exercises": [
        "EXERCISES",
        "check",
        "hint",
        "reveal",
        "progress",
        "predict",
        "recall",
        "keep",
        "my_or_library",
    ],
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_MODULE_OF]


def __getattr__(name: str) -> Any:
    """Load the module of a public name (PEP 562).

    Raises:
        AttributeError: the package has no such name.
    """
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
