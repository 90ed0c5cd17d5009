"""The course's commands: ``python -m lessons_lib check``, ``finetune``, ``ask``, ``download``."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from lessons_lib.environment import check_environment

# Other modules are imported where they are needed: ``check`` must run where PyTorch is broken.
HUB_NAMES = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")


def check(options: argparse.Namespace) -> int:
    report = check_environment()
    print(report)
    return 0 if report.ok else 1


def finetune(options: argparse.Namespace) -> int:
    from lessons_lib.recipes import get_recipe
    from lessons_lib.run_folder import run_in_folder

    recipe = get_recipe("lesson-09")
    chosen = {
        "model": options.model,
        "entries": options.entries,
        "epochs": options.epochs or recipe.epochs,
        "learning_rate": options.learning_rate or (5e-5 if options.model != "base" else None),
        "instruction_mask": options.mask,
        "seed": options.seed,
    }
    recipe = dataclasses.replace(
        recipe, **{name: value for name, value in chosen.items() if value is not None}
    )
    history = run_in_folder(
        recipe, options.out, resume=options.resume, checkpoint_every=options.checkpoint_every
    )
    return 130 if history.interrupted else 0


def ask(options: argparse.Namespace) -> int:
    from lessons_lib.checkpoints import load_model
    from lessons_lib.generation import respond

    entry = {"instruction": options.instruction, "input": options.input, "output": ""}
    print(respond(load_model(options.model), entry, max_new_tokens=options.max_new_tokens))
    return 0


def download(options: argparse.Namespace) -> int:
    from lessons_lib.data import BOOK_ENTRIES, load_entries
    from lessons_lib.hub_models import fetch

    for name in options.what:
        if name == "entries":
            print(f"entries: {len(load_entries(BOOK_ENTRIES)):,} of the book")
        else:
            print(f"{name}: {fetch(name)}")
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
    command.add_argument("--entries", default="bundled", help='"bundled", a file, or a URL')
    command.add_argument(
        "--model", default="base", help='"base", "gpt2", "smollm2", a file, or a folder'
    )
    command.add_argument("--epochs", type=_positive)
    command.add_argument("--learning-rate", type=float)
    command.add_argument("--mask", choices=("none", "prompt", "keep-header"))
    command.add_argument("--seed", type=int)
    command.add_argument("--out", type=Path, required=True, help="folder for all that is made")
    command.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    command.add_argument(
        "--checkpoint-every", type=_positive, default=50, metavar="N", help="optimizer steps"
    )
    command.set_defaults(run=finetune)

    command = commands.add_parser("ask", help="put an instruction to a model")
    command.add_argument("instruction")
    command.add_argument("--input", default="")
    command.add_argument("--model", required=True, help="as for finetune; its --out folder, say")
    command.add_argument("--max-new-tokens", type=_positive, default=64)
    command.set_defaults(run=ask)

    command = commands.add_parser("download", help="fetch what a class will need, once")
    command.add_argument(
        "what",
        nargs="*",
        choices=("entries", *HUB_NAMES),
        default=["entries", "gpt2"],
        help="default: the book's entries, and gpt2",
    )
    command.set_defaults(run=download)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 when all is well."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
