"""A recipe's model: fine-tuned once, saved, and loaded the next time. From lesson 09 on.

A model is saved under a hash of everything that determines it: the texts, the weights it starts
from, the recipe and the version of this code. Change any of them, and a new model is made.
"""

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch

from lessons_lib.batching import BatchError, InstructionDataset, create_loader
from lessons_lib.batching.loaders import InstructionLoader
from lessons_lib.data import (
    Splits,
    end_of_text_of,
    get_prompt_format,
    get_tokenizer,
    load_entries,
    split_entries,
    tokenizer_of,
)
from lessons_lib.models import GPT, GPTConfig, LanguageModel, load_model
from lessons_lib.models.loading import DamagedModelError, read_model, write_model
from lessons_lib.support import is_quick
from lessons_lib.support.devices import describe_device, pick_device
from lessons_lib.support.files import explain, locked
from lessons_lib.support.quick_run import QUICK_ENTRIES
from lessons_lib.training.checkpoints import Checkpoints
from lessons_lib.training.history import Callbacks, History
from lessons_lib.training.loop import train
from lessons_lib.training.recipes import Recipe, get_recipe

CODE_VERSION = 2  # raise by one when the same recipe would give a different model


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned model, in evaluation mode, and what is known about its run."""

    model: LanguageModel
    history: History
    recipe: Recipe
    splits: Splits  # the entries: .train, .test, .validation
    key: str  # the hash under which it is saved
    from_cache: bool


def load_or_finetune(
    recipe: str | Recipe,
    *,
    splits: Splits | None = None,
    load: Callable[[str], LanguageModel] = load_model,
    device: str | torch.device = "auto",
    progress: bool = True,
    say: Callable[[str], object] = print,
    on_step: Callbacks = None,
    on_eval: Callbacks = None,
    on_epoch: Callbacks = None,
    on_end: Callbacks = None,
) -> Finetuned:
    """The recipe's model, from the cache folder if it was made before, else fine-tuned now.

    ``recipe`` is a ``Recipe`` or the name of one. ``splits`` are the entries where they are not
    those that the recipe names, but written by a program. ``load`` loads the pretrained model of a
    given name. Callbacks are those of ``train``; none is called for a model from the cache. Either
    way, PyTorch's random state is left as it was.

    If a saved model is damaged, a sentence says so, and the model is made again. Nothing is saved,
    and a sentence says so, if the cache folder cannot be written to, or the run is interrupted or
    stopped by a callback. A warning counts the entries for which the model has no room.

    Raises:
        KeyError: no recipe has this name. CheckpointError, DatasetError, BatchError, ValueError:
            as from ``load``, ``load_entries``, ``create_loader``, ``train`` and ``pick_device``.
    """
    name = f"recipe {recipe!r}" if isinstance(recipe, str) else "this recipe"
    recipe = get_recipe(recipe) if isinstance(recipe, str) else recipe
    device = pick_device(device)
    splits = splits or split_entries(load_entries(recipe.entries))
    callbacks = {"on_step": on_step, "on_eval": on_eval, "on_epoch": on_epoch, "on_end": on_end}
    with torch.random.fork_rng():
        model = _base_model(recipe, load)
        key = recipe_key(recipe, splits, model)
        with locked(key, say):
            history = None
            try:
                history = _restore(model, key)
            except DamagedModelError as error:
                say(f"The saved model of {name} cannot be used ({error}); it is made again.")
                model = _base_model(recipe, load)  # the failed attempt may have changed the other
            if from_cache := history is not None:
                say(f"Loaded the model of {name}, fine-tuned before in {history.seconds:.0f} s.")
                model.to(device)
            else:
                say(
                    f"Fine-tuning by {name} on {describe_device(device)}: "
                    f"{len(splits.train)} entries, {recipe.epochs} epoch(s)."
                )
                added = add_entry_tokens(model, recipe, splits)
                history = finetune(model.to(device), recipe, splits, progress, **callbacks)
                _keep(model, key, recipe, history, added, say)
    return Finetuned(model.eval(), history, recipe, splits, key, from_cache)


def recipe_key(recipe: Recipe, splits: Splits, model: LanguageModel) -> str:
    """The hash of everything that determines the result, in 16 hexadecimal digits.

    ``model`` is the one that training starts from. What its weights and the entries are matters;
    where they came from does not.
    """
    options = dataclasses.asdict(recipe) | {"entries": _entries_hash(recipe, splits)}
    if isinstance(recipe.model, str):
        del options["model"]
    decisive = {"code": CODE_VERSION, "options": options, "weights": _weights_hash(model)}
    if (tokenizer := tokenizer_of(model)) is not get_tokenizer():
        decisive["tokenizer"] = getattr(tokenizer, "fingerprint", type(tokenizer).__name__)
    if is_quick():
        decisive["quick"] = True
    text = json.dumps(decisive, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _entries_hash(recipe: Recipe, splits: Splits) -> str:
    """A hash of every entry's prompt and response, as the recipe's format writes them."""
    written = get_prompt_format(recipe.prompt_format)
    texts = [
        [[written.prompt(entry), written.response(entry)] for entry in part] for part in splits
    ]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def _weights_hash(model: LanguageModel) -> str:
    """A hash of the names, types, shapes and values of all weights and buffers."""
    digest = hashlib.sha256()
    # A compact vocabulary's token ids are a buffer that its state_dict leaves out.
    for name, tensor in sorted({**model.state_dict(), **dict(model.named_buffers())}.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _base_model(recipe: Recipe, load: Callable[[str], LanguageModel]) -> LanguageModel:
    """The model before fine-tuning; the same seed gives the same random weights."""
    torch.manual_seed(recipe.seed)
    if isinstance(recipe.model, GPTConfig):
        return GPT(recipe.model)
    return load(recipe.model)


def add_entry_tokens(model: LanguageModel, recipe: Recipe, splits: Splits) -> list[int]:
    """Give a model with a compact vocabulary a row for every token of the entries; their ids.

    The test entries' tokens are added, too, so that the model can read their prompts.
    """
    if not isinstance(model, GPT):  # models from elsewhere have a row for every token
        return []
    entries = [entry for part in splits for entry in part]
    tokenizer = tokenizer_of(model)
    examples = InstructionDataset(entries, tokenizer, prompt_format=recipe.prompt_format).examples
    end = end_of_text_of(tokenizer)
    token_ids = sorted({end, *(i for example in examples for i in example.token_ids)})
    model.add_tokens(token_ids)
    return token_ids


def finetune(
    model: LanguageModel,
    recipe: Recipe,
    splits: Splits,
    progress: bool = True,
    *,
    checkpoints: Checkpoints | None = None,
    **callbacks: Callbacks,
) -> History:
    """Train the model in place by the recipe: ``load_or_finetune`` without the cache."""
    options = {
        "tokenizer": tokenizer_of(model),
        "prompt_format": recipe.prompt_format,
        "instruction_mask": recipe.instruction_mask,
        "prompt_loss_weight": recipe.prompt_loss_weight,
        "allowed_max_length": model.context_length,
        "share_prefix": recipe.share_prefix,
    }
    loader = create_loader(
        splits.train,
        recipe.batch_size,
        batching=recipe.batching,
        # A handful of entries of one's own makes one small batch, which must not be dropped.
        drop_last=recipe.drop_last and len(splits.train) >= recipe.batch_size,
        seed=recipe.seed,
        **options,
    )
    _warn_of_dropped(loader, len(splits.train), "training")
    validation = None
    if measured := splits.validation[: QUICK_ENTRIES if is_quick() else None]:
        try:
            validation = create_loader(measured, recipe.batch_size, shuffle=False, **options)
            _warn_of_dropped(validation, len(measured), "validation")
        except BatchError as error:
            if recipe.keep_best:  # which needs a validation loss
                raise
            warnings.warn(f"the run has no validation: {error}", stacklevel=2)
    return train(
        model, loader, validation, recipe, progress=progress, checkpoints=checkpoints, **callbacks
    )


def _warn_of_dropped(loader: InstructionLoader, count: int, part: str) -> None:
    """Warn of the entries that were left out: how many, and the first three."""
    if dropped := loader.dropped:
        first = "; ".join(f"entry {each.index}: {each.reason}" for each in dropped[:3])
        told = f"{len(dropped)} of {count} {part} entries are left out ({first})"
        warnings.warn(told, stacklevel=3)


def _restore(model: LanguageModel, key: str) -> History | None:
    """Load the weights saved under this key; returns their history, or None if none were saved.

    Raises:
        DamagedModelError: what was saved is incomplete or does not fit the model.
    """
    saved = read_model(key)
    if saved is None:
        return None
    try:
        if added := saved.notes["added_tokens"]:
            model.add_tokens(added)
        model.load_state_dict(saved.tensors)
        return History.from_dict(saved.notes["history"])
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DamagedModelError(explain(error)) from error


def _keep(
    model: LanguageModel,
    key: str,
    recipe: Recipe,
    history: History,
    added: list[int],
    say: Callable[[str], object],
) -> None:
    """Save the model, or say why it is not saved."""
    if history.interrupted or history.stop_reason:
        which = "An interrupted run" if history.interrupted else "A run that was stopped early"
        say(f"{which} is not kept: next time the model is fine-tuned from the start.")
        return
    notes = {
        "recipe": dataclasses.asdict(recipe),
        "history": dataclasses.asdict(history),
        "added_tokens": added,
    }
    try:
        write_model(key, model.state_dict(), notes)
    except OSError as error:
        say(
            f"The model cannot be kept, because the cache folder cannot be written to "
            f"({explain(error)}): next time it is fine-tuned from the start."
        )
