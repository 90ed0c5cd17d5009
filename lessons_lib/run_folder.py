"""A fine-tuning run without a notebook; its folder holds the model, measurements and answers.

``python -m lessons_lib finetune`` calls it. The run is that of lesson 09, with checkpoints, so that
little is lost when the machine is switched off.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from lessons_lib.bridges.cards.run_record import (
    ANSWERS,
    CHECKPOINTS,
    HISTORY,
    MODEL,
    RECORD,
    describe_run,
    write_record,
)
from lessons_lib.data import (
    Entry,
    get_prompt_format,
    load_entries,
    split_entries,
    text_ids,
    tokenizer_of,
)
from lessons_lib.evaluation import answer_and_score
from lessons_lib.models import load_model, save_model
from lessons_lib.pictures import draw_history, small_png
from lessons_lib.support import CheckpointError, write_all_whole, write_whole
from lessons_lib.support.devices import describe_device, pick_device
from lessons_lib.support.files import explain, read_json
from lessons_lib.training import Checkpoints, History, Recipe, finetune
from lessons_lib.training.finetuning import add_entry_tokens, recipe_key

CURVES = "curves.png"
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
    """Fine-tune by a recipe, and write the model, its history, curves and answers to the folder.

    ``load_model(folder)`` and transformers can read the model. Last comes run.json, from which
    ``bridges.write_cards`` makes a model card. With ``resume`` the run continues
    from its newest checkpoint, or starts afresh if there is neither a checkpoint nor a model.
    An interrupted run leaves only its checkpoints behind.

    Raises:
        CheckpointError: another run is using the folder; the folder cannot be written to; it holds
            a run, and ``resume`` is False; or it holds a run with other options, or a model without
            a checkpoint. Otherwise as ``load_model``, ``load_entries`` and ``train``.
    """
    folder, device = Path(folder), pick_device(device)
    if (folder / MODEL).exists():
        if not resume:
            raise CheckpointError(f"{folder} holds a model already: choose another folder")
        # A checkpoint would say how the model was made.
        if Checkpoints(folder / CHECKPOINTS).newest is None:
            raise CheckpointError(
                f"{folder} holds a model already, but no checkpoint to go on from: choose another "
                "folder"
            )
    splits = split_entries(load_entries(recipe.entries))
    torch.manual_seed(recipe.seed)
    model = load_model(recipe.model)
    # The key stands for the content of model and entries; where their files are does not matter.
    options = dataclasses.asdict(recipe) | {"key": recipe_key(recipe, splits, model)}
    del options["model"], options["entries"]
    add_entry_tokens(model, recipe, splits)
    checkpoints = Checkpoints(
        folder / CHECKPOINTS, checkpoint_every, resume=resume, decisive=options
    )
    say(f"{len(splits.train)} entries, {recipe.epochs} epoch(s), on {describe_device(device)}")
    with checkpoints:
        history = finetune(model.to(device), recipe, splits, progress, checkpoints=checkpoints)
        if history.interrupted:
            say(_how_to_go_on(checkpoints))
            return history
        try:
            _save_run(folder, model, history)
        except OSError:
            say(_how_to_go_on(checkpoints))
            raise
        _answer(folder, model.eval(), splits.test, recipe.prompt_format, say)
        write_record(folder, describe_run(recipe, splits, model, history, device))
        files = f"{HISTORY}, {CURVES}, {ANSWERS}, {RECORD}"
        say(f"{folder}: {MODEL}, its config and tokenizer, {files}")
    return history


def trained_format(folder: Path) -> str | None:
    """The prompt format in which the run of a folder trained its model; None where no run noted it.

    Raises:
        CheckpointError: its note is damaged; says what to do.
    """
    if not (folder / RECORD).is_file():
        return None
    try:
        return get_prompt_format(read_json(folder / RECORD)["recipe"]["prompt_format"]).name
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CheckpointError(
            f"{folder / RECORD} does not say in which format the model was trained "
            f"({explain(error)}): name it with --format"
        ) from error


def _how_to_go_on(checkpoints: Checkpoints) -> str:
    step = checkpoints.newest
    if step is None:
        return "There is no checkpoint yet: the next run starts afresh."
    return f"The same command with --resume goes on from step {step}."


def _save_run(folder: Path, model: nn.Module, history: History) -> None:
    """Save the model first, which took longest to make, then its history and curves."""
    (folder / RECORD).unlink(missing_ok=True)  # of the model that is replaced now
    save_model(model, folder)
    picture = small_png(draw_history(history))
    write_all_whole(
        {
            folder / HISTORY: history.write_csv,
            folder / CURVES: lambda path: path.write_bytes(picture),
        }
    )


def _answer(
    folder: Path,
    model: nn.Module,
    entries: Sequence[Entry],
    prompt_format: str,
    say: Callable[[str], object],
) -> None:
    """Answer the test entries that fit the model, write the answers, and report the score."""
    written = get_prompt_format(prompt_format)
    room, tokenizer = model.context_length, tokenizer_of(model)
    asked = [entry for entry in entries if len(text_ids(written.prompt(entry), tokenizer)) < room]
    if len(asked) < len(entries):
        say(f"{len(entries) - len(asked)} test entries do not fit the model's {room} tokens")
    say(f"answering {len(asked)} test entries")
    rows = []
    if asked:
        scores = answer_and_score(model, asked, prompt_format, max_new_tokens=ANSWER_TOKENS)
        answered = zip(asked, scores.answers, scores.marks["stopped"], strict=True)
        rows = [{**entry, "response": text, "stopped": mark} for entry, text, mark in answered]
    text = json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    write_whole(folder / ANSWERS, lambda path: path.write_text(text, encoding="utf-8"))
    if asked:
        say(f"exact {scores.share('exact')}, stopped {scores.share('stopped')}")
