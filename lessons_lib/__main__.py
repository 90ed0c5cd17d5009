"""The course's commands: ``check``, ``work``, ``reset``, ``finetune``, ``ask`` and more.

``python -m lessons_lib --help`` lists them.
"""

import argparse
import dataclasses
import sys
from collections.abc import Sequence

from lessons_lib.commands import LARGE_MODEL_RATE, build_parser
from lessons_lib.environment import check_environment
from lessons_lib.support.reply_options import ReplyOptions
from lessons_lib.support.table import printable

# Other modules are imported where they are needed: ``check`` must run where PyTorch is broken.
INTERRUPTED = 130  # what shells report after Ctrl-C
UNREADABLE = 2  # of ``lint``: a file, or the tokenizer; 1 is for findings


def check(options: argparse.Namespace) -> int:
    report = check_environment()
    print(report.table)
    return 0 if report.ok else 1


def work(options: argparse.Namespace) -> int:
    from lessons_lib.working_copy import copy_lesson, make_working_copy

    if options.lesson is None:
        print(f"Your lessons are in {make_working_copy()}; `make lab` opens them.")
    else:
        print(f"Your copy is {copy_lesson(options.lesson)}; `make lab` opens the folder.")
    return 0


def reset(options: argparse.Namespace) -> int:
    from lessons_lib.working_copy import reset_lesson

    path, kept = reset_lesson(options.lesson)
    said = f" Yours is kept as {kept.name}." if kept else ""
    print(f"{path.name} is fresh, in {path.parent}.{said}")
    if kept:
        print("If it is open in JupyterLab, close it there without saving, and open it again.")
    return 0


def finetune(options: argparse.Namespace) -> int:
    from lessons_lib.models.loading import BUNDLED_MODELS
    from lessons_lib.run_folder import run_in_folder
    from lessons_lib.training import get_recipe

    recipe = get_recipe("lesson-09")
    rate = None if options.model in BUNDLED_MODELS else LARGE_MODEL_RATE
    chosen = {
        "model": options.model,
        "entries": _entries(options.entries),
        "epochs": options.epochs,
        "learning_rate": options.learning_rate or rate,
        "instruction_mask": options.mask,
        "prompt_format": options.format,
        "seed": options.seed,
    }
    recipe = dataclasses.replace(
        recipe, **{name: value for name, value in chosen.items() if value is not None}
    )
    history = run_in_folder(
        recipe,
        options.out,
        resume=options.resume,
        checkpoint_every=options.checkpoint_every,
        say=lambda text: print(printable(text)),
    )
    return INTERRUPTED if history.interrupted else 0


def card(options: argparse.Namespace) -> int:
    from lessons_lib.bridges import how_to_publish, write_cards

    write_cards(options.folder, say=lambda text: print(printable(text)))
    print(f"\n{printable(how_to_publish(options.folder))}")
    return 0


def ask(options: argparse.Namespace) -> int:
    from lessons_lib.chat.chat import half_character
    from lessons_lib.chat.terminal import show
    from lessons_lib.generation import respond
    from lessons_lib.models import load_model

    if fault := half_character(options.instruction + options.input):
        raise ValueError(fault)
    entry = {"instruction": options.instruction, "input": options.input, "output": ""}
    model = load_model(options.model)
    written = options.format or _trained_format(options.model) or "alpaca"
    answer = respond(model, entry, written, max_new_tokens=options.max_new_tokens)
    show(printable(answer) + "\n")
    return 0


def chat(options: argparse.Namespace) -> int:
    from lessons_lib.chat import Chat
    from lessons_lib.chat.terminal import chat_in_terminal

    model, name, prompt_format = _chat_model(options)
    print(printable(f"You talk to {name}."))
    chat_in_terminal(Chat(model, prompt_format, **_reply_options(options)))
    return 0


def serve(options: argparse.Namespace) -> int:
    from lessons_lib.chat.server import create_app, run_server

    model, name, prompt_format = _chat_model(options)
    given = {"host": options.host, "api_key": options.api_key}
    app = create_app(model, name, prompt_format, **given, **_reply_options(options))
    run_server(app, options.host, options.port)
    return 0


def _chat_model(options: argparse.Namespace) -> tuple:
    """The model to talk to, its name, and the prompt format it was trained on."""
    from pathlib import PurePath

    from lessons_lib.chat.chat import OWN, has_chat_template
    from lessons_lib.data import tokenizer_of
    from lessons_lib.models import load_model
    from lessons_lib.training import RECIPES, get_recipe, load_or_finetune

    if options.model is not None:
        model, name = load_model(options.model), PurePath(options.model).name or options.model
        if options.format is not None:
            return model, name, options.format
        if trained := _trained_format(options.model):
            print(printable(f"{name} is asked in the format {trained!r}, in which it was trained."))
            return model, name, trained
        if has_chat_template(tokenizer_of(model)):
            return model, name, OWN
        usual = get_recipe("lesson-09").prompt_format  # in which ``finetune`` trains
        print(
            f"{name} has no chat template of its own. It is asked in the format {usual!r}, in "
            "which finetune trains; --format names another."
        )
        return model, name, usual
    if options.recipe not in RECIPES:
        raise ValueError(f"no recipe {options.recipe!r}; there are: {', '.join(RECIPES)}")
    found = load_or_finetune(options.recipe)
    return found.model, options.recipe, options.format or found.recipe.prompt_format


def _trained_format(model: str) -> str | None:
    """The prompt format that a run noted in its folder; None for a model from elsewhere."""
    from pathlib import Path

    if not Path(model).expanduser().is_dir():
        return None
    from lessons_lib.run_folder import trained_format

    return trained_format(Path(model).expanduser())


def _reply_options(options: argparse.Namespace) -> dict:
    """What was chosen on the command line, as fields of ``ReplyOptions``."""
    names = {field.name for field in dataclasses.fields(ReplyOptions)}
    return {name: value for name, value in vars(options).items() if name in names}


def download(options: argparse.Namespace) -> int:
    from lessons_lib.data import load_entries
    from lessons_lib.models.gpt2_files import fetch

    for name in options.what or ("entries", "gpt2"):
        if name == "entries":
            print(f"entries: {len(load_entries(_entries('book'))):,} of the book", flush=True)
        else:
            print(f"{name}: {fetch(name)}", flush=True)
    return 0


def grade(options: argparse.Namespace) -> int:
    import secrets

    from lessons_lib.exercises.grading import Limits, grade_folder, write_report
    from lessons_lib.exercises.grading.report import describe_wrong, table

    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    limits = Limits(options.seconds, options.memory, options.file_size)

    def say(text: str) -> None:
        print(printable(text), file=sys.stderr, flush=True)

    marks, missing = grade_folder(options.folder, seed, limits, options.jobs, say)
    print(table(marks))
    print(f"\nWhat the class got wrong:\n{printable(describe_wrong(marks))}\n")
    for each in missing:
        print(f"Not limited on this system: {each}.")
    sheet, chart = write_report(marks, seed, options.out)
    print(f"Written: {sheet} and {chart}. The fresh inputs' seed was {seed}.")
    return 0


def lint(options: argparse.Namespace) -> int:
    from lessons_lib.bridges.label_files import find_tokenizer, read_rows_file
    from lessons_lib.chat.terminal import show
    from lessons_lib.labels import lint_labels

    try:
        tokenizer = find_tokenizer(options.tokenizer)
    except (ValueError, OSError) as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return UNREADABLE
    shifts = {"yes": True, "no": False, None: None}[options.shifts_inside]
    status = 0
    for path in options.files:
        try:
            found = lint_labels(
                read_rows_file(path),
                tokenizer,
                expect=options.expect,
                shifts_inside=shifts,
                most_rows=options.rows,
            )
        except (ValueError, OSError) as error:
            print(printable(f"error: {path}: {error}"), file=sys.stderr)
            status = UNREADABLE
            continue
        show(printable(f"{path}\n{found}\n"))
        status = max(status, 1 if found else 0)
    return status


def _entries(name: str) -> str:
    """What ``load_entries`` takes; "book" stands for the book's URL."""
    from lessons_lib.data.entries import BOOK_ENTRIES

    return BOOK_ENTRIES if name == "book" else name


COMMANDS = {
    each.__name__: each
    for each in (check, work, reset, finetune, card, ask, chat, serve, grade, lint, download)
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 when all is well."""
    options = build_parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
