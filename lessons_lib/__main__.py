"""The course's commands: ``python -m lessons_lib check``, ``finetune``, ``ask``, ``download``."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from lessons_lib.environment import check_environment

# Other modules are imported where they are needed: ``check`` must run where PyTorch is broken.
HUB_NAMES = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
FETCHED = ("entries", *HUB_NAMES)
# For pretrained models of GPT-2's sizes; the recipe's own rate is that of the small base model.
LARGE_MODEL_RATE = 5e-5
INTERRUPTED = 130  # what shells report after Ctrl-C


def check(options: argparse.Namespace) -> int:
    report = check_environment()
    print(report)
    return 0 if report.ok else 1


def finetune(options: argparse.Namespace) -> int:
    from lessons_lib.recipes import get_recipe
    from lessons_lib.run_folder import run_in_folder

    recipe = get_recipe("lesson-09")
    rate = None if options.model == "base" else LARGE_MODEL_RATE
    chosen = {
        "model": options.model,
        "entries": _entries(options.entries),
        "epochs": options.epochs,
        "learning_rate": options.learning_rate or rate,
        "instruction_mask": options.mask,
        "seed": options.seed,
    }
    recipe = dataclasses.replace(
        recipe, **{name: value for name, value in chosen.items() if value is not None}
    )
    history = run_in_folder(
        recipe, options.out, resume=options.resume, checkpoint_every=options.checkpoint_every
    )
    return INTERRUPTED if history.interrupted else 0


def ask(options: argparse.Namespace) -> int:
    from lessons_lib.checkpoints import load_model
    from lessons_lib.generation import respond

    entry = {"instruction": options.instruction, "input": options.input, "output": ""}
    print(respond(load_model(options.model), entry, max_new_tokens=options.max_new_tokens))
    return 0


def download(options: argparse.Namespace) -> int:
    from lessons_lib.data import load_entries
    from lessons_lib.hub_models import fetch

    for name in options.what or ("entries", "gpt2"):
        if name == "entries":
            print(f"entries: {len(load_entries(_entries('book'))):,} of the book", flush=True)
        else:
            print(f"{name}: {fetch(name)}", flush=True)
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lessons_lib",
        description="From a file of instructions to a model that follows them.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("check", help="is this machine ready? one fix for each fault")
    command.set_defaults(run=check)

    command = commands.add_parser("finetune", help="lesson 09's run without a notebook")
    command.add_argument(
        "--entries", default="bundled", help='"bundled", "book" (downloaded once), a file, or a URL'
    )
    command.add_argument(
        "--model", default="base", help='"base", "gpt2", "smollm2", a file, or a folder'
    )
    command.add_argument("--epochs", type=_count, help="default: 3")
    command.add_argument(
        "--learning-rate",
        type=_rate,
        help=f'default: the recipe\'s for "base", {LARGE_MODEL_RATE:g} for others',
    )
    command.add_argument(
        "--mask", choices=("none", "prompt", "keep-header"), help="default: prompt"
    )
    command.add_argument("--seed", type=int, help="default: 123")
    command.add_argument("--out", type=Path, required=True, help="folder for all that is made")
    command.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    command.add_argument(
        "--checkpoint-every", type=_count, default=50, metavar="N", help="optimizer steps"
    )
    command.set_defaults(run=finetune)

    command = commands.add_parser("ask", help="put an instruction to a model")
    command.add_argument("instruction")
    command.add_argument("--input", default="")
    command.add_argument("--model", required=True, help="as for finetune; its --out folder, say")
    command.add_argument("--max-new-tokens", type=_count, default=64)
    command.set_defaults(run=ask)

    command = commands.add_parser("download", help="fetch what a class will need, once")
    command.add_argument(
        "what",
        nargs="*",
        type=_fetched,
        metavar="WHAT",
        help=f"of {', '.join(FETCHED)}; default: entries gpt2",
    )
    command.set_defaults(run=download)
    return parser


def _entries(name: str) -> str:
    """What ``load_entries`` takes; "book" stands for the book's URL."""
    from lessons_lib.data import BOOK_ENTRIES

    return BOOK_ENTRIES if name == "book" else name


def _count(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate < 1:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, not {text!r}")
    return rate


def _fetched(text: str) -> str:
    if text not in FETCHED:
        raise argparse.ArgumentTypeError(f"is one of {', '.join(FETCHED)}, not {text!r}")
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 when all is well."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
