"""A fine-tuning run without a notebook: its folder holds the model, what was measured, and answers.

``python -m lessons_lib finetune`` calls it. The run is that of lesson 09, with checkpoints, so
that nothing is lost when the machine is switched off.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from lessons_lib.charts import draw_history
from lessons_lib.checkpoints import load_model, save_model
from lessons_lib.data import load_entries, split_entries
from lessons_lib.devices import describe_device, pick_device
from lessons_lib.evaluation import score_responses
from lessons_lib.figures import small_png
from lessons_lib.files import write_whole
from lessons_lib.finetuning import add_entry_tokens, finetune, recipe_key
from lessons_lib.generation import Generated, generate_responses
from lessons_lib.history import History
from lessons_lib.recipes import Recipe
from lessons_lib.resuming import Checkpoints

CHECKPOINTS, HISTORY, CURVES, ANSWERS = "checkpoints", "history.csv", "curves.png", "answers.json"
ANSWER_TOKENS = 128


def run_in_folder(
    recipe: Recipe,
    folder: str | Path,
    *,
    resume: bool = False,
    checkpoint_every: int = 50,
    device: str | torch.device = "auto",
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> History:
    """Fine-tune by a recipe; the folder then has the model, its history, curves and answers.

    The model's files are those that ``load_model(folder)`` and transformers read. With ``resume``
    the run goes on from its newest checkpoint, if there is one. A run that is interrupted leaves
    its checkpoints alone.

    Raises:
        CheckpointError: another run is at work in the folder; or it holds a run and ``resume`` is
            False, or a run of other options; or it cannot be written. Else as ``load_model``,
            ``load_entries`` and ``train``.
    """
    folder, device = Path(folder), pick_device(device)
    splits = split_entries(load_entries(recipe.entries))
    torch.manual_seed(recipe.seed)
    model = load_model(recipe.model)
    # The key stands for the texts and the weights; the options are named beside it.
    decisive = dataclasses.asdict(recipe) | {"key": recipe_key(recipe, splits, model)}
    add_entry_tokens(model, recipe, splits)
    checkpoints = Checkpoints(
        folder / CHECKPOINTS, checkpoint_every, resume=resume, decisive=decisive
    )
    say(f"{len(splits.train)} entries, {recipe.epochs} epoch(s), on {describe_device(device)}")
    with checkpoints:
        history = finetune(model.to(device), recipe, splits, progress, checkpoints=checkpoints)
        if history.interrupted:
            say("--resume goes on from the newest checkpoint.")
            return history
        say("answering the test entries")
        answers = generate_responses(model, splits.test, max_new_tokens=ANSWER_TOKENS)
        _write(folder, model, history, splits.test, answers)
    texts, stopped = [a.text for a in answers], [a.stopped for a in answers]
    scores = score_responses(splits.test, texts, stopped)
    say(f"exact {scores.share('exact')}, stopped {scores.share('stopped')}")
    say(f"{folder}: config.json, model.safetensors, {HISTORY}, {CURVES}, {ANSWERS}")
    return history


def _write(
    folder: Path,
    model: nn.Module,
    history: History,
    entries: Sequence[Mapping[str, str]],
    answers: Sequence[Generated],
) -> None:
    """Everything of a finished run, each file whole or not at all."""
    save_model(model, folder)
    write_whole(folder / HISTORY, history.write_csv)
    picture = small_png(draw_history(history))
    write_whole(folder / CURVES, lambda path: path.write_bytes(picture))
    rows = [
        {**entry, "response": answer.text, "stopped": answer.stopped}
        for entry, answer in zip(entries, answers, strict=True)
    ]
    text = json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    write_whole(folder / ANSWERS, lambda path: path.write_text(text, encoding="utf-8"))
